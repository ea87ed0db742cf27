//! The member with its shell, over a store that fails when told to.

use rookery_actors::entity::Clock;
use rookery_actors::store::memory::MemoryStore;
use rookery_actors::store::{self, Store};
use rookery_protocol::document::{Incarnations, Key, Table, Workers};
use rookery_protocol::snowflake::created_at;

use super::*;

fn start(store: &Arc<MemoryStore>, node: &str, alone: bool) -> (Ownership, Arc<SystemClock>) {
    let clock = Arc::new(SystemClock::new());
    let shared: SharedStore = store.clone();
    let sharing = if alone {
        Sharing::Alone
    } else {
        Sharing::Unlinked
    };
    let ownership = Ownership::start(shared, sharing, node, Arc::clone(&clock));
    (ownership, clock)
}

async fn ceiling(store: &MemoryStore, worker: u16) -> rookery_protocol::time::Millis {
    let row = store::get::<Workers>(store, &Key::new(0, u64::from(worker))).await;
    row.unwrap().unwrap().ceiling
}

#[tokio::test]
async fn incarnations_and_ids_rise_over_crashes_and_orderly_ends() {
    let store = Arc::new(MemoryStore::new());
    let mut last = 0;
    for number in 1..=4 {
        let (ownership, clock) = start(&store, "n", true);
        let run = ownership.run().await.unwrap();
        assert_eq!((run.id.node.as_str(), run.id.number), ("n", number));
        assert!(run.tenure.holds(clock.boot()));
        for _ in 0..5_000 {
            assert!(run.minter.has_room());
            let id = run.minter.mint(clock.now());
            assert!(id > last);
            last = id;
            assert!(created_at(id) < ceiling(&store, 0).await);
        }
        if number % 2 == 0 {
            ownership.end().await;
            // Nothing but what was minted is gone.
            assert_eq!(ceiling(&store, 0).await, created_at(last).plus(1));
        }
    }
}

#[tokio::test]
async fn who_is_thrown_out_by_a_namesake_ends() {
    let store = Arc::new(MemoryStore::new());
    let (first, _) = start(&store, "n", false);
    let run = first.run().await.unwrap();
    let (second, _) = start(&store, "n", false);
    assert_eq!(second.run().await.unwrap().id.number, run.id.number + 1);
    run.lost().await;
    let name = "n".to_owned();
    assert_eq!(
        first.run().await.unwrap_err(),
        OwnershipError::Superseded(name)
    );
}

#[tokio::test]
async fn a_command_does_not_throw_a_running_node_out() {
    let store = Arc::new(MemoryStore::new());
    let shared: SharedStore = store.clone();
    is_not_running(&shared, "n").await.unwrap();
    let (ownership, _) = start(&store, "n", false);
    ownership.run().await.unwrap();
    let name = "n".to_owned();
    assert_eq!(
        is_not_running(&shared, "n").await,
        Err(OwnershipError::Running(name))
    );
    ownership.end().await;
    is_not_running(&shared, "n").await.unwrap();
}

#[tokio::test]
async fn a_lease_ends_while_the_store_is_away_and_holds_again_afterwards() {
    let store = Arc::new(MemoryStore::new());
    let (ownership, clock) = start(&store, "n", false);
    let run = ownership.run().await.unwrap();
    store.set_unavailable(true);
    while run.tenure.holds(clock.boot()) {
        tokio::task::yield_now().await;
    }
    store.set_unavailable(false);
    while !run.tenure.holds(clock.boot()) {
        tokio::task::yield_now().await;
    }
    let again = ownership.run().await.unwrap();
    assert_eq!(again.id, run.id, "nobody was condemned");
    let row = store.get(Incarnations::ID, &run.id.key()).await;
    assert!(row.unwrap().is_some());
}
