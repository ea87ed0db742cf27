//! The address of an entity: `(kind, id)`. No caller knows the node it lives on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{GroupId, InvalidId, UserId};

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EntityKind {
    /// An account.
    User,
    /// A community.
    Group,
}

impl EntityKind {
    /// Every kind, for listings and metrics.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// The lower-case name used in keys, logs and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }
}

/// The address of one entity; written `group/123`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityRef {
    /// What it is.
    pub kind: EntityKind,
    /// Its id.
    pub id: u64,
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.id)
    }
}

impl FromStr for EntityRef {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (kind, id) = text.split_once('/').ok_or(InvalidId)?;
        let kind = EntityKind::ALL
            .into_iter()
            .find(|k| k.name() == kind)
            .ok_or(InvalidId)?;
        Ok(Self {
            kind,
            id: id.parse::<UserId>()?.0,
        })
    }
}

impl From<UserId> for EntityRef {
    fn from(id: UserId) -> Self {
        Self {
            kind: EntityKind::User,
            id: id.0,
        }
    }
}

impl From<GroupId> for EntityRef {
    fn from(id: GroupId) -> Self {
        Self {
            kind: EntityKind::Group,
            id: id.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        let group = EntityRef::from(GroupId(42));
        assert_eq!(group.to_string(), "group/42");
        assert_eq!("group/42".parse::<EntityRef>(), Ok(group));
        assert!("groups/42".parse::<EntityRef>().is_err());
        assert!("group/".parse::<EntityRef>().is_err());
    }
}
