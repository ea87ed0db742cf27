//! Who is on which topic: what was asked of an entity, who joined, who left.

use std::sync::Arc;

use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::ids::{GroupId, UserId};

use super::lane::Lane;
use super::topic::Topic;
use super::wire::{Effect, SessionRef};

impl<W> Lane<W> {
    /// Notes a question to a topic's entity; the topic is followed from now on.
    pub(super) fn ask(&mut self, slot: u32, topic: EntityRef, out: &mut Vec<Effect<W>>) {
        let Some(session) = self.slots[slot as usize].session.as_mut() else {
            return;
        };
        session.asked.push(topic);
        session.is_moved = true;
        let followed = self.topics.entry(topic).or_insert_with(|| {
            out.push(Effect::Watch(topic));
            Topic::default()
        });
        followed.asked += 1;
    }

    /// Notes that a question was answered or its asker is gone.
    pub(super) fn answered(&mut self, topic: EntityRef, out: &mut Vec<Effect<W>>) {
        if let Some(followed) = self.topics.get_mut(&topic) {
            followed.asked = followed.asked.saturating_sub(1);
        }
        self.drop_idle(topic, out);
    }

    /// Takes one question of a session back; false when there is none.
    pub(super) fn settle(&mut self, session: SessionRef, topic: EntityRef) -> bool {
        let Some(found) = self.session_mut(session) else {
            return false;
        };
        let Some(at) = found.asked.iter().position(|&asked| asked == topic) else {
            return false;
        };
        found.asked.swap_remove(at);
        found.is_moved = true;
        if let Some(followed) = self.topics.get_mut(&topic) {
            followed.asked = followed.asked.saturating_sub(1);
        }
        true
    }

    /// Whether a session waits for the topic's answer.
    pub(super) fn asks(&mut self, session: SessionRef, topic: EntityRef) -> bool {
        self.session_mut(session)
            .is_some_and(|found| found.asked.contains(&topic))
    }

    /// Subscribes a session to groups of its shard.
    pub(super) fn subscribe(&mut self, slot: u32, groups: &[GroupId], out: &mut Vec<Effect<W>>) {
        let session = self.session_ref(slot);
        let Some(found) = self.at(slot) else { return };
        let identity = found.identity;
        let groups: Vec<GroupId> = groups
            .iter()
            .copied()
            .filter(|&group| identity.shard.is_none_or(|shard| shard.holds(group)))
            .collect();
        for &group in &groups {
            self.ask(slot, group.into(), out);
        }
        if !groups.is_empty() {
            out.push(Effect::Subscribe {
                session,
                identity,
                groups,
            });
        }
    }

    /// Takes a session off a topic.
    pub(super) fn leave(&mut self, slot: u32, topic: EntityRef, out: &mut Vec<Effect<W>>) {
        let reference = self.session_ref(slot);
        if let Some(session) = self.at(slot) {
            session.topics.retain(|&other| other != topic);
            session.is_moved = true;
            if topic.kind == EntityKind::Group {
                out.push(Effect::Left {
                    session: reference,
                    user: session.identity.user,
                    group: GroupId(topic.id),
                });
            }
        }
        self.forget(slot, topic, out);
    }

    pub(super) fn forget(&mut self, slot: u32, topic: EntityRef, out: &mut Vec<Effect<W>>) {
        if let Some(followed) = self.topics.get_mut(&topic) {
            followed.remove(slot);
        }
        self.drop_idle(topic, out);
    }

    pub(super) fn drop_idle(&mut self, topic: EntityRef, out: &mut Vec<Effect<W>>) {
        if self.topics.get(&topic).is_some_and(Topic::is_idle) {
            self.topics.remove(&topic);
            out.push(Effect::Unwatch(topic));
        }
    }

    /// The slots of one user that are on a topic, rising.
    pub(super) fn slots_of(&mut self, user: UserId, topic: EntityRef) -> Arc<[u32]> {
        let Some(followed) = self.topics.get(&topic) else {
            return self.nobody.clone();
        };
        let mut slots: Vec<u32> = self.users.get(&user).map_or_else(Vec::new, |slots| {
            let on_it = |slot: &&u32| followed.members().binary_search(slot).is_ok();
            slots.iter().filter(on_it).copied().collect()
        });
        slots.sort_unstable();
        Arc::from(slots)
    }
}
