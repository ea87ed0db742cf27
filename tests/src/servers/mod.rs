//! The real servers that scenarios and the store's tests need, and a wire before them that fails when told to.

mod coturn;
mod mongod;
mod process;
mod proxy;
mod set;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

pub use coturn::Coturn;
pub use mongod::{ADMIN, Mongod, MongodOptions};
pub use process::Process;
pub use proxy::{Flow, Proxy};
pub use set::MongoSet;

/// An address nobody listens at. Another process can take it before its server does; who starts a server tries again then.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address")
}
