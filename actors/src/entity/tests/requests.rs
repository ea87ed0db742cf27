//! Requests of other nodes: what was done is recognised, by this life of the entity and by its next owner.

use rookery_protocol::command::RequestId;
use rookery_protocol::command::user::{GetCredentials, UserCommand, UserReply};
use rookery_protocol::document::{Events, Key, Part, Requests, Table, TableId};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::limits::{EVENT_MS, EVENTS_PER_ENTITY, REQUEST_MS, REQUESTS_PER_ENTITY};
use rookery_protocol::time::Millis;

use super::toy::{Toy, address, counter, script};
use crate::commit::Outcome::{self, Committed, Refused};
use crate::entity::{Action, Core, Log, Machine, ReplyTo, Stimulus};
use crate::store::memory::MemoryStore;
use crate::store::{self, Commit, LaneId, Store, Unit, Write};
use crate::testkit::ready;

/// A toy with its store; what it submits is durable when the test says so.
struct Owner {
    store: MemoryStore,
    lane: LaneId,
    seq: u64,
    machine: Machine<Toy>,
    units: Vec<(u64, Unit)>,
    now: Millis,
}

fn load(store: &MemoryStore, now: Millis) -> Machine<Toy> {
    let core = ready(Toy::load(1, &crate::testkit::kit(0), store)).unwrap();
    let log = ready(Log::load(address(1), store, now)).unwrap();
    Machine::new(address(1), core, log, now)
}

impl Owner {
    fn new() -> Self {
        let store = MemoryStore::new();
        let lane = LaneId {
            node: "n".into(),
            incarnation: 1,
            index: 0,
        };
        ready(store.open_lane(&lane)).unwrap();
        Self {
            machine: load(&store, Millis(0)),
            store,
            lane,
            seq: 0,
            units: Vec::new(),
            now: Millis(0),
        }
    }

    /// The entity is loaded from what is durable, by somebody whose clock shows something else.
    fn next_owner(&mut self, now: Millis) {
        self.now = now;
        self.machine = load(&self.store, now);
        self.units.clear();
    }

    fn step(&mut self, stimulus: Stimulus<UserCommand>) -> Vec<String> {
        let mut out = Vec::new();
        self.machine.step(self.now, stimulus, &mut out);
        self.taken(out)
    }

    /// It sleeps as the directory puts it to sleep, and wakes later.
    fn sleep(&mut self, ms: u64) {
        let mut out = Vec::new();
        if self.machine.forget_requests(REQUEST_MS, &mut out) {
            self.taken(out);
            self.commit();
        }
        assert!(self.machine.is_idle());
        self.next_owner(self.now.plus(ms));
    }

    /// Keeps what is submitted; the answers.
    fn taken(&mut self, out: Vec<Action<UserReply>>) -> Vec<String> {
        let answers = out.into_iter().filter_map(|action| match action {
            Action::Submit { ticket, unit } => {
                self.units.push((ticket, unit));
                None
            }
            Action::Reply { to, answer } => Some(match answer {
                Ok(UserReply::GetCredentials(reply)) => format!("{} = {}", to.0, counter(&reply)),
                Ok(_) => format!("{} ok", to.0),
                Err(error) => format!("{} {:?}", to.0, error.code),
            }),
            _ => None,
        });
        answers.collect()
    }

    fn ask(&mut self, reply: u64, number: u64, text: &str) -> Vec<String> {
        self.step(Stimulus::Command {
            command: UserCommand::Detach(script(text)),
            reply: ReplyTo(reply),
            request: Some(request(number)),
        })
    }

    /// Makes the oldest unit durable and settles it.
    fn commit(&mut self) -> Vec<String> {
        let (ticket, unit) = self.units.remove(0);
        self.seq += 1;
        let commit = Commit {
            lane: self.lane.clone(),
            seq: self.seq,
            units: vec![unit],
        };
        ready(self.store.commit(&commit)).unwrap();
        self.settle(ticket, Committed)
    }

    fn settle(&mut self, ticket: u64, outcome: Outcome) -> Vec<String> {
        self.step(Stimulus::Settled { ticket, outcome })
    }

    fn rows(&self) -> usize {
        ready(store::scan_all::<Requests>(&self.store, address(1), 1_000))
            .unwrap()
            .len()
    }

    /// The first and the last event that are kept.
    fn log(&self) -> (u64, u64) {
        let number = |key: &Key| match key.sort {
            Part::Num(n) => n,
            Part::Text(_) => 0,
        };
        let rows = ready(store::scan_all::<Events>(&self.store, address(1), 1_000)).unwrap();
        let mut numbers = rows.iter().map(|(key, _)| number(key));
        let first = numbers.next().unwrap();
        (first, numbers.last().unwrap_or(first))
    }

    fn count(&self) -> u64 {
        self.machine.core().count()
    }
}

fn request(number: u64) -> RequestId {
    RequestId { caller: 9, number }
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_request_that_comes_again_is_done_once_and_answered_when_it_is_durable() {
    let mut owner = Owner::new();
    assert_eq!(owner.ask(1, 7, "add"), NOTHING);
    assert_eq!(owner.ask(2, 7, "add"), NOTHING);
    assert_eq!(owner.units.len(), 1);
    assert_eq!(owner.commit(), ["1 ok", "2 ok"]);
    assert_eq!(owner.ask(3, 7, "add"), ["3 ok"]);
    assert_eq!((owner.count(), owner.rows()), (1, 1));
}

#[test]
fn the_next_owner_recognises_it_whatever_its_clock_shows() {
    let mut owner = Owner::new();
    owner.ask(1, 7, "add");
    owner.commit();
    for (reply, now) in [(2, 0), (3, 1 << 40), (4, 50)] {
        owner.next_owner(Millis(now));
        assert_eq!(owner.ask(reply, 7, "add"), [format!("{reply} ok")]);
        // A clock that is set forward does not make it forget.
        owner.now = Millis(now + 100 * REQUEST_MS);
        assert_eq!(owner.ask(reply, 7, "add"), [format!("{reply} ok")]);
        assert!(owner.units.is_empty());
    }
    assert_eq!(owner.count(), 1);
}

#[test]
fn what_was_not_durable_is_done_by_the_next_owner() {
    let mut owner = Owner::new();
    owner.ask(1, 7, "add");
    owner.next_owner(Millis(0));
    assert_eq!(owner.ask(2, 7, "add"), NOTHING);
    assert_eq!(owner.commit(), ["2 ok"]);
    assert_eq!(owner.count(), 1);
}

#[test]
fn what_changes_nothing_leaves_nothing() {
    let mut owner = Owner::new();
    let read = |reply| Stimulus::Command {
        command: UserCommand::GetCredentials(GetCredentials),
        reply: ReplyTo(reply),
        request: Some(request(7)),
    };
    assert_eq!(owner.step(read(1)), ["1 = 0"]);
    assert_eq!(owner.step(read(2)), ["2 = 0"]);
    assert!(owner.units.is_empty());
}

#[test]
fn who_asks_again_while_it_is_under_way_gets_the_same_answer() {
    let mut owner = Owner::new();
    assert_eq!(owner.ask(1, 7, "fetch"), NOTHING);
    assert_eq!(owner.ask(2, 7, "fetch"), NOTHING);
    let fetched = Stimulus::Fetched {
        table: TableId::Applications,
        key: Key::single(1),
        row: Ok(None),
    };
    assert_eq!(owner.step(fetched), ["1 = 0", "2 = 0"]);
}

#[test]
fn a_refused_precondition_answers_all_and_leaves_nothing() {
    let mut owner = Owner::new();
    owner.ask(1, 7, "claim");
    // It waits behind the precondition.
    assert_eq!(owner.ask(2, 7, "claim"), NOTHING);
    let (ticket, _) = owner.units.remove(0);
    assert_eq!(owner.settle(ticket, Refused), ["1 UnknownInvite", "2 Busy"]);
    assert_eq!(owner.rows(), 0);
}

#[test]
fn requests_are_forgotten_after_a_while_and_many_at_once() {
    let mut owner = Owner::new();
    let mut deletions = 0;
    for number in 0..200 {
        owner.ask(number, number, "add");
        let writes = &owner.units[0].1.writes;
        let is_deletion = |write: &&Write| matches!(write, Write::DeleteUpTo { table, .. } if *table == Requests::ID);
        deletions += writes.iter().filter(is_deletion).count();
        owner.commit();
        owner.now = owner.now.plus(1_000);
    }
    let kept = REQUEST_MS / 1_000;
    assert!((kept as usize..kept as usize + 10).contains(&owner.rows()));
    assert!(deletions < 40, "{deletions} deletions");
    owner.next_owner(Millis(0));
    assert_eq!(owner.ask(1, 199, "add"), ["1 ok"]);
}

#[test]
fn what_is_remembered_is_bounded_and_more_is_busy() {
    let mut owner = Owner::new();
    for number in 0..REQUESTS_PER_ENTITY as u64 {
        owner.ask(number, number, "add");
        let (ticket, _) = owner.units.remove(0);
        owner.settle(ticket, Committed);
    }
    let busy = format!("1 {:?}", ErrorCode::Busy);
    assert_eq!(owner.ask(1, 1 << 40, "add"), [busy]);
    // What was done is still recognised, and there is room again after a while.
    assert_eq!(owner.ask(2, 0, "add"), ["2 ok"]);
    for _ in 0..=REQUEST_MS / 1_000 {
        owner.now = owner.now.plus(1_000);
        owner.ask(3, 0, "add");
    }
    assert_eq!(owner.ask(4, 1 << 41, "add"), NOTHING);
}

/// Most entities sleep after a minute: what no single life lives to delete must go all the same.
#[test]
fn an_entity_that_lives_shortly_and_often_keeps_no_more_than_one_that_lives_long() {
    let mut owner = Owner::new();
    for life in 0..1_000 {
        owner.ask(0, life, "add");
        owner.commit();
        owner.sleep(EVENT_MS / 5);
        let (first, last) = owner.log();
        assert_eq!(last, life + 1);
        assert!(last - first <= 6, "{first} to {last}");
        assert!(owner.rows() <= 256, "{} requests", owner.rows());
    }
    // What it did lately is still recognised.
    owner.ask(0, 1_000, "add");
    owner.commit();
    owner.next_owner(owner.now);
    assert_eq!(owner.ask(1, 1_000, "add"), ["1 ok"]);
}

#[test]
fn what_was_done_lately_is_not_forgotten_before_it_sleeps() {
    let mut owner = Owner::new();
    for number in 0..300 {
        owner.ask(0, number, "add");
        owner.commit();
    }
    let mut out = Vec::new();
    assert!(!owner.machine.forget_requests(REQUEST_MS - 1, &mut out));
    assert_eq!(owner.ask(1, 299, "add"), ["1 ok"]);
    assert!(owner.machine.forget_requests(REQUEST_MS, &mut out));
    owner.taken(out);
    owner.commit();
    assert_eq!(owner.rows(), 0);
}

#[test]
fn what_earlier_lives_left_of_the_log_goes_a_little_at_a_time() {
    for backlog in [1, 15, 16, 17, 700, 7_000] {
        let mut owner = Owner::new();
        for n in 0..backlog {
            owner.ask(0, n, "add");
            owner.commit();
        }
        owner.next_owner(owner.now.plus(2 * EVENT_MS));
        let mut first = 1;
        for n in 0..5 {
            owner.ask(0, backlog + n, "add");
            owner.commit();
            let now = owner.log().0;
            assert!(now - first <= 2_000, "{} at once", now - first);
            first = now;
        }
        // The newest of the old was kept while there was no other.
        assert!(
            (backlog..=backlog + 1).contains(&first),
            "{first} of {backlog}"
        );
    }
}

#[test]
fn of_young_events_no_more_are_kept_over_lives_than_in_one() {
    let mut owner = Owner::new();
    let most = EVENTS_PER_ENTITY;
    for n in 0..most + 500 {
        owner.ask(0, n, "add");
        owner.commit();
        if n % 400 == 399 {
            owner.next_owner(owner.now);
        }
    }
    let (first, last) = owner.log();
    assert!(last - first < most + 500, "{first} to {last}");
    owner.next_owner(owner.now);
    owner.ask(0, 1 << 40, "add");
    owner.commit();
    let (first, last) = owner.log();
    assert!(last - first <= most, "{first} to {last}");
}
