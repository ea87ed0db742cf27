//! Profiles.

use std::sync::Arc;

use rookery_node::ephemeral::{Ephemeral, Known, Reading};
use rookery_protocol::ids::UserId;
use rookery_protocol::profile::Profile;

use super::Fixture;

/// Somebody.
pub const ADA: UserId = UserId(1);
/// Somebody else.
pub const BEN: UserId = UserId(2);

/// A profile at some version, whose name shows which.
pub fn known(user: UserId, version: u64) -> Arc<Known> {
    Arc::new(Known {
        version,
        profile: Profile {
            username: format!("name-{version}"),
            ..Profile::deleted(user)
        },
    })
}

/// The version that is known of a user, and a reading that begins now.
pub async fn look(layer: &Ephemeral, user: UserId) -> (Option<u64>, Reading) {
    let looked = layer.profiles.look(&[user]).await;
    let version = looked.known.iter().find(|known| known.profile.id == user);
    (version.map(|known| known.version), looked.reading)
}

/// As it was, and of nobody else.
pub async fn what_is_offered_is_known(fixture: &impl Fixture) {
    let layer = fixture.layer();
    let looked = layer.profiles.look(&[ADA, BEN]).await;
    assert!(looked.known.is_empty());
    layer.profiles.offer(looked.reading, known(ADA, 3));
    let looked = layer.profiles.look(&[BEN, ADA]).await;
    assert_eq!(looked.known, [known(ADA, 3)]);
}

/// However they come.
pub async fn an_older_version_is_not_kept_over_a_newer_one(fixture: &impl Fixture) {
    let layer = fixture.layer();
    let (_, reading) = look(layer, ADA).await;
    for (offered, kept) in [(3, 3), (2, 3), (4, 4)] {
        layer.profiles.offer(reading, known(ADA, offered));
        assert_eq!(look(layer, ADA).await.0, Some(kept));
    }
}

/// It read what was there before.
pub async fn a_reading_older_than_an_invalidation_is_not_kept(fixture: &impl Fixture) {
    let layer = fixture.layer();
    let (_, reading) = look(layer, ADA).await;
    layer.profiles.invalidate(ADA, 2);
    layer.profiles.offer(reading, known(ADA, 1));
    assert_eq!(look(layer, ADA).await.0, None);
    layer.profiles.offer(reading, known(BEN, 1));
    assert_eq!(look(layer, BEN).await.0, Some(1));
    let (_, reading) = look(layer, ADA).await;
    layer.profiles.offer(reading, known(ADA, 2));
    assert_eq!(look(layer, ADA).await.0, Some(2));
    layer.profiles.invalidate(ADA, 3);
    assert_eq!(look(layer, ADA).await.0, None);
}

/// Invalidations come late and twice.
pub async fn what_is_as_new_as_an_invalidation_stays(fixture: &impl Fixture) {
    let layer = fixture.layer();
    let (_, reading) = look(layer, ADA).await;
    layer.profiles.offer(reading, known(ADA, 2));
    layer.profiles.invalidate(ADA, 2);
    layer.profiles.invalidate(ADA, 1);
    assert_eq!(look(layer, ADA).await.0, Some(2));
}
