//! What every entity has around its core, still without I/O: output commit, the event log, the outbox and its marks, the
//! requests of other nodes.
//!
//! *Output commit*: a core changes its state at once; what that change would show to anybody is held back here until
//! the writes behind it, and behind every earlier step, are durable. A step without writes still waits for those before
//! it, since it may have seen their state. If a write never lands, the state is thrown away with all it would have
//! said, so nothing uncommitted is ever seen.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use rookery_protocol::command::{Answer, Notice, RequestId};
use rookery_protocol::document::{EventRow, Events, Key, MarkRow, Marks, Outbox, OutboxRow};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::{Act, Audience, Event, Frame, FrameSeq};
use rookery_protocol::time::Millis;

use super::core::{Core, Effect, Input, ReplyTo};
use super::log::Log;
use super::requests::{Known, Requests};
use super::stimulus::{AckTo, Action, Stimulus};
use super::trim::Trim;
use crate::commit::Outcome;
use crate::store::{self, Unit};

/// Intents that wait for delivery; above it the entity refuses commands until some were taken.
const OUTBOX_LIMIT: usize = 16_384;

/// A unit that is on its way, with what is held back until it is durable.
#[derive(Debug)]
struct Flight<R> {
    ticket: u64,
    outputs: Vec<Action<R>>,
    /// Set on a unit with a precondition: what the asker is told if it does not hold.
    refusal: Option<ApiError>,
}

/// An entity: its core and what surrounds it.
#[derive(Debug)]
pub struct Machine<C: Core> {
    entity: EntityRef,
    core: C,
    gseq: u64,
    trim: Trim,
    outbox: BTreeMap<u64, OutboxRow>,
    outbox_seq: u64,
    /// Receivers that a delivery is under way to: one at a time, so that they come in order.
    delivering: HashSet<EntityRef>,
    marks: BTreeMap<EntityRef, u64>,
    requests: Requests,
    flights: VecDeque<Flight<C::Reply>>,
    next_ticket: u64,
    /// What came in while a unit with a precondition was on its way.
    deferred: VecDeque<Stimulus<C::Command>>,
    effects: Vec<Effect<C::Reply>>,
}

impl<C: Core> Machine<C> {
    /// An entity as it was loaded at `now`.
    pub fn new(entity: EntityRef, core: C, log: Log, now: Millis) -> Self {
        let outbox_seq = log.marks.get(&entity).copied().unwrap_or(0);
        Self {
            entity,
            core,
            gseq: log.gseq,
            trim: Trim::new(&log, now),
            outbox: log.outbox,
            outbox_seq,
            delivering: HashSet::new(),
            marks: log.marks,
            requests: Requests::new(entity, log.requests, now),
            flights: VecDeque::new(),
            next_ticket: 0,
            deferred: VecDeque::new(),
            effects: Vec::new(),
        }
    }

    /// The state machine inside, for inspection.
    pub fn core(&self) -> &C {
        &self.core
    }

    /// Figures of the state, for an operator.
    pub fn figures(&self, out: &mut Vec<(&'static str, u64)>) {
        out.extend([
            ("events", self.gseq),
            ("outbox", self.outbox.len() as u64),
            ("commits_in_flight", self.flights.len() as u64),
            ("deferred", self.deferred.len() as u64),
        ]);
        out.extend(self.core.figures());
    }

    /// The first actions of a life: say where the log stands, and deliver what the last life left in the outbox.
    pub fn start(&mut self, out: &mut Vec<Action<C::Reply>>) {
        let event = Event {
            audience: Audience::Everyone,
            act: Act::Announce,
            access: None,
        };
        out.push(Action::Publish(Frame {
            topic: self.entity,
            seq: FrameSeq::Value(self.gseq),
            event,
        }));
        let receivers: BTreeSet<EntityRef> = self.outbox.values().map(|row| row.to).collect();
        for to in receivers {
            self.deliver_next(to, out);
        }
    }

    /// Whether it can be forgotten: nothing under way, nothing that is nowhere else.
    pub fn is_idle(&self) -> bool {
        self.flights.is_empty()
            && self.deferred.is_empty()
            && self.outbox.is_empty()
            && !self.core.is_in_use()
    }

    /// Whether everything it has said so far is durable and told: another life may begin where this one stops.
    pub fn is_settled(&self) -> bool {
        self.flights.is_empty() && self.deferred.is_empty()
    }

    /// It is about to be passivated after so long without a message: forgets the requests that it did, if they are many
    /// and nobody repeats them any more. Whether there is anything to wait for.
    pub fn forget_requests(&mut self, idle_ms: u64, out: &mut Vec<Action<C::Reply>>) -> bool {
        let mut unit = self.unit(Vec::new());
        self.requests.forget(idle_ms, &mut unit.writes);
        let forgets = !unit.writes.is_empty();
        self.dispatch(unit, Vec::new(), None, out);
        forgets
    }

    /// Takes one stimulus.
    pub fn step(
        &mut self,
        now: Millis,
        stimulus: Stimulus<C::Command>,
        out: &mut Vec<Action<C::Reply>>,
    ) {
        match stimulus {
            Stimulus::Settled { ticket, outcome } => self.settle(now, ticket, outcome, out),
            Stimulus::Delivered { seq } => self.delivered(seq, out),
            other if self.is_behind_precondition() => self.deferred.push_back(other),
            Stimulus::Command {
                command,
                reply,
                request,
            } => self.command(now, command, reply, request, out),
            Stimulus::Notice {
                from,
                seq,
                notice,
                ack,
            } => self.notice(now, from, seq, notice, ack, out),
            Stimulus::Fetched { table, key, row } => {
                self.run(
                    now,
                    Input::Fetched { table, key, row },
                    Extra::default(),
                    out,
                );
            }
        }
    }

    fn is_behind_precondition(&self) -> bool {
        self.flights
            .back()
            .is_some_and(|flight| flight.refusal.is_some())
    }

    fn command(
        &mut self,
        now: Millis,
        command: C::Command,
        reply: ReplyTo,
        request: Option<RequestId>,
        out: &mut Vec<Action<C::Reply>>,
    ) {
        let is_full = self.outbox.len() >= OUTBOX_LIMIT;
        if let Some(request) = request {
            self.requests.at(now);
            match self.requests.admit(request, reply, is_full) {
                Known::New => {}
                Known::UnderWay => return,
                // Done, but perhaps not durable yet, so even this waits for what is in flight.
                Known::Done(answer) => {
                    let answer = Action::Reply { to: reply, answer };
                    return self.dispatch(self.unit(Vec::new()), vec![answer], None, out);
                }
                Known::Full => return out.push(busy(reply)),
            }
        } else if is_full {
            return out.push(busy(reply));
        }
        self.run(
            now,
            Input::Command { command, reply },
            Extra::default(),
            out,
        );
    }

    fn notice(
        &mut self,
        now: Millis,
        from: EntityRef,
        seq: u64,
        notice: Notice,
        ack: AckTo,
        out: &mut Vec<Action<C::Reply>>,
    ) {
        let mark = self.marks.entry(from).or_insert(0);
        if seq <= *mark {
            // Taken before; but perhaps that is not durable yet, so even this waits for what is in flight.
            self.dispatch(
                self.unit(Vec::new()),
                vec![Action::Acknowledge(ack)],
                None,
                out,
            );
            return;
        }
        *mark = seq;
        let extra = Extra {
            writes: vec![self.mark(from, seq)],
            outputs: vec![Action::Acknowledge(ack)],
        };
        self.run(now, Input::Notice { from, notice }, extra, out);
    }

    fn unit(&self, writes: Vec<store::Write>) -> Unit {
        Unit {
            entity: self.entity,
            absent: Vec::new(),
            writes,
        }
    }

    fn mark(&self, sender: EntityRef, seq: u64) -> store::Write {
        store::put::<Marks>(Key::new(self.entity, sender), &MarkRow { sender, seq })
    }

    /// Runs the core on one input and sorts its effects into a unit and outputs.
    fn run(
        &mut self,
        now: Millis,
        input: Input<C::Command>,
        extra: Extra<C::Reply>,
        out: &mut Vec<Action<C::Reply>>,
    ) {
        let mut effects = std::mem::take(&mut self.effects);
        self.core.step(now, self.gseq, input, &mut effects);
        let Extra {
            writes,
            outputs: last,
        } = extra;
        let mut unit = self.unit(writes);
        let mut outputs = Vec::new();
        let mut refusal = None;
        let mut receivers = Vec::new();
        for effect in effects.drain(..) {
            match effect {
                Effect::Write(write) => unit.writes.push(write),
                Effect::RequireAbsent {
                    table,
                    key,
                    refusal: answer,
                } => {
                    unit.absent.push((table, key));
                    refusal = Some(answer);
                }
                Effect::Emit(event) => {
                    self.gseq += 1;
                    let row = EventRow { at: now, event };
                    unit.writes.push(store::insert::<Events>(
                        Key::new(self.entity, self.gseq),
                        &row,
                    ));
                    let seq = FrameSeq::Logged(self.gseq);
                    outputs.push(Action::Publish(Frame {
                        topic: self.entity,
                        seq,
                        event: row.event,
                    }));
                }
                Effect::Signal(event) => {
                    let seq = FrameSeq::Value(self.gseq);
                    outputs.push(Action::Publish(Frame {
                        topic: self.entity,
                        seq,
                        event,
                    }));
                }
                Effect::Send { to, notice } => {
                    debug_assert_ne!(to, self.entity, "an entity tells itself nothing");
                    self.outbox_seq += 1;
                    let row = OutboxRow { to, notice };
                    unit.writes.push(store::insert::<Outbox>(
                        Key::new(self.entity, self.outbox_seq),
                        &row,
                    ));
                    self.outbox.insert(self.outbox_seq, row);
                    if !receivers.contains(&to) {
                        receivers.push(to);
                    }
                }
                Effect::Reply { to, answer } => outputs.push(Action::Reply { to, answer }),
                Effect::Fetch { table, key } => outputs.push(Action::Fetch { table, key }),
                Effect::Nudge { node, channel } => outputs.push(Action::Nudge { node, channel }),
                Effect::Invalidate { version } => outputs.push(Action::Invalidate { version }),
            }
        }
        self.effects = effects;
        self.keep_answers(&mut unit, &mut outputs);
        outputs.extend(last);
        if !receivers.is_empty() {
            unit.writes.push(self.mark(self.entity, self.outbox_seq));
        }
        for to in receivers {
            self.deliver_next(to, &mut outputs);
        }
        if !unit.writes.is_empty() {
            self.trim
                .trim(self.entity, self.gseq, now, &mut unit.writes);
            self.requests.at(now);
            self.requests.trim(&mut unit.writes);
        }
        self.dispatch(unit, outputs, refusal, out);
    }

    /// Adds to a unit what it answers to requests of other nodes, and answers those who asked meanwhile.
    fn keep_answers(&mut self, unit: &mut Unit, outputs: &mut Vec<Action<C::Reply>>) {
        if !self.requests.are_waited_for() {
            return;
        }
        let does_write = !unit.writes.is_empty();
        let mut more: Vec<(ReplyTo, Answer<C::Reply>)> = Vec::new();
        for output in outputs.iter() {
            if let Action::Reply { to, answer } = output {
                let (requests, writes) = (&mut self.requests, &mut unit.writes);
                let others = requests.answered(*to, answer, writes, does_write);
                more.extend(others.into_iter().map(|to| (to, answer.clone())));
            }
        }
        let more = more.into_iter();
        outputs.extend(more.map(|(to, answer)| Action::Reply { to, answer }));
    }

    /// Submits a unit, or lets outputs without writes follow what is in flight.
    fn dispatch(
        &mut self,
        unit: Unit,
        outputs: Vec<Action<C::Reply>>,
        refusal: Option<ApiError>,
        out: &mut Vec<Action<C::Reply>>,
    ) {
        if !unit.writes.is_empty() || !unit.absent.is_empty() {
            self.next_ticket += 1;
            self.flights.push_back(Flight {
                ticket: self.next_ticket,
                outputs,
                refusal,
            });
            out.push(Action::Submit {
                ticket: self.next_ticket,
                unit,
            });
        } else if let Some(flight) = self.flights.back_mut() {
            flight.outputs.extend(outputs);
        } else {
            out.extend(outputs);
        }
    }

    fn settle(
        &mut self,
        now: Millis,
        ticket: u64,
        outcome: Outcome,
        out: &mut Vec<Action<C::Reply>>,
    ) {
        let Some(flight) = self.flights.pop_front() else {
            return;
        };
        debug_assert_eq!(flight.ticket, ticket, "the commit lane settles in order");
        match outcome {
            Outcome::Committed => {
                out.extend(flight.outputs);
                if flight.refusal.is_some() {
                    for stimulus in std::mem::take(&mut self.deferred) {
                        self.step(now, stimulus, out);
                    }
                }
            }
            Outcome::Refused => {
                let refusal = flight.refusal.unwrap_or_else(|| ErrorCode::Internal.into());
                self.discard(flight.outputs, &refusal, false, out);
            }
            Outcome::Fenced => {
                let unknown = ErrorCode::Unavailable.into();
                self.discard(flight.outputs, &unknown, true, out);
            }
        }
    }

    /// Answers everything that waits and gives the state up.
    fn discard(
        &mut self,
        outputs: Vec<Action<C::Reply>>,
        refusal: &ApiError,
        is_fenced: bool,
        out: &mut Vec<Action<C::Reply>>,
    ) {
        let refuse = |outputs: Vec<Action<C::Reply>>,
                      refusal: &ApiError,
                      out: &mut Vec<Action<C::Reply>>| {
            out.extend(outputs.into_iter().filter_map(|output| match output {
                Action::Reply { to, .. } => Some(Action::Reply {
                    to,
                    answer: Err(refusal.clone()),
                }),
                _ => None,
            }));
        };
        refuse(outputs, refusal, out);
        let unknown = ErrorCode::Unavailable.into();
        for flight in std::mem::take(&mut self.flights) {
            refuse(flight.outputs, &unknown, out);
        }
        for to in self.requests.give_up() {
            let answer = Err(ErrorCode::Unavailable.into());
            out.push(Action::Reply { to, answer });
        }
        for stimulus in std::mem::take(&mut self.deferred) {
            if let Stimulus::Command { reply, .. } = stimulus {
                out.push(busy(reply));
            }
        }
        // Behind a fence they are the next owner's.
        let is_owed = !is_fenced && !self.outbox.is_empty();
        out.push(Action::Discard { is_owed });
    }

    /// Starts the delivery of the oldest notice for `to`, unless one is under way.
    fn deliver_next(&mut self, to: EntityRef, out: &mut Vec<Action<C::Reply>>) {
        if self.delivering.contains(&to) {
            return;
        }
        if let Some((&seq, row)) = self.outbox.iter().find(|(_, row)| row.to == to) {
            self.delivering.insert(to);
            out.push(Action::Deliver {
                seq,
                to,
                notice: row.notice.clone(),
            });
        }
    }

    fn delivered(&mut self, seq: u64, out: &mut Vec<Action<C::Reply>>) {
        let Some(row) = self.outbox.remove(&seq) else {
            return;
        };
        self.delivering.remove(&row.to);
        let mut outputs = Vec::new();
        self.deliver_next(row.to, &mut outputs);
        let writes = vec![store::delete::<Outbox>(Key::new(self.entity, seq))];
        self.dispatch(self.unit(writes), outputs, None, out);
    }
}

/// Nothing was done: try again later.
fn busy<R>(to: ReplyTo) -> Action<R> {
    let answer = Err(ErrorCode::Busy.into());
    Action::Reply { to, answer }
}

/// What surrounds a core's effects in its unit.
struct Extra<R> {
    writes: Vec<store::Write>,
    outputs: Vec<Action<R>>,
}

impl<R> Default for Extra<R> {
    fn default() -> Self {
        Self {
            writes: Vec::new(),
            outputs: Vec::new(),
        }
    }
}
