//! What keys and channels are called.

use rookery_protocol::ids::UserId;

use super::RedisOptions;

/// Channels that every node listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// Whose copies are void.
    Voids,
    /// Who is online where.
    Presence,
    /// Which nodes live.
    Nodes,
}

impl Channel {
    pub(super) const ALL: [Self; 3] = [Self::Voids, Self::Presence, Self::Nodes];
}

/// The names under one prefix.
pub(super) struct Names {
    prefix: String,
    /// This node.
    pub(super) node: String,
    /// Which run of it.
    pub(super) incarnation: u64,
}

impl Names {
    pub(super) fn new(options: &RedisOptions) -> Self {
        Self {
            prefix: options.prefix.clone(),
            node: options.node.clone(),
            incarnation: options.incarnation,
        }
    }

    pub(super) fn channel(&self, channel: Channel) -> String {
        let name = match channel {
            Channel::Voids => "voids",
            Channel::Presence => "presence",
            Channel::Nodes => "nodes",
        };
        format!("{}said:{name}", self.prefix)
    }

    /// The channel of a name.
    pub(super) fn channel_of(&self, name: &[u8]) -> Option<Channel> {
        let named = |channel: &Channel| self.channel(*channel).as_bytes() == name;
        Channel::ALL.into_iter().find(named)
    }

    /// When a bucket of a rate limit will be full.
    pub(super) fn bucket(&self, bucket: &str) -> String {
        format!("{}limit:{bucket}", self.prefix)
    }

    /// The version of a user's account, and his profile if that is known.
    pub(super) fn profile(&self, user: UserId) -> String {
        format!("{}profile:{user}", self.prefix)
    }

    /// The runs of nodes, by when they are forgotten.
    pub(super) fn nodes(&self) -> String {
        format!("{}nodes", self.prefix)
    }

    /// What a run of a node says of itself.
    pub(super) fn hint(&self, node: &str, incarnation: u64) -> String {
        format!("{}node:{}", self.prefix, run(node, incarnation))
    }

    /// Who is online on a run of a node, by user.
    pub(super) fn presence(&self, node: &str, incarnation: u64) -> String {
        format!("{}presence:{}", self.prefix, run(node, incarnation))
    }

    /// What is written to see whether this node may.
    pub(super) fn probe(&self) -> String {
        format!("{}probe:{}", self.prefix, self.node)
    }
}

/// A run of a node; a node's name holds no slash.
pub(super) fn run(node: &str, incarnation: u64) -> String {
    format!("{node}/{incarnation}")
}

/// The run of a name.
pub(super) fn parse_run(name: &str) -> Option<(&str, u64)> {
    let (node, incarnation) = name.rsplit_once('/')?;
    Some((node, incarnation.parse().ok()?))
}
