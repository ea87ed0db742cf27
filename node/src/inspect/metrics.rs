//! `/metrics` for Prometheus. Labels are the node, and kinds of actors, messages and warnings; never an id.
//!
//! What is counted is counted by the node's own counters, which cost a few nanoseconds; from them the values are set when somebody
//! asks. Histograms are fed once a second with what came to each bucket, so that nothing piles up in between.

use std::collections::HashMap;

use metrics::{Label, counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use parking_lot::Mutex;
use rookery_actors::entity::{Buckets, bucket_end_ns};
use rookery_protocol::inspect::{ActorKind, WarningKind};

use super::{Inspector, process};

/// How long messages waited.
const WAIT: &str = "rookery_message_wait_seconds";
/// How long handling them took.
const HANDLE: &str = "rookery_message_handle_seconds";
/// The ends of the buckets that Prometheus sees, in powers of two of the first: 16 us to 17 s.
const SHOWN: [usize; 11] = [4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24];

type Fed = HashMap<(ActorKind, &'static str), (Buckets, Buckets)>;

pub(super) struct Metrics {
    node: String,
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    fed: Mutex<Fed>,
}

#[allow(
    clippy::cast_precision_loss,
    reason = "Prometheus knows no other numbers"
)]
fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

#[allow(
    clippy::cast_precision_loss,
    reason = "Prometheus knows no other numbers"
)]
fn number(count: u64) -> f64 {
    count as f64
}

impl Metrics {
    pub(super) fn new(node: &str) -> Self {
        let ends = SHOWN.map(|index| seconds(bucket_end_ns(index)));
        // It fails only for no buckets at all.
        let builder = PrometheusBuilder::new().set_buckets(&ends);
        let builder = builder.unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        Self {
            node: node.to_owned(),
            handle: recorder.handle(),
            recorder,
            fed: Mutex::default(),
        }
    }

    fn label(&self) -> Vec<Label> {
        vec![Label::new("node", self.node.clone())]
    }

    fn labels<const N: usize>(&self, more: [(&'static str, String); N]) -> Vec<Label> {
        let more = more
            .into_iter()
            .map(|(name, value)| Label::new(name, value));
        self.label().into_iter().chain(more).collect()
    }

    /// Takes what came to the histograms since the last time.
    pub(super) fn feed(&self, inspector: &Inspector) {
        let mut fed = self.fed.lock();
        metrics::with_local_recorder(&self.recorder, || {
            for kind in inspector.kinds() {
                let labels = self.labels([
                    ("actor", kind.actor.name().to_owned()),
                    ("kind", kind.kind.to_owned()),
                ]);
                let none = (Buckets::default(), Buckets::default());
                let before = fed.insert((kind.actor, kind.kind), (kind.wait, kind.handle));
                let (wait, handle) = before.unwrap_or(none);
                let pairs = [(WAIT, kind.wait, wait), (HANDLE, kind.handle, handle)];
                for (name, now, before) in pairs {
                    let histogram = histogram!(name, labels.clone());
                    for (index, (now, before)) in now.iter().zip(before).enumerate() {
                        let more = usize::try_from(now.saturating_sub(before)).unwrap_or(0);
                        if more > 0 {
                            // In the middle of its bucket.
                            let at = seconds(bucket_end_ns(index)) * 0.75;
                            histogram.record_many(at, more);
                        }
                    }
                }
            }
        });
        self.handle.run_upkeep();
    }

    /// All of it as a text.
    pub(super) fn render(&self, inspector: &Inspector) -> String {
        self.feed(inspector);
        metrics::with_local_recorder(&self.recorder, || self.set(inspector));
        self.handle.render()
    }

    fn set(&self, inspector: &Inspector) {
        let row = inspector.node_row();
        let node = || self.label();
        let gauges = [
            ("rookery_sessions", row.sessions),
            ("rookery_rooms", row.rooms),
            ("rookery_speakers", row.speakers),
            ("rookery_shards", row.shards),
            ("rookery_mailbox_messages", row.depth),
            ("rookery_commit_units_outstanding", row.commit.outstanding),
            ("process_resident_memory_bytes", process::memory_bytes()),
            ("process_open_fds", row.open_files),
        ];
        for (name, value) in gauges {
            gauge!(name, node()).set(number(value));
        }
        gauge!("rookery_up", self.labels([("state", row.state.clone())])).set(1.0);
        gauge!("rookery_commit_last_seconds", node()).set(seconds(row.commit.last_ns));
        gauge!("rookery_uptime_seconds", node()).set(number(row.uptime_ms) / 1e3);
        gauge!("process_cpu_seconds_total", node()).set(number(row.cpu_ms) / 1e3);
        let counters = [
            ("rookery_commits_total", row.commit.commits),
            ("rookery_commit_units_total", row.commit.units),
            ("rookery_commit_unknown_total", row.commit.unknown),
        ];
        for (name, value) in counters {
            counter!(name, node()).absolute(value);
        }
        for (kind, count) in [
            (ActorKind::User, row.users),
            (ActorKind::Group, row.groups),
            (ActorKind::Room, row.rooms),
        ] {
            let labels = self.labels([("kind", kind.name().to_owned())]);
            gauge!("rookery_actors", labels).set(number(count));
        }
        for (name, value) in inspector.relay().fields() {
            match name {
                "sessions" | "topics" | "log_bytes" => {
                    gauge!(format!("rookery_relay_{name}"), node()).set(number(value));
                }
                _ => counter!(format!("rookery_relay_{name}_total"), node()).absolute(value),
            }
        }
        let warnings: HashMap<WarningKind, u64> = inspector.watchman.lock().counts().collect();
        for kind in WarningKind::ALL {
            let labels = self.labels([("kind", kind.name().to_owned())]);
            let count = warnings.get(&kind).copied().unwrap_or(0);
            counter!("rookery_warnings_total", labels).absolute(count);
        }
        for link in row.links {
            let labels = || self.labels([("peer", link.peer.clone())]);
            gauge!("rookery_link_up", labels()).set(f64::from(u8::from(link.is_up)));
            gauge!("rookery_link_queued_bytes", labels()).set(number(link.queued_bytes));
            counter!("rookery_link_dropped_total", labels()).absolute(link.dropped);
        }
    }
}
