//! The bench's entities: what they decide goes into their logs, and to the lane unless it is lost on the way. A group's
//! channels, roles and who holds them are kept as they were after each of its events.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::{
    AccessChange, AccessPicture, Act, Audience, ChannelAccess, Dispatch, Event, EventName, Frame,
    FrameSeq,
};
use rookery_protocol::ids::{ChannelId, GroupId, RoleId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::{Overwrite, Permissions};
use serde_json::json;

use super::bench::{Bench, text};
use crate::relay::Input;

/// What of a group decides who sees what.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Community {
    pub(super) owner: Option<UserId>,
    pub(super) roles: BTreeMap<RoleId, Permissions>,
    pub(super) channels: BTreeMap<ChannelId, ChannelAccess>,
    pub(super) holders: BTreeMap<UserId, Vec<RoleId>>,
}

/// The channel that every group of the bench begins with.
pub(super) const CHANNEL: ChannelId = ChannelId(1);

impl Community {
    fn new(group: GroupId) -> Self {
        let body = body(group, CHANNEL, 0);
        let overwrites = Vec::new();
        Self {
            owner: None,
            roles: BTreeMap::from([(group.everyone(), Permissions::VIEW_CHANNEL)]),
            channels: BTreeMap::from([(CHANNEL, ChannelAccess { overwrites, body })]),
            holders: BTreeMap::new(),
        }
    }

    pub(super) fn picture(&self) -> AccessPicture {
        AccessPicture {
            owner: self.owner,
            roles: self.roles.iter().map(|(id, held)| (*id, *held)).collect(),
            channels: self.channels.clone().into_iter().collect(),
        }
    }

    fn change(&mut self, change: &AccessChange) {
        match change {
            AccessChange::Owner(owner) => self.owner = Some(*owner),
            AccessChange::Role(role, Some(allowed)) => {
                self.roles.insert(*role, *allowed);
            }
            AccessChange::Role(role, None) => {
                self.roles.remove(role);
                for held in self.holders.values_mut() {
                    held.retain(|other| other != role);
                }
            }
            AccessChange::Member(user, roles) => {
                self.holders.insert(*user, roles.clone());
            }
            AccessChange::Channel(channel, Some(access)) => {
                self.channels.insert(*channel, access.clone());
            }
            AccessChange::Channel(channel, None) => {
                self.channels.remove(channel);
            }
        }
    }
}

/// The object of a channel, as of the event that last changed it.
fn body(group: GroupId, channel: ChannelId, gseq: u64) -> Bytes {
    Bytes::from(json!({ "id": format!("{group}:{channel}.{gseq}") }).to_string())
}

impl Bench {
    pub(super) fn gseq(&self, topic: EntityRef) -> u64 {
        self.logs.get(&topic).map_or(0, |log| log.len() as u64)
    }

    /// How a group was after its event of that number.
    pub(super) fn past(&self, group: GroupId, gseq: u64) -> Community {
        let past = self.past.get(&group);
        let then = past.and_then(|past| past.get(gseq as usize));
        then.cloned().unwrap_or_else(|| Community::new(group))
    }

    /// How a group is.
    pub(super) fn present(&self, group: GroupId) -> Community {
        self.past(group, self.gseq(group.into()))
    }

    /// An entity decides an event; `lost`: the lane's inbox was full.
    pub(super) fn emit(&mut self, topic: EntityRef, audience: Audience, act: Act, lost: bool) {
        let access = None;
        let event = Event {
            audience,
            act,
            access,
        };
        self.emit_event(topic, event, lost);
    }

    pub(super) fn emit_event(&mut self, topic: EntityRef, event: Event, lost: bool) {
        let group = GroupId(topic.id);
        let mut after = self.present(group);
        if let Some(change) = &event.access {
            after.change(change);
        }
        if let (Act::Farewell(_), Audience::User(user)) = (&event.act, &event.audience) {
            after.holders.remove(user);
        }
        let past = self.past.entry(group);
        past.or_insert_with(|| vec![Community::new(group)])
            .push(after);
        let log = self.logs.entry(topic).or_default();
        let frame = Arc::new(Frame {
            topic,
            seq: FrameSeq::Logged(log.len() as u64 + 1),
            event,
        });
        log.push(frame.clone());
        if !lost && self.watched.contains(&topic) {
            self.step(Input::Frame(frame));
        }
    }

    pub(super) fn value(&mut self, topic: EntityRef, act: Act) {
        let frame = Arc::new(Frame {
            topic,
            seq: FrameSeq::Value(self.gseq(topic)),
            event: Event {
                access: None,
                audience: Audience::Everyone,
                act,
            },
        });
        if self.watched.contains(&topic) {
            self.step(Input::Frame(frame));
        }
    }

    /// The next event of a group: its body's id says its number.
    fn told(&self, group: GroupId, name: EventName, intents: Intents, secret: bool) -> Dispatch {
        let id = format!("{group}:{}", self.gseq(group.into()) + 1);
        text(name, &id, intents, secret)
    }

    pub(super) fn message(&mut self, group: GroupId, lost: bool) {
        self.message_to(group, Audience::Everyone, lost);
    }

    pub(super) fn message_to(&mut self, group: GroupId, audience: Audience, lost: bool) {
        let name = EventName::MessageCreate;
        let dispatch = self.told(group, name, Intents::GUILD_MESSAGES, true);
        self.emit(group.into(), audience, Act::Dispatch(dispatch), lost);
    }

    /// A group changes who sees what.
    pub(super) fn change(&mut self, group: GroupId, change: AccessChange, lost: bool) {
        let (name, audience) = match &change {
            AccessChange::Owner(_) => (EventName::GuildUpdate, Audience::Everyone),
            AccessChange::Role(..) => (EventName::GuildRoleUpdate, Audience::Everyone),
            AccessChange::Member(..) => (EventName::GuildMemberUpdate, Audience::Everyone),
            AccessChange::Channel(channel, _) => {
                (EventName::ChannelUpdate, Audience::Channel(*channel))
            }
        };
        let dispatch = self.told(group, name, Intents::GUILDS, false);
        let event = Event {
            audience,
            act: Act::Dispatch(dispatch),
            access: Some(change),
        };
        self.emit_event(group.into(), event, lost);
    }

    /// A channel is made or changed, or removed.
    pub(super) fn set_channel(
        &mut self,
        group: GroupId,
        channel: ChannelId,
        overwrites: Option<Vec<Overwrite>>,
        lost: bool,
    ) {
        let body = body(group, channel, self.gseq(group.into()) + 1);
        let access = overwrites.map(|overwrites| ChannelAccess { overwrites, body });
        self.change(group, AccessChange::Channel(channel, access), lost);
    }

    pub(super) fn join_group(&mut self, user: UserId, group: GroupId, lost: bool) {
        if self.members.insert((group, user)) {
            let name = EventName::GuildMemberAdd;
            let dispatch = self.told(group, name, Intents::NONE, false);
            self.emit(
                group.into(),
                Audience::Everyone,
                Act::Dispatch(dispatch),
                lost,
            );
            self.notices.push((user, group));
        }
    }

    pub(super) fn notify(&mut self, index: usize, lost: bool) {
        let (user, group) = self.notices.remove(index);
        self.emit(user.into(), Audience::Everyone, Act::Enter(group), lost);
    }

    pub(super) fn leave_group(&mut self, user: UserId, group: GroupId, lost: bool) {
        if self.members.remove(&(group, user)) {
            let bye = self.told(group, EventName::GuildDelete, Intents::NONE, false);
            self.emit(group.into(), Audience::User(user), Act::Farewell(bye), lost);
        }
    }
}
