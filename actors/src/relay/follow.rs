//! Following a topic: events in their order, gaps and how they are healed.

use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::event::{Act, Audience, FrameSeq, SharedFrame};

use super::lane::Lane;
use super::log::{Entry, Source};
use super::sight::Passed;
use super::topic::{Place, Waiting};
use super::wire::{Effect, Lost};

impl<W> Lane<W> {
    /// An event, or a value, of a topic.
    pub(super) fn frame(&mut self, frame: SharedFrame, out: &mut Vec<Effect<W>>) {
        let Some(topic) = self.topics.get_mut(&frame.topic) else {
            return;
        };
        match frame.seq {
            FrameSeq::Value(gseq) => {
                let announced = frame.event.act == Act::Announce;
                if announced {
                    self.behind(frame.topic, gseq, true, out);
                } else {
                    // A value belongs to no place of the log: while a gap is open it is not shown.
                    self.behind(frame.topic, gseq, false, out);
                    if self
                        .topics
                        .get(&frame.topic)
                        .is_some_and(|t| !t.is_healing())
                    {
                        self.apply(&frame, out);
                    }
                }
            }
            FrameSeq::Logged(gseq) => {
                if topic.is_healing() {
                    topic.known = topic.known.max(gseq);
                    return topic.wait(Waiting::Frame(frame));
                }
                match topic.place(gseq) {
                    Place::Known => {}
                    Place::Next => self.apply(&frame, out),
                    Place::Gap => {
                        self.heal(frame.topic, out);
                        if let Some(topic) = self.topics.get_mut(&frame.topic) {
                            topic.wait(Waiting::Frame(frame));
                        }
                    }
                }
            }
        }
    }

    /// The topic has come as far as `gseq`.
    pub(super) fn behind(
        &mut self,
        reference: EntityRef,
        gseq: u64,
        announced: bool,
        out: &mut Vec<Effect<W>>,
    ) {
        let Some(topic) = self.topics.get_mut(&reference) else {
            return;
        };
        topic.known = topic.known.max(gseq);
        let gap = topic.last.is_some_and(|last| last < gseq) && topic.has_members();
        if announced && reference.kind == EntityKind::User {
            for slot in topic.members().to_vec() {
                let session = self.session_ref(slot);
                if let Some(found) = self.at(slot) {
                    let identity = found.identity;
                    out.push(Effect::Reattach { session, identity });
                }
            }
        }
        if gap {
            self.heal(reference, out);
        }
    }

    pub(super) fn heal(&mut self, reference: EntityRef, out: &mut Vec<Effect<W>>) {
        if let Some(topic) = self.topics.get_mut(&reference)
            && !topic.is_healing()
            && let Some(since) = topic.last
        {
            topic.start_healing();
            out.push(Effect::Heal {
                topic: reference,
                since,
            });
        }
    }

    /// What was missed.
    pub(super) fn healed(
        &mut self,
        reference: EntityRef,
        since: u64,
        events: Result<Vec<SharedFrame>, Lost>,
        out: &mut Vec<Effect<W>>,
    ) {
        let Some(topic) = self.topics.get_mut(&reference) else {
            return;
        };
        // An answer to an earlier life of the topic is none to this one.
        if !topic.is_healing() || topic.last != Some(since) {
            return;
        }
        let before = topic.last;
        let waiting = topic.stop_healing();
        let mut whole = events.is_ok();
        for frame in events.unwrap_or_default() {
            let FrameSeq::Logged(gseq) = frame.seq else {
                continue;
            };
            let Some(topic) = self.topics.get_mut(&reference) else {
                break;
            };
            match topic.place(gseq) {
                Place::Known => {}
                Place::Next => self.apply(&frame, out),
                Place::Gap => whole = false,
            }
        }
        if let Some(topic) = self.topics.get(&reference) {
            let stuck = topic.last == before
                && topic.has_members()
                && topic.last.is_some_and(|last| last < topic.known);
            if !whole || stuck {
                self.lose(reference, out);
            }
        }
        for waiting in waiting {
            match waiting {
                Waiting::Frame(frame) => self.frame(frame, out),
                Waiting::Join(join) => self.joined(join, out),
            }
        }
        if let Some(topic) = self.topics.get(&reference) {
            let known = topic.known;
            self.behind(reference, known, false, out);
        }
    }

    /// Ends every session of a topic whose events are lost to it.
    fn lose(&mut self, reference: EntityRef, out: &mut Vec<Effect<W>>) {
        tracing::warn!(topic = %reference, "the event log does not reach back to what a lane missed");
        let Some(topic) = self.topics.get_mut(&reference) else {
            return;
        };
        topic.last = None;
        for slot in topic.members().to_vec() {
            self.invalidate(slot, out);
        }
    }

    /// Does to everybody on the topic what an event says.
    fn apply(&mut self, frame: &SharedFrame, out: &mut Vec<Effect<W>>) {
        let passed = match (frame.topic.kind, &frame.event.audience) {
            (EntityKind::User, Audience::User(user)) => {
                Passed::to(self.slots_of(*user, frame.topic))
            }
            _ => match self.topics.get_mut(&frame.topic) {
                Some(topic) => topic.pass(&frame.event),
                None => return,
            },
        };
        self.act(frame, Source::Event(frame.clone()), passed, out);
    }

    pub(super) fn act(
        &mut self,
        frame: &SharedFrame,
        source: Source,
        passed: Passed,
        out: &mut Vec<Effect<W>>,
    ) {
        let Passed { recipients, news } = passed;
        let sends = super::log::dispatch_of(frame).is_some();
        let named = if sends {
            recipients.clone()
        } else {
            self.nobody.clone()
        };
        // Even what sends nothing has its place in the log: who joins later must not miss it.
        self.deliver(Entry {
            at: self.now,
            source,
            redacted: None,
            recipients: named,
        });
        for (dispatch, recipients) in news {
            self.deliver(Entry {
                at: self.now,
                source: Source::Made(Box::new(dispatch)),
                redacted: None,
                recipients,
            });
        }
        match &frame.event.act {
            Act::Dispatch(_) | Act::Announce => {}
            Act::Farewell(_) => {
                for &slot in recipients.iter() {
                    self.leave(slot, frame.topic, out);
                }
            }
            Act::Enter(group) => {
                for &slot in recipients.iter() {
                    self.subscribe(slot, &[*group], out);
                }
            }
            Act::Close { login, code } => self.close(&recipients, *login, *code, out),
        }
    }
}
