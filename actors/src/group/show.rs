//! Showing what happens in a channel to whoever sees it. In a community that is an event of the group for the channel's
//! audience; a direct channel has no sessions of its own, its few people are each told through their account.

use bytes::Bytes;
use rookery_protocol::client;
use rookery_protocol::command::Notice;
use rookery_protocol::event::{Audience, Dispatch, EventName};
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::intents::Intents;
use serde::Serialize;

use super::{Live, Turn};
use crate::turn::dispatch;

/// What an event in a channel is about, as far as intents go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Channel,
    Messages,
    Reactions,
    Typing,
}

impl About {
    fn intents(self, is_direct: bool) -> Intents {
        match (self, is_direct) {
            (Self::Channel, false) => Intents::GUILDS,
            (Self::Messages, false) => Intents::GUILD_MESSAGES,
            (Self::Reactions, false) => Intents::GUILD_MESSAGE_REACTIONS,
            (Self::Typing, false) => Intents::GUILD_MESSAGE_TYPING,
            (Self::Channel | Self::Messages, true) => Intents::DIRECT_MESSAGES,
            (Self::Reactions, true) => Intents::DIRECT_MESSAGE_REACTIONS,
            (Self::Typing, true) => Intents::DIRECT_MESSAGE_TYPING,
        }
    }
}

impl Live {
    /// Whether it is a direct channel.
    pub(super) fn is_direct(&self) -> bool {
        self.document.direct.is_some()
    }

    /// The `guild_id` of its objects; a direct channel has none.
    pub(super) fn guild_id(&self) -> Option<GroupId> {
        (!self.is_direct()).then_some(self.document.id)
    }

    /// Shows something that happened in a channel.
    pub(super) fn show(
        &self,
        turn: &mut Turn<'_>,
        channel: ChannelId,
        name: EventName,
        about: About,
        body: &impl Serialize,
    ) {
        let dispatch = self.dispatch(name, about, body);
        self.show_dispatch(turn, channel, dispatch);
    }

    /// Shows a message event, whose content is for `readers` and for who has MESSAGE_CONTENT. In a direct channel
    /// everybody sees it.
    pub(super) fn show_message(
        &self,
        turn: &mut Turn<'_>,
        channel: ChannelId,
        name: EventName,
        body: Bytes,
        readers: Vec<UserId>,
    ) {
        let dispatch = Dispatch {
            name,
            body,
            intents: About::Messages.intents(self.is_direct()),
            content_for: (!self.is_direct()).then_some(readers),
            about: None,
        };
        self.show_dispatch(turn, channel, dispatch);
    }

    /// A dispatch of an event in a channel.
    pub(super) fn dispatch(
        &self,
        name: EventName,
        about: About,
        body: &impl Serialize,
    ) -> Dispatch {
        dispatch(name, about.intents(self.is_direct()), body)
    }

    fn show_dispatch(&self, turn: &mut Turn<'_>, channel: ChannelId, dispatch: Dispatch) {
        if self.is_direct() {
            for &user in self.members.keys() {
                turn.send(user, Notice::Show(dispatch.clone()));
            }
        } else {
            turn.emit_for(Audience::Channel(channel), dispatch, None);
        }
    }

    /// The body of a channel as clients see it.
    pub(super) fn channel_body(&self, channel: ChannelId) -> Option<Bytes> {
        let last = self.last_messages.get(&channel).copied();
        let found = self.document.channel(channel)?;
        let body = client::channel::channel(found, self.guild_id(), last);
        Some(client::encode(&body))
    }
}
