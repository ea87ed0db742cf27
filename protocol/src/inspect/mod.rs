//! What a node tells its operator, and other nodes for theirs: JSON of the admin API and of the commands with `--json`.
//!
//! Numbers are counted since the node was started unless they say otherwise; whoever looks twice computes rates. Ids are
//! strings: readers of JSON round numbers of more than 53 bits. Nothing here ever holds the content of a message.

mod act;
mod actor;
mod doctor;
mod node;
mod question;
mod room;
mod session;
mod store;
mod token;
mod trace;

use serde::{Deserialize, Serialize};

pub use self::act::{Act, ActRecord, Acted};
pub use self::actor::{
    ActorDetail, ActorId, ActorKind, ActorRow, InvalidActor, KindRow, Sort, Top, TreeNode,
};
pub use self::doctor::{DoctorReport, Finding, Warning, WarningKind, Warnings};
pub use self::node::{CommitRow, LinkRow, NodeRow, Nodes};
pub use self::question::{Question, Said};
pub use self::room::{PeerRow, RoomRow, Rooms};
pub use self::session::{SessionRow, Sessions};
pub use self::store::{CheckLine, StoreReport};
pub use self::token::{NewToken, Role, TokenRow};
pub use self::trace::{TraceLine, TracePart};

/// A node that did not answer; what the others said is shown all the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Silent {
    /// Its name.
    pub node: String,
    /// Why, in a few words.
    pub why: String,
}
