//! The rules one by one, and a member step by step. What they make together is shown by `actors/tests/simulation`.

mod member;
mod rules;

use rookery_protocol::document::{IncarnationId, Table};
use rookery_protocol::time::Millis;

use super::{Begin, Op, Verdict};
use crate::store::memory::MemoryStore;
use crate::store::{self, Store};
use crate::testkit::ready;

fn id(node: &str, number: u64) -> IncarnationId {
    IncarnationId {
        node: node.to_owned(),
        number,
    }
}

fn apply(store: &MemoryStore, op: &Op) -> Verdict {
    let verdict = ready(store::transact(store, op)).expect("the store answers");
    // Whatever it is, done again it is the same.
    let again = ready(store::transact(store, op)).expect("the store answers");
    assert!(
        verdict == again || matches!(verdict, Verdict::Refused(_)),
        "{op:?}"
    );
    verdict
}

fn row<T: Table>(store: &MemoryStore, key: &rookery_protocol::document::Key) -> Option<T::Row> {
    ready(store::get::<T>(store, key)).expect("the store answers")
}

fn begin(node: &str, last: u64, worker: u16, holder: Option<IncarnationId>) -> Begin {
    Begin {
        node: node.to_owned(),
        address: String::new(),
        process: 77,
        last,
        worker,
        holder,
        lanes: 1,
        at: Millis(1),
    }
}

/// Fences the lanes of an incarnation and marks it.
fn fence(store: &MemoryStore, who: &IncarnationId) {
    ready(store.fence(&super::lane(who, 0))).expect("the store answers");
    let op = Op::Fenced { who: who.clone() };
    assert_eq!(apply(store, &op), Verdict::Done);
}
