//! What becomes of a direct channel when the account of one of its people changes or ends.

use rookery_protocol::client::direct::relationship;
use rookery_protocol::command::Notice;
use rookery_protocol::document::{Friendship, Relation};
use rookery_protocol::event::EventName;
use rookery_protocol::intents::Intents;
use rookery_protocol::profile::Profile;

use super::super::{Live, Turn};
use super::relation::side;
use crate::turn::dispatch;

impl Live {
    /// One of its people has a new profile: the others see it.
    pub(in crate::group) fn introduce(&mut self, turn: &mut Turn<'_>, profile: &Profile) {
        self.people.insert(profile.id, profile.clone());
        for user in self.listing() {
            if user == profile.id {
                continue;
            }
            let (relation, since) = self.standing(user);
            if relation != Relation::None {
                let body = relationship(relation, since, profile);
                let shown = dispatch(EventName::RelationshipUpdate, Intents::NONE, &body);
                turn.send(user, Notice::Show(shown));
            }
            if self.is_open(user) {
                self.show_channel(turn, user, EventName::ChannelUpdate);
            }
        }
    }

    /// The account of one of its people ended. Of two, the other keeps what was written, and his block if he has one; of
    /// a few, it is as if he had left.
    pub(in crate::group) fn bereave(&mut self, turn: &mut Turn<'_>, profile: &Profile) {
        if !self.members.contains_key(&profile.id) {
            return;
        }
        let Some(pair) = self.document.pair() else {
            return self.part(turn, profile, profile);
        };
        let Some(side) = side(pair, profile.id) else {
            return;
        };
        let mut next = pair.clone();
        next.friendship = Friendship::None;
        next.blocks[side] = false;
        if next != *pair {
            next.since = turn.now;
        }
        if let Some(direct) = &mut self.document.direct
            && !direct.closed.contains(&profile.id)
        {
            direct.closed.push(profile.id);
        }
        self.people.insert(profile.id, profile.clone());
        self.set_pair(turn, next);
        self.save(turn);
        self.list(turn, profile.id);
        self.introduce(turn, profile);
    }
}
