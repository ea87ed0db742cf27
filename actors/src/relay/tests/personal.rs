//! What only some sessions of a topic get: what a session is given, audiences with exceptions, a bot's shards; and what
//! the lane tells of who is where.

use rookery_protocol::event::{Act, Audience, EventName};
use rookery_protocol::ids::UserId;
use rookery_protocol::intents::Intents;

use super::bench::{Bench, text};
use super::{GROUP, USER, community, names};
use crate::relay::{Config, Input, Refusal, SessionRef, Shard};

/// Gives a session some bytes, with a pace.
fn give(bench: &mut Bench, session: SessionRef, bytes: usize) {
    let id = "x".repeat(bytes);
    let chunk = text(EventName::GuildMembersChunk, &id, Intents::NONE, false);
    bench.step(Input::Give {
        session,
        dispatch: Box::new(chunk),
        paced: true,
    });
}

#[test]
fn what_is_given_to_a_session_is_numbered_and_replayed() {
    let (mut bench, client) = community();
    let other = bench.client(USER.0, Intents::ALL);
    bench.answer_all();
    bench.flush();
    let session = bench.clients[client].session.unwrap();
    let chunk = text(EventName::GuildMembersChunk, "1", Intents::NONE, false);
    bench.step(Input::Give {
        session,
        dispatch: Box::new(chunk),
        paced: true,
    });
    assert!(bench.drained.is_empty());
    bench.flush();
    assert_eq!(bench.drained, [session]);
    assert_eq!(
        names(&bench, client).last(),
        Some(&EventName::GuildMembersChunk)
    );
    assert_eq!(names(&bench, other).len(), 2);
    bench.hangup(client, false);
    assert_eq!(bench.resume(client, 2), None);
    bench.flush();
    let replayed = names(&bench, client);
    assert_eq!(replayed.last(), Some(&EventName::Resumed));
    assert!(replayed.contains(&EventName::GuildMembersChunk));
    // Nothing for a session that is gone.
    bench.hangup(client, true);
    let late = text(EventName::GuildMembersChunk, "2", Intents::NONE, false);
    bench.step(Input::Give {
        session,
        dispatch: Box::new(late),
        paced: true,
    });
    bench.flush();
    assert_eq!(bench.drained, [session]);
}

#[test]
fn who_gives_to_a_session_that_is_not_ready_is_told_that_it_is_not_written() {
    let mut bench = Bench::new(Config::default());
    let client = bench.client(USER.0, Intents::ALL);
    let session = bench.clients[client].session.unwrap();
    give(&mut bench, session, 1);
    assert_eq!(bench.unwritten, [session]);
    bench.answer_all();
    give(&mut bench, session, 1);
    bench.flush();
    assert_eq!(bench.drained, [session]);
    assert_eq!(bench.unwritten.len(), 1);
    assert_eq!(
        names(&bench, client),
        [EventName::Ready, EventName::GuildMembersChunk]
    );
}

#[test]
fn who_gives_is_told_once_when_the_socket_goes_before_it_is_written() {
    let (mut bench, client) = community();
    let session = bench.clients[client].session.unwrap();
    let socket = bench.clients[client].socket.unwrap();
    bench.sockets[socket].is_full = true;
    give(&mut bench, session, 1);
    bench.flush();
    assert!(bench.unwritten.is_empty());
    // Another socket takes over: it is replayed there, and nobody waits for it.
    assert_eq!(bench.resume(client, 0), None);
    assert_eq!(bench.unwritten, [session]);
    bench.flush();
    assert_eq!(
        names(&bench, client)[2..],
        [EventName::GuildMembersChunk, EventName::Resumed]
    );
    assert!(bench.drained.is_empty());
    give(&mut bench, session, 1);
    bench.flush();
    assert_eq!(bench.drained, [session]);
    assert_eq!(bench.unwritten.len(), 1);
    // The socket is cut, there is none, the session ends, it is over.
    give(&mut bench, session, 1);
    bench.hangup(client, false);
    assert_eq!(bench.unwritten.len(), 2);
    give(&mut bench, session, 1);
    assert_eq!(bench.unwritten.len(), 3);
    assert_eq!(bench.resume(client, 0), None);
    give(&mut bench, session, 1);
    bench.hangup(client, true);
    assert_eq!(bench.unwritten.len(), 4);
    give(&mut bench, session, 1);
    bench.flush();
    assert_eq!(bench.unwritten, [session; 5]);
    assert_eq!(bench.drained, [session]);
}

#[test]
fn an_audience_can_leave_people_out() {
    let (mut bench, client) = community();
    let ben = UserId(2);
    bench.members.insert((GROUP, ben));
    let left_out = bench.client(ben.0, Intents::ALL);
    bench.answer_all();
    bench.flush();
    let presence = text(EventName::PresenceUpdate, "p", Intents::NONE, false);
    let audience = Audience::Except(vec![ben, UserId(77)]);
    bench.emit(GROUP.into(), audience, Act::Dispatch(presence), false);
    bench.flush();
    assert_eq!(
        names(&bench, client).last(),
        Some(&EventName::PresenceUpdate)
    );
    assert_eq!(
        names(&bench, left_out).last(),
        Some(&EventName::GuildCreate)
    );
}

#[test]
fn direct_channels_belong_to_the_first_shard() {
    let mut bench = Bench::new(Config::default());
    let shards: Vec<usize> = (0..2)
        .map(|index| bench.sharded(USER.0, Shard { index, count: 2 }))
        .collect();
    bench.answer_all();
    let message = text(
        EventName::MessageCreate,
        "dm",
        Intents::DIRECT_MESSAGES,
        false,
    );
    let update = text(EventName::UserUpdate, "me", Intents::NONE, false);
    for dispatch in [message, update] {
        let act = Act::Dispatch(dispatch);
        bench.emit(USER.into(), Audience::Everyone, act, false);
    }
    bench.flush();
    assert_eq!(
        names(&bench, shards[0]),
        [
            EventName::Ready,
            EventName::MessageCreate,
            EventName::UserUpdate
        ]
    );
    assert_eq!(
        names(&bench, shards[1]),
        [EventName::Ready, EventName::UserUpdate]
    );
}

#[test]
fn it_is_told_who_enters_and_leaves_a_group() {
    let (mut bench, client) = community();
    let session = bench.clients[client].session.unwrap();
    assert!(bench.inside.contains(&(session, GROUP)));
    bench.hangup(client, false);
    assert!(bench.inside.contains(&(session, GROUP)));
    assert_eq!(bench.resume(client, 0), None);
    bench.leave_group(USER, GROUP, false);
    assert!(bench.inside.is_empty());
}

/// A session that asks for more than the log holds, and one that is away and has missed a message.
fn greedy_and_quiet() -> (Bench, usize, usize) {
    let mut bench = Bench::new(Config {
        log_bytes: 40_000,
        ..Config::default()
    });
    bench.members.insert((GROUP, USER));
    let other = UserId(2);
    bench.members.insert((GROUP, other));
    let (greedy, quiet) = (
        bench.client(USER.0, Intents::ALL),
        bench.client(other.0, Intents::ALL),
    );
    bench.answer_all();
    bench.flush();
    bench.hangup(quiet, false);
    bench.message(GROUP, false);
    (bench, greedy, quiet)
}

#[test]
fn what_sessions_ask_for_does_not_push_out_what_others_are_replayed() {
    let (mut bench, greedy, quiet) = greedy_and_quiet();
    let session = bench.clients[greedy].session.unwrap();
    for _ in 0..10 {
        give(&mut bench, session, 5_000);
        bench.flush();
        bench.step(Input::Tick);
    }
    assert!(bench.lane.census().log_bytes < 40_000);
    assert_eq!(bench.resume(quiet, 0), None);
    bench.flush();
    let replayed = names(&bench, quiet);
    assert!(replayed.contains(&EventName::MessageCreate), "{replayed:?}");
    // Who asked is not replayed what made room, and starts anew.
    bench.hangup(greedy, false);
    assert_eq!(bench.resume(greedy, 9), Some(Refusal::InvalidSession));
    assert_eq!(bench.resume(greedy, 1), None);
}

#[test]
fn what_is_asked_for_at_once_pushes_out_only_what_was_asked_for() {
    let (mut bench, greedy, quiet) = greedy_and_quiet();
    let session = bench.clients[greedy].session.unwrap();
    for _ in 0..10 {
        give(&mut bench, session, 5_000);
    }
    bench.flush();
    assert!(bench.lane.census().log_bytes > 40_000);
    bench.step(Input::Tick);
    assert!(bench.lane.census().log_bytes < 40_000);
    assert_eq!(bench.resume(quiet, 0), None);
    bench.flush();
    let replayed = names(&bench, quiet);
    assert!(replayed.contains(&EventName::MessageCreate), "{replayed:?}");
}
