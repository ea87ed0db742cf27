//! Looking into entities, and steering them.

#![allow(
    clippy::disallowed_methods,
    reason = "a test asks while it does something else"
)]

use std::time::Duration;

use rookery_protocol::entity::EntityKind;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::UserId;
use rookery_protocol::inspect::Sort;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::fixture::Fixture;
use super::toy::{address, script};
use crate::entity::{Incident, KindView, Origin, TooManyTraces, Trouble};

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn the_busiest_come_first_and_no_more_than_were_asked_for() {
    let fixture = Fixture::new().await;
    for (id, times) in [(1, 2), (2, 5), (3, 1)] {
        for _ in 0..times {
            fixture.run(id, "add").await.unwrap();
        }
    }
    let ids = |sort, kind, limit| -> Vec<u64> {
        let top = fixture.directory.top(sort, kind, limit);
        top.iter().map(|(entity, _)| entity.id).collect()
    };
    assert_eq!(ids(Sort::Rate, None, 10), [2, 1, 3]);
    assert_eq!(ids(Sort::Rate, Some(EntityKind::User), 2), [2, 1]);
    assert!(ids(Sort::Rate, Some(EntityKind::Group), 10).is_empty());
    let census = fixture.directory.census();
    assert_eq!((census.users, census.groups), (3, 0));
    assert!(census.handled >= 16, "commands, and commits that settled");
    assert_eq!(fixture.directory.active(), 3);
    let kinds = fixture.directory.kinds().view();
    let rows: Vec<_> = kinds.iter().map(KindView::row).collect();
    let detach = rows.iter().find(|row| row.kind == "Detach").unwrap();
    assert_eq!(detach.count, 8);
}

#[tokio::test]
async fn a_restart_loads_anew_and_is_counted() {
    let mut fixture = Fixture::new().await;
    assert!(!fixture.directory.restart(address(1)), "nobody is there");
    fixture.run(1, "add").await.unwrap();
    fixture.announced(address(1)).await;
    assert!(fixture.directory.restart(address(1)));
    assert_eq!(fixture.announced(address(1)).await, 1);
    assert_eq!(fixture.count(1).await, Ok(1));
    let view = fixture.directory.look(address(1)).unwrap();
    assert_eq!(view.restarts, 1);
    let why = "restarted by an operator".to_owned();
    assert_eq!(view.last_crash, Some(why.clone()));
    let crashed = Incident {
        entity: address(1),
        what: Trouble::Crashed {
            error: why,
            restarts: 1,
        },
    };
    assert_eq!(fixture.directory.take_incidents(), [crashed]);
    assert_eq!(fixture.directory.take_incidents(), []);
}

#[tokio::test]
async fn only_the_idle_are_put_to_sleep() {
    let fixture = Fixture::new().await;
    let directory = &fixture.directory;
    assert_eq!(directory.passivate(address(1), PATIENCE).await, None);
    fixture.run(1, "add").await.unwrap();
    // What settled last may still be in its mailbox.
    while directory.passivate(address(1), PATIENCE).await == Some(false) {
        tokio::task::yield_now().await;
    }
    assert!(!fixture.is_active(1));
    assert_eq!(fixture.count(1).await, Ok(1), "it wakes up");
    fixture.run(2, "hold").await.unwrap();
    assert_eq!(directory.passivate(address(2), PATIENCE).await, Some(false));
    assert!(fixture.is_active(2));
}

#[tokio::test]
async fn an_entity_says_figures_of_its_state() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.directory.describe(address(1), PATIENCE).await, None);
    fixture.run(1, "add").await.unwrap();
    let figures = fixture.directory.describe(address(1), PATIENCE).await;
    assert!(figures.unwrap().contains(&("events", 1)));
}

#[tokio::test]
async fn a_trace_shows_what_is_handled_while_somebody_looks() {
    let fixture = Fixture::new().await;
    let look = || fixture.directory.trace(7, address(1));
    assert_eq!(look(), None, "it sleeps");
    fixture.run(1, "add").await.unwrap();
    let part = look().unwrap().unwrap();
    assert_eq!((part.lines.len(), part.skipped), (0, 0), "it begins now");
    Origin(0xbeef).scope(fixture.run(1, "add")).await.unwrap();
    let part = look().unwrap().unwrap();
    let line = &part.lines[0];
    assert_eq!(line.kind, "Detach");
    assert_eq!(line.request.as_deref(), Some("000000000000beef"));
    assert_eq!((line.writes, line.events), (2, 1));
    // Nobody takes it: it is counted and dropped.
    for _ in 0..limits::TRACE_LINES {
        fixture.run(1, "add").await.unwrap();
    }
    let part = look().unwrap().unwrap();
    assert_eq!(part.lines.len(), limits::TRACE_LINES);
    assert!(part.skipped > 0);
    for trace in 8..8 + limits::TRACES as u64 - 1 {
        let begun = fixture.directory.trace(trace, address(1)).unwrap();
        assert!(begun.is_ok());
    }
    let one_more = fixture.directory.trace(99, address(1)).unwrap();
    assert_eq!(one_more, Err(TooManyTraces));
    let later = Millis(limits::TRACE_IDLE_MS + 1);
    fixture.directory.taps().sweep(later);
    let counters = fixture.directory.counters_of(address(1)).unwrap();
    assert!(!counters.is_tapped(), "nobody looks any more");
    assert!(fixture.directory.trace(99, address(1)).unwrap().is_ok());
}

#[tokio::test]
async fn what_comes_back_to_a_life_that_is_over_does_not_wait_for_the_next_one() {
    let mut fixture = Fixture::new().await;
    fixture.run(1, "add").await.unwrap();
    fixture.announced(address(1)).await;
    fixture.store.hold_commits();
    let directory = fixture.directory.clone();
    let asking = async move { directory.ask(UserId(1), script("add")).await };
    let asking = tokio::spawn(asking);
    fixture.store.commit_is_held().await;
    assert!(fixture.directory.restart(address(1)));
    let unknown = asking.await.unwrap().unwrap_err();
    assert_eq!(unknown.code, ErrorCode::Unavailable);
    // It settles for the life that is over.
    fixture.store.release_commits();
    assert_eq!(fixture.announced(address(1)).await, 2, "and it is durable");
    assert_eq!(fixture.count(1).await, Ok(2));
    let view = fixture.directory.look(address(1)).unwrap();
    assert_eq!(view.depth, 0);
    while fixture.directory.passivate(address(1), PATIENCE).await == Some(false) {
        tokio::task::yield_now().await;
    }
    assert!(!fixture.is_active(1), "it could not go before");
}
