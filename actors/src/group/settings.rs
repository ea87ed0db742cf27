//! The group as a whole: reading, changing, ending it, and subscribing to it.

use rookery_protocol::client::group::{guild, unavailable_guild};
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{
    DeleteGroup, GetGroup, GroupView, Subscribe, Subscribed, UpdateGroup,
};
use rookery_protocol::document::{AuditAction, ChannelKind, GroupDocument, Groups, Key};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::{AccessChange, Audience, EventName};
use rookery_protocol::ids::UserId;
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;

use super::audit::Entry;
use super::{Live, Turn};
use crate::turn::dispatch;

impl Live {
    /// The group as somebody with these permissions sees it.
    pub(super) fn view(&self, permissions: Permissions) -> GroupView {
        GroupView {
            group: self.document.clone(),
            member_count: self.members.len() as u64,
            permissions,
        }
    }

    /// Writes the snapshot.
    pub(super) fn save(&mut self, turn: &mut Turn<'_>) {
        self.picture = None;
        self.voices.is_stale = true;
        turn.put::<Groups>(Key::single(self.document.id), &self.document);
    }

    pub(super) fn get_group(
        &mut self,
        turn: &mut Turn<'_>,
        request: GetGroup,
    ) -> Answer<GroupView> {
        Ok(self.view(self.permissions(turn.now, request.by)?))
    }

    pub(super) fn update_group(
        &mut self,
        turn: &mut Turn<'_>,
        request: UpdateGroup,
    ) -> Answer<GroupView> {
        let UpdateGroup { by, patch, reason } = request;
        self.require(turn.now, by, Permissions::MANAGE_GUILD)?;
        let mut changed = self.document.clone();
        if let Some(owner) = patch.owner {
            if self.document.owner != by {
                return Err(ErrorCode::MissingPermissions.into());
            }
            if !self.members.contains_key(&owner) {
                return Err(ErrorCode::UnknownMember.into());
            }
            changed.owner = owner;
        }
        if let Some(system_channel) = patch.system_channel {
            let is_text = |id| {
                let channel = self.document.channel(id);
                channel.is_some_and(|channel| channel.kind == ChannelKind::Text)
            };
            if !system_channel.is_none_or(is_text) {
                return Err(ApiError::field(
                    "system_channel_id",
                    "CHANNEL_INVALID",
                    "Must be a text channel of this guild.",
                ));
            }
            changed.system_channel = system_channel;
        }
        if let Some(name) = patch.name {
            changed.name = name;
        }
        if let Some(description) = patch.description {
            changed.description = description;
        }
        if let Some(icon) = patch.icon {
            changed.icon = icon;
        }
        if changed != self.document {
            let entry = audited(by, reason, &self.document, &changed);
            let owner = (changed.owner != self.document.owner).then_some(changed.owner);
            self.document = changed;
            self.save(turn);
            self.announce(turn, owner);
            self.audit(turn, entry);
        }
        Ok(self.view(self.permissions(turn.now, by)?))
    }

    /// Shows the settings; `owner` if there is another one.
    pub(super) fn announce(&self, turn: &mut Turn<'_>, owner: Option<UserId>) {
        let update = dispatch(
            EventName::GuildUpdate,
            Intents::GUILDS,
            &guild(&self.document),
        );
        turn.emit_for(Audience::Everyone, update, owner.map(AccessChange::Owner));
    }

    /// Ends the group. Its rows are deleted later ([`super::reap`]); from now on nothing leads to them any more.
    pub(super) fn delete_group(&mut self, turn: &mut Turn<'_>, request: DeleteGroup) -> Answer<()> {
        self.member(request.by)?;
        if self.document.owner != request.by {
            return Err(ErrorCode::MissingPermissions.into());
        }
        self.end(turn);
        self.end_voices(turn);
        let body = unavailable_guild(self.document.id, false);
        let last = dispatch(EventName::GuildDelete, Intents::GUILDS, &body);
        turn.farewell(Audience::Everyone, last);
        Ok(())
    }

    pub(super) fn subscribe(
        &mut self,
        turn: &mut Turn<'_>,
        request: Subscribe,
    ) -> Answer<Subscribed> {
        let me = self.member(request.by)?.clone();
        // A client is told only of the channels it sees.
        let mut view = self.view(self.permissions(turn.now, request.by)?);
        view.group.channels.retain(|channel| {
            let held = self.permissions_in(turn.now, &me, channel);
            held.allow(Permissions::VIEW_CHANNEL)
        });
        let members = if self.members.len() > limits::LARGE_GROUP_MEMBERS {
            vec![me.clone()]
        } else {
            self.members.values().cloned().collect()
        };
        Ok(Subscribed {
            gseq: turn.gseq,
            view,
            last_messages: self.last_messages.iter().map(|(&c, &m)| (c, m)).collect(),
            access: self.access_picture(),
            members,
            voice: self.voices_for(turn, &me),
            me,
        })
    }
}

/// The audit entry of changed settings.
fn audited(by: UserId, reason: Option<String>, old: &GroupDocument, new: &GroupDocument) -> Entry {
    let entry = Entry::new(by, AuditAction::GuildUpdate, reason);
    entry
        .on(new.id.0)
        .change("name", Some(&old.name), Some(&new.name))
        .change(
            "description",
            old.description.as_ref(),
            new.description.as_ref(),
        )
        .change("icon_hash", old.icon.as_ref(), new.icon.as_ref())
        .change("owner_id", Some(&old.owner), Some(&new.owner))
        .change(
            "system_channel_id",
            old.system_channel.as_ref(),
            new.system_channel.as_ref(),
        )
}
