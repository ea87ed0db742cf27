//! Tests of the lane: what single situations do, and a model of everything at once.

#![allow(
    clippy::cast_possible_truncation,
    reason = "the numbers of a test are small"
)]

mod bench;
mod buddy;
mod check;
mod clients;
mod groups;
mod model;
mod moving;
mod personal;
mod sight;

use bytes::Bytes;
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::command::user::Proof;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::{Act, Audience, EventName};
use rookery_protocol::ids::{GroupId, LoginId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;

use self::bench::{Bench, text};
use super::{Config, Control, Identity, Input, Refusal, Secret, Shard};

const GROUP: GroupId = GroupId(10);
const USER: UserId = UserId(1);

/// A user in one group with one session on it.
fn community() -> (Bench, usize) {
    let mut bench = Bench::new(Config::default());
    bench.members.insert((GROUP, USER));
    let client = bench.client(USER.0, Intents::ALL);
    bench.answer_all();
    bench.flush();
    (bench, client)
}

fn names(bench: &Bench, client: usize) -> Vec<EventName> {
    let received = bench.names(client);
    received.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_session_starts_with_ready_and_its_groups_and_is_numbered_from_one() {
    let (mut bench, client) = community();
    bench.message(GROUP, false);
    bench.flush();
    assert_eq!(
        names(&bench, client),
        [
            EventName::Ready,
            EventName::GuildCreate,
            EventName::MessageCreate
        ]
    );
}

#[test]
fn a_cut_socket_is_resumed_where_it_was() {
    let (mut bench, client) = community();
    bench.message(GROUP, false);
    bench.flush();
    bench.hangup(client, false);
    bench.message(GROUP, false);
    bench.message(GROUP, false);
    bench.flush();
    assert_eq!(names(&bench, client).len(), 3);
    assert_eq!(bench.resume(client, 1), None);
    bench.flush();
    assert_eq!(
        names(&bench, client)[3..],
        [
            EventName::MessageCreate,
            EventName::MessageCreate,
            EventName::Resumed
        ]
    );
    bench.check();
}

#[test]
fn an_earlier_resumed_is_not_replayed() {
    let (mut bench, client) = community();
    assert_eq!(bench.resume(client, 0), None);
    bench.flush();
    bench.message(GROUP, false);
    bench.flush();
    assert_eq!(bench.resume(client, 2), None);
    bench.flush();
    assert_eq!(
        names(&bench, client)[2..],
        [EventName::MessageCreate, EventName::Resumed]
    );
}

#[test]
fn a_resume_takes_over_from_a_socket_that_is_still_there() {
    let (mut bench, client) = community();
    let old = bench.clients[client].socket.unwrap();
    assert_eq!(bench.resume(client, 0), None);
    assert_eq!(
        bench.sockets[old].closed,
        Some(Some(CloseCode::UnknownError))
    );
    // The old socket's reader notices late: nobody else does.
    let link = bench.sockets[old].link.unwrap();
    bench.step(Input::Hangup {
        link,
        end: true,
        answer: None,
        code: None,
    });
    bench.message(GROUP, false);
    bench.flush();
    assert_eq!(
        names(&bench, client).last(),
        Some(&EventName::MessageCreate)
    );
}

#[test]
fn a_resume_needs_the_secret_the_user_and_a_number_that_was_reached() {
    let (mut bench, client) = community();
    bench.hangup(client, false);
    let identity = bench.clients[client].identity;
    let stranger = Identity {
        secret: Secret([9; 16]),
        ..identity
    };
    bench.clients[client].identity = stranger;
    assert_eq!(bench.resume(client, 0), Some(Refusal::InvalidSession));
    bench.clients[client].identity = Identity {
        user: UserId(2),
        ..identity
    };
    assert_eq!(bench.resume(client, 0), Some(Refusal::InvalidSession));
    bench.clients[client].identity = identity;
    bench.clients[client]
        .received
        .push((EventName::Ready, serde_json::Value::Null));
    assert_eq!(bench.resume(client, 0), Some(Refusal::InvalidSeq));
    bench.clients[client].received.pop();
    assert_eq!(bench.resume(client, 0), None);
}

#[test]
fn a_detached_session_ends_after_two_minutes_and_its_topics_are_let_go() {
    let (mut bench, client) = community();
    bench.hangup(client, false);
    bench.now = bench.now.plus(limits::RESUME_MS);
    bench.step(Input::Tick);
    assert!(!bench.clients[client].is_over);
    bench.now = bench.now.plus(1);
    bench.step(Input::Tick);
    assert!(bench.clients[client].is_over);
    assert!(bench.watched.is_empty());
    assert_eq!(bench.resume(client, 0), Some(Refusal::Unknown));
    assert_eq!(bench.lane.census().sessions, 0);
}

#[test]
fn a_goodbye_ends_the_session_at_once() {
    let (mut bench, client) = community();
    bench.hangup(client, true);
    assert!(bench.clients[client].is_over);
    assert!(bench.watched.is_empty());
}

#[test]
fn beyond_the_replay_log_a_resume_is_refused() {
    let mut bench = Bench::new(Config {
        log_bytes: 1_000,
        ..Config::default()
    });
    bench.members.insert((GROUP, USER));
    let client = bench.client(USER.0, Intents::ALL);
    bench.answer_all();
    bench.flush();
    bench.hangup(client, false);
    for _ in 0..20 {
        bench.message(GROUP, false);
    }
    bench.step(Input::Tick);
    assert_eq!(bench.resume(client, 0), Some(Refusal::InvalidSession));
}

#[test]
fn the_answer_to_a_clients_close_is_written_by_a_lane_that_has_let_go() {
    for (end, refusal) in [(true, Some(Refusal::Unknown)), (false, None)] {
        let (mut bench, client) = community();
        let socket = bench.clients[client].socket.unwrap();
        let answer = Control::Raw(Bytes::from_static(b"close"));
        bench.step(Input::Hangup {
            link: bench.sockets[socket].link.unwrap(),
            end,
            answer: Some(answer.clone()),
            code: None,
        });
        assert_eq!(bench.sockets[socket].words.last(), Some(&answer));
        assert_eq!(bench.resume(client, 0), refusal);
    }
}

#[test]
fn a_slow_reader_is_closed_resumably_and_nobody_else_is() {
    let mut bench = Bench::new(Config {
        outbox_bytes: 2_000,
        ..Config::default()
    });
    bench.members.insert((GROUP, USER));
    let slow = bench.client(USER.0, Intents::ALL);
    let fast = bench.client(USER.0, Intents::ALL);
    bench.answer_all();
    bench.flush();
    let socket = bench.clients[slow].socket.unwrap();
    bench.sockets[socket].is_full = true;
    for _ in 0..100 {
        bench.message(GROUP, false);
        bench.flush();
    }
    assert_eq!(
        bench.sockets[socket].closed,
        Some(Some(CloseCode::UnknownError))
    );
    assert!(!bench.clients[slow].is_over);
    assert_eq!(names(&bench, fast).len(), 102);
    assert_eq!(bench.resume(slow, 0), None);
    bench.flush();
    assert_eq!(names(&bench, slow).len(), 103);
    bench.check();
}

#[test]
fn what_was_lost_on_the_way_is_healed_from_the_event_log() {
    let (mut bench, client) = community();
    for lost in [true, true, true, true, false] {
        bench.message(GROUP, lost);
    }
    bench.flush();
    assert_eq!(names(&bench, client).len(), 2);
    bench.answer_all();
    bench.flush();
    assert_eq!(names(&bench, client).len(), 7);
    bench.check();
}

#[test]
fn when_the_event_log_does_not_reach_back_the_session_is_invalid() {
    let (mut bench, client) = community();
    bench.message(GROUP, true);
    bench.message(GROUP, false);
    bench.trimmed.insert(GROUP.into(), 1);
    let socket = bench.clients[client].socket.unwrap();
    bench.answer_all();
    assert!(bench.clients[client].is_over);
    let socket = &bench.sockets[socket];
    assert_eq!(socket.words, [Control::InvalidSession { resumable: false }]);
    assert!(bench.watched.is_empty());
}

#[test]
fn a_farewell_is_the_last_of_a_group_until_it_is_entered_again() {
    let (mut bench, client) = community();
    bench.leave_group(USER, GROUP, false);
    assert!(!bench.watched.contains(&EntityRef::from(GROUP)));
    bench.message(GROUP, false);
    bench.join_group(USER, GROUP, false);
    bench.notify(0, false);
    bench.answer_all();
    bench.message(GROUP, false);
    bench.flush();
    assert_eq!(
        names(&bench, client)[2..],
        [
            EventName::GuildDelete,
            EventName::GuildCreate,
            EventName::MessageCreate
        ]
    );
    bench.check();
}

#[test]
fn a_group_that_refuses_is_taken_back() {
    let (mut bench, client) = community();
    let other = GroupId(11);
    bench.emit(USER.into(), Audience::Everyone, Act::Enter(other), false);
    bench.answer_all();
    bench.flush();
    assert_eq!(
        bench.names(client)[2],
        (EventName::GuildDelete, "gone:11".to_owned())
    );
    assert!(!bench.watched.contains(&EntityRef::from(other)));
}

#[test]
fn a_closed_login_closes_its_sessions_only() {
    let (mut bench, client) = community();
    let other = bench.client(USER.0, Intents::ALL);
    bench.answer_all();
    let Proof::Login(login) = bench.clients[client].identity.proof else {
        unreachable!("the bench opens logins")
    };
    let socket = bench.clients[client].socket.unwrap();
    let code = CloseCode::AuthenticationFailed;
    let act = Act::Close {
        login: Some(login),
        code,
    };
    bench.emit(USER.into(), Audience::Everyone, act, false);
    assert!(bench.clients[client].is_over);
    assert_eq!(bench.sockets[socket].closed, Some(Some(code)));
    assert!(!bench.clients[other].is_over);
    bench.emit(
        USER.into(),
        Audience::Everyone,
        Act::Close { login: None, code },
        false,
    );
    assert!(bench.clients[other].is_over);
}

#[test]
fn why_a_session_ends_is_told_also_when_it_has_no_socket() {
    let (mut bench, closed) = community();
    let left = bench.client(USER.0, Intents::ALL);
    bench.answer_all();
    bench.flush();
    let [closed_session, left_session] =
        [closed, left].map(|client| bench.clients[client].session.unwrap());
    bench.hangup(left, true);
    bench.hangup(closed, false);
    assert_eq!(bench.ended, [(left_session, None)]);
    let code = CloseCode::AuthenticationFailed;
    let act = Act::Close { login: None, code };
    bench.emit(USER.into(), Audience::Everyone, act, false);
    assert_eq!(bench.ended[1..], [(closed_session, Some(code))]);
}

#[test]
fn a_login_closed_while_its_session_attaches_does_not_slip_through() {
    let mut bench = Bench::new(Config::default());
    let client = bench.client(USER.0, Intents::ALL);
    bench.answer(0);
    let code = CloseCode::AuthenticationFailed;
    bench.emit(
        USER.into(),
        Audience::Everyone,
        Act::Close {
            login: Some(LoginId(1)),
            code,
        },
        false,
    );
    assert!(!bench.clients[client].is_over);
    bench.answer(0);
    assert!(bench.clients[client].is_over);
}

#[test]
fn a_restarted_user_gets_its_sessions_again() {
    let (mut bench, client) = community();
    bench.value(USER.into(), Act::Announce);
    assert_eq!(bench.reattached, [bench.clients[client].session.unwrap()]);
}

#[test]
fn a_bot_shard_takes_its_groups_only() {
    let mut bench = Bench::new(Config::default());
    let (mine, other) = (GroupId(2 << 22), GroupId(3 << 22));
    bench.members.extend([(mine, USER), (other, USER)]);
    let client = bench.open(Identity {
        user: USER,
        proof: Proof::Bot(1),
        intents: Intents::ALL,
        shard: Some(Shard { index: 0, count: 2 }),
        secret: Secret([0; 16]),
    });
    bench.answer_all();
    bench.message(mine, false);
    bench.message(other, false);
    bench.flush();
    let got = bench.names(client);
    assert_eq!(got.len(), 3);
    assert_eq!(got[2].1, format!("{mine}:1"));
}

#[test]
fn the_oldest_session_makes_room() {
    let mut bench = Bench::new(Config {
        sessions_per_user: 2,
        ..Config::default()
    });
    let first = bench.client(USER.0, Intents::ALL);
    bench.client(USER.0, Intents::ALL);
    bench.client(USER.0, Intents::ALL);
    assert!(bench.clients[first].is_over);
    assert_eq!(bench.lane.census().sessions, 2);
}

#[test]
fn a_slot_used_again_shows_nothing_of_its_earlier_session() {
    let (mut bench, client) = community();
    for _ in 0..5 {
        bench.message(GROUP, false);
    }
    bench.hangup(client, true);
    let second = bench.client(USER.0, Intents::ALL);
    bench.answer_all();
    bench.flush();
    let (old, new) = (
        bench.clients[client].session.unwrap(),
        bench.clients[second].session.unwrap(),
    );
    assert_eq!(old.slot, new.slot);
    assert_ne!(old, new);
    bench.clients[second].received.clear();
    bench.hangup(second, false);
    assert_eq!(bench.resume(second, 0), None);
    bench.flush();
    assert_eq!(
        names(&bench, second),
        [EventName::Ready, EventName::GuildCreate, EventName::Resumed]
    );
}

#[test]
fn a_stopping_node_tells_everybody_to_reconnect() {
    let (mut bench, client) = community();
    let socket = bench.clients[client].socket.unwrap();
    bench.step(Input::Shutdown);
    assert_eq!(bench.sockets[socket].words, [Control::Reconnect]);
    assert_eq!(
        bench.sockets[socket].closed,
        Some(Some(CloseCode::UnknownError))
    );
}

#[test]
fn values_are_shown_but_never_caught_up() {
    let (mut bench, client) = community();
    let typing = text(
        EventName::TypingStart,
        "typing",
        Intents::GUILD_MESSAGE_TYPING,
        false,
    );
    bench.value(GROUP.into(), Act::Dispatch(typing));
    let second = bench.client(USER.0, Intents::ALL);
    bench.answer_all();
    bench.flush();
    assert_eq!(names(&bench, client).last(), Some(&EventName::TypingStart));
    assert_eq!(
        names(&bench, second),
        [EventName::Ready, EventName::GuildCreate]
    );
}
