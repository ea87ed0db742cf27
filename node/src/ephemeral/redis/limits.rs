//! Rate limits that nodes share: all buckets of a request in one round trip.
//!
//! Instants are Redis's: nodes whose clocks differ agree, since what goes over the wire is in how long a bucket is full. The
//! node's own table learns what Redis says, so that a client gains nothing when Redis is away or comes back empty, and
//! whom the table refuses already is not asked about.

use std::sync::Arc;

use ::redis::Script;
use async_trait::async_trait;
use rookery_protocol::time::Millis;

use super::link::{Link, Patience};
use super::names::Names;
use crate::ephemeral::counters::Cells;
use crate::limit::{Buckets, Decision, Limiter, Take};

pub(super) fn script() -> Script {
    Script::new(include_str!("limits.lua"))
}

/// Rate limits over Redis.
pub(super) struct RedisBuckets {
    link: Arc<Link>,
    names: Arc<Names>,
    cells: Arc<Cells>,
    script: Script,
    own: Limiter<String>,
}

impl RedisBuckets {
    pub(super) fn new(link: Arc<Link>, names: Arc<Names>, cells: Arc<Cells>) -> Self {
        Self {
            link,
            names,
            cells,
            script: script(),
            own: Limiter::new(),
        }
    }

    async fn shared(&self, takes: &[Take], known: &[u64], now: Millis) -> Option<Vec<Decision>> {
        let live = self.link.live()?;
        let mut call = self.script.prepare_invoke();
        for (take, known) in takes.iter().zip(known) {
            call.key(self.names.bucket(&take.bucket));
            call.arg(take.quota.share_us());
            call.arg(take.quota.period_us());
            call.arg(*known);
        }
        let answers: Vec<u64> = self.link.script(live, Patience::Request, &call).await?;
        let answers = takes.iter().zip(answers.chunks_exact(2));
        let decisions = answers.map(|(take, answer)| {
            let (is_allowed, full_in) = (answer[0] == 1, answer[1]);
            // As of before the question, so that the table never refuses what Redis would allow.
            self.own.learn(&take.bucket, full_in, now);
            Decision::of(is_allowed, full_in, take.quota)
        });
        Some(decisions.collect())
    }
}

#[async_trait]
impl Buckets for RedisBuckets {
    async fn take(&self, takes: &[Take], now: Millis) -> Vec<Decision> {
        let known = takes.iter().map(|take| self.own.full_in(&take.bucket, now));
        let known: Vec<u64> = known.collect();
        let mut each = takes.iter().zip(&known);
        let is_open = each.all(|(take, known)| take.quota.allows(*known));
        if is_open && let Some(decisions) = self.shared(takes, &known, now).await {
            self.cells.limits_shared.one();
            return decisions;
        }
        self.cells.limits_alone.one();
        self.own.take_each(takes, now)
    }
}
