//! What every client must have received: the rules of who sees what, stated anew and slowly.

use std::collections::VecDeque;

use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::event::{
    AccessChange, Act, Audience, ChannelAccess, EventName, FrameSeq, SharedFrame,
};
use rookery_protocol::ids::{ChannelId, GroupId, RoleId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::{OverwriteTarget, Permissions};
use serde_json::Value;

use super::bench::{AUTHOR, Bench, Client};
use super::groups::Community;

/// Something that must come, and whether it is the last of its membership.
#[derive(Debug, PartialEq)]
struct Expected {
    name: EventName,
    id: String,
    is_last: bool,
    gseq: usize,
    /// Whether it comes whoever sees what.
    is_certain: bool,
}

impl Community {
    fn roles_of(&self, user: UserId) -> Vec<RoleId> {
        self.holders.get(&user).cloned().unwrap_or_default()
    }

    /// Whether somebody holds one permission in a channel: the strongest rule that says something decides.
    fn holds(&self, group: GroupId, user: UserId, channel: ChannelId, one: Permissions) -> bool {
        let Some(channel) = self.channels.get(&channel) else {
            return false;
        };
        let held = self.roles_of(user);
        let everyone = group.everyone();
        let says = |target: OverwriteTarget| {
            let overwrite = channel.overwrites.iter().find(|o| o.target == target)?;
            match (overwrite.allow.allow(one), overwrite.deny.allow(one)) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            }
        };
        let of_roles: Vec<bool> = held
            .iter()
            .filter_map(|role| says(OverwriteTarget::Role(*role)))
            .collect();
        let of_roles = of_roles.iter().copied().reduce(|a, b| a || b);
        let all = held.iter().chain([&everyone]);
        let granted: Vec<Permissions> = all
            .filter_map(|role| self.roles.get(role).copied())
            .collect();
        self.owner == Some(user)
            || granted
                .iter()
                .any(|set| set.allow(Permissions::ADMINISTRATOR))
            || says(OverwriteTarget::Member(user))
                .or(of_roles)
                .or(says(OverwriteTarget::Role(everyone)))
                .unwrap_or_else(|| granted.iter().any(|set| set.allow(one)))
    }

    fn sees(&self, group: GroupId, user: UserId, channel: ChannelId) -> bool {
        self.holds(group, user, channel, Permissions::VIEW_CHANNEL)
    }
}

impl Client {
    /// Whether a group is shown to it anew after this place, or it leaves it.
    fn is_shown_anew(&self, place: usize, prefix: &str) -> bool {
        let later = self.received[place..].iter();
        let mut of_group = later.filter(|(_, body)| {
            let id = body["id"].as_str().unwrap_or("");
            id.starts_with(prefix) || format!("{id}:") == format!("gone:{prefix}")
        });
        self.has_moved
            && of_group
                .any(|(name, _)| matches!(name, EventName::GuildCreate | EventName::GuildDelete))
    }
}

fn id_of(access: &ChannelAccess) -> String {
    let body: Value = serde_json::from_slice(&access.body).unwrap();
    body["id"].as_str().unwrap().to_owned()
}

impl Bench {
    /// Every live client has got exactly what its topics said since it joined them, and is where its user is a member.
    pub(super) fn check(&self) {
        for (n, client) in self.clients.iter().enumerate() {
            if client.is_over {
                continue;
            }
            let user = client.identity.user;
            for (&topic, log) in &self.logs {
                if topic.kind == EntityKind::Group {
                    self.check_topic(n, client, topic, log);
                }
            }
            let ready = client
                .received
                .iter()
                .filter(|(name, _)| *name == EventName::Ready);
            assert_eq!(ready.count(), 1, "client {n} of {user}");
        }
    }

    fn check_topic(&self, n: usize, client: &Client, topic: EntityRef, log: &[SharedFrame]) {
        let user = client.identity.user;
        let group = GroupId(topic.id);
        let prefix = format!("{group}:");
        let mut is_on = false;
        // What must come next, while the client is on the topic.
        let mut expected: VecDeque<Expected> = VecDeque::new();
        // The messages to everybody that came since a picture, while only those are certain.
        let mut loose: Option<Vec<&str>> = None;
        for (place, (name, body)) in client.received.iter().enumerate() {
            let id = body["id"].as_str().unwrap_or("");
            let is_farewell = *name == EventName::GuildDelete && client.has_moved;
            if is_farewell && id == format!("gone:{group}") {
                is_on = false;
                loose = None;
                expected.clear();
                continue;
            }
            let Some(gseq) = id.strip_prefix(&prefix) else {
                continue;
            };
            if *name == EventName::Ready {
                continue;
            }
            if *name == EventName::GuildCreate {
                assert!(
                    !is_on || client.has_moved,
                    "client {n} joined {topic} twice"
                );
                let gseq: usize = gseq.parse().unwrap();
                if let Some(came) = loose.take() {
                    let certain = expected.iter().filter(|e| e.is_certain && e.gseq <= gseq);
                    let certain: Vec<&str> = certain.map(|e| e.id.as_str()).collect();
                    assert_eq!(
                        came, certain,
                        "client {n} on {topic}, before it was shown anew"
                    );
                }
                is_on = true;
                let after = log[gseq..].iter();
                expected = after
                    .flat_map(|frame| self.wanted(client, group, frame))
                    .collect();
                continue;
            }
            assert!(is_on, "client {n} is not on {topic}: {name:?} {id}");
            let is_next = expected
                .front()
                .is_some_and(|e| (e.name, e.id.as_str()) == (*name, id));
            if loose.is_none() && !is_next && client.is_shown_anew(place, &prefix) {
                // Who moved while it changed who sees what sees the rest as it is afterwards.
                loose = Some(Vec::new());
            }
            if is_farewell && let Some(came) = loose.take() {
                let gseq: usize = gseq.parse().unwrap();
                let certain = expected.iter().filter(|e| e.is_certain && e.gseq <= gseq);
                let certain: Vec<&str> = certain.map(|e| e.id.as_str()).collect();
                assert_eq!(came, certain, "client {n} on {topic}, before it left");
                is_on = false;
                expected.clear();
                continue;
            }
            if let Some(came) = &mut loose {
                if self.is_certain(topic, *name, id) {
                    came.push(id);
                }
                continue;
            }
            let next = expected.pop_front();
            let got = next.as_ref().map(|next| (next.name, next.id.as_str()));
            assert_eq!(got, Some((*name, id)), "client {n} on {topic}");
            if *name == EventName::MessageCreate {
                let sees =
                    user == AUTHOR || client.identity.intents.contains(Intents::MESSAGE_CONTENT);
                assert_eq!(body["content"], if sees { "words" } else { "" });
            }
            if next.is_some_and(|next| next.is_last) {
                is_on = false;
                expected.clear();
            }
        }
        assert!(
            expected.is_empty(),
            "client {n} misses {expected:?} of {topic}"
        );
        assert_eq!(
            is_on,
            self.members.contains(&(group, user)),
            "client {n} of {user} on {topic}"
        );
    }

    /// Whether an event is a message to everybody.
    fn is_certain(&self, topic: EntityRef, name: EventName, id: &str) -> bool {
        let gseq = id.rsplit(':').next().and_then(|n| n.parse::<usize>().ok());
        let log = &self.logs[&topic];
        let frame = gseq.and_then(|gseq| log.get(gseq.wrapping_sub(1)));
        name == EventName::MessageCreate
            && frame.is_some_and(|frame| frame.event.audience == Audience::Everyone)
    }

    /// What a frame comes to for a client.
    fn wanted(&self, client: &Client, group: GroupId, frame: &SharedFrame) -> Vec<Expected> {
        let user = client.identity.user;
        let FrameSeq::Logged(gseq) = frame.seq else {
            return Vec::new();
        };
        let (before, after) = (self.past(group, gseq - 1), self.past(group, gseq));
        let is_meant = match (frame.event.audience.clone(), &frame.event.access) {
            (Audience::Everyone, _) => true,
            (Audience::Except(others), _) => !others.contains(&user),
            (Audience::User(meant), _) => user == meant,
            (Audience::Channel(channel), Some(AccessChange::Channel(..))) => {
                let was_there = before.channels.contains_key(&channel);
                let is_there = after.channels.contains_key(&channel);
                (was_there || is_there)
                    && (!was_there || before.sees(group, user, channel))
                    && (!is_there || after.sees(group, user, channel))
            }
            (Audience::Channel(channel), _) => after.sees(group, user, channel),
            (Audience::ChannelOnly { sees, not }, _) => {
                after.sees(group, user, sees) && !after.sees(group, user, not)
            }
            (
                Audience::Holders {
                    permissions,
                    channel,
                },
                _,
            ) => channel.is_some_and(|channel| {
                after.sees(group, user, channel) && after.holds(group, user, channel, permissions)
            }),
        };
        let (dispatch, is_last) = match &frame.event.act {
            Act::Dispatch(dispatch) => (dispatch, false),
            Act::Farewell(dispatch) => (dispatch, true),
            _ => return Vec::new(),
        };
        let mut wanted = Vec::new();
        if is_meant && client.identity.intents.admit(dispatch.intents) {
            let body: Value = serde_json::from_slice(&dispatch.body).unwrap();
            let id = body["id"].as_str().unwrap().to_owned();
            let name = dispatch.name;
            let is_certain = self.is_certain(frame.topic, name, &id);
            let gseq = gseq as usize;
            wanted.push(Expected {
                name,
                id,
                is_last,
                gseq,
                is_certain,
            });
        }
        if (is_last && is_meant) || !client.identity.intents.admit(Intents::GUILDS) {
            return wanted;
        }
        for (&channel, old) in &before.channels {
            let Some(new) = after.channels.get(&channel) else {
                continue;
            };
            let sides = (
                before.sees(group, user, channel),
                after.sees(group, user, channel),
            );
            let (name, access) = match sides {
                (true, false) => (EventName::ChannelDelete, old),
                (false, true) => (EventName::ChannelCreate, new),
                _ => continue,
            };
            let (id, is_last) = (id_of(access), false);
            wanted.push(Expected {
                name,
                id,
                is_last,
                gseq: gseq as usize,
                is_certain: false,
            });
        }
        wanted
    }
}
