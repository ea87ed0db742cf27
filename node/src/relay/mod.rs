//! The relay lanes at work: one thread per core that owns its sessions' write sides, the hub that carries frames to the
//! lanes, and the clerk that asks entities and the store on a lane's behalf.

mod calls;
mod clerk;
mod counters;
mod elsewhere;
mod encode;
mod hub;
mod lane;
mod lanes;
mod moves;
mod outbox;
mod pace;
mod ready;
mod rejoin;
mod session_id;
mod tell;
mod world;

pub use calls::Calls;
pub use clerk::{Clerk, NodeName};
pub use counters::{Counters, CountersView};
pub use elsewhere::{Buddies, Elsewhere, Nowhere};
pub use encode::Encoder;
pub use hub::{Hub, Inboxes, Watcher};
pub use lane::{Admission, Arrival, End};
pub use lanes::Lanes;
pub use moves::Moves;
pub use outbox::{Outbox, Progress};
pub use pace::Pace;
pub use session_id::SessionId;
pub use world::World;
