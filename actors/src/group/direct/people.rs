//! The direct channel of a few people: its name and icon, who comes and who goes.

use rookery_protocol::client::direct::recipient;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{AddRecipient, DirectView, RemoveRecipient, UpdateDirect};
use rookery_protocol::document::{Directs, Key, Members, MessageKind};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use rookery_protocol::profile::Profile;

use super::super::{Live, Turn};

impl Live {
    /// `CannotActOnDirect` in the channel of two people, which stays theirs as it is.
    fn require_few(&self, user: UserId) -> Answer<()> {
        self.member(user)?;
        if self.document.pair().is_some() {
            return Err(ErrorCode::CannotActOnDirect.into());
        }
        Ok(())
    }

    pub(in crate::group) fn update_direct(
        &mut self,
        turn: &mut Turn<'_>,
        request: UpdateDirect,
    ) -> Answer<DirectView> {
        let UpdateDirect { by, name, icon } = request;
        self.require_few(by.id)?;
        let renamed = name
            .map(Option::unwrap_or_default)
            .filter(|name| *name != self.document.name);
        let redrawn = icon.filter(|icon| *icon != self.document.icon);
        if renamed.is_none() && redrawn.is_none() {
            return Ok(self.direct_view());
        }
        if let Some(name) = &renamed {
            self.document.name.clone_from(name);
        }
        let has_icon = redrawn.is_some();
        if let Some(icon) = redrawn {
            self.document.icon = icon;
        }
        self.save(turn);
        self.list_all(turn);
        self.show_channel_to_all(turn, EventName::ChannelUpdate);
        let channel = self.direct_id();
        if let Some(name) = renamed {
            self.post_system(turn, channel, MessageKind::NameChange, &by, name, &[]);
        }
        if has_icon {
            let kind = MessageKind::IconChange;
            self.post_system(turn, channel, kind, &by, String::new(), &[]);
        }
        Ok(self.direct_view())
    }

    fn show_channel_to_all(&self, turn: &mut Turn<'_>, name: EventName) {
        for user in self.listing() {
            self.show_channel(turn, user, name);
        }
    }

    /// Adds a friend of somebody who is there (the edge saw to it); who is there already stays.
    pub(in crate::group) fn add_recipient(
        &mut self,
        turn: &mut Turn<'_>,
        request: AddRecipient,
    ) -> Answer<DirectView> {
        let AddRecipient { by, user } = request;
        self.require_few(by.id)?;
        if self.members.contains_key(&user.id) {
            return Ok(self.direct_view());
        }
        if user.bot {
            return Err(ErrorCode::InvalidRecipients.into());
        }
        if self.members.len() >= limits::RECIPIENTS_PER_DIRECT {
            return Err(ErrorCode::MaximumRecipients.into());
        }
        let body = recipient(self.direct_id(), &user);
        for other in self.listing() {
            self.show_to(turn, other, EventName::ChannelRecipientAdd, &body);
        }
        self.insert_person(turn, &user);
        self.list_all(turn);
        self.show_channel(turn, user.id, EventName::ChannelCreate);
        let kind = MessageKind::RecipientAdd;
        let channel = self.direct_id();
        let mentions = std::slice::from_ref(&user);
        self.post_system(turn, channel, kind, &by, String::new(), mentions);
        Ok(self.direct_view())
    }

    pub(in crate::group) fn remove_recipient(
        &mut self,
        turn: &mut Turn<'_>,
        request: RemoveRecipient,
    ) -> Answer<()> {
        let RemoveRecipient { by, user } = request;
        self.require_few(by.id)?;
        if by.id != user.id && self.document.owner != by.id {
            return Err(ErrorCode::MissingPermissions.into());
        }
        if !self.members.contains_key(&user.id) {
            return Err(ErrorCode::UnknownUser.into());
        }
        self.part(turn, &by, &user);
        Ok(())
    }

    /// Lets somebody go: the others see it, the owner's place passes on, and the last one ends it.
    pub(super) fn part(&mut self, turn: &mut Turn<'_>, by: &Profile, user: &Profile) {
        let channel = self.direct_id();
        self.show_channel(turn, user.id, EventName::ChannelDelete);
        turn.delete::<Members>(Key::new(self.document.id, user.id));
        turn.delete::<Directs>(Key::new(user.id, channel));
        self.members.remove(&user.id);
        self.people.remove(&user.id);
        let oldest = self.members.values();
        let Some(heir) = oldest.min_by_key(|row| (row.joined_at, row.user)) else {
            return self.end(turn);
        };
        let passes_on = self.document.owner == user.id;
        if passes_on {
            self.document.owner = heir.user;
            self.save(turn);
        }
        self.list_all(turn);
        let body = recipient(channel, user);
        for other in self.listing() {
            self.show_to(turn, other, EventName::ChannelRecipientRemove, &body);
        }
        if passes_on {
            self.show_channel_to_all(turn, EventName::ChannelUpdate);
        }
        let kind = MessageKind::RecipientRemove;
        let mentions = std::slice::from_ref(user);
        self.post_system(turn, channel, kind, by, String::new(), mentions);
    }
}
