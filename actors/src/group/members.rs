//! Members: who comes, who goes, and who is there.

use rookery_protocol::client::events;
use rookery_protocol::client::group::unavailable_guild;
use rookery_protocol::client::member::MemberJson;
use rookery_protocol::command::group::{AddBot, GetMember, ListMembers, RemoveMember};
use rookery_protocol::command::{Answer, Notice};
use rookery_protocol::document::{
    AuditAction, Key, MemberRow, Members, Membership, Memberships, RoleDocument,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Audience, Dispatch, EventName};
use rookery_protocol::ids::{RoleId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;

use super::audit::Entry;
use super::{Live, Turn};
use crate::turn::dispatch;

/// What shows a changed member: a bot sees itself change whatever it asked for.
///
/// Source: <https://discord.com/developers/docs/events/gateway#list-of-intents>
pub(super) fn member_updated(user: UserId, body: &MemberJson<'_>) -> Dispatch {
    dispatch(EventName::GuildMemberUpdate, Intents::GUILD_MEMBERS, body).about(user)
}

/// The row of somebody who comes now.
pub(super) fn row(profile: &Profile, roles: Vec<RoleId>, now: Millis) -> MemberRow {
    MemberRow {
        user: profile.id,
        nick: None,
        roles,
        joined_at: now,
        username: profile.username.clone(),
        global_name: profile.global_name.clone(),
        timeout_until: None,
        mute: false,
        deaf: false,
    }
}

impl Live {
    /// `MaximumMembers` when nobody more can come.
    pub(super) fn require_room(&self) -> Answer<()> {
        if self.members.len() >= limits::MEMBERS_PER_GROUP {
            return Err(ErrorCode::MaximumMembers.into());
        }
        Ok(())
    }

    /// `BannedFromGuild` for who is banned.
    pub(super) fn require_welcome(&self, user: UserId) -> Answer<()> {
        if self.banned.contains(&user) {
            return Err(ErrorCode::BannedFromGuild.into());
        }
        Ok(())
    }

    /// Writes a new member and the index.
    pub(super) fn insert_member(&mut self, turn: &mut Turn<'_>, row: MemberRow) {
        let group = self.document.id;
        turn.put::<Members>(Key::new(group, row.user), &row);
        turn.put::<Memberships>(Key::new(row.user, group), &Membership { group });
        self.members.insert(row.user, row);
    }

    /// Makes a user a member: rows, event, word to the user, and a message in the system channel.
    pub(super) fn join(&mut self, turn: &mut Turn<'_>, profile: &Profile, roles: Vec<RoleId>) {
        let group = self.document.id;
        let mut row = row(profile, roles, turn.now);
        self.lay_sanctions(turn, &mut row);
        let body = MemberJson::in_group(&row, profile, group);
        turn.emit(EventName::GuildMemberAdd, Intents::GUILD_MEMBERS, &body);
        self.insert_member(turn, row);
        turn.send(profile.id, Notice::Joined(group));
        self.post_join(turn, profile);
    }

    /// Adds a bot, with a role of its own if it is to have permissions. One that is there already is left as it is.
    pub(super) fn add_bot(&mut self, turn: &mut Turn<'_>, request: AddBot) -> Answer<()> {
        let held = self.require(turn.now, request.by, Permissions::MANAGE_GUILD)?;
        let AddBot { bot, .. } = request;
        if !bot.bot {
            return Err(ErrorCode::UnknownApplication.into());
        }
        if self.members.contains_key(&bot.id) {
            return Ok(());
        }
        self.require_welcome(bot.id)?;
        self.require_room()?;
        let granted = request.permissions & held;
        let mut roles = Vec::new();
        if granted != Permissions::NONE {
            if self.document.roles.len() >= limits::ROLES_PER_GROUP {
                return Err(ErrorCode::MaximumRoles.into());
            }
            let role = RoleDocument {
                id: RoleId(self.kit.ids.mint(turn.now)),
                name: bot.username.clone(),
                color: 0,
                hoist: false,
                position: 1,
                permissions: granted,
                mentionable: false,
                bot: Some(bot.id),
            };
            self.emit_role(turn, EventName::GuildRoleCreate, &role);
            roles.push(role.id);
            self.document.roles.push(role);
            self.save(turn);
        }
        self.join(turn, &bot, roles);
        self.audit(
            turn,
            Entry::new(request.by, AuditAction::BotAdd, None).on(bot.id.0),
        );
        Ok(())
    }

    pub(super) fn get_member(
        &mut self,
        _turn: &mut Turn<'_>,
        request: GetMember,
    ) -> Answer<MemberRow> {
        self.member(request.by)?;
        let unknown = || ErrorCode::UnknownMember.into();
        let member = self.members.get(&request.user);
        member.cloned().ok_or_else(unknown)
    }

    pub(super) fn list_members(
        &mut self,
        _turn: &mut Turn<'_>,
        request: ListMembers,
    ) -> Answer<Vec<MemberRow>> {
        self.member(request.by)?;
        let after = request.after.unwrap_or(UserId(0));
        let limit = request.limit.min(*limits::MEMBERS_PAGE.end());
        let above = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        let rows = self.members.range(above).take(limit);
        Ok(rows.map(|(_, row)| row.clone()).collect())
    }

    /// Removes a member, or lets him leave.
    pub(super) fn remove_member(
        &mut self,
        turn: &mut Turn<'_>,
        request: RemoveMember,
    ) -> Answer<()> {
        let RemoveMember {
            by,
            user: profile,
            reason,
        } = request;
        let user = profile.id;
        if by == user {
            if !self.members.contains_key(&user) {
                return Err(ErrorCode::UnknownGuild.into());
            }
        } else {
            self.require(turn.now, by, Permissions::KICK_MEMBERS)?;
        }
        let Some(target) = self.members.get(&user) else {
            return Err(ErrorCode::UnknownMember.into());
        };
        if user == self.document.owner {
            return Err(ErrorCode::CannotRemoveOwner.into());
        }
        if by != user && !self.outranks(self.member(by)?, target) {
            return Err(ErrorCode::MissingPermissions.into());
        }
        self.leave(turn, &profile);
        if by != user {
            self.audit(
                turn,
                Entry::new(by, AuditAction::MemberKick, reason).on(user.0),
            );
        }
        Ok(())
    }

    /// Takes a member out, with the role that was made for him if he is a bot.
    pub(super) fn leave(&mut self, turn: &mut Turn<'_>, profile: &Profile) {
        let (group, user) = (self.document.id, profile.id);
        if let Some(row) = self.members.remove(&user) {
            self.keep_sanctions(turn, &row);
        }
        self.voices.is_stale = true;
        turn.delete::<Members>(Key::new(group, user));
        turn.delete::<Memberships>(Key::new(user, group));
        // Whoever goes does not see himself go.
        let body = unavailable_guild(group, false);
        let last = dispatch(EventName::GuildDelete, Intents::GUILDS, &body);
        turn.farewell(Audience::User(user), last);
        let body = events::member_remove(group, profile);
        turn.emit(EventName::GuildMemberRemove, Intents::GUILD_MEMBERS, &body);
        // The role that was made for a bot; nobody else holds it.
        let mut roles = self.document.roles.iter();
        let own = roles.find(|role| role.bot == Some(user));
        if let Some(role) = own.map(|role| role.id) {
            self.drop_role(turn, role);
        }
    }

    /// A user has a new profile: members see it, and search finds him by his new names.
    pub(super) fn profile_changed(&mut self, turn: &mut Turn<'_>, profile: &Profile) {
        let group = self.document.id;
        let Some(row) = self.members.get_mut(&profile.id) else {
            return;
        };
        row.username.clone_from(&profile.username);
        row.global_name.clone_from(&profile.global_name);
        turn.put::<Members>(Key::new(group, row.user), row);
        if self.document.direct.is_some() {
            return self.introduce(turn, profile);
        }
        let body = MemberJson::in_group(row, profile, group);
        let update = member_updated(row.user, &body);
        turn.emit_for(Audience::Everyone, update, None);
    }

    /// The account of one of its people was deleted: he leaves. An owner stays, for a group has one: the edge saw to it
    /// that he had none, unless he became one in that moment.
    pub(super) fn account_deleted(&mut self, turn: &mut Turn<'_>, profile: &Profile) {
        if self.is_direct() {
            return self.bereave(turn, profile);
        }
        if self.members.contains_key(&profile.id) && self.document.owner != profile.id {
            self.leave(turn, profile);
        }
    }
}
