//! What those who send are told of how large it is seen.

use rookery_protocol::client::voice::{StreamKind, Streams};
use rookery_protocol::limits::DEMAND_CALM_MS;

use super::fixture::{Fixture, sections};
use crate::sfu::{Effect, PeerIndex, Sections};

/// Whom was told what, since the last time.
fn told(fixture: &mut Fixture) -> Vec<(u32, StreamKind, u32)> {
    let effects = fixture.taken().into_iter();
    let told = effects.filter_map(|effect| match effect {
        Effect::Demand { peer, kind, height } => Some((peer.0, kind, height)),
        _ => None,
    });
    told.collect()
}

#[test]
fn less_is_told_after_a_while_and_more_at_once() {
    let mut fixture = Fixture::new(3);
    fixture.want(1, &[(0, StreamKind::Camera, 180)]);
    fixture.want(2, &[(0, StreamKind::Camera, 720)]);
    fixture.pass(DEMAND_CALM_MS - 100);
    assert_eq!(told(&mut fixture), [], "until then all is sent");
    fixture.pass(200);
    let mut all = told(&mut fixture);
    all.sort_unstable();
    let nobody = |peer| [(peer, StreamKind::Camera, 0), (peer, StreamKind::Screen, 0)];
    let mut expected = vec![(0, StreamKind::Camera, 720), (0, StreamKind::Screen, 0)];
    expected.extend(nobody(1));
    expected.extend(nobody(2));
    expected.sort_unstable();
    assert_eq!(all, expected);

    fixture.want(2, &[]);
    fixture.pass(DEMAND_CALM_MS - 100);
    fixture.want(2, &[(0, StreamKind::Camera, 720)]);
    fixture.pass(DEMAND_CALM_MS * 2);
    assert_eq!(told(&mut fixture), [], "it was not for long");

    fixture.want(2, &[]);
    fixture.pass(DEMAND_CALM_MS + 100);
    assert_eq!(told(&mut fixture), [(0, StreamKind::Camera, 180)]);
    fixture.want(1, &[(0, StreamKind::Camera, 360)]);
    assert_eq!(told(&mut fixture), [(0, StreamKind::Camera, 360)]);
    fixture.want(1, &[(0, StreamKind::Screen, 1_080)]);
    assert_eq!(told(&mut fixture), [(0, StreamKind::Screen, 1_080)]);
    fixture.pass(DEMAND_CALM_MS + 100);
    assert_eq!(told(&mut fixture), [(0, StreamKind::Camera, 0)]);
}

#[test]
fn who_watched_and_left_demands_nothing() {
    let mut fixture = Fixture::new(2);
    fixture.want(1, &[(0, StreamKind::Camera, 360)]);
    fixture.pass(DEMAND_CALM_MS + 100);
    told(&mut fixture);
    fixture
        .room
        .leave(fixture.now, PeerIndex(1), &mut fixture.effects);
    fixture.pass(DEMAND_CALM_MS + 100);
    assert_eq!(told(&mut fixture), [(0, StreamKind::Camera, 0)]);
}

#[test]
fn who_can_send_a_screen_and_no_camera_is_told_of_the_screen() {
    let mut fixture = Fixture::new(1);
    let screen_only = Sections {
        camera: None,
        ..sections()
    };
    fixture.join(1, screen_only);
    let streams = Streams {
        camera: false,
        screen: true,
    };
    let out = &mut fixture.effects;
    fixture
        .room
        .streams(fixture.now, PeerIndex(1), streams, out);
    fixture.want(0, &[(1, StreamKind::Screen, 1_080)]);
    fixture.pass(DEMAND_CALM_MS + 100);
    let told = told(&mut fixture);
    let screen: Vec<_> = told.into_iter().filter(|(peer, ..)| *peer == 1).collect();
    assert_eq!(screen, [(1, StreamKind::Screen, 1_080)]);
}

#[test]
fn whoever_begins_again_is_told_anew_and_whoever_asks_is_told_all() {
    let mut fixture = Fixture::new(2);
    fixture.want(1, &[(0, StreamKind::Camera, 360)]);
    fixture.pass(DEMAND_CALM_MS + 100);
    told(&mut fixture);
    fixture.room.all_slots(PeerIndex(0), &mut fixture.effects);
    let all = [(0, StreamKind::Camera, 360), (0, StreamKind::Screen, 0)];
    assert_eq!(told(&mut fixture), all);
    let off = Streams::default();
    let on = Streams {
        camera: true,
        screen: false,
    };
    for streams in [off, on] {
        let out = &mut fixture.effects;
        fixture
            .room
            .streams(fixture.now, PeerIndex(0), streams, out);
    }
    assert_eq!(told(&mut fixture), [], "he sends all");
    fixture.pass(DEMAND_CALM_MS + 100);
    assert_eq!(told(&mut fixture), [(0, StreamKind::Camera, 360)]);
}
