//! A peer's statistics from the totals that its session tells.

use std::time::Instant;

use rookery_protocol::client::voice::Stats;
use str0m::stats::PeerStats;

/// What was told last.
#[derive(Debug, Default)]
pub(super) struct Meter {
    last: Option<(Instant, u64, u64)>,
}

impl Meter {
    /// The statistics since the last time; none the first time.
    pub(super) fn read(&mut self, stats: &PeerStats) -> Option<Stats> {
        let now = (stats.timestamp, stats.peer_bytes_rx, stats.peer_bytes_tx);
        let (since, up, down) = self.last.replace(now)?;
        let passed = now.0.saturating_duration_since(since);
        let ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        let bps = |new: u64, old: u64| {
            new.saturating_sub(old)
                .saturating_mul(8_000)
                .checked_div(ms)
        };
        Some(Stats {
            rtt_ms: stats.rtt.map(|rtt| rtt.as_secs_f32() * 1_000.0),
            up_loss: stats.ingress_loss_fraction.unwrap_or(0.0),
            up_bps: bps(now.1, up)?,
            down_loss: stats.egress_loss_fraction.unwrap_or(0.0),
            down_bps: bps(now.2, down)?,
            estimate_bps: stats.bwe_tx.map(|bitrate| bitrate.as_u64()),
        })
    }
}
