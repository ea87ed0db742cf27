//! People on other nodes: what this node tells of the sessions it has, and what it hears.

use std::collections::HashSet;

use rookery_protocol::client::presence::{Activity, Platform, Presence, Said, Status};
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::limits::PRESENCE_ELSEWHERE;
use serde::{Deserialize, Serialize};

use super::Kin;
use super::memory::{Memory, State};

/// Another node, by a number that this one gives it.
pub type Peer = u64;

/// What a node tells of a user with sessions on it: all of them together, where they are, and whom he is not to meet.
/// Who is invisible is not told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct Told {
    seats: Vec<(Said, Platform)>,
    /// By rising id.
    groups: Vec<GroupId>,
    kin: Kin,
}

impl Told {
    fn new(presence: &Presence, groups: Vec<GroupId>, kin: Kin) -> Self {
        let mut activities = Some(presence.activities.clone());
        let seats = presence.client_status.each().map(|(platform, status)| {
            let activities = activities.take().unwrap_or_default();
            (Said { status, activities }, platform)
        });
        Self {
            seats: seats.collect(),
            groups,
            kin,
        }
    }

    pub(super) fn seats(&self) -> impl Iterator<Item = (&Said, Platform)> {
        self.seats.iter().map(|(said, platform)| (said, *platform))
    }
}

/// [`Told`] as JSON. What a client says of an activity's time is never believed, so it is beside the activity.
#[derive(Clone, Serialize, Deserialize)]
struct Wire {
    seats: Vec<(Platform, Status)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    activities: Vec<(u64, Activity)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<GroupId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    friends: Vec<UserId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    blocked: Vec<UserId>,
}

impl From<Wire> for Told {
    fn from(wire: Wire) -> Self {
        let activities = wire.activities.into_iter();
        let activities = activities.map(|(created_at, activity)| Activity {
            created_at,
            ..activity
        });
        let mut activities = Some(activities.collect());
        let seats = wire.seats.into_iter().map(|(platform, status)| {
            let activities = activities.take().unwrap_or_default();
            (Said { status, activities }, platform)
        });
        Self {
            seats: seats.collect(),
            groups: wire.groups,
            kin: Kin {
                friends: wire.friends,
                blocked: wire.blocked,
            },
        }
    }
}

impl From<Told> for Wire {
    fn from(told: Told) -> Self {
        let seats = told
            .seats
            .iter()
            .map(|(said, platform)| (*platform, said.status));
        let seats = seats.collect();
        let activities = told.seats.into_iter().flat_map(|(said, _)| said.activities);
        Self {
            seats,
            activities: activities.map(|a| (a.created_at, a)).collect(),
            groups: told.groups,
            friends: told.kin.friends,
            blocked: told.kin.blocked,
        }
    }
}

impl Memory {
    /// A registry that keeps track of what other nodes are to be told.
    pub fn telling() -> Self {
        let memory = Self::default();
        memory.0.lock().untold = Some(HashSet::new());
        memory
    }

    /// Up to `limit` users whose sessions on this node changed since it was asked last, and what to tell of them now;
    /// nothing of who has none that others may see.
    pub fn news(&self, limit: usize) -> Vec<(UserId, Option<Told>)> {
        let mut state = self.0.lock();
        let Some(untold) = &mut state.untold else {
            return Vec::new();
        };
        let users: Vec<UserId> = untold.iter().copied().take(limit).collect();
        for user in &users {
            untold.remove(user);
        }
        let news = users.into_iter().map(|user| (user, state.told(user)));
        news.collect()
    }

    /// Everybody with sessions on this node is to be told of again.
    pub fn tell_all(&self) {
        let mut state = self.0.lock();
        let people = state.people.iter();
        let here = people.filter(|(_, person)| !person.seats.is_empty());
        let here: HashSet<UserId> = here.map(|(user, _)| *user).collect();
        state.untold = Some(here);
    }

    /// What another node tells of a user; nothing of one who has gone from it. Whoever is too many is not noted.
    pub fn hear(&self, peer: Peer, user: UserId, told: Option<Told>) {
        let mut state = self.0.lock();
        let is_known = state.people.contains_key(&user);
        if !is_known && (told.is_none() || state.people.len() >= PRESENCE_ELSEWHERE) {
            return;
        }
        let person = state.people.entry(user).or_default();
        let place = person.elsewhere.iter().position(|(of, _)| *of == peer);
        let before = place.map(|place| person.elsewhere.swap_remove(place).1);
        let before = before.map(|told| told.groups).unwrap_or_default();
        let now = told.as_ref().map(|told| told.groups.clone());
        let now = now.unwrap_or_default();
        // Who has sessions here is known better.
        let kin = told.as_ref().filter(|_| person.seats.is_empty());
        let kin = kin.map(|told| told.kin.clone());
        person.elsewhere.extend(told.map(|told| (peer, told)));
        for group in before.iter().filter(|g| now.binary_search(g).is_err()) {
            state.unseat(user, *group);
        }
        for group in now.iter().filter(|g| before.binary_search(g).is_err()) {
            state.seat(user, *group);
        }
        state.merge(user);
        if let Some(kin) = kin {
            state.relate(user, kin);
        }
        state.change(user);
    }
}

impl State {
    /// What other nodes are told of a user's sessions here.
    fn told(&self, user: UserId) -> Option<Told> {
        let person = self.people.get(&user)?;
        let seats = person.seats.iter();
        let presence = Presence::merged(seats.map(|seat| (&seat.said, seat.platform)))?;
        let groups = person.seats.iter().flat_map(|seat| &seat.groups);
        let mut groups: Vec<GroupId> = groups.copied().collect();
        groups.sort_unstable();
        groups.dedup();
        Some(Told::new(&presence, groups, person.kin.clone()))
    }
}

#[cfg(test)]
mod tests {
    use rookery_actors::relay::SessionRef;
    use serde_json::json;

    use super::*;
    use crate::presence::{At, Registry, Scope};

    const GROUP: GroupId = GroupId(100);
    const OTHER: GroupId = GroupId(101);
    const ADA: UserId = UserId(1);
    const BEN: UserId = UserId(2);

    fn at(slot: u32) -> At {
        At {
            lane: 0,
            session: SessionRef {
                slot,
                generation: 0,
            },
        }
    }

    fn enter(memory: &Memory, slot: u32, user: UserId, platform: Platform) {
        memory.open(at(slot), user, Said::default(), platform);
        memory.enter(at(slot), user, GROUP);
    }

    fn told(groups: &[GroupId]) -> Told {
        let told = json!({ "seats": [["mobile", "idle"]], "groups": groups });
        serde_json::from_value(told).unwrap()
    }

    #[test]
    fn what_is_told_of_all_sessions_together_arrives_as_it_was() {
        let (here, there) = (Memory::telling(), Memory::telling());
        let activity = json!({ "name": "chess", "type": 0 });
        let activity = Activity {
            created_at: 7,
            ..serde_json::from_value(activity).unwrap()
        };
        let said = Said {
            status: Status::Dnd,
            activities: vec![activity],
        };
        here.open(at(1), ADA, said, Platform::Desktop);
        enter(&here, 2, ADA, Platform::Web);
        here.relate(
            ADA,
            Kin {
                friends: vec![BEN],
                blocked: vec![UserId(3)],
            },
        );
        let news = here.news(10);
        assert_eq!(here.news(10), []);
        let wire = serde_json::to_vec(&news).unwrap();
        for (user, told) in serde_json::from_slice::<Vec<(UserId, Option<Told>)>>(&wire).unwrap() {
            there.hear(1, user, told);
        }
        assert_eq!(there.online(None, GROUP), here.online(None, GROUP));
        assert!(there.is_kept_from(UserId(3)));
        assert_eq!(there.news(10), [], "what was heard is not told on");
        here.close(at(1), ADA);
        here.close(at(2), ADA);
        assert_eq!(here.news(10), [(ADA, None)]);
        here.tell_all();
        assert_eq!(here.news(10), []);
    }

    #[test]
    fn sessions_on_several_nodes_are_one_person() {
        let memory = Memory::telling();
        enter(&memory, 1, ADA, Platform::Web);
        memory.hear(1, ADA, Some(told(&[GROUP, OTHER])));
        memory.hear(2, ADA, Some(told(&[GROUP])));
        assert_eq!((memory.count(GROUP), memory.count(OTHER)), (1, 1));
        memory.take();
        memory.close(at(1), ADA);
        assert!(!memory.knows(ADA));
        assert_eq!(memory.online(None, GROUP)[0].1.status, Status::Idle);
        memory.hear(1, ADA, None);
        assert_eq!((memory.count(GROUP), memory.count(OTHER)), (1, 0));
        memory.hear(2, ADA, None);
        memory.hear(2, ADA, None);
        assert_eq!(memory.count(GROUP), 0);
        memory.take();
        assert!(memory.0.lock().people.is_empty());
    }

    #[test]
    fn people_elsewhere_are_shown_where_somebody_is_and_to_friends() {
        let memory = Memory::telling();
        enter(&memory, 1, BEN, Platform::Web);
        memory.take();
        let mut friend = told(&[GROUP, OTHER]);
        friend.kin.friends.push(BEN);
        memory.hear(1, ADA, Some(friend));
        let shown = memory.take();
        let scopes: Vec<&Scope> = shown.iter().map(|shown| &shown.scope).collect();
        assert_eq!(scopes, [&Scope::Group(GROUP, vec![]), &Scope::Friend(BEN)]);
        assert_eq!(memory.take(), []);
        memory.hear(1, ADA, Some(told(&[GROUP, OTHER])));
        assert_eq!(memory.take(), []);
    }
}
