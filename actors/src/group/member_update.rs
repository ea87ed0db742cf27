//! Changing a member: nickname, roles, timeout. Who changes another stands above him; who gives or takes a role stands above
//! the role.

use rookery_protocol::client::member::MemberJson;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{SetMemberRole, UpdateMember};
use rookery_protocol::document::{AuditAction, Key, MemberRow, Members};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::{AccessChange, Audience};
use rookery_protocol::ids::{RoleId, UserId};
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;
use serde_json::{Value, json};

use super::audit::Entry;
use super::members::member_updated;
use super::{Live, Turn};

impl Live {
    /// Somebody's row, for who is a member himself.
    fn other(&self, by: UserId, user: UserId) -> Answer<(&MemberRow, &MemberRow)> {
        let asker = self.member(by)?;
        let other = self.members.get(&user);
        Ok((asker, other.ok_or(ErrorCode::UnknownMember)?))
    }

    pub(super) fn update_member(
        &mut self,
        turn: &mut Turn<'_>,
        request: UpdateMember,
    ) -> Answer<MemberRow> {
        let UpdateMember {
            by,
            user: profile,
            patch,
            reason,
        } = request;
        let (asker, before) = self.other(by, profile.id)?;
        let mut row = before.clone();
        if let Some(nick) = patch.nick {
            self.require_naming(turn.now, asker, before)?;
            row.nick = nick;
        }
        if let Some(roles) = patch.roles {
            row.roles = self.next_roles(turn.now, asker, before, roles)?;
        }
        if let Some(until) = patch.timeout_until {
            self.require_timing(turn.now, asker, before)?;
            row.timeout_until = checked_timeout(turn.now, until)?;
        }
        if let Some(mute) = patch.mute {
            self.require_voice_rule(turn, by, profile.id, Permissions::MUTE_MEMBERS)?;
            row.mute = mute;
        }
        if let Some(deaf) = patch.deaf {
            self.require_voice_rule(turn, by, profile.id, Permissions::DEAFEN_MEMBERS)?;
            row.deaf = deaf;
        }
        // The last that may be refused.
        if let Some(to) = patch.voice {
            self.move_voice(turn, by, profile.id, to)?;
        }
        self.replace_member(turn, by, &row, &profile, reason);
        Ok(row)
    }

    pub(super) fn set_member_role(
        &mut self,
        turn: &mut Turn<'_>,
        request: SetMemberRole,
    ) -> Answer<()> {
        let SetMemberRole {
            by,
            user: profile,
            role,
            held,
            reason,
        } = request;
        self.role_manager(turn.now, by)?;
        let (asker, before) = self.other(by, profile.id)?;
        self.free_role(asker, role)?;
        let mut row = before.clone();
        row.roles.retain(|&other| other != role);
        if held {
            row.roles.push(role);
            row.roles.sort_unstable();
        }
        self.replace_member(turn, by, &row, &profile, reason);
        Ok(())
    }

    fn require_naming(&self, now: Millis, asker: &MemberRow, other: &MemberRow) -> Answer<()> {
        let held = self.permissions(now, asker.user)?;
        let may = if asker.user == other.user {
            held.allow(Permissions::CHANGE_NICKNAME) || held.allow(Permissions::MANAGE_NICKNAMES)
        } else {
            held.allow(Permissions::MANAGE_NICKNAMES) && self.outranks(asker, other)
        };
        may.then_some(())
            .ok_or_else(|| ErrorCode::MissingPermissions.into())
    }

    /// Nobody times out who governs: the owner, administrators, and who is not below him.
    fn require_timing(&self, now: Millis, asker: &MemberRow, other: &MemberRow) -> Answer<()> {
        self.require(now, asker.user, Permissions::MODERATE_MEMBERS)?;
        let governs = self.base_of(other).allow(Permissions::ADMINISTRATOR);
        if governs || !self.outranks(asker, other) {
            return Err(ErrorCode::MissingPermissions.into());
        }
        Ok(())
    }

    /// All roles of a member from now on; what comes and goes is the asker's to give and take. `@everyone` may be among
    /// those wanted, as libraries have it, and is not kept.
    fn next_roles(
        &self,
        now: Millis,
        asker: &MemberRow,
        other: &MemberRow,
        mut wanted: Vec<RoleId>,
    ) -> Answer<Vec<RoleId>> {
        self.require(now, asker.user, Permissions::MANAGE_ROLES)?;
        let everyone = self.document.id.everyone();
        wanted.retain(|&role| role != everyone);
        wanted.sort_unstable();
        wanted.dedup();
        let (come, go) = difference(&other.roles, &wanted);
        for role in come.into_iter().chain(go) {
            self.free_role(asker, role)?;
        }
        Ok(wanted)
    }

    /// Puts a changed member in the place of what he was, and shows it; if nothing changed, nothing is done.
    fn replace_member(
        &mut self,
        turn: &mut Turn<'_>,
        by: UserId,
        row: &MemberRow,
        profile: &Profile,
        reason: Option<String>,
    ) {
        let Some(before) = self.members.insert(row.user, row.clone()) else {
            return;
        };
        let (come, go) = difference(&before.roles, &row.roles);
        let has_other_roles = !come.is_empty() || !go.is_empty();
        if before == *row {
            return;
        }
        let group = self.document.id;
        self.voices.is_stale = true;
        turn.put::<Members>(Key::new(group, row.user), row);
        if (before.mute, before.deaf) != (row.mute, row.deaf) {
            self.show_voice(turn, row.user);
        }
        let body = MemberJson::in_group(row, profile, group);
        let update = member_updated(row.user, &body);
        let change = has_other_roles.then(|| AccessChange::Member(row.user, row.roles.clone()));
        turn.emit_for(Audience::Everyone, update, change);
        let until = |row: &MemberRow| row.timeout_until.map(Millis::iso8601);
        let entry = Entry::new(by, AuditAction::MemberUpdate, reason.clone())
            .on(row.user.0)
            .change("nick", before.nick.as_ref(), row.nick.as_ref())
            .change(
                "communication_disabled_until",
                until(&before).as_ref(),
                until(row).as_ref(),
            )
            .change("mute", Some(&before.mute), Some(&row.mute))
            .change("deaf", Some(&before.deaf), Some(&row.deaf));
        if entry.has_changes() {
            self.audit(turn, entry);
        }
        if has_other_roles {
            let named = |roles: Vec<RoleId>| (!roles.is_empty()).then(|| self.named(&roles));
            let entry = Entry::new(by, AuditAction::MemberRoleUpdate, reason)
                .on(row.user.0)
                .change("$add", None, named(come).as_ref())
                .change("$remove", None, named(go).as_ref());
            self.audit(turn, entry);
        }
    }

    /// Roles as the audit log has them.
    fn named(&self, roles: &[RoleId]) -> Vec<Value> {
        let roles = roles.iter().filter_map(|&role| self.role(role).ok());
        roles
            .map(|role| json!({ "id": role.id, "name": role.name }))
            .collect()
    }
}

/// Which roles come and which go.
fn difference(before: &[RoleId], after: &[RoleId]) -> (Vec<RoleId>, Vec<RoleId>) {
    let without = |some: &[RoleId], others: &[RoleId]| {
        let some = some.iter().copied();
        some.filter(|role| !others.contains(role)).collect()
    };
    (without(after, before), without(before, after))
}

/// A timeout within its limit; one that is over is none.
fn checked_timeout(now: Millis, until: Option<Millis>) -> Answer<Option<Millis>> {
    let Some(until) = until.filter(|&until| until > now) else {
        return Ok(None);
    };
    if until.since(now) > limits::TIMEOUT_MS {
        return Err(ApiError::field(
            "communication_disabled_until",
            "INVALID_COMMUNICATION_DISABLED_TIMESTAMP",
            "Timeout must be at most 28 days in the future.",
        ));
    }
    Ok(Some(until))
}
