//! Direct channels, and how the two of a pair stand to each other.

use serde::{Deserialize, Serialize};

use crate::document::GroupDocument;
use crate::ids::{MessageId, UserId};
use crate::profile::Profile;

/// Makes the direct channel of two people. Refused with `Busy` if there is one: look it up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreatePair {
    /// Both, the smaller id first, with the profiles that events show.
    pub people: [Profile; 2],
}

/// Makes a direct channel of a few people; the edge saw to it that they are friends of the asker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateDirect {
    /// Who makes it, and owns it; with the profile that events show.
    pub by: Profile,
    /// The others, with theirs.
    pub recipients: Vec<Profile>,
}

/// Reads a direct channel; `MissingAccess` for who is not in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetDirect {
    /// Who asks.
    pub by: UserId,
}

/// Puts the direct channel of two people into one's list, or takes it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetOpen {
    /// Who asks.
    pub by: UserId,
    /// Whether it is to be in the list.
    pub open: bool,
}

/// A direct channel as one of its people sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectView {
    /// The channel and what makes it direct.
    pub group: GroupDocument,
    /// Its people.
    pub people: Vec<UserId>,
    /// Its newest message.
    pub last_message: Option<MessageId>,
}

/// Changes how one stands to the other of a pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetRelation {
    /// Who asks, with the profile that the event shows.
    pub by: Profile,
    /// The other, with the profile that the asker's event shows.
    pub other: Profile,
    /// How.
    pub wish: RelationWish,
}

/// What somebody wants of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RelationWish {
    /// To be friends: asks, or accepts.
    Friend,
    /// To have nothing to do with him.
    Block,
    /// No friendship, no request, no block of his own.
    Nothing,
}

/// Changes a direct channel of a few people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateDirect {
    /// Who asks, with the profile that the event shows.
    pub by: Profile,
    /// A clean name.
    pub name: Option<Option<String>>,
    /// Hash of the icon.
    pub icon: Option<Option<String>>,
}

/// Adds somebody to a direct channel of a few people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddRecipient {
    /// Who asks, with the profile that the event shows.
    pub by: Profile,
    /// Whom.
    pub user: Profile,
}

/// Removes somebody from a direct channel of a few people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemoveRecipient {
    /// Who asks, with the profile that the event shows.
    pub by: Profile,
    /// Whom.
    pub user: Profile,
}
