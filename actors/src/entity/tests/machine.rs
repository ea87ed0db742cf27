//! Output commit: nothing is shown before it is durable.

use rookery_protocol::command::user::{GetCredentials, UserCommand, UserReply};
use rookery_protocol::document::{Events, Table};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Act, FrameSeq};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::toy::{Toy, address, counter, script};
use crate::commit::Outcome::{self, Committed, Fenced, Refused};
use crate::entity::{Action, Core, Log, Machine, ReplyTo, Stimulus};
use crate::store::Write;
use crate::store::memory::MemoryStore;

async fn toy() -> Machine<Toy> {
    let core = Toy::load(1, &crate::testkit::kit(0), &MemoryStore::new())
        .await
        .unwrap();
    Machine::new(address(1), core, Log::default(), Millis(0))
}

struct Driver {
    machine: Machine<Toy>,
    now: Millis,
}

impl Driver {
    async fn new() -> Self {
        Self {
            machine: toy().await,
            now: Millis(0),
        }
    }

    fn step(&mut self, stimulus: Stimulus<UserCommand>) -> Vec<Action<UserReply>> {
        let mut out = Vec::new();
        self.machine.step(self.now, stimulus, &mut out);
        out
    }

    fn run(&mut self, reply: u64, text: &str) -> Vec<Action<UserReply>> {
        self.step(Stimulus::Command {
            command: UserCommand::Detach(script(text)),
            reply: ReplyTo(reply),
            request: None,
        })
    }

    fn read(&mut self, reply: u64) -> Vec<Action<UserReply>> {
        self.step(Stimulus::Command {
            command: UserCommand::GetCredentials(GetCredentials),
            reply: ReplyTo(reply),
            request: None,
        })
    }

    fn settle(&mut self, ticket: u64, outcome: Outcome) -> Vec<Action<UserReply>> {
        self.step(Stimulus::Settled { ticket, outcome })
    }
}

/// Actions in short: `submit 1`, `publish 1`, `reply 1 ok`, `reply 1 = 3` ...
fn brief(actions: &[Action<UserReply>]) -> Vec<String> {
    let line = |action: &Action<UserReply>| match action {
        Action::Submit { ticket, .. } => format!("submit {ticket}"),
        Action::Publish(frame) => match (frame.seq, &frame.event.act) {
            (FrameSeq::Logged(gseq), _) => format!("publish {gseq}"),
            (FrameSeq::Value(gseq), Act::Announce) => format!("announce {gseq}"),
            (FrameSeq::Value(gseq), _) => format!("signal {gseq}"),
        },
        Action::Reply {
            to,
            answer: Ok(UserReply::GetCredentials(reply)),
        } => {
            format!("reply {} = {}", to.0, counter(reply))
        }
        Action::Reply { to, answer: Ok(_) } => format!("reply {} ok", to.0),
        Action::Reply {
            to,
            answer: Err(error),
        } => format!("reply {} {:?}", to.0, error.code),
        Action::Fetch { .. } => "fetch".to_owned(),
        Action::Deliver { seq, to, .. } => format!("deliver {seq} to {to}"),
        Action::Acknowledge(ack) => format!("ack {}", ack.0),
        Action::Nudge { node, channel } => format!("nudge {node} {channel}"),
        Action::Invalidate { version } => format!("invalidate {version}"),
        Action::Discard { is_owed: true } => "discard, owing".to_owned(),
        Action::Discard { is_owed: false } => "discard".to_owned(),
    };
    actions.iter().map(line).collect()
}

#[tokio::test]
async fn events_and_answers_wait_for_their_write() {
    let mut toy = Driver::new().await;
    assert_eq!(brief(&toy.run(1, "add")), ["submit 1"]);
    assert_eq!(
        brief(&toy.settle(1, Committed)),
        ["publish 1", "reply 1 ok"]
    );
}

#[tokio::test]
async fn a_read_waits_for_the_writes_it_has_seen() {
    let mut toy = Driver::new().await;
    assert_eq!(brief(&toy.read(1)), ["reply 1 = 0"]);
    toy.run(2, "add");
    toy.run(3, "add");
    assert_eq!(brief(&toy.read(4)), [""; 0]);
    assert_eq!(
        brief(&toy.settle(1, Committed)),
        ["publish 1", "reply 2 ok"]
    );
    assert_eq!(
        brief(&toy.settle(2, Committed)),
        ["publish 2", "reply 3 ok", "reply 4 = 2"]
    );
}

#[tokio::test]
async fn a_row_is_fetched_only_after_what_was_written_before() {
    let mut toy = Driver::new().await;
    toy.run(1, "add");
    assert_eq!(brief(&toy.run(2, "fetch")), [""; 0]);
    assert_eq!(
        brief(&toy.settle(1, Committed)),
        ["publish 1", "reply 1 ok", "fetch"]
    );
}

#[tokio::test]
async fn a_fence_answers_everything_as_unknown_and_discards_the_state() {
    let mut toy = Driver::new().await;
    toy.run(1, "add");
    toy.run(2, "add");
    toy.read(3);
    let actions = toy.settle(1, Fenced);
    let expected = [
        "reply 1 Unavailable",
        "reply 2 Unavailable",
        "reply 3 Unavailable",
        "discard",
    ];
    assert_eq!(brief(&actions), expected);
}

#[tokio::test]
async fn behind_a_precondition_everything_waits_until_it_held() {
    let mut toy = Driver::new().await;
    assert_eq!(brief(&toy.run(1, "claim")), ["submit 1"]);
    assert_eq!(brief(&toy.run(2, "add")), [""; 0]);
    assert_eq!(brief(&toy.read(3)), [""; 0]);
    assert_eq!(
        brief(&toy.settle(1, Committed)),
        ["publish 1", "reply 1 ok", "submit 2"]
    );
    assert_eq!(
        brief(&toy.settle(2, Committed)),
        ["publish 2", "reply 2 ok", "reply 3 = 2"]
    );
}

#[tokio::test]
async fn a_refused_precondition_answers_its_code_and_discards_the_state() {
    let mut toy = Driver::new().await;
    toy.run(1, "claim");
    toy.run(2, "add");
    let actions = toy.settle(1, Refused);
    assert_eq!(
        brief(&actions),
        ["reply 1 UnknownInvite", "reply 2 Busy", "discard"]
    );
    assert!(
        matches!(&actions[0], Action::Reply { answer: Err(error), .. } if error.code == ErrorCode::UnknownInvite)
    );
}

#[tokio::test]
async fn what_was_sent_before_a_refusal_is_still_owed_but_not_behind_a_fence() {
    for (outcome, end) in [(Refused, "discard, owing"), (Fenced, "discard")] {
        let mut toy = Driver::new().await;
        toy.run(1, "send/2");
        toy.run(2, "claim");
        toy.settle(1, Committed);
        assert_eq!(brief(&toy.settle(2, outcome)).last().unwrap(), end);
    }
}

/// The places in the log that a unit writes and the last one it deletes.
fn log_changes(actions: &[Action<UserReply>]) -> (u64, u64) {
    let number = |part: &rookery_protocol::document::Part| match part {
        rookery_protocol::document::Part::Num(n) => *n,
        rookery_protocol::document::Part::Text(_) => 0,
    };
    let (mut put, mut trimmed) = (0, 0);
    for action in actions {
        let Action::Submit { unit, .. } = action else {
            continue;
        };
        for write in &unit.writes {
            match write {
                Write::Insert { table, key, .. } if *table == Events::ID => put = number(&key.sort),
                Write::DeleteUpTo { table, last, .. } if *table == Events::ID => {
                    trimmed = number(last)
                }
                _ => {}
            }
        }
    }
    (put, trimmed)
}

#[tokio::test]
async fn the_log_is_bounded_in_number() {
    let mut toy = Driver::new().await;
    let mut oldest = 1;
    for n in 1..=3 * limits::EVENTS_PER_ENTITY {
        let actions = toy.run(n, "add");
        toy.settle(n, Committed);
        let (put, trimmed) = log_changes(&actions);
        assert_eq!(put, n);
        oldest = oldest.max(trimmed + 1);
        assert!(
            n - oldest < limits::EVENTS_PER_ENTITY + 512,
            "{} events are kept",
            n - oldest
        );
    }
    assert!(oldest > 1);
}

#[tokio::test]
async fn the_log_is_bounded_in_age_and_keeps_the_newest() {
    let mut toy = Driver::new().await;
    let mut last_trimmed = 0;
    for n in 1..=100 {
        let (put, trimmed) = log_changes(&toy.run(n, "add"));
        toy.settle(n, Committed);
        assert!(trimmed < put);
        last_trimmed = last_trimmed.max(trimmed);
        toy.now = toy.now.plus(limits::EVENT_MS / 4);
    }
    assert!(last_trimmed >= 90, "trimmed up to {last_trimmed}");
}
