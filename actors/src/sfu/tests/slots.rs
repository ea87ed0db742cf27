//! Who gets which slot.

use rookery_protocol::client::voice::StreamKind;

use super::fixture::{Fixture, packet, sections, slots};
use crate::sfu::{PeerIndex, Sections, SlotIndex};

#[test]
fn what_plays_stays_where_it_is_when_wants_are_reordered() {
    let mut fixture = Fixture::new(4);
    let camera = StreamKind::Camera;
    let at = |fixture: &mut Fixture, of: u32, number| {
        slots(&fixture.packet(&packet(PeerIndex(of), camera, 2, number)))
    };
    fixture.want(0, &[(1, camera, 720), (2, camera, 720)]);
    // The first packet says that the layer is there; the second is a keyframe of what is wanted.
    let mut number = 0;
    let mut seen = |fixture: &mut Fixture, of| {
        number += 2;
        at(fixture, of, number);
        at(fixture, of, number + 1)
    };
    assert_eq!(seen(&mut fixture, 1), [SlotIndex::Video(0)]);
    assert_eq!(seen(&mut fixture, 2), [SlotIndex::Video(1)]);
    fixture.want(0, &[(3, camera, 720), (2, camera, 720)]);
    assert_eq!(seen(&mut fixture, 2), [SlotIndex::Video(1)], "it stays");
    assert_eq!(seen(&mut fixture, 3), [SlotIndex::Video(0)], "the free one");
    assert_eq!(seen(&mut fixture, 1), [], "not wanted any more");
}

#[test]
fn more_wants_than_slots_are_cut_off_in_their_order() {
    let mut fixture = Fixture::new(4);
    let viewer = fixture.join(
        9,
        Sections {
            video_slots: 1,
            ..sections()
        },
    );
    let camera = StreamKind::Camera;
    fixture.want(viewer.0, &[(2, camera, 720), (1, camera, 720)]);
    for number in 0..2 {
        let first = fixture.packet(&packet(PeerIndex(1), camera, 2, number));
        assert_eq!(first, []);
    }
    fixture.packet(&packet(PeerIndex(2), camera, 2, 0));
    let second = fixture.packet(&packet(PeerIndex(2), camera, 2, 1));
    assert_eq!(slots(&second), [SlotIndex::Video(0)]);
}
