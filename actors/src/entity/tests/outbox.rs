//! The outbox: an intent reaches its receiver exactly once, whatever crashes wherever.

use std::collections::VecDeque;

use proptest::prelude::*;
use rookery_protocol::command::Notice;
use rookery_protocol::command::user::{UserCommand, UserReply};
use rookery_protocol::time::Millis;

use super::toy::{Toy, address, script};
use crate::commit::Outcome;
use crate::entity::{AckTo, Action, Core, Log, Machine, ReplyTo, Stimulus};
use crate::store::memory::MemoryStore;
use crate::store::{Commit, LaneId, Store, Unit};

/// Two toys, 1 and 2, and everything under way between them, moved by hand.
struct Pair {
    store: MemoryStore,
    lane: LaneId,
    seq: u64,
    machines: [Machine<Toy>; 2],
    /// Units on the lane, with whose life they are of.
    units: VecDeque<(usize, u64, u64, Unit)>,
    /// Notices on their way to toy 2, and acknowledgements on their way back: both may be lost.
    notices: Vec<(u64, u64, Notice)>,
    taken: Vec<(u64, u64)>,
    lives: [u64; 2],
    acks: Vec<(AckTo, u64, u64)>,
    next: u64,
    /// Sends that were acknowledged to the asker.
    acknowledged: u64,
}

async fn load(store: &MemoryStore, id: u64) -> Machine<Toy> {
    let core = Toy::load(id, &crate::testkit::kit(0), store).await.unwrap();
    Machine::new(
        address(id),
        core,
        Log::load(address(id), store, Millis(0)).await.unwrap(),
        Millis(0),
    )
}

impl Pair {
    async fn new() -> Self {
        let store = MemoryStore::new();
        let lane = LaneId {
            node: "n".into(),
            incarnation: 1,
            index: 0,
        };
        store.open_lane(&lane).await.unwrap();
        let machines = [load(&store, 1).await, load(&store, 2).await];
        Self {
            store,
            lane,
            seq: 0,
            machines,
            units: VecDeque::new(),
            notices: Vec::new(),
            taken: Vec::new(),
            lives: [0; 2],
            acks: Vec::new(),
            next: 0,
            acknowledged: 0,
        }
    }

    fn step(&mut self, who: usize, stimulus: Stimulus<UserCommand>) {
        let mut out = Vec::new();
        self.machines[who].step(Millis(0), stimulus, &mut out);
        self.carry_out(who, out);
    }

    fn carry_out(&mut self, who: usize, actions: Vec<Action<UserReply>>) {
        let life = self.lives[who];
        for action in actions {
            match action {
                Action::Submit { ticket, unit } => self.units.push_back((who, life, ticket, unit)),
                Action::Deliver { seq, notice, .. } => self.notices.push((life, seq, notice)),
                Action::Acknowledge(ack) => {
                    let at = self
                        .acks
                        .iter()
                        .position(|(known, ..)| *known == ack)
                        .unwrap();
                    let (_, life, seq) = self.acks.remove(at);
                    self.taken.push((life, seq));
                }
                Action::Reply { answer, .. } => self.acknowledged += u64::from(answer.is_ok()),
                Action::Publish(_)
                | Action::Fetch { .. }
                | Action::Nudge { .. }
                | Action::Invalidate { .. } => {}
                Action::Discard { .. } => unreachable!("nothing is fenced or refused here"),
            }
        }
    }

    /// The lane commits its oldest unit; whose life is over does not hear of it.
    async fn commit(&mut self) {
        let Some((who, life, ticket, unit)) = self.units.pop_front() else {
            return;
        };
        self.seq += 1;
        let commit = Commit {
            lane: self.lane.clone(),
            seq: self.seq,
            units: vec![unit],
        };
        self.store.commit(&commit).await.unwrap();
        if life == self.lives[who] {
            self.step(
                who,
                Stimulus::Settled {
                    ticket,
                    outcome: Outcome::Committed,
                },
            );
        }
    }

    /// A crash: the next life starts once the lane has settled what was queued.
    async fn crash(&mut self, who: usize) {
        self.lives[who] += 1;
        while !self.units.is_empty() {
            self.commit().await;
        }
        self.machines[who] = load(&self.store, who as u64 + 1).await;
        let mut out = Vec::new();
        self.machines[who].start(&mut out);
        self.carry_out(who, out);
    }

    fn deliver(&mut self, at: usize, is_lost: bool) {
        let Some((life, seq, notice)) = self.notices.get(at).cloned() else {
            return;
        };
        if is_lost {
            // The shell repeats a delivery until it hears that it was taken, so it stays.
        } else {
            self.next += 1;
            let ack = AckTo(self.next);
            self.acks.push((ack, life, seq));
            self.step(
                1,
                Stimulus::Notice {
                    from: address(1),
                    seq,
                    notice,
                    ack,
                },
            );
        }
    }

    fn acknowledge(&mut self, at: usize) {
        if at >= self.taken.len() {
            return;
        }
        let (life, seq) = self.taken.remove(at);
        if life == self.lives[0] {
            self.notices
                .retain(|known| (known.0, known.1) != (life, seq));
            self.step(0, Stimulus::Delivered { seq });
        }
    }
}

#[derive(Debug, Clone)]
enum Move {
    Send,
    Commit,
    Deliver { at: usize, is_lost: bool },
    Acknowledge { at: usize },
    LoseAcknowledgements,
    Crash(usize),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => Just(Move::Send),
        5 => Just(Move::Commit),
        4 => (0..3usize, any::<bool>()).prop_map(|(at, is_lost)| Move::Deliver { at, is_lost }),
        4 => (0..3usize).prop_map(|at| Move::Acknowledge { at }),
        1 => Just(Move::LoseAcknowledgements),
        1 => (0..2usize).prop_map(Move::Crash),
    ];
    proptest::collection::vec(one, 0..120)
}

async fn play(moves: Vec<Move>) -> (u64, u64, u64) {
    let mut pair = Pair::new().await;
    for step in moves {
        match step {
            Move::Send => {
                pair.next += 1;
                let reply = ReplyTo(pair.next);
                pair.step(
                    0,
                    Stimulus::Command {
                        command: UserCommand::Detach(script("send/2")),
                        reply,
                        request: None,
                    },
                );
            }
            Move::Commit => pair.commit().await,
            Move::Deliver { at, is_lost } => pair.deliver(at, is_lost),
            Move::Acknowledge { at } => pair.acknowledge(at),
            Move::LoseAcknowledgements => pair.taken.clear(),
            Move::Crash(who) => pair.crash(who).await,
        }
    }
    // Faults end; what is left in the outbox comes through.
    pair.crash(0).await;
    pair.notices.retain(|known| known.0 == pair.lives[0]);
    while !(pair.notices.is_empty() && pair.units.is_empty() && pair.taken.is_empty()) {
        pair.deliver(0, false);
        pair.commit().await;
        pair.acknowledge(0);
    }
    let (sender, receiver) = (load(&pair.store, 1).await, load(&pair.store, 2).await);
    assert!(sender.is_idle(), "the outbox is empty in the end");
    (
        pair.acknowledged,
        sender.core().count(),
        receiver.core().count(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn an_intent_is_taken_exactly_once_whatever_crashes(moves in moves()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (acknowledged, sent, taken) = runtime.block_on(play(moves));
        prop_assert!(sent >= acknowledged, "{acknowledged} sends were acknowledged, {sent} are durable");
        prop_assert_eq!(sent, taken);
    }
}

#[tokio::test]
#[should_panic(expected = "an entity tells itself nothing")]
async fn an_intent_for_oneself_is_a_bug_since_its_mark_would_swallow_it() {
    let mut pair = Pair::new().await;
    let stimulus = Stimulus::Command {
        command: UserCommand::Detach(script("send/1")),
        reply: ReplyTo(1),
        request: None,
    };
    pair.step(0, stimulus);
}
