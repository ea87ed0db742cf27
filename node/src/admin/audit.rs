//! The audit log of what operators do: written down before it is done, and what became of it behind.

use rookery_actors::entity::Clock;
use rookery_actors::store::{self, Named, Order, Rule, Scan, StoreError, Write, delete_up_to, put};
use rookery_protocol::document::{ActRow, AdminActs, CorruptRow, Key, Part, Table, TableId};
use rookery_protocol::inspect::{Act, ActRecord};
use rookery_protocol::limits;
use rookery_protocol::snowflake;
use rookery_protocol::time::Millis;

use crate::app::App;

/// Puts a row, and trims what is too old.
struct Note {
    key: Key,
    row: ActRow,
    /// Everything up to this id is too old.
    trim: Option<u64>,
}

impl Rule for Note {
    type Verdict = ();

    fn rows(&self) -> Vec<(TableId, Key)> {
        vec![(AdminActs::ID, self.key.clone())]
    }

    fn decide(&self, _: &Named<'_>) -> Result<(Vec<Write>, ()), CorruptRow> {
        let mut writes = vec![put::<AdminActs>(self.key.clone(), &self.row)];
        if let Some(last) = self.trim {
            writes.push(delete_up_to::<AdminActs>(0, last));
        }
        Ok((writes, ()))
    }
}

/// An act that is written down, and whose outcome is not known yet.
pub(crate) struct Noted {
    id: u64,
    row: ActRow,
}

/// Writes down what is about to be done.
///
/// # Errors
/// The store does not take it: then it must not be done.
pub(crate) async fn note(app: &App, by: &str, act: &Act) -> Result<Noted, String> {
    let id = app.ids.mint().map_err(|refusal| refusal.to_string())?;
    let now = app.clock.now();
    let row = ActRow {
        at: now,
        node: app.config.node.clone(),
        by: by.to_owned(),
        act: act.clone(),
        outcome: None,
    };
    let oldest = now.0.saturating_sub(limits::ADMIN_ACT_MS);
    let note = Note {
        key: Key::new(0, id),
        row: row.clone(),
        trim: Some(snowflake::floor(Millis(oldest))),
    };
    let noted = store::transact(app.store.as_ref(), &note).await;
    noted.map_err(|error| format!("it cannot be written into the audit log: {error}"))?;
    tracing::info!(by, %act, "an operator acts");
    Ok(Noted { id, row })
}

/// Writes down what became of it.
pub(crate) async fn close(app: &App, noted: Noted, outcome: &str) {
    let note = Note {
        key: Key::new(0, noted.id),
        row: ActRow {
            outcome: Some(outcome.to_owned()),
            ..noted.row
        },
        trim: None,
    };
    if let Err(error) = store::transact(app.store.as_ref(), &note).await {
        tracing::warn!(%error, "what became of an operator's act could not be written down");
    }
}

/// The latest acts, the newest first.
///
/// # Errors
/// The store does not answer.
pub(super) async fn list(app: &App, limit: usize) -> Result<Vec<ActRecord>, StoreError> {
    let scan = Scan {
        table: AdminActs::ID,
        partition: Part::Num(0),
        above: None,
        below: None,
        order: Order::Descending,
        limit,
    };
    let mut records = Vec::new();
    for (key, row) in store::scan::<AdminActs>(app.store.as_ref(), scan).await? {
        let id = match key.sort {
            Part::Num(id) => id.to_string(),
            Part::Text(id) => id,
        };
        records.push(ActRecord {
            id,
            at_ms: row.at.0,
            node: row.node,
            by: row.by,
            act: row.act,
            outcome: row.outcome,
        });
    }
    Ok(records)
}
