//! Invites: making, reading, revoking and taking them.

use rookery_protocol::client::events;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{
    AcceptInvite, CreateInvite, DeleteInvite, GetInvite, InviteView, ListInvites,
};
use rookery_protocol::document::{
    AuditAction, ChannelKind, InviteCodes, InviteOwner, InviteRow, Invites, Key,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Audience, EventName};
use rookery_protocol::ids::ChannelId;
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use serde::Serialize;
use serde_json::Value;

use super::audit::Entry;
use super::{Live, Turn};
use crate::turn::dispatch;

/// What an invite is, as the audit log tells it when it comes or goes.
fn facts(invite: &InviteRow, entry: Entry, is_new: bool) -> Entry {
    fn fact<T: Serialize + PartialEq>(entry: Entry, key: &str, value: &T, is_new: bool) -> Entry {
        let (old, new) = if is_new {
            (None, Some(value))
        } else {
            (Some(value), None)
        };
        entry.change(key, old, new)
    }
    let entry = fact(entry, "code", &invite.code, is_new);
    let entry = fact(entry, "channel_id", &invite.channel, is_new);
    let entry = fact(entry, "inviter_id", &invite.inviter, is_new);
    let entry = fact(entry, "uses", &invite.uses, is_new);
    let entry = fact(entry, "max_uses", &invite.max_uses, is_new);
    let entry = fact(entry, "max_age", &invite.max_age, is_new);
    fact(entry, "temporary", &false, is_new)
}

impl Live {
    fn invite_view(&self, invite: InviteRow, new_member: bool) -> InviteView {
        InviteView {
            invite,
            group: self.document.clone(),
            member_count: self.members.len() as u64,
            new_member,
        }
    }

    fn put_invite(&mut self, turn: &mut Turn<'_>, invite: InviteRow) {
        let key = Key::new(self.document.id, invite.code.as_str());
        turn.put::<Invites>(key, &invite);
        self.invites.insert(invite.code.clone(), invite);
    }

    /// Removes the invites that `gone` picks, with their rows, and shows it.
    pub(super) fn remove_invites(
        &mut self,
        turn: &mut Turn<'_>,
        gone: impl Fn(&InviteRow) -> bool,
    ) {
        let group = self.document.id;
        self.invites.retain(|code, invite| {
            let removed = gone(invite);
            if removed {
                turn.delete::<Invites>(Key::new(group, code.as_str()));
                turn.delete::<InviteCodes>(Key::single(code.as_str()));
                let body = events::invite_delete(group, invite);
                emit(turn, EventName::InviteDelete, invite.channel, &body);
            }
            !removed
        });
    }

    /// An invite that can be taken; one that cannot any more is removed.
    fn open_invite(&mut self, turn: &mut Turn<'_>, code: &str) -> Answer<InviteRow> {
        match self.invites.get(code) {
            Some(invite) if invite.is_open(turn.now) => Ok(invite.clone()),
            Some(_) => {
                self.remove_invites(turn, |invite| invite.code == code);
                Err(ErrorCode::UnknownInvite.into())
            }
            None => Err(ErrorCode::UnknownInvite.into()),
        }
    }

    pub(super) fn create_invite(
        &mut self,
        turn: &mut Turn<'_>,
        request: CreateInvite,
    ) -> Answer<InviteRow> {
        let seat = self.seat(turn.now, request.by.id, request.channel)?;
        seat.require(Permissions::CREATE_INSTANT_INVITE)?;
        if seat.channel.kind == ChannelKind::Category {
            return Err(ErrorCode::InvalidAction.into());
        }
        if request.reuse {
            let alike = |invite: &&InviteRow| {
                invite.channel == request.channel
                    && invite.inviter == request.by.id
                    && (invite.max_age, invite.max_uses) == (request.max_age, request.max_uses)
                    && invite.is_open(turn.now)
            };
            if let Some(invite) = self.invites.values().find(alike) {
                return Ok(invite.clone());
            }
        }
        if self.invites.contains_key(&request.code) {
            // The edge threw the same code twice: nothing was done, the next attempt has another one.
            return Err(ErrorCode::Busy.into());
        }
        if self.invites.len() >= limits::INVITES_PER_GROUP {
            let now = turn.now;
            if self.invites.values().all(|invite| invite.is_open(now)) {
                return Err(ErrorCode::MaximumInvites.into());
            }
            self.remove_invites(turn, |invite| !invite.is_open(now));
        }
        let invite = InviteRow {
            code: request.code,
            channel: request.channel,
            inviter: request.by.id,
            max_age: request.max_age,
            max_uses: request.max_uses,
            uses: 0,
            created_at: turn.now,
        };
        let group = self.document.id;
        turn.put::<InviteCodes>(Key::single(invite.code.as_str()), &InviteOwner { group });
        self.put_invite(turn, invite.clone());
        let body = events::invite_create(group, &invite, &request.by);
        emit(turn, EventName::InviteCreate, invite.channel, &body);
        let entry = Entry::new(request.by.id, AuditAction::InviteCreate, request.reason);
        self.audit(turn, facts(&invite, entry, true));
        Ok(invite)
    }

    pub(super) fn list_invites(
        &mut self,
        turn: &mut Turn<'_>,
        request: ListInvites,
    ) -> Answer<Vec<InviteRow>> {
        match request.channel {
            Some(channel) => self
                .seat(turn.now, request.by, channel)?
                .require(Permissions::MANAGE_CHANNELS)?,
            None => {
                self.require(turn.now, request.by, Permissions::MANAGE_GUILD)?;
            }
        }
        let now = turn.now;
        self.remove_invites(turn, |invite| !invite.is_open(now));
        let wanted = |invite: &&InviteRow| request.channel.is_none_or(|id| invite.channel == id);
        Ok(self.invites.values().filter(wanted).cloned().collect())
    }

    pub(super) fn get_invite(
        &mut self,
        turn: &mut Turn<'_>,
        request: GetInvite,
    ) -> Answer<InviteView> {
        let invite = self.open_invite(turn, &request.code)?;
        Ok(self.invite_view(invite, false))
    }

    pub(super) fn delete_invite(
        &mut self,
        turn: &mut Turn<'_>,
        request: DeleteInvite,
    ) -> Answer<InviteView> {
        self.member(request.by)?;
        let Some(invite) = self.invites.get(&request.code).cloned() else {
            return Err(ErrorCode::UnknownInvite.into());
        };
        let manages_channel = || {
            let seat = self.seat(turn.now, request.by, invite.channel);
            seat.is_ok_and(|seat| seat.permissions.allow(Permissions::MANAGE_CHANNELS))
        };
        if invite.inviter != request.by && !manages_channel() {
            self.require(turn.now, request.by, Permissions::MANAGE_GUILD)?;
        }
        self.remove_invites(turn, |other| other.code == invite.code);
        let entry = Entry::new(request.by, AuditAction::InviteDelete, request.reason);
        self.audit(turn, facts(&invite, entry, false));
        Ok(self.invite_view(invite, false))
    }

    pub(super) fn accept_invite(
        &mut self,
        turn: &mut Turn<'_>,
        request: AcceptInvite,
    ) -> Answer<InviteView> {
        let mut invite = self.open_invite(turn, &request.code)?;
        if self.members.contains_key(&request.by.id) {
            return Ok(self.invite_view(invite, false));
        }
        self.require_welcome(request.by.id)?;
        self.require_room()?;
        invite.uses += 1;
        if invite.is_open(turn.now) {
            self.put_invite(turn, invite.clone());
        } else {
            self.remove_invites(turn, |other| other.code == invite.code);
        }
        self.join(turn, &request.by, Vec::new());
        Ok(self.invite_view(invite, true))
    }
}

/// Shows what happened to an invite to who may manage its channel.
fn emit(turn: &mut Turn<'_>, name: EventName, channel: ChannelId, body: &Value) {
    let managers = Audience::Holders {
        permissions: Permissions::MANAGE_CHANNELS,
        channel: Some(channel),
    };
    let dispatch = dispatch(name, Intents::GUILD_INVITES, body);
    turn.emit_for(managers, dispatch, None);
}
