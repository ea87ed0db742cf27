//! The pair of two people: their friendship, their blocks, and whether their channel is in their lists.

use rookery_protocol::client::direct::{relationship, relationship_remove};
use rookery_protocol::command::group::{DirectView, RelationWish, SetOpen, SetRelation};
use rookery_protocol::command::{Answer, Notice};
use rookery_protocol::document::{PairDocument, Relation};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::UserId;
use rookery_protocol::intents::Intents;
use rookery_protocol::profile::Profile;

use super::super::{Live, Turn};
use super::relation::{relation, side, wished};
use crate::turn::dispatch;

impl Live {
    /// The pair and which of the two somebody is; `InvalidAction` in the channel of more.
    fn pair_of(&self, user: UserId) -> Answer<(&PairDocument, usize)> {
        self.member(user)?;
        let pair = self.document.pair().ok_or(ErrorCode::InvalidAction)?;
        let side = side(pair, user).ok_or(ErrorCode::MissingAccess)?;
        Ok((pair, side))
    }

    /// `CannotMessageUser` between two people of whom one blocks the other, or is no more.
    pub(in crate::group) fn require_peace(&self) -> Answer<()> {
        let Some(pair) = self.document.pair() else {
            return Ok(());
        };
        if pair.blocks.contains(&true) || self.people.values().any(Profile::is_deleted) {
            return Err(ErrorCode::CannotMessageUser.into());
        }
        Ok(())
    }

    /// `ReactionBlocked` for who is blocked by the other.
    pub(in crate::group) fn require_may_react(&self, user: UserId) -> Answer<()> {
        let Some(pair) = self.document.pair() else {
            return Ok(());
        };
        let blocks = pair.people.iter().zip(pair.blocks);
        let is_blocked = blocks.filter(|&(&one, _)| one != user).any(|(_, it)| it);
        if is_blocked {
            return Err(ErrorCode::ReactionBlocked.into());
        }
        Ok(())
    }

    /// Those of its people who have the channel in their list.
    pub(in crate::group) fn watching(&self) -> Vec<UserId> {
        let users = self.members.keys().copied();
        users.filter(|&user| self.is_open(user)).collect()
    }

    /// Puts the channel into the lists that it is not in: something is about to be said there.
    pub(in crate::group) fn reopen(&mut self, turn: &mut Turn<'_>) {
        let Some(direct) = &mut self.document.direct else {
            return;
        };
        if direct.closed.is_empty() {
            return;
        }
        let closed = std::mem::take(&mut direct.closed);
        self.save(turn);
        for user in closed {
            self.list(turn, user);
            self.show_channel(turn, user, EventName::ChannelCreate);
        }
    }

    pub(in crate::group) fn set_open(
        &mut self,
        turn: &mut Turn<'_>,
        request: SetOpen,
    ) -> Answer<DirectView> {
        let SetOpen { by, open } = request;
        self.pair_of(by)?;
        if self.is_open(by) != open
            && let Some(direct) = &mut self.document.direct
        {
            let name = if open {
                direct.closed.retain(|&user| user != by);
                EventName::ChannelCreate
            } else {
                direct.closed.push(by);
                EventName::ChannelDelete
            };
            self.save(turn);
            self.list(turn, by);
            self.show_channel(turn, by, name);
        }
        Ok(self.direct_view())
    }

    pub(in crate::group) fn set_relation(
        &mut self,
        turn: &mut Turn<'_>,
        request: SetRelation,
    ) -> Answer<DirectView> {
        let SetRelation { by, other, wish } = request;
        if by.id == other.id {
            return Err(ErrorCode::CannotFriendSelf.into());
        }
        let (pair, side) = self.pair_of(by.id)?;
        if by.bot || (wish == RelationWish::Friend && other.bot) {
            return Err(ErrorCode::BotsHaveNoFriends.into());
        }
        if pair.people[1 - side] != other.id {
            return Err(ErrorCode::UnknownUser.into());
        }
        let next = wished(pair, side, wish, turn.now)?;
        for profile in [by, other] {
            self.people.insert(profile.id, profile);
        }
        self.set_pair(turn, next);
        Ok(self.direct_view())
    }

    /// Lets the two stand to each other as in `next`, and tells each of them what changed for him.
    pub(super) fn set_pair(&mut self, turn: &mut Turn<'_>, next: PairDocument) {
        let Some(pair) = self
            .document
            .direct
            .as_mut()
            .and_then(|direct| direct.pair.as_mut())
        else {
            return;
        };
        if *pair == next {
            return;
        }
        let before = std::mem::replace(pair, next.clone());
        self.save(turn);
        self.list_all(turn);
        for user in self.listing() {
            let Some(side) = side(&next, user) else {
                continue;
            };
            let (old, new) = (relation(&before, side), relation(&next, side));
            if old != new {
                self.show_relation(turn, &next, side, old);
            }
        }
    }

    /// Tells one of the two how he stands to the other from now on.
    fn show_relation(&self, turn: &mut Turn<'_>, pair: &PairDocument, side: usize, old: Relation) {
        let (user, other) = (pair.people[side], pair.people[1 - side]);
        let relation = relation(pair, side);
        turn.send(
            user,
            Notice::Related {
                user: other,
                relation,
            },
        );
        let Some(profile) = self.people.get(&other) else {
            return;
        };
        let (name, body) = if relation == Relation::None {
            let body = relationship_remove(old, other);
            (EventName::RelationshipRemove, body)
        } else {
            let body = relationship(relation, pair.since, profile);
            (EventName::RelationshipAdd, body)
        };
        let shown = dispatch(name, Intents::NONE, &body);
        turn.send(user, Notice::Show(shown));
    }
}
