//! Who of a group's sessions sees which channel: the lane's copy of the group's picture, kept by changes. Who sees a channel
//! is worked out when an event needs it and kept until a change touches it; nothing is worked out per message.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use rookery_protocol::event::{
    AccessChange, AccessPicture, Audience, ChannelAccess, Dispatch, Event, EventName,
};
use rookery_protocol::ids::{ChannelId, GroupId, RoleId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::Permissions;

use crate::permission;

/// What of a role decides who sees a channel.
const OF_SIGHT: Permissions =
    Permissions(Permissions::VIEW_CHANNEL.0 | Permissions::ADMINISTRATOR.0);

/// What of a group decides who sees which channel.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    owner: Option<UserId>,
    everyone: RoleId,
    roles: HashMap<RoleId, Permissions>,
    channels: BTreeMap<ChannelId, ChannelAccess>,
}

impl Picture {
    pub(super) fn new(group: GroupId, picture: &AccessPicture) -> Self {
        Self {
            owner: picture.owner,
            everyone: group.everyone(),
            roles: picture.roles.iter().copied().collect(),
            channels: picture.channels.iter().cloned().collect(),
        }
    }

    fn base(&self, holder: &Holder) -> Permissions {
        let of = |role: &RoleId| self.roles.get(role).copied();
        permission::base(
            self.owner == Some(holder.user),
            of(&self.everyone).unwrap_or(Permissions::NONE),
            holder.roles.iter().filter_map(of),
        )
    }

    fn held(&self, base: Permissions, holder: &Holder, channel: &ChannelAccess) -> Permissions {
        let (everyone, overwrites) = (self.everyone, &channel.overwrites);
        permission::in_channel(base, overwrites, everyone, holder.user, &holder.roles)
    }

    fn sees(&self, base: Permissions, holder: &Holder, channel: &ChannelAccess) -> bool {
        self.held(base, holder, channel)
            .allow(Permissions::VIEW_CHANNEL)
    }
}

/// A session on the group, with what its user holds.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub(super) slot: u32,
    pub(super) user: UserId,
    pub(super) roles: Vec<RoleId>,
}

/// Who sees a channel.
#[derive(Debug, Clone)]
enum Seen {
    /// Everybody on the topic, whose snapshot is the topic's own.
    Everybody,
    /// These slots, rising.
    By(Arc<[u32]>),
}

/// Something that appears or disappears, and for whom.
pub(super) type News = (Dispatch, Arc<[u32]>);

/// What an event comes to.
#[derive(Debug)]
pub(super) struct Passed {
    /// Who gets what it sends.
    pub(super) recipients: Arc<[u32]>,
    /// What it made appear or disappear, for whom.
    pub(super) news: Vec<News>,
}

impl Passed {
    /// That goes to these slots, and nothing more.
    pub(super) fn to(recipients: Arc<[u32]>) -> Self {
        Self {
            recipients,
            news: Vec::new(),
        }
    }
}

/// Who of a topic's sessions sees what.
#[derive(Debug)]
pub(super) struct Sight {
    picture: Arc<Picture>,
    /// By rising slot.
    holders: Vec<Holder>,
    seen: HashMap<ChannelId, Seen>,
}

impl Sight {
    /// That of one session.
    pub(super) fn of_one(picture: Arc<Picture>, holder: Holder) -> Self {
        Self {
            picture,
            holders: vec![holder],
            seen: HashMap::new(),
        }
    }

    pub(super) fn picture(&self) -> Arc<Picture> {
        self.picture.clone()
    }

    /// The sessions, to be taken in by another one's sight.
    pub(super) fn into_holders(self) -> Vec<Holder> {
        self.holders
    }

    pub(super) fn insert(&mut self, holder: Holder) {
        let Err(at) = self.holders.binary_search_by_key(&holder.slot, |h| h.slot) else {
            return;
        };
        let picture = &self.picture;
        let base = picture.base(&holder);
        self.seen.retain(|channel, seen| {
            let channel = picture.channels.get(channel);
            let sees = channel.is_some_and(|channel| picture.sees(base, &holder, channel));
            sees == matches!(seen, Seen::Everybody)
        });
        self.holders.insert(at, holder);
    }

    pub(super) fn remove(&mut self, slot: u32) {
        if let Ok(at) = self.holders.binary_search_by_key(&slot, |h| h.slot) {
            self.holders.remove(at);
            self.seen.retain(|_, seen| match seen {
                Seen::Everybody => true,
                Seen::By(slots) => slots.binary_search(&slot).is_err(),
            });
        }
    }

    /// Who sees a channel; `everybody` are the topic's slots.
    fn audience(&mut self, channel: ChannelId, everybody: &Arc<[u32]>) -> Arc<[u32]> {
        let seen = match self.seen.get(&channel) {
            Some(seen) => seen,
            None => {
                let Some(access) = self.picture.channels.get(&channel) else {
                    return Arc::from([]);
                };
                let picture = &self.picture;
                let sees = |holder: &&Holder| picture.sees(picture.base(holder), holder, access);
                let slots: Vec<u32> = self.holders.iter().filter(sees).map(|h| h.slot).collect();
                let seen = if slots.len() == self.holders.len() {
                    Seen::Everybody
                } else {
                    Seen::By(Arc::from(slots))
                };
                self.seen.entry(channel).or_insert(seen)
            }
        };
        match seen {
            Seen::Everybody => everybody.clone(),
            Seen::By(slots) => slots.clone(),
        }
    }

    fn holders_of(&self, wanted: Permissions, channel: Option<ChannelId>) -> Arc<[u32]> {
        let picture = &self.picture;
        let place = channel.map(|id| picture.channels.get(&id));
        let holds = |holder: &&Holder| {
            let base = picture.base(holder);
            let held = match place {
                None => base,
                Some(None) => Permissions::NONE,
                Some(Some(channel)) => picture.held(base, holder, channel),
            };
            held.allow_any(wanted)
        };
        let slots: Vec<u32> = self.holders.iter().filter(holds).map(|h| h.slot).collect();
        Arc::from(slots)
    }

    /// Takes note of an event and says who gets what of it; `everybody` are the topic's slots.
    pub(super) fn pass(&mut self, event: &Event, everybody: &Arc<[u32]>) -> Passed {
        let mut own = None;
        let news = match &event.access {
            None => Vec::new(),
            Some(AccessChange::Channel(channel, access)) => {
                let (recipients, news) = self.replace(*channel, access.as_ref(), everybody);
                if event.audience == Audience::Channel(*channel) {
                    own = Some(recipients);
                }
                news
            }
            Some(change) => self.turn(change),
        };
        let recipients = own.unwrap_or_else(|| self.addressed(event, everybody));
        Passed { recipients, news }
    }

    /// Who gets what an event sends when its change is in the picture already.
    pub(super) fn addressed(&mut self, event: &Event, everybody: &Arc<[u32]>) -> Arc<[u32]> {
        match &event.audience {
            Audience::Everyone => everybody.clone(),
            Audience::Except(users) => {
                let others = self.holders.iter().filter(|h| !users.contains(&h.user));
                let slots: Vec<u32> = others.map(|holder| holder.slot).collect();
                Arc::from(slots)
            }
            Audience::User(user) => {
                let his = self.holders.iter().filter(|holder| holder.user == *user);
                let slots: Vec<u32> = his.map(|holder| holder.slot).collect();
                Arc::from(slots)
            }
            Audience::Channel(channel) => self.audience(*channel, everybody),
            Audience::ChannelOnly { sees, not } => {
                let sees = self.audience(*sees, everybody);
                Arc::from(without(&sees, &self.audience(*not, everybody)))
            }
            Audience::Holders {
                permissions,
                channel,
            } => self.holders_of(*permissions, *channel),
        }
    }

    /// A new, changed or removed channel: who gets the event that tells of it, and for whom it appears or disappears.
    fn replace(
        &mut self,
        id: ChannelId,
        access: Option<&ChannelAccess>,
        everybody: &Arc<[u32]>,
    ) -> (Arc<[u32]>, Vec<News>) {
        let before = self.audience(id, everybody);
        let picture = Arc::make_mut(&mut self.picture);
        let Some(access) = access else {
            picture.channels.remove(&id);
            self.seen.remove(&id);
            return (before, Vec::new());
        };
        let Some(old) = picture.channels.insert(id, access.clone()) else {
            return (self.audience(id, everybody), Vec::new());
        };
        if old.overwrites == access.overwrites {
            return (before, Vec::new());
        }
        self.seen.remove(&id);
        let after = self.audience(id, everybody);
        if before == after {
            return (before, Vec::new());
        }
        let both = Arc::from(without(&before, &without(&before, &after)));
        let mut news = Vec::new();
        announce(&mut news, &old.body, &access.body, &before, &after);
        (both, news)
    }

    /// Another owner, role, or roles of a member: which channels appear and disappear for whom.
    fn turn(&mut self, change: &AccessChange) -> Vec<News> {
        let touched = self.touched(change);
        let before = self.survey(&touched);
        self.apply(change);
        let after = self.survey(&touched);
        let mut news = Vec::new();
        for ((id, channel), (before, after)) in
            self.picture.channels.iter().zip(before.iter().zip(&after))
        {
            if before != after {
                self.seen.remove(id);
                announce(&mut news, &channel.body, &channel.body, before, after);
            }
        }
        news
    }

    /// Whose sight a change may touch, as places among the holders.
    fn touched(&self, change: &AccessChange) -> Vec<usize> {
        let picture = &self.picture;
        let is_touched = |holder: &Holder| match change {
            AccessChange::Owner(owner) => {
                holder.user == *owner || Some(holder.user) == picture.owner
            }
            AccessChange::Role(role, allowed) => {
                let before = picture.roles.get(role).copied();
                let same = matches!((before, allowed), (Some(old), Some(new)) if old & OF_SIGHT == *new & OF_SIGHT);
                !same && (*role == picture.everyone || holder.roles.contains(role))
            }
            AccessChange::Member(user, _) => holder.user == *user,
            AccessChange::Channel(..) => false,
        };
        let places = self.holders.iter().enumerate();
        places
            .filter(|(_, holder)| is_touched(holder))
            .map(|(place, _)| place)
            .collect()
    }

    /// Which slots of some holders see each channel, in the order of the channels.
    fn survey(&self, places: &[usize]) -> Vec<Vec<u32>> {
        if places.is_empty() {
            return Vec::new();
        }
        let mut seen = vec![Vec::new(); self.picture.channels.len()];
        for holder in places.iter().filter_map(|&place| self.holders.get(place)) {
            let base = self.picture.base(holder);
            for (slots, channel) in seen.iter_mut().zip(self.picture.channels.values()) {
                if self.picture.sees(base, holder, channel) {
                    slots.push(holder.slot);
                }
            }
        }
        seen
    }

    fn apply(&mut self, change: &AccessChange) {
        let picture = Arc::make_mut(&mut self.picture);
        match change {
            AccessChange::Owner(owner) => picture.owner = Some(*owner),
            AccessChange::Role(role, Some(allowed)) => {
                picture.roles.insert(*role, *allowed);
            }
            AccessChange::Role(gone, None) => {
                picture.roles.remove(gone);
                for holder in &mut self.holders {
                    holder.roles.retain(|role| role != gone);
                }
            }
            AccessChange::Member(user, roles) => {
                let his = self.holders.iter_mut().filter(|h| h.user == *user);
                his.for_each(|holder| holder.roles.clone_from(roles));
            }
            AccessChange::Channel(..) => {}
        }
    }
}

/// What is in one rising list and not in another.
fn without(slots: &[u32], others: &[u32]) -> Vec<u32> {
    let slots = slots.iter().copied();
    slots
        .filter(|slot| others.binary_search(slot).is_err())
        .collect()
}

/// Says of a channel that it disappeared and appeared for those whose sight of it changed.
fn announce(news: &mut Vec<News>, old: &Bytes, new: &Bytes, before: &[u32], after: &[u32]) {
    let sides = [
        (EventName::ChannelDelete, old, without(before, after)),
        (EventName::ChannelCreate, new, without(after, before)),
    ];
    for (name, body, slots) in sides {
        if !slots.is_empty() {
            let dispatch = Dispatch {
                name,
                body: body.clone(),
                intents: Intents::GUILDS,
                content_for: None,
                about: None,
            };
            news.push((dispatch, Arc::from(slots)));
        }
    }
}
