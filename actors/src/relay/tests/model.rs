//! Property: whatever is lost, late, cut, resumed or full, every session gets exactly its topics' events, in order.

use proptest::prelude::*;
use rookery_protocol::event::{Act, EventName};
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::intents::Intents;

use super::bench::{Bench, text};
use crate::relay::{Config, Input};

#[derive(Debug, Clone)]
enum Op {
    Open { user: u64, flavour: u8 },
    Answer(usize),
    Message { group: u64, lost: bool },
    Join { user: u64, group: u64, lost: bool },
    Notify { which: usize, lost: bool },
    Leave { user: u64, group: u64, lost: bool },
    Typing { group: u64 },
    Announce { group: u64 },
    Cut(usize),
    End(usize),
    Resume { client: usize, back: usize },
    Full { client: usize, is_full: bool },
    Flush,
    Pass(u64),
    Trim { group: u64 },
    Reveal,
}

fn op() -> impl Strategy<Value = Op> {
    let (user, group) = (1u64..4, 10u64..13);
    let lost = prop::bool::weighted(0.2);
    prop_oneof![
        3 => (user.clone(), 0u8..3).prop_map(|(user, flavour)| Op::Open { user, flavour }),
        12 => (0usize..64).prop_map(Op::Answer),
        12 => (group.clone(), lost).prop_map(|(group, lost)| Op::Message { group, lost }),
        4 => (user.clone(), group.clone(), lost)
            .prop_map(|(user, group, lost)| Op::Join { user, group, lost }),
        4 => (0usize..8, lost).prop_map(|(which, lost)| Op::Notify { which, lost }),
        3 => (user, group.clone(), lost).prop_map(|(user, group, lost)| Op::Leave { user, group, lost }),
        1 => group.clone().prop_map(|group| Op::Typing { group }),
        1 => group.clone().prop_map(|group| Op::Announce { group }),
        2 => (0usize..8).prop_map(Op::Cut),
        1 => (0usize..8).prop_map(Op::End),
        4 => (0usize..8, 0usize..6).prop_map(|(client, back)| Op::Resume { client, back }),
        2 => (0usize..8, any::<bool>()).prop_map(|(client, is_full)| Op::Full { client, is_full }),
        6 => Just(Op::Flush),
        1 => (0u64..40_000).prop_map(Op::Pass),
        1 => group.prop_map(|group| Op::Trim { group }),
        1 => Just(Op::Reveal),
    ]
}

fn intents(flavour: u8) -> Intents {
    match flavour {
        0 => Intents::ALL,
        1 => Intents::GUILDS | Intents::GUILD_MESSAGES,
        _ => Intents::GUILDS,
    }
}

fn run(bench: &mut Bench, op: Op) {
    let pick = |which: usize, of: usize| (of > 0).then(|| which % of.max(1));
    match op {
        Op::Open { user, flavour } => {
            bench.client(user, intents(flavour));
        }
        Op::Answer(which) => {
            if let Some(which) = pick(which, bench.questions.len()) {
                bench.answer(which);
            }
        }
        Op::Message { group, lost } => bench.message(GroupId(group), lost),
        Op::Join { user, group, lost } => bench.join_group(UserId(user), GroupId(group), lost),
        Op::Notify { which, lost } => {
            if let Some(which) = pick(which, bench.notices.len()) {
                bench.notify(which, lost);
            }
        }
        Op::Leave { user, group, lost } => bench.leave_group(UserId(user), GroupId(group), lost),
        Op::Typing { group } => {
            let typing = text(EventName::TypingStart, "typing", Intents::NONE, false);
            bench.value(GroupId(group).into(), Act::Dispatch(typing));
        }
        Op::Announce { group } => bench.value(GroupId(group).into(), Act::Announce),
        Op::Cut(client) => {
            if let Some(client) = pick(client, bench.clients.len()) {
                bench.hangup(client, false);
            }
        }
        Op::End(client) => {
            if let Some(client) = pick(client, bench.clients.len()) {
                bench.hangup(client, true);
            }
        }
        Op::Resume { client, back } => {
            if let Some(client) = pick(client, bench.clients.len()) {
                bench.resume(client, back);
            }
        }
        Op::Full { client, is_full } => {
            if let Some(client) = pick(client, bench.clients.len()) {
                set_full(bench, client, is_full);
            }
        }
        Op::Flush => bench.flush(),
        Op::Pass(ms) => {
            bench.now = bench.now.plus(ms);
            bench.step(Input::Tick);
        }
        Op::Trim { group } => {
            let gseq = bench.gseq(GroupId(group).into());
            bench.trimmed.insert(GroupId(group).into(), gseq);
        }
        Op::Reveal => bench.reveal(),
    }
}

fn set_full(bench: &mut Bench, client: usize, is_full: bool) {
    if let Some(socket) = bench.clients[client].socket {
        bench.sockets[socket].is_full = is_full;
        if let (false, Some(session)) = (is_full, bench.clients[client].session) {
            bench.step(Input::Writable(session));
        }
    }
}

/// Lets everything that is under way come to its end.
fn settle(bench: &mut Bench) {
    while !bench.notices.is_empty() {
        bench.notify(0, false);
    }
    for _ in 0..3 {
        bench.answer_all();
        bench.reveal();
    }
    bench.answer_all();
    for client in 0..bench.clients.len() {
        set_full(bench, client, false);
        if !bench.clients[client].is_over && bench.clients[client].socket.is_none() {
            // Beyond the replay log a resume is refused: then there is nothing to compare.
            if bench.resume(client, 0).is_some() {
                bench.clients[client].is_over = true;
            }
        }
    }
    bench.flush();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_session_gets_exactly_its_topics_events_in_order(ops in prop::collection::vec(op(), 1..150)) {
        let mut bench = Bench::new(Config { sessions_per_user: 4, ..Config::default() });
        for op in ops {
            run(&mut bench, op);
        }
        settle(&mut bench);
        bench.check();
    }

    #[test]
    fn a_small_log_never_shows_a_session_a_hole(ops in prop::collection::vec(op(), 1..150)) {
        let config = Config { log_bytes: 3_000, outbox_bytes: 1_000, sessions_per_user: 4, ..Config::default() };
        let mut bench = Bench::new(config);
        for op in ops {
            run(&mut bench, op);
            bench.step(Input::Tick);
        }
        settle(&mut bench);
        bench.check();
    }
}
