//! The registry in a node's memory. What it hears of other nodes is in [`super::elsewhere`].

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use rookery_protocol::client::presence::{Platform, Presence, Said};
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::limits;

use super::elsewhere::{Peer, Told};
use super::{At, Kin, Present, Registry, Scope, Shown};

/// Ticks for which a group remembers whose presence was shown: as long as an entering session may take.
const RECENT_TICKS: u64 = 30;

/// One session.
#[derive(Debug)]
pub(super) struct Seat {
    at: At,
    pub(super) said: Said,
    pub(super) platform: Platform,
    pub(super) groups: Vec<GroupId>,
    /// Pictures it was given, with their time, of groups it has not entered yet.
    pictures: Vec<(GroupId, u64)>,
}

/// A user in a group.
#[derive(Debug, Default)]
struct Place {
    /// Sessions of his, and other nodes with some.
    sessions: u32,
    shown: Option<Arc<Presence>>,
}

/// A user with sessions, or one whose end is not yet shown.
#[derive(Debug, Default)]
pub(super) struct Person {
    /// Who said something last is at the front.
    pub(super) seats: Vec<Seat>,
    /// What he is on other nodes.
    pub(super) elsewhere: Vec<(Peer, Told)>,
    merged: Option<Arc<Presence>>,
    places: HashMap<GroupId, Place>,
    pub(super) kin: Kin,
    shown_to_friends: Option<Arc<Presence>>,
    /// Friends made since, who have not been shown anything.
    new_friends: Vec<UserId>,
    is_changed: bool,
}

/// A group in which somebody is online.
#[derive(Debug, Default)]
struct Crowd {
    online: BTreeSet<UserId>,
    /// Sessions of this node.
    here: u32,
    version: u64,
    /// Whose presence was shown when, oldest first.
    recent: VecDeque<(u64, UserId)>,
}

/// A session that entered a group with an older picture of it.
#[derive(Debug)]
struct Late {
    at: At,
    viewer: UserId,
    group: GroupId,
    since: u64,
}

#[derive(Debug, Default)]
pub(super) struct State {
    tick: u64,
    version: u64,
    pub(super) people: HashMap<UserId, Person>,
    crowds: HashMap<GroupId, Crowd>,
    /// Who of those here blocks somebody, by whom.
    blockers: HashMap<UserId, HashSet<UserId>>,
    changed: Vec<UserId>,
    late: Vec<Late>,
    /// Whose sessions here changed since other nodes were told; none when nobody tells them.
    pub(super) untold: Option<HashSet<UserId>>,
}

/// The registry in a node's memory.
#[derive(Debug, Default)]
pub struct Memory(pub(super) Mutex<State>);

impl Person {
    fn seat(&mut self, at: At) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.at == at)
    }
}

impl State {
    pub(super) fn change(&mut self, user: UserId) {
        if let Some(person) = self.people.get_mut(&user)
            && !std::mem::replace(&mut person.is_changed, true)
        {
            self.changed.push(user);
        }
    }

    /// Other nodes are to be told of a user's sessions.
    fn tell(&mut self, user: UserId) {
        if let Some(untold) = &mut self.untold {
            untold.insert(user);
        }
    }

    /// Counts a session of this node in or out of a group's crowd.
    fn count_here(&mut self, group: GroupId, is_in: bool) {
        if is_in {
            self.crowds.entry(group).or_default().here += 1;
        } else if let Some(crowd) = self.crowds.get_mut(&group) {
            crowd.here = crowd.here.saturating_sub(1);
        }
    }

    /// How a user stands to others, from now on.
    pub(super) fn relate(&mut self, user: UserId, kin: Kin) {
        let Some(person) = self.people.get_mut(&user) else {
            return;
        };
        let before = std::mem::replace(&mut person.kin, kin);
        let new = person.kin.friends.iter();
        let new = new.filter(|friend| !before.friends.contains(friend));
        person.new_friends.extend(new.copied().collect::<Vec<_>>());
        let blocked = person.kin.blocked.clone();
        self.blocks(user, &before.blocked, false);
        self.blocks(user, &blocked, true);
        self.change(user);
    }

    /// Counts a user in or out of a group's crowd.
    fn crowd(&mut self, user: UserId, group: GroupId) {
        let here = self.people.get(&user).is_some_and(|person| {
            let place = person.places.get(&group);
            person.merged.is_some() && place.is_some_and(|place| place.sessions > 0)
        });
        self.version += 1;
        let version = self.version;
        if here {
            let crowd = self.crowds.entry(group).or_default();
            crowd.online.insert(user);
            crowd.version = version;
        } else if let Some(crowd) = self.crowds.get_mut(&group) {
            crowd.online.remove(&user);
            crowd.version = version;
        }
    }

    /// Puts a user's sessions together again.
    pub(super) fn merge(&mut self, user: UserId) {
        let Some(person) = self.people.get_mut(&user) else {
            return;
        };
        let seats = person.seats.iter();
        let seats = seats.map(|seat| (&seat.said, seat.platform));
        let elsewhere = person.elsewhere.iter().flat_map(|(_, told)| told.seats());
        let merged = Presence::merged(seats.chain(elsewhere));
        if merged == person.merged {
            return;
        }
        person.merged = merged;
        let groups: Vec<GroupId> = person.places.keys().copied().collect();
        for group in groups {
            self.crowd(user, group);
        }
        self.change(user);
    }

    /// Adds a session's part to its user's place in a group.
    pub(super) fn seat(&mut self, user: UserId, group: GroupId) {
        if let Some(person) = self.people.get_mut(&user) {
            person.places.entry(group).or_default().sessions += 1;
            self.crowd(user, group);
        }
    }

    /// Takes a session's part out of its user's place in a group.
    pub(super) fn unseat(&mut self, user: UserId, group: GroupId) {
        if let Some(person) = self.people.get_mut(&user)
            && let Some(place) = person.places.get_mut(&group)
        {
            place.sessions = place.sessions.saturating_sub(1);
            self.crowd(user, group);
        }
    }

    fn blocks(&mut self, user: UserId, blocked: &[UserId], is_set: bool) {
        for other in blocked {
            if is_set {
                self.blockers.entry(*other).or_default().insert(user);
            } else if let Some(blockers) = self.blockers.get_mut(other) {
                blockers.remove(&user);
                if blockers.is_empty() {
                    self.blockers.remove(other);
                }
            }
        }
    }

    /// Who does not see a user's presence, and whose he does not see.
    fn hidden(&self, user: UserId) -> HashSet<UserId> {
        let mut hidden = self.blockers.get(&user).cloned().unwrap_or_default();
        if let Some(person) = self.people.get(&user) {
            hidden.extend(&person.kin.blocked);
        }
        hidden
    }

    fn present(&self, user: UserId) -> Option<(UserId, Arc<Presence>)> {
        let presence = self.people.get(&user)?.merged.clone()?;
        Some((user, presence))
    }

    fn online(&self, viewer: UserId, group: GroupId, limit: usize) -> Present {
        let hidden = self.hidden(viewer);
        let online = self.crowds.get(&group).into_iter().flat_map(|c| &c.online);
        let seen = online.filter(|user| !hidden.contains(user));
        seen.filter_map(|&user| self.present(user))
            .take(limit)
            .collect()
    }

    /// What is to be shown of one user.
    fn show(&mut self, user: UserId, out: &mut Vec<Shown>) {
        let hidden: Vec<UserId> = self.hidden(user).into_iter().collect();
        let tick = self.tick;
        let Some(person) = self.people.get_mut(&user) else {
            return;
        };
        person.is_changed = false;
        let merged = person.merged.clone();
        for (&group, place) in &mut person.places {
            let now = merged.clone().filter(|_| place.sessions > 0);
            if now == place.shown {
                continue;
            }
            place.shown.clone_from(&now);
            let Some(crowd) = self.crowds.get_mut(&group) else {
                continue;
            };
            if crowd.online.len() <= limits::PRESENCE_GROUP_ONLINE {
                crowd.recent.push_back((tick, user));
                // Somebody elsewhere is nobody's news in a group that is only elsewhere.
                if crowd.here == 0 && !person.elsewhere.is_empty() {
                    continue;
                }
                out.push(Shown {
                    user,
                    scope: Scope::Group(group, hidden.clone()),
                    presence: now,
                });
            }
        }
        person.places.retain(|_, place| place.sessions > 0);
        let is_news = person.shown_to_friends != merged;
        person.shown_to_friends.clone_from(&merged);
        let new = std::mem::take(&mut person.new_friends);
        let told = match &merged {
            _ if is_news => person.kin.friends.clone(),
            // A new friend who would only hear that somebody is still not there hears nothing.
            Some(_) => new,
            None => Vec::new(),
        };
        if person.seats.is_empty() && person.elsewhere.is_empty() {
            let kin = std::mem::take(&mut person.kin);
            self.people.remove(&user);
            self.blocks(user, &kin.blocked, false);
        }
        for friend in told {
            if self.people.contains_key(&friend) && !hidden.contains(&friend) {
                out.push(Shown {
                    user,
                    scope: Scope::Friend(friend),
                    presence: merged.clone(),
                });
            }
        }
    }

    /// What a session missed between its picture of a group and its entry.
    fn catch_up(&self, late: &Late, out: &mut Vec<Shown>) {
        let Some(crowd) = self.crowds.get(&late.group) else {
            return;
        };
        let hidden = self.hidden(late.viewer);
        let newer = crowd.recent.iter().rev();
        let newer = newer.take_while(|(tick, _)| *tick > late.since);
        let users: BTreeSet<UserId> = newer.map(|(_, user)| *user).collect();
        for user in users.into_iter().filter(|user| !hidden.contains(user)) {
            let here = crowd.online.contains(&user);
            out.push(Shown {
                user,
                scope: Scope::Session(late.at, late.group),
                presence: self.present(user).filter(|_| here).map(|(_, p)| p),
            });
        }
    }
}

impl Registry for Memory {
    fn open(&self, at: At, user: UserId, said: Said, platform: Platform) {
        let mut state = self.0.lock();
        let seat = Seat {
            at,
            said,
            platform,
            groups: Vec::new(),
            pictures: Vec::new(),
        };
        state.people.entry(user).or_default().seats.insert(0, seat);
        state.merge(user);
        state.tell(user);
    }

    fn set(&self, at: At, user: UserId, said: Said) {
        let mut state = self.0.lock();
        let Some(person) = state.people.get_mut(&user) else {
            return;
        };
        let Some(place) = person.seats.iter().position(|seat| seat.at == at) else {
            return;
        };
        person.seats[..=place].rotate_right(1);
        if let Some(seat) = person.seats.first_mut() {
            seat.said = said;
        }
        state.merge(user);
        state.tell(user);
    }

    fn said(&self, at: At, user: UserId) -> Option<(Said, Platform)> {
        let mut state = self.0.lock();
        let seat = state.people.get_mut(&user)?.seat(at)?;
        Some((seat.said.clone(), seat.platform))
    }

    fn enter(&self, at: At, user: UserId, group: GroupId) {
        let mut state = self.0.lock();
        let tick = state.tick;
        let Some(person) = state.people.get_mut(&user) else {
            return;
        };
        let Some(seat) = person.seat(at) else { return };
        seat.groups.push(group);
        let pictures = seat.pictures.iter();
        let picture = pictures
            .filter(|(of, _)| *of == group)
            .map(|(_, tick)| *tick)
            .next_back();
        seat.pictures.retain(|(of, _)| *of != group);
        if let Some(since) = picture.filter(|since| *since < tick) {
            state.late.push(Late {
                at,
                viewer: user,
                group,
                since,
            });
        }
        state.count_here(group, true);
        state.seat(user, group);
        state.change(user);
        state.tell(user);
    }

    fn leave(&self, at: At, user: UserId, group: GroupId) {
        let mut state = self.0.lock();
        let Some(person) = state.people.get_mut(&user) else {
            return;
        };
        let Some(seat) = person.seat(at) else { return };
        let before = seat.groups.len();
        seat.groups.retain(|other| *other != group);
        if seat.groups.len() == before {
            return;
        }
        state.count_here(group, false);
        state.unseat(user, group);
        state.tell(user);
        // Who is no member any more is not shown as offline, but as gone.
        if let Some(person) = state.people.get_mut(&user) {
            person
                .places
                .retain(|_, place| place.sessions > 0 || place.shown.is_some());
            if person.places.get(&group).is_some_and(|p| p.sessions == 0) {
                person.places.remove(&group);
            }
        }
    }

    fn close(&self, at: At, user: UserId) {
        let mut state = self.0.lock();
        let Some(person) = state.people.get_mut(&user) else {
            return;
        };
        let Some(place) = person.seats.iter().position(|seat| seat.at == at) else {
            return;
        };
        let seat = person.seats.remove(place);
        for group in seat.groups {
            state.count_here(group, false);
            state.unseat(user, group);
        }
        state.merge(user);
        state.change(user);
        state.tell(user);
    }

    fn relate(&self, user: UserId, kin: Kin) {
        let mut state = self.0.lock();
        state.relate(user, kin);
        state.tell(user);
    }

    fn is_inside(&self, at: At, user: UserId, group: GroupId) -> bool {
        let mut state = self.0.lock();
        let person = state.people.get_mut(&user);
        let seat = person.and_then(|person| person.seat(at));
        seat.is_some_and(|seat| seat.groups.contains(&group))
    }

    fn knows(&self, user: UserId) -> bool {
        let state = self.0.lock();
        let person = state.people.get(&user);
        person.is_some_and(|person| !person.seats.is_empty() || person.elsewhere.is_empty())
    }

    fn take(&self) -> Vec<Shown> {
        let mut state = self.0.lock();
        state.tick += 1;
        let mut out = Vec::new();
        // What is shown now reaches who has entered anyway.
        for late in std::mem::take(&mut state.late) {
            state.catch_up(&late, &mut out);
        }
        for user in std::mem::take(&mut state.changed) {
            state.show(user, &mut out);
        }
        let oldest = state.tick.saturating_sub(RECENT_TICKS);
        state.crowds.retain(|_, crowd| {
            while crowd.recent.front().is_some_and(|(tick, _)| *tick < oldest) {
                crowd.recent.pop_front();
            }
            crowd.here > 0 || !crowd.online.is_empty() || !crowd.recent.is_empty()
        });
        out
    }

    fn picture(&self, at: At, viewer: UserId, group: GroupId, limit: usize) -> Present {
        let mut state = self.0.lock();
        let tick = state.tick;
        if let Some(seat) = state.people.get_mut(&viewer).and_then(|p| p.seat(at)) {
            seat.pictures.retain(|(of, _)| *of != group);
            seat.pictures.push((group, tick));
        }
        state.online(viewer, group, limit)
    }

    fn online(&self, viewer: Option<UserId>, group: GroupId) -> Present {
        // Nobody has the id 0.
        let viewer = viewer.unwrap_or(UserId(0));
        self.0.lock().online(viewer, group, usize::MAX)
    }

    fn among(&self, viewer: UserId, group: GroupId, users: &[UserId]) -> Present {
        let state = self.0.lock();
        let Some(crowd) = state.crowds.get(&group) else {
            return Vec::new();
        };
        let hidden = state.hidden(viewer);
        let here = users
            .iter()
            .filter(|user| crowd.online.contains(user) && !hidden.contains(user));
        here.filter_map(|&user| state.present(user)).collect()
    }

    fn count(&self, group: GroupId) -> usize {
        let state = self.0.lock();
        state.crowds.get(&group).map_or(0, |c| c.online.len())
    }

    fn version(&self, group: GroupId) -> u64 {
        let state = self.0.lock();
        state.crowds.get(&group).map_or(0, |c| c.version)
    }

    fn is_kept_from(&self, viewer: UserId) -> bool {
        !self.0.lock().hidden(viewer).is_empty()
    }

    fn friends(&self, user: UserId) -> Present {
        let state = self.0.lock();
        let Some(person) = state.people.get(&user) else {
            return Vec::new();
        };
        let hidden = state.hidden(user);
        let seen = person.kin.friends.iter().filter(|f| !hidden.contains(f));
        seen.filter_map(|&friend| state.present(friend)).collect()
    }
}
