//! Rate limits.

use std::time::Duration;

use rookery_actors::entity::Clock;
use rookery_node::clock::SystemClock;
use rookery_node::ephemeral::Ephemeral;
use rookery_node::limit::{Decision, Quota, Take};

use super::Fixture;
use crate::harness::soon;

/// A token of each bucket.
pub async fn take(layer: &Ephemeral, buckets: &[(&str, Quota)]) -> Vec<Decision> {
    let takes = buckets.iter().map(|(bucket, quota)| Take {
        bucket: (*bucket).to_owned(),
        quota: *quota,
    });
    let takes: Vec<Take> = takes.collect();
    layer.buckets.take(&takes, SystemClock::new().now()).await
}

async fn one(layer: &Ephemeral, bucket: &str, quota: Quota) -> Decision {
    let decisions = take(layer, &[(bucket, quota)]).await;
    assert_eq!(decisions.len(), 1);
    decisions[0]
}

/// An hour is longer than any test.
pub const HOURLY: Quota = Quota::per_seconds(4, 3_600);

/// The whole bucket at once, and then one token per share of the period.
pub async fn a_bucket_gives_its_tokens_and_then_says_when_to_come_back(fixture: &impl Fixture) {
    let layer = fixture.layer();
    let share_ms = HOURLY.period_ms / 4;
    for left in (0..4).rev() {
        let decision = one(layer, "ada", HOURLY).await;
        assert!(decision.is_allowed);
        assert_eq!((decision.limit, decision.remaining), (4, left));
        assert_eq!(decision.retry_after_ms, 0);
        let full = share_ms * u64::from(4 - left);
        assert!((full - 30_000..=full).contains(&decision.reset_after_ms));
    }
    for _ in 0..3 {
        let refused = one(layer, "ada", HOURLY).await;
        assert!(!refused.is_allowed);
        assert_eq!(refused.remaining, 0);
        assert!((share_ms - 30_000..=share_ms).contains(&refused.retry_after_ms));
    }
}

/// When it was said.
pub async fn tokens_come_back(fixture: &impl Fixture) {
    let layer = fixture.layer();
    let quota = Quota {
        count: 1,
        period_ms: 2_000,
    };
    assert!(one(layer, "ada", quota).await.is_allowed);
    let refused = one(layer, "ada", quota).await;
    assert!(!refused.is_allowed);
    // This is the interval it asked for.
    tokio::time::sleep(Duration::from_millis(refused.retry_after_ms)).await;
    // Its clock and ours tick apart.
    soon("a token", async {
        while !one(layer, "ada", quota).await.is_allowed {}
    })
    .await;
}

/// Whatever they are called.
pub async fn buckets_are_apart(fixture: &impl Fixture) {
    let layer = fixture.layer();
    let quota = Quota::per_seconds(1, 3_600);
    for bucket in ["user:1", "user:11", "user:1:", "address:::1", "é *?[\n"] {
        assert!(one(layer, bucket, quota).await.is_allowed, "{bucket}");
        assert!(!one(layer, bucket, quota).await.is_allowed, "{bucket}");
    }
}

/// Those behind it are not asked; those in front of it have given a token.
pub async fn a_row_of_buckets_ends_at_the_first_that_is_empty(fixture: &impl Fixture) {
    let layer = fixture.layer();
    let single = Quota::per_seconds(1, 3_600);
    let row = [("first", HOURLY), ("second", single), ("third", single)];
    let allowed = take(layer, &row).await;
    assert!(allowed.len() == 3 && allowed.iter().all(|d| d.is_allowed));
    let row = [("first", HOURLY), ("second", single), ("fourth", single)];
    let refused = take(layer, &row).await;
    assert_eq!(refused.len(), 2);
    assert!(refused[0].is_allowed && !refused[1].is_allowed);
    assert!(one(layer, "fourth", single).await.is_allowed);
    assert_eq!(one(layer, "first", HOURLY).await.remaining, 1);
}
