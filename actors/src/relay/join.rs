//! Sessions that join a topic at a number: with a picture of it, or again where they were on another node.

use std::sync::Arc;

use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::event::{Audience, Dispatch, Event, FrameSeq, SharedFrame};
use rookery_protocol::ids::{GroupId, UserId};

use super::lane::Lane;
use super::log::Source;
use super::sight::{Holder, Passed, Sight};
use super::topic::{Join, Start, Waiting};
use super::wire::{Again, Effect, Lost, SessionRef};

/// A session on its way into a topic: what decides what it gets of the events that it catches up with.
struct Comer {
    slot: u32,
    user: UserId,
    one: Arc<[u32]>,
    /// Of a group with a picture.
    sight: Option<Sight>,
}

impl Comer {
    /// What it gets of an event whose change is `seen` in its picture already, or is not.
    fn pass(&mut self, event: &Event, seen: bool) -> Passed {
        match (&mut self.sight, &event.audience) {
            (Some(sight), _) if seen => Passed::to(sight.addressed(event, &self.one)),
            (Some(sight), _) => sight.pass(event, &self.one),
            (None, Audience::User(other)) if *other != self.user => Passed::to(Arc::from([])),
            (None, _) => Passed::to(self.one.clone()),
        }
    }
}

impl<W> Lane<W> {
    /// A session joins: first the picture, then what happened since, then everything as it comes.
    pub(super) fn joined(&mut self, join: Join, out: &mut Vec<Effect<W>>) {
        let (session, reference, gseq) = (join.session, join.topic, join.gseq);
        if !self.asks(session, reference) {
            return;
        }
        if matches!(join.start, Start::Picture { .. }) && self.rejoins(session, reference) {
            // It first goes on where it was: a picture in between would hide what it has missed.
            if let Some(found) = self.session_mut(session) {
                found.deferred.push(join);
            }
            return;
        }
        let Some(topic) = self.topics.get_mut(&reference) else {
            return;
        };
        topic.known = topic.known.max(gseq);
        if topic.is_healing() {
            return topic.wait(Waiting::Join(join));
        }
        let since = match topic.last {
            Some(last) if last >= gseq => last,
            Some(_) if topic.has_members() => {
                // The others first get what is in this picture already.
                self.heal(reference, out);
                if let Some(topic) = self.topics.get_mut(&reference) {
                    topic.wait(Waiting::Join(join));
                }
                return;
            }
            _ => {
                topic.restart(gseq);
                gseq
            }
        };
        if topic.members().binary_search(&session.slot).is_ok() {
            self.settle(session, reference);
            return;
        }
        let caught_up = if gseq >= topic.floor {
            self.log.events(reference, gseq, since)
        } else {
            None
        };
        let Some(caught_up) = caught_up else {
            return self.ask_again(&join, out);
        };
        self.settle(session, reference);
        self.enter(join, caught_up, out);
    }

    /// A session that has moved here goes on with a topic.
    pub(super) fn rejoined(
        &mut self,
        session: SessionRef,
        reference: EntityRef,
        since: u64,
        events: Result<Vec<SharedFrame>, Lost>,
        again: Option<Again>,
        out: &mut Vec<Effect<W>>,
    ) {
        if !self.rejoins(session, reference) {
            return;
        }
        let Ok(events) = events else {
            tracing::warn!(topic = %reference, "the event log does not reach back to what a session missed");
            return self.invalidate(session.slot, out);
        };
        let (seen, view, body) = match again {
            Some(Again { gseq, view, body }) => (gseq, Some(view), body),
            None => (since, None, None),
        };
        let gseq = since + events.len() as u64;
        let start = Start::Again {
            since,
            events,
            seen,
            body,
        };
        let join = Join {
            session,
            topic: reference,
            gseq,
            start,
            view,
        };
        self.joined(join, out);
    }

    fn enter(&mut self, join: Join, caught_up: Vec<SharedFrame>, out: &mut Vec<Effect<W>>) {
        let (slot, reference) = (join.session.slot, join.topic);
        let Some(found) = self.at(slot) else { return };
        found.topics.push(reference);
        found.rejoining.retain(|(topic, _)| *topic != reference);
        found.ready |= reference.kind == EntityKind::User;
        let user = found.identity.user;
        let (is_again, before, seen, body, groups) = match join.start {
            Start::Picture { body, groups } => (false, Vec::new(), 0, Some(body), groups),
            Start::Again {
                events, seen, body, ..
            } => (true, events, seen, body, Vec::new()),
        };
        let Some(topic) = self.topics.get_mut(&reference) else {
            return;
        };
        // What the session sees when it gets the picture; it changes with what it catches up with.
        let sight = join.view.map(|view| {
            let changes = |frame: &SharedFrame| frame.event.access.is_some();
            let changed = before.iter().chain(&caught_up).any(changes);
            let roles = view.roles.clone();
            let holder = Holder { slot, user, roles };
            topic.sight_of(GroupId(reference.id), &view, holder, changed)
        });
        topic.insert(slot);
        if reference.kind == EntityKind::Group {
            out.push(Effect::Entered {
                session: join.session,
                user,
                group: GroupId(reference.id),
            });
        }
        let mut comer = Comer {
            slot,
            user,
            one: Arc::from([slot]),
            sight,
        };
        let is_seen =
            |frame: &SharedFrame| matches!(frame.seq, FrameSeq::Logged(gseq) if gseq <= seen);
        let after = before.iter().position(|frame| !is_seen(frame));
        let (before, between) = before.split_at(after.unwrap_or(before.len()));
        let mut stays = self.catch_up(&mut comer, before, true, out);
        if stays && let Some(body) = body {
            self.give(slot, body);
        }
        self.subscribe(slot, &groups, out);
        stays = stays
            && self.catch_up(&mut comer, between, false, out)
            && self.catch_up(&mut comer, &caught_up, false, out);
        if stays {
            if let (Some(sight), Some(topic)) = (comer.sight, self.topics.get_mut(&reference)) {
                topic.take_in(sight);
            }
        } else if is_again && self.at(slot).is_some() && reference.kind == EntityKind::Group {
            // It left and may have come back: what its user's topic says of that may have passed already.
            self.subscribe(slot, &[GroupId(reference.id)], out);
        }
        if is_again {
            self.resume_deferred(join.session, reference, out);
        }
    }

    /// A session is on a topic again, or not any more: what was answered meanwhile counts now.
    fn resume_deferred(&mut self, session: SessionRef, topic: EntityRef, out: &mut Vec<Effect<W>>) {
        let Some(found) = self.session_mut(session) else {
            return;
        };
        let deferred = std::mem::take(&mut found.deferred);
        let (now, later) = deferred.into_iter().partition(|join| join.topic == topic);
        found.deferred = later;
        let now: Vec<Join> = now;
        for join in now {
            self.joined(join, out);
        }
    }

    /// Gives a session events of a topic that it is on; false when one of them took it off.
    fn catch_up(
        &mut self,
        comer: &mut Comer,
        events: &[SharedFrame],
        seen: bool,
        out: &mut Vec<Effect<W>>,
    ) -> bool {
        for frame in events {
            let passed = comer.pass(&frame.event, seen);
            if !passed.recipients.is_empty() || !passed.news.is_empty() {
                self.act(frame, Source::Again(frame.clone()), passed, out);
            }
            if !self.is_on(comer.slot, frame.topic) {
                return false;
            }
        }
        true
    }

    fn is_on(&self, slot: u32, reference: EntityRef) -> bool {
        let topic = self.topics.get(&reference);
        topic.is_some_and(|topic| topic.members().binary_search(&slot).is_ok())
    }

    /// Whether a session waits to be put on a topic again.
    fn rejoins(&mut self, session: SessionRef, topic: EntityRef) -> bool {
        let found = self.session_mut(session);
        found.is_some_and(|found| found.rejoining.iter().any(|(other, _)| *other == topic))
    }

    /// The answer came too late to be continued: ask for a newer one.
    fn ask_again(&mut self, join: &Join, out: &mut Vec<Effect<W>>) {
        let (session, topic) = (join.session, join.topic);
        let Some(identity) = self.at(session.slot).map(|found| found.identity) else {
            return;
        };
        let effect = match (&join.start, topic.kind) {
            (Start::Again { since, .. }, _) => Effect::Rejoin {
                session,
                identity,
                topics: vec![(topic, *since)],
            },
            (_, EntityKind::User) => Effect::Attach { session, identity },
            (_, EntityKind::Group) => Effect::Subscribe {
                session,
                identity,
                groups: vec![GroupId(topic.id)],
            },
        };
        out.push(effect);
    }

    /// A group does not have the session's user (any more).
    pub(super) fn not_joined(
        &mut self,
        session: SessionRef,
        topic: EntityRef,
        farewell: Box<Dispatch>,
        again: bool,
        out: &mut Vec<Effect<W>>,
    ) {
        if !self.settle(session, topic) {
            return;
        }
        if again {
            if let Some(found) = self.at(session.slot) {
                found.rejoining.retain(|(other, _)| *other != topic);
            }
            self.give(session.slot, farewell);
            self.resume_deferred(session, topic, out);
        } else if !self.rejoins(session, topic)
            && !self.is_on(session.slot, topic)
            && !self.asks(session, topic)
        {
            self.give(session.slot, farewell);
        }
        self.drop_idle(topic, out);
    }
}
