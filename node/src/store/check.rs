//! `rookery store check`: what is wrong with a store, in one sentence each. The process that holds the store looks it over:
//! the serving node, asked through its admin socket, or else the command.

use rookery_actors::store::{SharedStore, Snapshot, Snapshots, StoreError};
use rookery_protocol::archive::grouped;
use rookery_protocol::document::{self, CorruptRow, Key, Part, SCHEMA, TableId};
use rookery_protocol::inspect::{CheckLine, StoreReport};
use rookery_protocol::limits::WALK_PAGE;
use tokio::sync::mpsc;

use super::{Opened, driver, is_embedded, place};
use crate::admin::client::Admin;
use crate::backup::restore;
use crate::config::Config;
use crate::progress::{Progress, Tally};

/// Problems that are told; of more it is said how many.
const PROBLEMS: usize = 100;
/// Rows between two lines of progress.
const STEP: u64 = 10_000;

/// Where lines of a check go.
pub type Lines = mpsc::Sender<CheckLine>;

/// Looks the store of the settings over. Never fails: what cannot be done is a problem of the report.
pub async fn check(config: &Config, is_quick: bool) -> StoreReport {
    let mut progress = Progress::new("check");
    let mut report = None;
    let mut take = |line| match line {
        CheckLine::Progress { rows, of } => progress.show(Tally {
            done: rows,
            of,
            rows,
            files: 0,
            bytes: 0,
        }),
        CheckLine::Report(found) => report = Some(found),
    };
    let admin = if is_embedded(config) {
        Admin::connect(&config.data).await
    } else {
        Ok(None)
    };
    let problem = match admin {
        Ok(Some(admin)) => match admin.check(is_quick, &mut take).await {
            Ok(()) => None,
            Err(error) => Some(error.to_string()),
        },
        Ok(None) => alone(config, is_quick, &mut take).await,
        Err(error) => Some(error.to_string()),
    };
    let mut report = report.unwrap_or_else(|| empty(config));
    report.problems.extend(problem);
    report.ok = report.problems.is_empty();
    report
}

/// Opens the store and looks it over; says why it cannot.
async fn alone(
    config: &Config,
    is_quick: bool,
    take: &mut impl FnMut(CheckLine),
) -> Option<String> {
    let opened = match Opened::open_existing(config).await {
        Ok(opened) => opened,
        Err(error) => return Some(error.to_string()),
    };
    let damage = if is_quick {
        None
    } else {
        opened.check_integrity().await
    };
    let (out, mut lines) = mpsc::channel(1);
    let (shared, snapshots) = (opened.shared(), opened.snapshots());
    let look = async {
        let mut report = empty(config);
        look(&mut report, &shared, snapshots.as_ref(), is_quick, &out).await;
        drop(out);
        report
    };
    let show = async {
        while let Some(line) = lines.recv().await {
            take(line);
        }
    };
    let (report, ()) = tokio::join!(look, show);
    take(CheckLine::Report(report));
    drop((shared, snapshots));
    opened.close().await;
    damage
}

/// Looks over the store of this node, while it serves.
pub async fn serving(
    config: &Config,
    store: &SharedStore,
    snapshots: &dyn Snapshots,
    is_quick: bool,
    out: &Lines,
) {
    let mut report = empty(config);
    report.serving = true;
    look(&mut report, store, snapshots, is_quick, out).await;
    // Nobody waits for it: nobody is told.
    let _ = out.send(CheckLine::Report(report)).await;
}

fn empty(config: &Config) -> StoreReport {
    StoreReport {
        ok: true,
        driver: driver(config).to_owned(),
        place: place(config),
        schema: None,
        serving: false,
        rows: None,
        problems: Vec::new(),
    }
}

/// A report in lines.
pub fn for_people(report: &StoreReport) -> String {
    let mut lines = vec![format!("store: {} in {}", report.driver, report.place)];
    if let Some(schema) = report.schema {
        let by = if report.serving {
            ", looked over by the node that serves"
        } else {
            ""
        };
        lines.push(format!("schema: {schema}{by}"));
    }
    if let Some(rows) = report.rows {
        lines.push(format!("rows: {} read", grouped(rows)));
    }
    if report.ok {
        lines.push("nothing is wrong".to_owned());
    }
    let problems = report.problems.iter();
    lines.extend(problems.map(|problem| format!("wrong: {problem}")));
    lines.join("\n")
}

async fn look(
    report: &mut StoreReport,
    store: &SharedStore,
    snapshots: &dyn Snapshots,
    is_quick: bool,
    out: &Lines,
) {
    report.schema = Some(SCHEMA);
    match restore::is_marked(store).await {
        Ok(false) => {}
        Ok(true) => report.problems.push(
            "a restore into the store was interrupted or is under way: run `rookery backup restore` again"
                .to_owned(),
        ),
        Err(error) => report.problems.push(error.to_string()),
    }
    if !is_quick {
        match snapshots.snapshot().await {
            Ok(snapshot) => rows(report, snapshot.as_ref(), out).await,
            Err(error) => report.problems.push(error.to_string()),
        }
    }
    report.ok = report.problems.is_empty();
}

/// Reads every row as what it should be.
async fn rows(report: &mut StoreReport, snapshot: &dyn Snapshot, out: &Lines) {
    let mut reading = Reading {
        snapshot,
        out,
        of: 0,
        rows: 0,
        told: 0,
        problems: Problems::default(),
    };
    for table in TableId::ALL {
        reading.of += snapshot.count(table).await.unwrap_or_default();
    }
    for table in TableId::ALL {
        if let Err(error) = reading.table(table).await {
            let problem = format!("{table} cannot be read to its end: {error}");
            reading.problems.add(problem);
        }
    }
    report.rows = Some(reading.rows);
    report.problems.extend(reading.problems.finish());
}

struct Reading<'a> {
    snapshot: &'a dyn Snapshot,
    out: &'a Lines,
    /// About how many rows there are, how many were read, and how many were when that was last told.
    of: u64,
    rows: u64,
    told: u64,
    problems: Problems,
}

impl Reading<'_> {
    async fn table(&mut self, table: TableId) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.snapshot.walk(table, after.as_ref(), WALK_PAGE).await?;
            for (key, row) in &page {
                if let Err(CorruptRow { source, .. }) = document::check(table, row) {
                    let key = shown(key);
                    self.problems
                        .add(format!("the row {key} of {table} is corrupt: {source}"));
                }
            }
            self.rows += page.len() as u64;
            if self.rows >= self.told + STEP {
                self.told = self.rows;
                let (rows, of) = (self.rows, self.of);
                // Nobody waits for it: it ends soon.
                let _ = self.out.send(CheckLine::Progress { rows, of }).await;
            }
            match page.into_iter().next_back() {
                Some((key, _)) => after = Some(key),
                None => return Ok(()),
            }
        }
    }
}

/// A key for people.
fn shown(key: &Key) -> String {
    let part = |part: &Part| match part {
        Part::Num(number) => number.to_string(),
        Part::Text(text) => format!("{text:?}"),
    };
    format!("({}, {})", part(&key.partition), part(&key.sort))
}

/// The first problems, and how many there are.
#[derive(Default)]
struct Problems {
    told: Vec<String>,
    more: u64,
}

impl Problems {
    fn add(&mut self, sentence: String) {
        if self.told.len() < PROBLEMS {
            self.told.push(sentence);
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("and {} more like these", self.more));
        }
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_actors::store::memory::MemoryStore;
    use rookery_actors::store::{Store, Write};
    use std::sync::Arc;

    #[tokio::test]
    async fn every_corrupt_row_is_named_and_too_many_are_counted() {
        let store = Arc::new(MemoryStore::new());
        let put = |table, key, row: &[u8]| Write::Put {
            table,
            key,
            row: row.to_vec(),
        };
        let writes: Vec<Write> = (0..2 * PROBLEMS as u64)
            .map(|n| put(TableId::Messages, Key::new(7, n), b"x"))
            .chain([put(TableId::Usernames, Key::single("ada"), b"\x05\0\0\0\0")])
            .collect();
        let decide = |_: &[Option<Vec<u8>>]| writes.clone();
        store.transact(&[], &decide).await.unwrap();
        let (out, mut lines) = mpsc::channel(8);
        let shared: SharedStore = store.clone();
        serving(&Config::default(), &shared, store.as_ref(), false, &out).await;
        let Some(CheckLine::Report(report)) = lines.recv().await else {
            panic!("no report");
        };
        assert!(!report.ok && report.serving);
        assert_eq!(report.rows, Some(2 * PROBLEMS as u64 + 1));
        assert_eq!(report.problems.len(), PROBLEMS + 1);
        let first = &report.problems[0];
        assert!(first.contains("(\"ada\", 0) of usernames"), "{first}");
        assert!(report.problems[1].contains("(7, 0) of messages"));
        assert_eq!(report.problems[PROBLEMS], "and 101 more like these");
        serving(&Config::default(), &shared, store.as_ref(), true, &out).await;
        let Some(CheckLine::Report(quick)) = lines.recv().await else {
            panic!("no report");
        };
        assert!(quick.ok && quick.rows.is_none());
    }
}
