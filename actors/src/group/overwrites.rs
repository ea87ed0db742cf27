//! Overwrites of channels, which follow those of their category, and the order of channels.

use std::collections::BTreeMap;

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{DeleteOverwrite, MoveChannels, PutOverwrite};
use rookery_protocol::document::{AuditAction, ChannelDocument, RoleDocument};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{ChannelId, RoleId, UserId};
use rookery_protocol::limits;
use rookery_protocol::permissions::{Overwrite, OverwriteTarget, Permissions};
use rookery_protocol::time::Millis;
use serde_json::json;

use super::audit::Entry;
use super::{Live, Turn, channels};

impl Live {
    /// The overwrites that a new channel begins with, asked for by somebody who holds `held` in the group. Only an
    /// administrator can say at once who manages them.
    pub(super) fn first_overwrites(
        &self,
        held: Permissions,
        wanted: Vec<Overwrite>,
    ) -> Answer<Vec<Overwrite>> {
        let held = if held.allow(Permissions::ADMINISTRATOR) {
            held
        } else {
            held & !Permissions::MANAGE_ROLES
        };
        self.checked(held, &[], wanted)
    }

    /// The overwrites of the category that a channel is under.
    pub(super) fn overwrites_above(&self, channel: &ChannelDocument) -> Vec<Overwrite> {
        let parent = channel.parent.and_then(|id| self.document.channel(id));
        parent.map_or_else(Vec::new, |parent| parent.overwrites.clone())
    }

    /// Other overwrites of a channel that somebody sees, if he may (MANAGE_ROLES there).
    pub(super) fn next_overwrites(
        &self,
        now: Millis,
        by: UserId,
        channel: &ChannelDocument,
        wanted: Vec<Overwrite>,
    ) -> Answer<Vec<Overwrite>> {
        let seat = self.seat(now, by, channel.id)?;
        let held = seat.permissions | self.permissions(now, by)?;
        let checked = self.checked(held, &channel.overwrites, wanted)?;
        if checked != channel.overwrites {
            seat.require(Permissions::MANAGE_ROLES)?;
        }
        Ok(checked)
    }

    /// Overwrites in the order they are kept in, one for each target. New targets exist, and of nothing is said something
    /// else that is not in `held`.
    fn checked(
        &self,
        held: Permissions,
        before: &[Overwrite],
        wanted: Vec<Overwrite>,
    ) -> Answer<Vec<Overwrite>> {
        let by_target = |all: &[Overwrite]| -> BTreeMap<OverwriteTarget, Overwrite> {
            let all = all.iter();
            all.map(|overwrite| (overwrite.target, *overwrite))
                .collect()
        };
        let (before, after) = (by_target(before), by_target(&wanted));
        if after.len() > limits::OVERWRITES_PER_CHANNEL {
            return Err(ErrorCode::MaximumOverwrites.into());
        }
        for &target in after.keys().filter(|target| !before.contains_key(target)) {
            self.require_target(target)?;
        }
        let mut touched = Permissions::NONE;
        for target in before.keys().chain(after.keys()) {
            let said = |side: &BTreeMap<_, Overwrite>| {
                let overwrite = side.get(target);
                overwrite.map_or((0, 0), |o: &Overwrite| (o.allow.0, o.deny.0))
            };
            let (old, new) = (said(&before), said(&after));
            touched |= Permissions((old.0 ^ new.0) | (old.1 ^ new.1));
        }
        if !held.allow(touched) {
            return Err(ErrorCode::MissingPermissions.into());
        }
        Ok(after.into_values().collect())
    }

    fn require_target(&self, target: OverwriteTarget) -> Answer<()> {
        match target {
            OverwriteTarget::Role(role) => self.role(role).map(|_| ()),
            OverwriteTarget::Member(user) if self.members.contains_key(&user) => Ok(()),
            OverwriteTarget::Member(_) => Err(ErrorCode::UnknownMember.into()),
        }
    }

    pub(super) fn put_overwrite(
        &mut self,
        turn: &mut Turn<'_>,
        request: PutOverwrite,
    ) -> Answer<()> {
        let PutOverwrite {
            by,
            channel,
            overwrite,
            reason,
        } = request;
        let seat = self.seat(turn.now, by, channel)?;
        seat.require(Permissions::MANAGE_ROLES)?;
        let mut wanted = seat.channel.overwrites.clone();
        let mut same = wanted.iter_mut().filter(|o| o.target == overwrite.target);
        let old = same.next().map(|place| std::mem::replace(place, overwrite));
        if old.is_none() {
            wanted.push(overwrite);
        }
        let action = match old {
            Some(_) => AuditAction::OverwriteUpdate,
            None => AuditAction::OverwriteCreate,
        };
        let entry = self.audited(
            Entry::new(by, action, reason),
            old.as_ref(),
            Some(&overwrite),
        );
        self.set_overwrites(turn, by, channel, wanted, entry)
    }

    pub(super) fn delete_overwrite(
        &mut self,
        turn: &mut Turn<'_>,
        request: DeleteOverwrite,
    ) -> Answer<()> {
        let DeleteOverwrite {
            by,
            channel,
            target,
            reason,
        } = request;
        let seat = self.seat(turn.now, by, channel)?;
        seat.require(Permissions::MANAGE_ROLES)?;
        let mut wanted = seat.channel.overwrites.clone();
        let Some(at) = wanted.iter().position(|o| id_of(o.target) == target) else {
            return Err(ErrorCode::UnknownOverwrite.into());
        };
        let old = wanted.remove(at);
        let entry = Entry::new(by, AuditAction::OverwriteDelete, reason);
        let entry = self.audited(entry, Some(&old), None);
        self.set_overwrites(turn, by, channel, wanted, entry)
    }

    fn set_overwrites(
        &mut self,
        turn: &mut Turn<'_>,
        by: UserId,
        channel: ChannelId,
        wanted: Vec<Overwrite>,
        entry: Entry,
    ) -> Answer<()> {
        let seat = self.seat(turn.now, by, channel)?;
        let mut changed = seat.channel.clone();
        changed.overwrites = self.next_overwrites(turn.now, by, seat.channel, wanted)?;
        if changed != *seat.channel {
            self.replace_channel(turn, &changed);
            self.save(turn);
            self.audit(turn, entry.on(channel.0));
        }
        Ok(())
    }

    /// Adds to an audit entry what is different of an overwrite.
    fn audited(&self, entry: Entry, old: Option<&Overwrite>, new: Option<&Overwrite>) -> Entry {
        let Some(target) = old.or(new).map(|overwrite| overwrite.target) else {
            return entry;
        };
        let id = id_of(target).to_string();
        let options = match target {
            OverwriteTarget::Role(role) => {
                let name = self.role(role).map_or("", |role| role.name.as_str());
                json!({ "id": id, "type": "0", "role_name": name })
            }
            OverwriteTarget::Member(_) => json!({ "id": id, "type": "1" }),
        };
        let kind = u8::from(matches!(target, OverwriteTarget::Member(_)));
        entry
            .change("id", old.map(|_| &id), new.map(|_| &id))
            .change("type", old.map(|_| &kind), new.map(|_| &kind))
            .change("allow", old.map(|o| &o.allow), new.map(|o| &o.allow))
            .change("deny", old.map(|o| &o.deny), new.map(|o| &o.deny))
            .options(options)
    }

    /// A role of the group; `UnknownRole`.
    pub(super) fn role(&self, id: RoleId) -> Answer<&RoleDocument> {
        let mut roles = self.document.roles.iter();
        let found = roles.find(|role| role.id == id);
        found.ok_or_else(|| ErrorCode::UnknownRole.into())
    }

    pub(super) fn move_channels(
        &mut self,
        turn: &mut Turn<'_>,
        request: MoveChannels,
    ) -> Answer<()> {
        let MoveChannels { by, moves } = request;
        self.require(turn.now, by, Permissions::MANAGE_CHANNELS)?;
        let mut changed: BTreeMap<ChannelId, ChannelDocument> = BTreeMap::new();
        for step in moves {
            let known = changed.get(&step.channel);
            let known = known.or_else(|| self.document.channel(step.channel));
            let mut channel = known.ok_or(ErrorCode::UnknownChannel)?.clone();
            channel.position = step.position.unwrap_or(channel.position);
            if let Some(parent) = step.parent
                && parent != channel.parent
            {
                let seat = self.seat(turn.now, by, channel.id)?;
                seat.require(Permissions::MANAGE_CHANNELS)?;
                if let Some(parent) = parent {
                    self.check_parent(channel.kind, parent)?;
                }
                channel.parent = parent;
            }
            if step.lock_permissions && channel.parent.is_some() {
                let above = self.overwrites_above(&channel);
                channel.overwrites = self.next_overwrites(turn.now, by, &channel, above)?;
            }
            changed.insert(channel.id, channel);
        }
        let mut is_moved = false;
        for (id, channel) in changed {
            let Some(before) = self.document.channel(id).cloned() else {
                continue;
            };
            if before == channel {
                continue;
            }
            is_moved = true;
            self.replace_channel(turn, &channel);
            // Places alone are not worth an entry, as on Discord.
            if (before.parent, &before.overwrites) != (channel.parent, &channel.overwrites) {
                let entry = Entry::new(by, AuditAction::ChannelUpdate, None).on(id.0);
                self.audit(
                    turn,
                    channels::audited(entry, Some(&before), Some(&channel)),
                );
            }
        }
        if is_moved {
            self.save(turn);
        }
        Ok(())
    }
}

/// The id of whom an overwrite is for.
fn id_of(target: OverwriteTarget) -> u64 {
    match target {
        OverwriteTarget::Role(role) => role.0,
        OverwriteTarget::Member(user) => user.0,
    }
}
