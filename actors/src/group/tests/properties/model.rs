//! The group as it must look from outside.

use std::collections::{BTreeMap, BTreeSet};

use rookery_protocol::command::group::*;
use rookery_protocol::document::Nonce;
use rookery_protocol::ids::MessageId;
use rookery_protocol::limits;
use rookery_protocol::snowflake;

use super::super::*;

/// What the model knows of a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) author: UserId,
    pub(super) content: String,
    pub(super) is_system: bool,
    pub(super) nonce: Option<i64>,
    pub(super) there: bool,
}

/// The group as it must look from outside.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) alive: bool,
    pub(super) members: BTreeSet<UserId>,
    pub(super) channels: BTreeSet<ChannelId>,
    pub(super) messages: BTreeMap<(ChannelId, MessageId), Known>,
    /// Who reacted with what.
    pub(super) reactions: BTreeSet<((ChannelId, MessageId), String, UserId)>,
    pub(super) pins: BTreeSet<(ChannelId, MessageId)>,
    /// The newest id that was ever seen of a channel.
    pub(super) last: BTreeMap<ChannelId, MessageId>,
}

impl Model {
    /// A message is gone, with all that hangs on it.
    pub(super) fn erase(&mut self, place: (ChannelId, MessageId)) {
        if let Some(known) = self.messages.get_mut(&place) {
            known.there = false;
        }
        self.reactions.retain(|(of, _, _)| *of != place);
        self.pins.remove(&place);
    }

    pub(super) fn is_there(&self, place: (ChannelId, MessageId)) -> bool {
        self.messages.get(&place).is_some_and(|known| known.there)
    }

    /// Holds what an enforced nonce found against the messages that bear it. That of a deleted message is free; after
    /// a crash it may find an earlier twin that was sent without asking.
    pub(super) fn check_nonce(
        &self,
        rig: &Rig<Group>,
        request: &PostMessage,
        found: Option<MessageId>,
    ) {
        let Some(Nonce::Number(nonce)) = request.nonce else {
            return assert_eq!(found, None);
        };
        let twins = self.messages.iter().rev().filter(|((channel, _), known)| {
            *channel == request.channel
                && known.author == request.by.id
                && known.nonce == Some(nonce)
        });
        let twins: Vec<_> = twins.collect();
        let fresh = |id: MessageId| rig.now.since(snowflake::created_at(id.0)) < limits::NONCE_MS;
        let newest_there = twins.iter().find(|(_, known)| known.there);
        let newest_there = newest_there.map(|((_, id), _)| *id).filter(|id| fresh(*id));
        let newest_is_there = twins.first().is_some_and(|(_, known)| known.there);
        if found.is_some() || newest_is_there {
            assert_eq!(found, newest_there);
        }
    }

    pub(super) fn add(&mut self, row: &MessageRow) {
        let last = self.last.insert(row.channel, row.id);
        assert!(last < Some(row.id), "ids rise within a channel");
        let nonce = match row.nonce {
            Some(Nonce::Number(nonce)) => Some(nonce),
            _ => None,
        };
        let known = Known {
            author: row.author,
            content: row.content.clone(),
            is_system: row.kind.is_system(),
            nonce,
            there: true,
        };
        let before = self.messages.insert((row.channel, row.id), known);
        assert_eq!(before, None);
    }
}
