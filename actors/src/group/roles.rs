//! Roles: making, changing, ordering and removing them. Who may touch a role holds MANAGE_ROLES and stands above it.
//!
//! A role that is removed is taken from the members held in memory. Their rows are not written for that: a row may name
//! roles that are gone, and is put right when it is loaded, or written for another reason.

use std::collections::BTreeMap;

use rookery_protocol::client::events;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{CreateRole, DeleteRole, MoveRoles, RolePatch, UpdateRole};
use rookery_protocol::document::{AuditAction, MemberRow, RoleDocument};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{AccessChange, Audience, EventName};
use rookery_protocol::ids::{RoleId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use rookery_protocol::permissions::{OverwriteTarget, Permissions};
use rookery_protocol::time::Millis;

use super::access::rank_of;
use super::audit::Entry;
use super::{Live, Turn};
use crate::turn::dispatch;

/// What a role without a name is called.
const DEFAULT_NAME: &str = "new role";

impl Live {
    /// Shows a new or changed role to everybody.
    pub(super) fn emit_role(&self, turn: &mut Turn<'_>, name: EventName, role: &RoleDocument) {
        let body = events::role_create(self.document.id, role);
        let change = AccessChange::Role(role.id, Some(role.permissions));
        let dispatch = dispatch(name, Intents::GUILDS, &body);
        turn.emit_for(Audience::Everyone, dispatch, Some(change));
    }

    /// Somebody who holds MANAGE_ROLES.
    pub(super) fn role_manager(&self, now: Millis, by: UserId) -> Answer<&MemberRow> {
        self.require(now, by, Permissions::MANAGE_ROLES)?;
        self.member(by)
    }

    /// A role that a member stands above; `UnknownRole`, or `MissingPermissions`.
    fn role_below(&self, member: &MemberRow, role: RoleId) -> Answer<&RoleDocument> {
        let role = self.role(role)?;
        if self.stands_above(member, role) {
            Ok(role)
        } else {
            Err(ErrorCode::MissingPermissions.into())
        }
    }

    /// A role that a member can give, take and remove: `InvalidRole` for `@everyone` and for a bot's own.
    pub(super) fn free_role(&self, member: &MemberRow, role: RoleId) -> Answer<&RoleDocument> {
        let found = self.role(role)?;
        if role == self.document.id.everyone() || found.bot.is_some() {
            return Err(ErrorCode::InvalidRole.into());
        }
        self.role_below(member, role)
    }

    pub(super) fn create_role(
        &mut self,
        turn: &mut Turn<'_>,
        request: CreateRole,
    ) -> Answer<RoleDocument> {
        let CreateRole { by, patch, reason } = request;
        let held = self.require(turn.now, by, Permissions::MANAGE_ROLES)?;
        if self.document.roles.len() >= limits::ROLES_PER_GROUP {
            return Err(ErrorCode::MaximumRoles.into());
        }
        let everyone = self.role(self.document.id.everyone())?.permissions;
        // The newest of the lowest: older roles at the same position stand above it.
        let mut role = RoleDocument {
            id: RoleId(0),
            name: DEFAULT_NAME.to_owned(),
            color: 0,
            hoist: false,
            position: 1,
            permissions: everyone & held,
            mentionable: false,
            bot: None,
        };
        apply(&mut role, patch);
        if !held.allow(role.permissions) {
            return Err(ErrorCode::MissingPermissions.into());
        }
        role.id = RoleId(self.kit.ids.mint(turn.now));
        self.document.roles.push(role.clone());
        self.save(turn);
        self.emit_role(turn, EventName::GuildRoleCreate, &role);
        let entry = Entry::new(by, AuditAction::RoleCreate, reason).on(role.id.0);
        self.audit(turn, audited(entry, None, Some(&role)));
        Ok(role)
    }

    pub(super) fn update_role(
        &mut self,
        turn: &mut Turn<'_>,
        request: UpdateRole,
    ) -> Answer<RoleDocument> {
        let UpdateRole {
            by,
            role: id,
            patch,
            reason,
        } = request;
        let manager = self.role_manager(turn.now, by)?;
        let before = self.role_below(manager, id)?.clone();
        let mut role = before.clone();
        if id == self.document.id.everyone() {
            role.permissions = patch.permissions.unwrap_or(role.permissions);
        } else {
            apply(&mut role, patch);
        }
        let granted = role.permissions & !before.permissions;
        if !self.permissions(turn.now, by)?.allow(granted) {
            return Err(ErrorCode::MissingPermissions.into());
        }
        if role != before {
            self.replace_role(turn, &role);
            self.save(turn);
            let entry = Entry::new(by, AuditAction::RoleUpdate, reason).on(id.0);
            self.audit(turn, audited(entry, Some(&before), Some(&role)));
        }
        Ok(role)
    }

    /// Puts a changed role in the place of what it was and shows it.
    fn replace_role(&mut self, turn: &mut Turn<'_>, changed: &RoleDocument) {
        let mut roles = self.document.roles.iter_mut();
        if let Some(role) = roles.find(|role| role.id == changed.id) {
            role.clone_from(changed);
            self.emit_role(turn, EventName::GuildRoleUpdate, changed);
        }
    }

    /// Moves roles: those that move, and where they come to stand, are below the asker's highest.
    pub(super) fn move_roles(
        &mut self,
        turn: &mut Turn<'_>,
        request: MoveRoles,
    ) -> Answer<Vec<RoleDocument>> {
        let MoveRoles {
            by,
            positions,
            reason,
        } = request;
        let manager = self.role_manager(turn.now, by)?;
        let mut moved: BTreeMap<RoleId, RoleDocument> = BTreeMap::new();
        for (id, position) in positions {
            let before = self.role(id)?;
            // `@everyone` alone is at the bottom; libraries name it there.
            if id == self.document.id.everyone() {
                if position == 0 {
                    continue;
                }
                return Err(ErrorCode::InvalidRole.into());
            }
            let position = position.max(1);
            if before.position == position {
                moved.remove(&id);
                continue;
            }
            let mut role = before.clone();
            role.position = position;
            moved.insert(id, role);
        }
        if !self.keeps_above(manager, &moved) {
            return Err(ErrorCode::MissingPermissions.into());
        }
        if !moved.is_empty() {
            let mut moved: Vec<RoleDocument> = moved.into_values().collect();
            moved.sort_by_key(rank_of);
            for role in &moved {
                let before = self.role(role.id)?.clone();
                self.replace_role(turn, role);
                let entry = Entry::new(by, AuditAction::RoleUpdate, reason.clone()).on(role.id.0);
                self.audit(turn, audited(entry, Some(&before), Some(role)));
            }
            self.save(turn);
        }
        Ok(self.document.roles.clone())
    }

    /// Whether the roles that a member does not stand above are still on top and in their order. Their numbers may be
    /// others: libraries renumber the whole list to move one role.
    fn keeps_above(&self, member: &MemberRow, moved: &BTreeMap<RoleId, RoleDocument>) -> bool {
        let highest_first = |roles: &mut Vec<&RoleDocument>| {
            roles.sort_by_key(|role| std::cmp::Reverse(rank_of(role)));
        };
        let mut before: Vec<&RoleDocument> = self.document.roles.iter().collect();
        let mut after: Vec<&RoleDocument> = before
            .iter()
            .map(|role| moved.get(&role.id).unwrap_or(role))
            .collect();
        highest_first(&mut before);
        highest_first(&mut after);
        let pairs = before.iter().zip(&after);
        pairs
            .take_while(|(role, _)| !self.stands_above(member, role))
            .all(|(old, new)| old.id == new.id)
    }

    pub(super) fn delete_role(&mut self, turn: &mut Turn<'_>, request: DeleteRole) -> Answer<()> {
        let DeleteRole {
            by,
            role: id,
            reason,
        } = request;
        let manager = self.role_manager(turn.now, by)?;
        let role = self.free_role(manager, id)?.clone();
        self.drop_role(turn, id);
        let entry = Entry::new(by, AuditAction::RoleDelete, reason).on(id.0);
        self.audit(turn, audited(entry, Some(&role), None));
        Ok(())
    }

    /// Takes a role out of the group, its channels and its members.
    pub(super) fn drop_role(&mut self, turn: &mut Turn<'_>, id: RoleId) {
        self.document.roles.retain(|role| role.id != id);
        for member in self.members.values_mut() {
            member.roles.retain(|&role| role != id);
        }
        let body = events::role_delete(self.document.id, id);
        let gone = dispatch(EventName::GuildRoleDelete, Intents::GUILDS, &body);
        let change = AccessChange::Role(id, None);
        turn.emit_for(Audience::Everyone, gone, Some(change));
        let mut changed = Vec::new();
        for channel in &mut self.document.channels {
            let before = channel.overwrites.len();
            let is_its = |target| target == OverwriteTarget::Role(id);
            channel.overwrites.retain(|o| !is_its(o.target));
            if channel.overwrites.len() != before {
                changed.push(channel.clone());
            }
        }
        for channel in &changed {
            self.emit_channel(turn, EventName::ChannelUpdate, channel);
        }
        self.save(turn);
    }
}

/// Changes a role.
fn apply(role: &mut RoleDocument, patch: RolePatch) {
    role.name = patch.name.unwrap_or_else(|| role.name.clone());
    role.color = patch.color.unwrap_or(role.color);
    role.hoist = patch.hoist.unwrap_or(role.hoist);
    role.permissions = patch.permissions.unwrap_or(role.permissions);
    role.mentionable = patch.mentionable.unwrap_or(role.mentionable);
}

/// Adds to an audit entry what is different of a role.
fn audited(entry: Entry, old: Option<&RoleDocument>, new: Option<&RoleDocument>) -> Entry {
    macro_rules! changes {
        ($($field:ident),*) => {
            entry$(.change(
                stringify!($field),
                old.map(|role| &role.$field),
                new.map(|role| &role.$field),
            ))*
        };
    }
    changes!(name, color, hoist, position, permissions, mentionable)
}
