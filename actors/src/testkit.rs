//! Runs a core without its shell: every step's writes are durable at once, rows are fetched when the test says so, and
//! a crash builds the core anew from what was written.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rookery_protocol::command::{Answer, Notice};
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::{Act, Event, EventName};
use rookery_protocol::ids::ChannelId;
use rookery_protocol::time::Millis;
use serde_json::{Value, json};

use crate::entity::{Core, Effect, Input, Kit, LoadError, ReplyTo, SharedMinter};
use crate::links::Links;
use crate::store::memory::MemoryStore;
use crate::store::{Commit, LaneId, Store, Unit, Write};

/// 2026-11-23T05:41:00Z, when every test begins.
pub(crate) const START: Millis = Millis(1_795_412_460_000);

/// The result of a future that never waits, as those of the memory store do.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the memory store waits for nothing"),
    }
}

/// A core on a bench.
pub(crate) struct Rig<C: Core> {
    pub(crate) core: C,
    pub(crate) entity: EntityRef,
    /// The minter of the node, which outlives the lives of its entities.
    pub(crate) kit: Kit,
    pub(crate) store: MemoryStore,
    pub(crate) now: Millis,
    pub(crate) gseq: u64,
    /// What came out since the test last looked.
    pub(crate) events: Vec<Event>,
    pub(crate) signals: Vec<Event>,
    pub(crate) sent: Vec<(EntityRef, Notice)>,
    pub(crate) invalidated: Vec<u64>,
    /// The channels whose rooms were nudged.
    pub(crate) nudged: Vec<ChannelId>,
    /// Answers in the order they were given.
    pub(crate) answers: VecDeque<(ReplyTo, Answer<C::Reply>)>,
    /// The writes of the last step.
    pub(crate) writes: Vec<Write>,
    /// Rows asked for, as they were at that moment: the stalest that the store may answer.
    pub(crate) fetches: VecDeque<(TableId, Key, Option<Vec<u8>>)>,
    lane: LaneId,
    seq: u64,
    next_reply: u64,
    open: BTreeSet<ReplyTo>,
    lives: u16,
}

impl<C: Core> Rig<C> {
    pub(crate) fn new(entity: impl Into<EntityRef>) -> Self {
        Self::on(entity, MemoryStore::new())
    }

    pub(crate) fn on(entity: impl Into<EntityRef>, store: MemoryStore) -> Self {
        let entity = entity.into();
        let lane = LaneId {
            node: entity.to_string(),
            incarnation: 1,
            index: 0,
        };
        let seq = ready(store.open_lane(&lane)).expect("a lane");
        let kit = kit(1);
        let core = ready(C::load(entity.id, &kit, &store)).expect("a core");
        Self {
            core,
            entity,
            kit,
            store,
            now: START,
            gseq: 0,
            events: Vec::new(),
            signals: Vec::new(),
            sent: Vec::new(),
            invalidated: Vec::new(),
            nudged: Vec::new(),
            answers: VecDeque::new(),
            writes: Vec::new(),
            fetches: VecDeque::new(),
            lane,
            seq,
            next_reply: 0,
            open: BTreeSet::new(),
            lives: 1,
        }
    }

    /// A second core from what is durable, in the same node.
    pub(crate) fn load(&self) -> Result<C, LoadError> {
        ready(C::load(self.entity.id, &self.kit, &self.store))
    }

    /// Loses everything that is not durable. Whoever waits for an answer gets none.
    pub(crate) fn crash(&mut self) {
        self.core = self.load().expect("what was written can be read");
        self.lives += 1;
        self.open.clear();
        self.fetches.clear();
    }

    /// The port of the next command.
    pub(crate) fn next_reply(&self) -> ReplyTo {
        ReplyTo(self.next_reply + 1)
    }

    /// Asks; the answer may come later.
    pub(crate) fn ask(&mut self, command: C::Command) -> ReplyTo {
        self.next_reply += 1;
        let reply = ReplyTo(self.next_reply);
        self.open.insert(reply);
        self.step(Input::Command { command, reply });
        reply
    }

    /// Asks, fetches what the core wants to know, and takes the answer.
    pub(crate) fn call(&mut self, command: C::Command) -> Answer<C::Reply> {
        let reply = self.ask(command);
        while self.deliver() {}
        let at = self.answers.iter().position(|(to, _)| *to == reply);
        let answer = at.and_then(|at| self.answers.remove(at));
        answer.expect("an answer").1
    }

    /// Hands over the oldest row that was asked for.
    pub(crate) fn deliver(&mut self) -> bool {
        let Some((table, key, row)) = self.fetches.pop_front() else {
            return false;
        };
        let row = Ok(row);
        self.step(Input::Fetched { table, key, row });
        true
    }

    /// Says of the oldest row asked for that the store does not answer.
    pub(crate) fn fail_fetch(&mut self) -> bool {
        let Some((table, key, _)) = self.fetches.pop_front() else {
            return false;
        };
        let row = Err(ErrorCode::Unavailable.into());
        self.step(Input::Fetched { table, key, row });
        true
    }

    pub(crate) fn notice(&mut self, from: impl Into<EntityRef>, notice: Notice) {
        let from = from.into();
        self.step(Input::Notice { from, notice });
    }

    /// How many commands have no answer yet.
    pub(crate) fn unanswered(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn step(&mut self, input: Input<C::Command>) {
        let mut effects = Vec::new();
        self.core.step(self.now, self.gseq, input, &mut effects);
        self.writes.clear();
        let mut absent = Vec::new();
        let mut refusal: Option<ApiError> = None;
        for effect in &effects {
            match effect {
                Effect::Write(write) => self.writes.push(write.clone()),
                Effect::RequireAbsent {
                    table,
                    key,
                    refusal: answer,
                } => {
                    absent.push((*table, key.clone()));
                    refusal = Some(answer.clone());
                }
                _ => {}
            }
        }
        if !self.commit(absent) {
            self.refuse(effects, refusal.expect("only preconditions are refused"));
            return;
        }
        for effect in effects {
            self.output(effect);
        }
    }

    fn commit(&mut self, absent: Vec<(TableId, Key)>) -> bool {
        if self.writes.is_empty() && absent.is_empty() {
            return true;
        }
        self.seq += 1;
        let unit = Unit {
            entity: self.entity,
            absent,
            writes: self.writes.clone(),
        };
        let commit = Commit {
            lane: self.lane.clone(),
            seq: self.seq,
            units: vec![unit],
        };
        let committed = ready(self.store.commit(&commit)).expect("a commit");
        committed.refused.is_empty()
    }

    /// The step did not happen: the state goes, and the asker is told.
    fn refuse(&mut self, effects: Vec<Effect<C::Reply>>, refusal: ApiError) {
        for effect in effects {
            if let Effect::Reply { to, .. } = effect {
                self.answered(to, Err(refusal.clone()));
            }
        }
        self.crash();
    }

    fn answered(&mut self, to: ReplyTo, answer: Answer<C::Reply>) {
        assert!(
            self.open.remove(&to),
            "{to:?} is answered twice, or unasked"
        );
        self.answers.push_back((to, answer));
    }

    fn output(&mut self, effect: Effect<C::Reply>) {
        match effect {
            Effect::Write(_) | Effect::RequireAbsent { .. } => {}
            Effect::Emit(event) => {
                self.gseq += 1;
                self.events.push(event);
            }
            Effect::Signal(event) => self.signals.push(event),
            Effect::Send { to, notice } => self.sent.push((to, notice)),
            Effect::Reply { to, answer } => self.answered(to, answer),
            Effect::Fetch { table, key } => {
                let row = ready(self.store.get(table, &key)).expect("a read");
                self.fetches.push_back((table, key, row));
            }
            Effect::Nudge { channel, .. } => self.nudged.push(channel),
            Effect::Invalidate { version } => self.invalidated.push(version),
        }
    }

    /// Takes the events since the last time.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The names of the dispatches since the last time.
    pub(crate) fn take_names(&mut self) -> Vec<EventName> {
        let events = self.take_events();
        events
            .iter()
            .filter_map(|event| Some(dispatch(event)?.name))
            .collect()
    }

    /// Every row of a table.
    pub(crate) fn rows(&self, table: TableId) -> BTreeMap<Key, Vec<u8>> {
        let rows = ready(self.store.walk(table, None, usize::MAX)).expect("rows");
        rows.into_iter().collect()
    }

    /// Writes rows past the core, and loads it again.
    pub(crate) fn rewrite(&mut self, writes: Vec<Write>) {
        self.writes = writes;
        assert!(self.commit(Vec::new()));
        self.crash();
    }
}

/// What an event dispatches, if it does.
pub(crate) fn dispatch(event: &Event) -> Option<&rookery_protocol::event::Dispatch> {
    match &event.act {
        Act::Dispatch(dispatch) | Act::Farewell(dispatch) => Some(dispatch),
        _ => None,
    }
}

/// An event with its body as JSON, for snapshots.
pub(crate) fn readable(event: &Event) -> Value {
    let Some(dispatch) = dispatch(event) else {
        return json!({ "audience": event.audience, "act": event.act });
    };
    let body: Value = serde_json::from_slice(&dispatch.body).expect("a body is JSON");
    json!({
        "audience": event.audience,
        "farewell": matches!(event.act, Act::Farewell(_)),
        "t": dispatch.name,
        "intents": dispatch.intents,
        "content_for": dispatch.content_for,
        "d": body,
    })
}

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(answer: Answer<T>) -> ErrorCode {
    answer.expect_err("a refusal").code
}

/// A minter that has minted nothing yet.
pub(crate) fn kit(worker: u16) -> Kit {
    Kit {
        ids: SharedMinter::new(worker, Millis(0)),
        links: Links::new("https://chat.example", [7; 32]),
    }
}
