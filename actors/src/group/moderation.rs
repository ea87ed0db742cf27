//! Bans, and leave for what is read from the store.
//!
//! The ids of the banned are known by heart, so that joins, bans and their ends are decided without a read; what else
//! there is to a ban is in its row, which only listings read.

use rookery_protocol::client::events;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{Authorize, Ban, EndPurge, Unban};
use rookery_protocol::document::{AuditAction, BanRow, Bans, Key, PurgeRow, Purges};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Audience, EventName};
use rookery_protocol::ids::MessageId;
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;
use rookery_protocol::{limits, snowflake};

use super::audit::Entry;
use super::{Live, Turn};
use crate::turn::dispatch;

impl Live {
    /// Bans a user and removes him if he is a member. That his messages are to be deleted is written with the ban, so
    /// that it happens even if the node ends before it did.
    pub(super) fn ban(&mut self, turn: &mut Turn<'_>, request: Ban) -> Answer<()> {
        let by = request.by;
        self.require(turn.now, by, Permissions::BAN_MEMBERS)?;
        let user = request.user.id;
        let stands_below = match self.members.get(&user) {
            Some(target) => self.outranks(self.member(by)?, target),
            None => user != self.document.owner,
        };
        if !stands_below {
            return Err(ErrorCode::MissingPermissions.into());
        }
        let is_new = !self.banned.contains(&user);
        if is_new && self.banned.len() >= limits::BANS_PER_GROUP {
            return Err(ErrorCode::MaximumBans.into());
        }
        let group = self.document.id;
        if request.delete_seconds > 0 {
            let since = turn.now.0.saturating_sub(request.delete_seconds * 1_000);
            let row = PurgeRow {
                user,
                by,
                above: MessageId(snowflake::floor(Millis(since))),
                below: MessageId(self.kit.ids.mint(turn.now)),
            };
            turn.put::<Purges>(Key::new(group, row.below), &row);
        }
        if !is_new {
            return Ok(());
        }
        let row = BanRow {
            user,
            reason: request.reason.clone(),
            by,
            at: turn.now,
        };
        turn.put::<Bans>(Key::new(group, user), &row);
        self.banned.insert(user);
        if self.members.contains_key(&user) {
            self.leave(turn, &request.user);
        }
        self.show_ban(turn, EventName::GuildBanAdd, &request.user);
        let entry = Entry::new(by, AuditAction::MemberBanAdd, request.reason);
        self.audit(turn, entry.on(user.0));
        Ok(())
    }

    pub(super) fn unban(&mut self, turn: &mut Turn<'_>, request: Unban) -> Answer<()> {
        self.require(turn.now, request.by, Permissions::BAN_MEMBERS)?;
        let user = request.user.id;
        if !self.banned.remove(&user) {
            return Err(ErrorCode::UnknownBan.into());
        }
        turn.delete::<Bans>(Key::new(self.document.id, user));
        self.show_ban(turn, EventName::GuildBanRemove, &request.user);
        let entry = Entry::new(request.by, AuditAction::MemberBanRemove, request.reason);
        self.audit(turn, entry.on(user.0));
        Ok(())
    }

    /// To whoever may ban or read the audit log.
    ///
    /// Source: <https://discord.com/developers/docs/events/gateway-events#guild-ban-add>
    fn show_ban(&self, turn: &mut Turn<'_>, name: EventName, user: &Profile) {
        let body = events::ban(self.document.id, user);
        let readers = Audience::Holders {
            permissions: Permissions::BAN_MEMBERS | Permissions::VIEW_AUDIT_LOG,
            channel: None,
        };
        turn.emit_for(
            readers,
            dispatch(name, Intents::GUILD_MODERATION, &body),
            None,
        );
    }

    pub(super) fn end_purge(&mut self, turn: &mut Turn<'_>, request: EndPurge) -> Answer<()> {
        turn.delete::<Purges>(Key::new(self.document.id, request.purge));
        Ok(())
    }

    /// Leave for something that is read from the store: what was committed before the answer is there.
    pub(super) fn authorize(&mut self, turn: &mut Turn<'_>, request: Authorize) -> Answer<()> {
        match request.channel {
            Some(channel) => self
                .seat(turn.now, request.by, channel)?
                .require(request.permissions),
            None => self
                .require(turn.now, request.by, request.permissions)
                .map(|_| ()),
        }
    }
}
