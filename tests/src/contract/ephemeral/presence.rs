//! Presence of one node's sessions.

use rookery_actors::relay::SessionRef;
use rookery_node::ephemeral::Ephemeral;
use rookery_node::presence::{At, Kin};
use rookery_protocol::client::presence::{Platform, Said, Status};
use rookery_protocol::ids::{GroupId, UserId};

use super::{ADA, BEN, Fixture};

/// A group.
pub const GROUP: GroupId = GroupId(100);

/// A session.
pub fn at(slot: u32) -> At {
    At {
        lane: 0,
        session: SessionRef {
            slot,
            generation: 0,
        },
    }
}

/// A session of a user in the group.
pub fn enter(layer: &Ephemeral, slot: u32, user: UserId, status: Status) {
    let said = Said {
        status,
        activities: Vec::new(),
    };
    layer.presence.open(at(slot), user, said, Platform::Web);
    layer.presence.enter(at(slot), user, GROUP);
}

/// Who is online in the group as somebody sees it.
pub fn online(layer: &Ephemeral, viewer: UserId) -> Vec<(UserId, Status)> {
    let online = layer.presence.online(Some(viewer), GROUP).into_iter();
    online
        .map(|(user, presence)| (user, presence.status))
        .collect()
}

/// And the most active one counts.
pub async fn who_enters_is_online_until_his_last_session_ends(fixture: &impl Fixture) {
    let layer = fixture.layer();
    enter(layer, 1, ADA, Status::Idle);
    enter(layer, 2, ADA, Status::Online);
    assert_eq!(online(layer, BEN), [(ADA, Status::Online)]);
    layer.presence.close(at(2), ADA);
    assert_eq!(online(layer, BEN), [(ADA, Status::Idle)]);
    layer.presence.close(at(1), ADA);
    assert_eq!(online(layer, BEN), []);
    assert_eq!(layer.presence.count(GROUP), 0);
}

/// Until they say otherwise.
pub async fn the_invisible_are_not_online(fixture: &impl Fixture) {
    let layer = fixture.layer();
    enter(layer, 1, ADA, Status::Offline);
    assert_eq!(online(layer, BEN), []);
    layer.presence.set(at(1), ADA, Said::default());
    assert_eq!(online(layer, BEN), [(ADA, Status::Online)]);
}

/// In both directions.
pub async fn blocks_hide(fixture: &impl Fixture) {
    let layer = fixture.layer();
    enter(layer, 1, ADA, Status::Online);
    enter(layer, 2, BEN, Status::Online);
    let blocks = Kin {
        friends: Vec::new(),
        blocked: vec![BEN],
    };
    layer.presence.relate(ADA, blocks);
    assert_eq!(online(layer, ADA), [(ADA, Status::Online)]);
    assert_eq!(online(layer, BEN), [(BEN, Status::Online)]);
}
