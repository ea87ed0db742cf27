//! Entities: the pure [`Core`], the pure [`Machine`] around it, and the shell that runs both as a supervised ractor
//! actor, found through the [`Directory`].

mod backoff;
mod core;
mod counters;
mod directory;
mod kind;
mod kit;
mod log;
mod machine;
mod minter;
mod peers;
mod requests;
mod route;
mod shell;
mod stimulus;
mod supervisor;
#[cfg(test)]
mod tests;
mod world;

pub use self::core::{Core, Effect, Input, LoadError, ReplyTo};
pub use self::counters::{Counters, CountersView};
pub use self::directory::Directory;
pub use self::kit::Kit;
pub use self::log::Log;
pub use self::machine::Machine;
pub use self::minter::SharedMinter;
pub use self::peers::{Astray, NoPeers, Peers};
pub use self::stimulus::{AckTo, Action, Stimulus};
pub use self::world::{AccountCache, Clock, Publisher, Rooms, World};
