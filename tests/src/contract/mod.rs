//! What every driver of the store must do. [`store_contract!`](crate::store_contract) runs all of it on a [`Fixture`].

mod durability;
pub mod ephemeral;
mod fixtures;
mod lanes;
mod model;
mod mongo;
mod rows;
mod scans;
mod snapshots;
mod transactions;
mod units;

use rookery_actors::store::{Commit, Committed, LaneId, Order, Scan, SharedStore, Unit, Write};
use rookery_protocol::document::{Key, Part, TableId};
use rookery_protocol::ids::GroupId;

pub use durability::*;
pub use fixtures::{Fixture, Memory, Redb, RedbPowerCut};
pub use lanes::*;
pub use model::*;
pub use mongo::{Mongo, MongoKilled, SHARED_MONGO, fresh_database};
pub use rows::*;
pub use scans::*;
pub use snapshots::*;
pub use transactions::*;
pub use units::*;

/// Makes a module of tests, one per demand of the contract.
#[macro_export]
macro_rules! store_contract {
    ($module:ident, $fixture:ty) => {
        $crate::store_contract!(@each $module, $fixture:
            rows_are_put_replaced_and_deleted,
            delete_up_to_is_inclusive_and_stays_in_its_partition,
            big_rows_are_kept_whole,
            scans_honour_bounds_order_and_limit,
            scans_order_numbers_before_texts,
            scans_stay_in_their_partition,
            crossed_bounds_are_an_empty_range,
            a_walk_in_pages_sees_every_row_once,
            tables_are_apart,
            writes_of_a_unit_apply_in_order,
            a_refused_unit_leaves_the_others,
            a_later_unit_sees_an_earlier_one,
            a_unit_that_cannot_be_stored_is_refused,
            rows_said_to_be_new_are_replaced_all_the_same,
            the_last_commit_can_be_repeated,
            commits_out_of_order_are_turned_away,
            a_lane_that_was_never_opened_does_not_commit,
            opening_a_lane_again_tells_where_it_stands,
            a_fence_stops_a_lane_for_ever,
            a_fence_before_the_opening_prevents_it,
            a_repetition_behind_a_fence_is_answered,
            lanes_are_apart,
            two_writers_at_once_lose_nothing,
            what_is_committed_survives_a_crash,
            a_commit_is_repeated_across_a_crash,
            a_fence_survives_a_crash,
            a_snapshot_does_not_see_what_comes_later,
            a_snapshot_sees_whole_commits_only,
            a_snapshot_counts_its_rows,
            a_decision_sees_its_rows_and_writes,
            a_decision_may_write_nothing,
            a_repeated_decision_recognises_itself,
            of_two_claimants_exactly_one_wins,
            decisions_at_once_lose_nothing,
            a_row_that_was_only_read_is_guarded,
            decisions_and_commits_of_the_same_rows_take_turns,
            a_decision_over_thousands_of_rows,
            random_commits_match_a_model,
        );
    };
    (@each $module:ident, $fixture:ty: $($name:ident),* $(,)?) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    $crate::contract::run(async {
                        let mut fixture = <$fixture as $crate::contract::Fixture>::new().await;
                        $crate::contract::$name(&mut fixture).await;
                    });
                }
            )*
        }
    };
}

/// Runs a check on a runtime of its own.
pub fn run(check: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime.expect("a runtime starts").block_on(check);
}

/// No unit is refused.
const NONE: [usize; 0] = [];

/// The table most checks use.
const TABLE: TableId = TableId::Messages;

fn lane(incarnation: u64) -> LaneId {
    LaneId {
        node: "node-1".to_owned(),
        incarnation,
        index: 0,
    }
}

fn put(key: Key, row: &[u8]) -> Write {
    put_in(TABLE, key, row)
}

fn put_in(table: TableId, key: Key, row: &[u8]) -> Write {
    Write::Put {
        table,
        key,
        row: row.to_vec(),
    }
}

fn delete(key: Key) -> Write {
    Write::Delete { table: TABLE, key }
}

fn unit(writes: Vec<Write>) -> Unit {
    unit_if_absent(Vec::new(), writes)
}

fn unit_if_absent(absent: Vec<(TableId, Key)>, writes: Vec<Write>) -> Unit {
    Unit {
        entity: GroupId(1).into(),
        absent,
        writes,
    }
}

fn commit_of(lane: &LaneId, seq: u64, units: Vec<Unit>) -> Commit {
    Commit {
        lane: lane.clone(),
        seq,
        units,
    }
}

/// A lane with its place, for checks that are about rows.
struct Writer {
    store: SharedStore,
    lane: LaneId,
    seq: u64,
}

impl Writer {
    async fn open(store: SharedStore, incarnation: u64) -> Self {
        let lane = lane(incarnation);
        let seq = store.open_lane(&lane).await.expect("the lane opens");
        Self { store, lane, seq }
    }

    /// Commits units and returns which were refused.
    async fn commit(&mut self, units: Vec<Unit>) -> Vec<usize> {
        self.seq += 1;
        let commit = commit_of(&self.lane, self.seq, units);
        let Committed { refused } = self.store.commit(&commit).await.expect("it commits");
        refused
    }

    /// Commits one unit that must not be refused.
    async fn write(&mut self, writes: Vec<Write>) {
        assert_eq!(self.commit(vec![unit(writes)]).await, NONE);
    }
}

async fn get(store: &SharedStore, key: &Key) -> Option<Vec<u8>> {
    store.get(TABLE, key).await.expect("the store answers")
}

fn whole(partition: impl Into<Part>) -> Scan {
    Scan {
        table: TABLE,
        partition: partition.into(),
        above: None,
        below: None,
        order: Order::Ascending,
        limit: usize::MAX,
    }
}

/// The places a scan finds.
async fn places(store: &SharedStore, scan: &Scan) -> Vec<Part> {
    let rows = store.scan(scan).await.expect("the store answers");
    rows.into_iter()
        .map(|(key, _)| {
            assert_eq!(key.partition, scan.partition);
            key.sort
        })
        .collect()
}

fn numbers(of: impl IntoIterator<Item = u64>) -> Vec<Part> {
    of.into_iter().map(Part::Num).collect()
}
