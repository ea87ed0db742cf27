//! The directory with real actors: activation, passivation, crashes, bounds.

#![allow(
    clippy::disallowed_methods,
    reason = "tests ask from several tasks at once"
)]

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rookery_protocol::command::RequestId;
use rookery_protocol::command::user::GetCredentials;
use rookery_protocol::document::{
    ApplicationRow, Applications, Key, Outbox, OutboxRow, Table, encode,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::FrameSeq;
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use rookery_protocol::snowflake::EPOCH_MS;
use rookery_protocol::time::Millis;

use super::fixture::Fixture;
use super::toy::{address, script};
use crate::commit::CommitLane;
use crate::ownership::Boot;
use crate::store::memory::MemoryStore;
use crate::store::{self, LaneId, Store, Write};

#[tokio::test]
async fn an_entity_is_activated_by_its_first_message_and_remembers() {
    let fixture = Fixture::new().await;
    assert!(!fixture.is_active(1));
    fixture.run(1, "add").await.unwrap();
    fixture.run(1, "add").await.unwrap();
    assert_eq!(fixture.count(1).await, Ok(2));
    assert_eq!(fixture.count(2).await, Ok(0));
    let second = Fixture::on(fixture.store.clone(), 2).await;
    assert_eq!(second.count(1).await, Ok(2));
}

#[tokio::test]
async fn a_crashed_entity_comes_back_with_its_last_durable_state() {
    let mut fixture = Fixture::new().await;
    fixture.run(1, "add").await.unwrap();
    assert_eq!(fixture.announced(address(1)).await, 0);
    assert_eq!(fixture.run(1, "boom").await, Err(ErrorCode::Unavailable));
    assert_eq!(
        fixture.announced(address(1)).await,
        1,
        "the new life says where the log stands"
    );
    assert_eq!(fixture.count(1).await, Ok(1));
    assert_eq!(fixture.restarts(address(1)), 1);
}

#[tokio::test]
async fn an_entity_that_is_down_answers_busy_and_others_do_not_notice() {
    let mut fixture = Fixture::new().await;
    fixture.run(2, "add").await.unwrap();
    fixture.run(1, "add").await.unwrap();
    fixture.announced(address(1)).await;
    for n in 0..3 {
        if n > 0 {
            fixture.announced(address(1)).await;
        }
        assert_eq!(fixture.run(1, "boom").await, Err(ErrorCode::Unavailable));
    }
    // The third pause is 200 ms long; the crash is known when the mailbox is gone.
    let refusal = loop {
        match fixture.run(1, "add").await {
            Err(ErrorCode::Unavailable) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert_eq!(refusal, Err(ErrorCode::Busy));
    assert_eq!(fixture.count(2).await, Ok(1));
}

#[tokio::test]
async fn without_a_lease_nothing_is_begun_and_what_is_committed_is_not_answered() {
    let fixture = Fixture::new().await;
    fixture.run(1, "add").await.unwrap();
    fixture.tenure.set(Boot(1_000));
    fixture.store.hold_commits();
    let directory = fixture.directory.clone();
    let waiting = tokio::spawn(async move { directory.ask(UserId(1), script("add")).await });
    fixture.store.commit_is_held().await;
    fixture.clock.0.store(1_000, Relaxed);
    fixture.store.release_commits();
    let answer = waiting.await.unwrap().map_err(|error| error.code);
    assert_eq!(answer, Err(ErrorCode::Unavailable));
    assert_eq!(fixture.count(1).await, Err(ErrorCode::Unavailable));
    // Renewed, and nobody else has written: it goes on with what was committed.
    fixture.tenure.set(Boot(2_000));
    assert_eq!(fixture.count(1).await, Ok(2));
}

#[tokio::test]
async fn a_crash_between_commit_and_answer_loses_nothing_durable() {
    let mut fixture = Fixture::new().await;
    fixture.run(1, "add").await.unwrap();
    fixture.announced(address(1)).await;
    fixture.store.hold_commits();
    let directory = fixture.directory.clone();
    let waiting = tokio::spawn(async move { directory.ask(UserId(1), script("add")).await });
    fixture.store.commit_is_held().await;
    let directory = fixture.directory.clone();
    let crash = tokio::spawn(async move { directory.ask(UserId(1), script("boom")).await });
    assert!(waiting.await.unwrap().is_err(), "its outcome is unknown");
    assert!(crash.await.unwrap().is_err());
    fixture.store.release_commits();
    assert_eq!(
        fixture.announced(address(1)).await,
        2,
        "the next life waits for the lane, then sees the event"
    );
    assert_eq!(fixture.count(1).await, Ok(2));
}

#[tokio::test]
async fn the_idle_are_passivated_but_not_those_in_use() {
    let fixture = Fixture::new().await;
    fixture.run(1, "add").await.unwrap();
    fixture.run(2, "hold").await.unwrap();
    fixture.clock.0.store(limits::USER_IDLE_MS, Relaxed);
    fixture.directory.sweep();
    // An answer of 2 comes after its Passivate; 1 is watched until it is gone.
    fixture.count(2).await.unwrap();
    while fixture.is_active(1) {
        tokio::task::yield_now().await;
    }
    assert!(fixture.is_active(2));
    assert_eq!(fixture.count(1).await, Ok(1), "it comes back when asked");
}

#[tokio::test]
async fn a_full_mailbox_answers_busy() {
    let fixture = Fixture::new().await;
    fixture.store.hold_commits();
    let mut asks = tokio::task::JoinSet::new();
    for _ in 0..limits::MAILBOX + 10 {
        let directory = fixture.directory.clone();
        asks.spawn(async move {
            directory
                .ask(UserId(1), script("add"))
                .await
                .map_err(|error| error.code)
        });
    }
    let first = asks.join_next().await.unwrap().unwrap();
    assert_eq!(first, Err(ErrorCode::Busy));
    fixture.store.release_commits();
    let mut done = 0;
    while let Some(answer) = asks.join_next().await {
        done += u64::from(answer.unwrap().is_ok());
    }
    assert_eq!(fixture.count(1).await, Ok(done));
    assert!(done >= limits::MAILBOX / 2);
}

#[tokio::test]
async fn without_room_for_ids_entities_answer_busy() {
    let fixture = Fixture::new().await;
    fixture.kit.ids.limit(Millis(EPOCH_MS));
    assert_eq!(fixture.run(1, "add").await, Err(ErrorCode::Busy));
    fixture
        .kit
        .ids
        .limit(Millis(EPOCH_MS + limits::ID_RESERVE_MS));
    assert_eq!(fixture.run(1, "add").await, Ok(()));
}

#[tokio::test]
async fn a_command_of_another_node_is_done_once() {
    let fixture = Fixture::new().await;
    let request = RequestId {
        caller: 1,
        number: 1,
    };
    for _ in 0..3 {
        let command = script("add").into();
        let answer = fixture
            .directory
            .ask_for(address(1), command, request)
            .await;
        assert!(matches!(answer, Ok(Ok(_))));
    }
    assert_eq!(fixture.count(1).await, Ok(1));
}

#[tokio::test]
async fn a_refused_precondition_is_answered_and_the_entity_is_forgotten() {
    let fixture = Fixture::new().await;
    fixture.run(1, "claim").await.unwrap();
    assert_eq!(fixture.run(2, "claim").await, Err(ErrorCode::UnknownInvite));
    while fixture.is_active(2) {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.count(2).await, Ok(0));
}

#[tokio::test]
async fn intents_are_delivered_and_leave_the_outbox() {
    let mut fixture = Fixture::new().await;
    for _ in 0..5 {
        fixture.run(1, "send/2").await.unwrap();
    }
    // The receiver's events say that it took them.
    let mut taken = 0;
    while taken < 5 {
        let frame = fixture.frames.recv().await.unwrap();
        taken += u64::from(frame.topic == address(2) && matches!(frame.seq, FrameSeq::Logged(_)));
    }
    assert_eq!(fixture.count(2).await, Ok(5));
    while !store::scan_all::<Outbox>(fixture.store.as_ref(), address(1), 10)
        .await
        .unwrap()
        .is_empty()
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_was_sent_before_a_refused_precondition_is_delivered() {
    let fixture = Fixture::new().await;
    fixture.run(3, "claim").await.unwrap();
    fixture.store.hold_commits();
    let mut asks = tokio::task::JoinSet::new();
    for text in ["send/2", "claim"] {
        let directory = fixture.directory.clone();
        asks.spawn(async move { directory.ask(UserId(1), script(text)).await.is_ok() });
    }
    fixture.store.commit_is_held().await;
    fixture.store.release_commits();
    let mut done = asks.join_all().await;
    done.sort_unstable();
    assert_eq!(done, [false, true]);
    let left = || store::scan_all::<Outbox>(fixture.store.as_ref(), address(1), 10);
    while !left().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.count(2).await, Ok(1));
}

#[tokio::test]
async fn what_a_dead_process_left_in_an_outbox_is_delivered_at_the_next_start() {
    let store = Arc::new(MemoryStore::new());
    let lane = LaneId {
        node: "n".into(),
        incarnation: 1,
        index: 0,
    };
    let lane = CommitLane::open(store.clone(), lane).await.unwrap();
    let row = OutboxRow {
        to: address(2),
        notice: rookery_protocol::command::Notice::Joined(rookery_protocol::ids::GroupId(7)),
    };
    let key = Key::new(address(1), 1);
    let writes = vec![store::put::<Outbox>(key, &row)];
    lane.submit_and_wait(store::Unit {
        entity: address(1),
        absent: Vec::new(),
        writes,
    })
    .await
    .unwrap();
    let mut fixture = Fixture::on(store, 2).await;
    assert_eq!(fixture.directory.recover().await.unwrap(), 1);
    loop {
        let frame = fixture.frames.recv().await.unwrap();
        if frame.topic == address(2) && matches!(frame.seq, FrameSeq::Logged(1)) {
            break;
        }
    }
    assert_eq!(fixture.count(2).await, Ok(1));
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_unknown_now_and_loads_later() {
    let fixture = Fixture::new().await;
    fixture.run(1, "add").await.unwrap();
    fixture.clock.0.store(limits::USER_IDLE_MS, Relaxed);
    fixture.directory.sweep();
    while fixture.is_active(1) {
        tokio::task::yield_now().await;
    }
    fixture.store.set_unavailable(true);
    assert_eq!(fixture.count(1).await, Err(ErrorCode::Unavailable));
    fixture.store.set_unavailable(false);
    let count = loop {
        match fixture.count(1).await {
            Err(ErrorCode::Busy | ErrorCode::Unavailable) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert_eq!(count, Ok(1));
}

#[tokio::test]
async fn a_corrupt_row_is_answered_with_an_incident_until_it_is_put_right() {
    let fixture = Fixture::new().await;
    fixture.run(1, "add").await.unwrap();
    let spoil = async |id: u64, row: &[u8]| {
        let write = Write::Put {
            table: Applications::ID,
            key: Key::single(id),
            row: row.to_vec(),
        };
        let decide = |_: &[Option<Vec<u8>>]| vec![write.clone()];
        fixture.store.transact(&[], &decide).await.unwrap();
    };
    spoil(2, b"no row").await;
    let refusal = fixture.directory.ask(UserId(2), GetCredentials).await;
    let refusal = refusal.map(drop).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::Internal);
    let incident = refusal.incident.clone().unwrap();
    // The same life, the same incident; nobody else is concerned.
    let again = fixture.directory.ask(UserId(2), script("add")).await;
    assert_eq!(again.map(drop).unwrap_err().incident, Some(incident));
    assert_eq!(fixture.count(1).await, Ok(1));
    assert_eq!(fixture.restarts(address(2)), 0);
    // Put right, it is loaded anew, but not at once.
    let row = encode::<Applications>(&ApplicationRow {
        application: UserId(7),
    });
    spoil(2, &row).await;
    assert_eq!(fixture.count(2).await, Err(ErrorCode::Internal));
    fixture.clock.0.store(limits::SPOILED_MS, Relaxed);
    assert_eq!(fixture.count(2).await, Err(ErrorCode::Internal));
    while fixture.count(2).await != Ok(7) {
        tokio::task::yield_now().await;
    }

    // A row that is read later: the command that waits for it is told.
    spoil(1, b"no row").await;
    let refusal = fixture.directory.ask(UserId(1), script("fetch")).await;
    let refusal = refusal.map(drop).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::Internal);
    assert!(refusal.incident.is_some());
}
