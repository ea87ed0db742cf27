//! Rates of nodes, from two samples of their counters.

use std::collections::{BTreeMap, VecDeque};

use rookery_protocol::inspect::{NodeRow, Nodes};

/// How many samples of the cluster are kept.
const HISTORY: usize = 60;

/// Samples that are closer to each other than this are one: nobody can tell a rate from them.
const APART_MS: u64 = 500;

/// What a node does a second.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rate {
    /// Messages handled by its actors.
    pub handled: f64,
    /// Events written to sessions.
    pub deliveries: f64,
    /// Commits.
    pub commits: f64,
    /// Seconds of processor time: 1 is a core.
    pub cpu: f64,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    incarnation: u64,
    uptime_ms: u64,
    handled: u64,
    deliveries: u64,
    commits: u64,
    cpu_ms: u64,
}

impl Sample {
    fn of(row: &NodeRow) -> Self {
        Self {
            incarnation: row.incarnation,
            uptime_ms: row.uptime_ms,
            handled: row.handled,
            deliveries: row.deliveries,
            commits: row.commit.commits,
            cpu_ms: row.cpu_ms,
        }
    }

    /// None: they are too close to each other.
    fn since(&self, before: &Self) -> Option<Rate> {
        if self.uptime_ms < before.uptime_ms.saturating_add(APART_MS) {
            return None;
        }
        let seconds = (self.uptime_ms - before.uptime_ms) as f64 / 1_000.0;
        let per_second = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
        Some(Rate {
            handled: per_second(self.handled, before.handled),
            deliveries: per_second(self.deliveries, before.deliveries),
            commits: per_second(self.commits, before.commits),
            cpu: per_second(self.cpu_ms, before.cpu_ms) / 1_000.0,
        })
    }
}

/// The rates of all nodes.
#[derive(Debug, Default)]
pub struct Rates {
    nodes: BTreeMap<String, (Sample, Option<Rate>)>,
    history: VecDeque<u64>,
}

impl Rates {
    /// Learns the counters of an answer.
    pub fn learn(&mut self, nodes: &Nodes) {
        self.nodes.retain(|name, _| {
            nodes.nodes.iter().any(|row| row.node == *name)
                || nodes.silent.iter().any(|silent| silent.node == *name)
        });
        for row in &nodes.nodes {
            let sample = Sample::of(row);
            let before = self.nodes.get(&row.node);
            let before = before.filter(|(it, _)| it.incarnation == sample.incarnation);
            let rate = match before.map(|(before, _)| sample.since(before)) {
                Some(None) => continue,
                known => known.flatten(),
            };
            self.nodes.insert(row.node.clone(), (sample, rate));
        }
        if let Some(total) = self.total(nodes) {
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rate is not negative, and a picture is drawn of it"
            )]
            self.history.push_back(total.handled as u64);
        }
    }

    /// A node's, once it was seen twice.
    pub fn of(&self, node: &str) -> Option<Rate> {
        self.nodes.get(node)?.1
    }

    /// Those of all nodes that answered, in all.
    pub fn total(&self, nodes: &Nodes) -> Option<Rate> {
        let known = nodes.nodes.iter().filter_map(|row| self.of(&row.node));
        known.fold(None, |sum: Option<Rate>, rate| {
            let sum = sum.unwrap_or_default();
            Some(Rate {
                handled: sum.handled + rate.handled,
                deliveries: sum.deliveries + rate.deliveries,
                commits: sum.commits + rate.commits,
                cpu: sum.cpu + rate.cpu,
            })
        })
    }

    /// Messages a second in the cluster, the latest last.
    pub fn history(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.history.iter().copied()
    }
}
