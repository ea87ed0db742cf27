//! Connections. The listener accepts TCP, does the TLS handshake if there is one, makes an [`Io`] of the result and
//! serves it with `hyper::server::conn::http1::Builder::serve_connection(TokioIo::new(io), ..).with_upgrades()`. After
//! an upgrade the gateway takes the [`Io`] back out of hyper and splits it into a reading task and a lane's outbox,
//! which share the [`Wire`].

mod io;
mod wire;

pub use io::Io;
pub use wire::{Wire, Written};
