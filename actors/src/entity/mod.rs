//! Entities: the pure [`Core`], the pure [`Machine`] around it, and the shell that runs both as a supervised ractor
//! actor, found through the [`Directory`].

mod backoff;
mod core;
mod counters;
mod directory;
mod incidents;
mod inspect;
mod kind;
mod kinds;
mod kit;
mod log;
mod machine;
mod mailbox;
mod minter;
mod origin;
mod peers;
mod registry;
mod requests;
mod roster;
mod route;
mod shell;
mod spawn;
mod stimulus;
mod supervisor;
mod tap;
#[cfg(test)]
mod tests;
mod trim;
mod world;

pub use self::core::{Core, Effect, Input, LoadError, ReplyTo};
pub use self::counters::{Counters, CountersView, Handled, Lately, Timed, Waiting};
pub use self::directory::Directory;
pub use self::incidents::{Incident, Trouble};
pub use self::inspect::{Census, Figures, rank};
pub use self::kinds::{Buckets, KindView, Kinds, bucket_end_ns, percentile_ns};
pub use self::kit::Kit;
pub use self::log::Log;
pub use self::machine::Machine;
pub use self::minter::SharedMinter;
pub use self::origin::Origin;
pub use self::peers::{Astray, NoPeers, Peers};
pub use self::stimulus::{AckTo, Action, Stimulus};
pub use self::tap::TooManyTraces;
pub use self::world::{AccountCache, Clock, Publisher, Rooms, World};
