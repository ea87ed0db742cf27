//! Whole rooms: who gets what.

use rookery_protocol::client::voice::{MediaRights, StreamKind, Streams};
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;

use super::fixture::{ALL, Fixture, packet, sections, to};
use crate::sfu::{Codec, Codecs, Effect, PeerIndex, Sections, SlotIndex};

const CAMERA: StreamKind = StreamKind::Camera;
const ME: PeerIndex = PeerIndex(0);

fn voice(from: u32, number: u64) -> crate::sfu::Arrival {
    packet(PeerIndex(from), StreamKind::Audio, 0, number)
}

fn picture(from: u32, layer: u8, number: u64, keyframe: bool) -> crate::sfu::Arrival {
    crate::sfu::Arrival {
        keyframe,
        ..packet(PeerIndex(from), CAMERA, layer, number)
    }
}

#[test]
fn a_voice_goes_to_all_others_and_never_back() {
    let mut fixture = Fixture::new(3);
    assert_eq!(to(&fixture.packet(&voice(1, 0))), [0, 2]);
}

#[test]
fn who_may_not_speak_is_not_heard_and_is_not_said_to_speak() {
    let mut fixture = Fixture::new(2);
    for number in 0..10 {
        fixture.packet(&voice(1, number));
    }
    let muted = MediaRights {
        speak: false,
        ..ALL
    };
    fixture.taken();
    let now = fixture.now;
    fixture
        .room
        .allow(now, PeerIndex(1), muted, &mut fixture.effects);
    let silent = Effect::Speaking {
        user: UserId(1),
        speaking: false,
    };
    assert!(fixture.taken().contains(&silent));
    assert_eq!(fixture.packet(&voice(1, 11)), []);
    assert_eq!(fixture.taken(), []);
    fixture
        .room
        .allow(now, PeerIndex(1), ALL, &mut fixture.effects);
    assert_eq!(to(&fixture.packet(&voice(1, 12))), [0]);
}

#[test]
fn who_is_deafened_gets_no_voices_but_pictures() {
    let mut fixture = Fixture::new(3);
    let deaf = MediaRights { hear: false, ..ALL };
    let now = fixture.now;
    fixture.room.allow(now, ME, deaf, &mut fixture.effects);
    fixture.want(0, &[(1, CAMERA, 720)]);
    assert_eq!(to(&fixture.packet(&voice(1, 0))), [2]);
    fixture.packet(&picture(1, 2, 0, true));
    assert_eq!(to(&fixture.packet(&picture(1, 2, 1, true))), [0]);
}

#[test]
fn a_camera_is_forwarded_only_while_it_may_and_is_said_to_be_sent() {
    let mut fixture = Fixture::new(2);
    fixture.want(0, &[(1, CAMERA, 720)]);
    fixture.packet(&picture(1, 2, 0, true));
    assert_eq!(to(&fixture.packet(&picture(1, 2, 1, true))), [0]);
    let now = fixture.now;
    let off = Streams::default();
    fixture
        .room
        .streams(now, PeerIndex(1), off, &mut fixture.effects);
    assert_eq!(fixture.packet(&picture(1, 2, 2, true)), []);
    let on = Streams {
        camera: true,
        screen: false,
    };
    fixture
        .room
        .streams(now, PeerIndex(1), on, &mut fixture.effects);
    assert_eq!(fixture.packet(&picture(1, 2, 3, false)), [], "no keyframe");
    assert_eq!(to(&fixture.packet(&picture(1, 2, 4, true))), [0]);
    let rights = MediaRights {
        stream: false,
        ..ALL
    };
    fixture
        .room
        .allow(now, PeerIndex(1), rights, &mut fixture.effects);
    assert_eq!(fixture.packet(&picture(1, 2, 5, true)), []);
}

#[test]
fn a_layer_switches_at_a_keyframe_and_the_old_one_plays_until_then() {
    let mut fixture = Fixture::new(2);
    fixture.want(0, &[(1, CAMERA, 180)]);
    for layer in 0..3 {
        fixture.packet(&picture(1, layer, 0, false));
    }
    assert_eq!(to(&fixture.packet(&picture(1, 0, 1, true))), [0]);
    fixture.want(0, &[(1, CAMERA, 720)]);
    assert_eq!(to(&fixture.packet(&picture(1, 0, 2, false))), [0]);
    assert_eq!(fixture.packet(&picture(1, 2, 1, false)), []);
    let switched = fixture.packet(&picture(1, 2, 2, true));
    assert_eq!(switched.len(), 1);
    assert_eq!(switched[0].seq, 3, "after the two of the old layer");
    assert_eq!(fixture.packet(&picture(1, 0, 3, true)), []);
}

#[test]
fn a_subscriber_needs_no_pli_and_requests_are_merged_and_repeated_until_a_keyframe_comes() {
    let mut fixture = Fixture::new(12);
    fixture.packet(&picture(1, 2, 0, false));
    fixture.taken();
    for viewer in 2..12 {
        fixture.want(viewer, &[(1, CAMERA, 720)]);
    }
    assert_eq!(fixture.asked(), [(1, 2)], "at once, and once for ten");
    // The layer goes on without one.
    for number in 1..=20 {
        fixture.packet(&picture(1, 2, number, false));
        fixture.pass(100);
    }
    let asked = fixture.asked().len();
    let most = usize::try_from(2_000 / limits::KEYFRAME_MERGE_MS).unwrap();
    assert!((most - 1..=most).contains(&asked), "{asked} in 2 s");
    let forwarded = fixture.packet(&picture(1, 2, 21, true));
    assert_eq!(forwarded.len(), 10);
    fixture.pass(1_000);
    assert_eq!(fixture.asked(), [], "nobody waits any more");
    let now = fixture.now;
    for viewer in 2..5 {
        fixture.room.keyframe_wanted(
            now,
            PeerIndex(viewer),
            SlotIndex::Video(0),
            &mut fixture.effects,
        );
    }
    assert_eq!(fixture.asked(), [(1, 2)]);
}

#[test]
fn bandwidth_that_falls_takes_the_layer_down_and_pauses_then_comes_back() {
    let mut fixture = Fixture::new(2);
    fixture.want(0, &[(1, CAMERA, 720)]);
    let mut number = 0;
    // Four packets of 1,000 bytes in 100 ms of the smallest, 8 and 16 of the others: 320, 640 and 1,280 kbit/s.
    let mut second = |fixture: &mut Fixture| {
        let mut got = Vec::new();
        for _ in 0..10 {
            for (layer, packets) in [(0, 4), (1, 8), (2, 16)] {
                for _ in 0..packets {
                    number += 1;
                    let packet = crate::sfu::Arrival {
                        bytes: 1_000,
                        ..picture(1, layer, number, true)
                    };
                    if !fixture.packet(&packet).is_empty() {
                        got.push(layer);
                    }
                }
            }
            fixture.pass(100);
        }
        got.pop()
    };
    let set = |fixture: &mut Fixture, bps| {
        let now = fixture.now;
        fixture
            .room
            .estimate(now, ME, Some(bps), &mut fixture.effects);
    };
    second(&mut fixture);
    assert_eq!(second(&mut fixture), Some(2), "unbounded");
    set(&mut fixture, 1_000_000);
    assert_eq!(second(&mut fixture), Some(1));
    set(&mut fixture, 500_000);
    assert_eq!(second(&mut fixture), Some(0));
    fixture.taken();
    let is_said = |fixture: &mut Fixture| {
        fixture.taken().into_iter().any(|effect| {
            matches!(effect, Effect::Slots { peer: ME, slots } if slots[0].paused && slots[0].stream.is_some())
        })
    };
    // A dip: the picture plays on at its smallest layer.
    for bps in [100_000, 500_000, 100_000] {
        set(&mut fixture, bps);
        for _ in 1..limits::PAUSE_PATIENCE_MS / 1_000 {
            assert_eq!(second(&mut fixture), Some(0), "{bps}");
        }
        assert!(!is_said(&mut fixture), "{bps}");
    }
    // It lasts.
    second(&mut fixture);
    second(&mut fixture);
    assert!(is_said(&mut fixture));
    assert_eq!(second(&mut fixture), None);
    set(&mut fixture, 5_000_000);
    second(&mut fixture);
    second(&mut fixture);
    assert_eq!(second(&mut fixture), Some(2));
}

#[test]
fn the_sound_of_a_screen_plays_for_those_who_see_it() {
    let mut fixture = Fixture::new(3);
    fixture.want(0, &[(1, StreamKind::Screen, 1_080)]);
    let sound = |number| packet(PeerIndex(1), StreamKind::ScreenAudio, 0, number);
    assert_eq!(to(&fixture.packet(&sound(0))), [0]);
    fixture.want(0, &[]);
    assert_eq!(fixture.packet(&sound(1)), []);
}

#[test]
fn a_layer_that_falls_silent_gives_way_to_another() {
    let mut fixture = Fixture::new(2);
    fixture.want(0, &[(1, CAMERA, 720)]);
    for layer in 0..3 {
        fixture.packet(&picture(1, layer, 0, true));
    }
    fixture.packet(&picture(1, 2, 1, true));
    fixture.taken();
    for number in 2..30 {
        fixture.packet(&picture(1, 1, number, false));
        fixture.pass(100);
    }
    assert!(fixture.asked().contains(&(1, 1)), "the next lower one");
    assert_eq!(to(&fixture.packet(&picture(1, 1, 30, true))), [0]);
}

#[test]
fn a_codec_that_a_viewer_does_not_have_is_not_sent_to_him() {
    let mut fixture = Fixture::new(1);
    let publisher = fixture.join(1, sections());
    fixture.want(0, &[(1, CAMERA, 720)]);
    let codecs = Codecs::default().with(Codec::Opus).with(Codec::H264);
    let other = fixture.join(
        2,
        Sections {
            codecs,
            ..sections()
        },
    );
    fixture.want(other.0, &[(1, CAMERA, 720)]);
    for number in 0..3 {
        let forwards = fixture.packet(&picture(publisher.0, 2, number, true));
        assert!(!to(&forwards).contains(&other.0));
    }
}

#[test]
fn nothing_is_sent_to_who_is_not_connected_and_he_begins_anew_when_he_is_back() {
    let mut fixture = Fixture::new(2);
    fixture.want(0, &[(1, CAMERA, 720)]);
    fixture.packet(&picture(1, 2, 0, true));
    fixture.packet(&picture(1, 2, 1, true));
    let now = fixture.now;
    fixture.room.connected(now, ME, false, &mut fixture.effects);
    assert_eq!(fixture.packet(&picture(1, 2, 2, true)), []);
    fixture.pass(1_000);
    fixture.taken();
    let now = fixture.now;
    fixture.room.connected(now, ME, true, &mut fixture.effects);
    assert_eq!(fixture.asked(), [(1, 2)]);
    assert_eq!(fixture.packet(&picture(1, 2, 3, false)), []);
    assert_eq!(to(&fixture.packet(&picture(1, 2, 4, true))), [0]);
}

#[test]
fn who_leaves_is_seen_and_heard_no_more_and_his_place_is_clean_for_another() {
    let mut fixture = Fixture::new(3);
    fixture.want(0, &[(1, CAMERA, 720)]);
    fixture.want(1, &[(2, CAMERA, 720)]);
    fixture.packet(&voice(1, 0));
    fixture.packet(&picture(1, 2, 0, true));
    let now = fixture.now;
    fixture.taken();
    fixture.room.leave(now, PeerIndex(1), &mut fixture.effects);
    let told = fixture.taken().into_iter().any(|effect| {
        matches!(effect, Effect::Slots { peer: ME, slots } if slots.iter().any(|s| s.slot == SlotIndex::Video(0) && s.stream.is_none()))
    });
    assert!(told, "the viewer's slot is empty");
    let again = fixture.join(7, sections());
    assert_eq!(again, PeerIndex(1), "the place is used again");
    assert_eq!(fixture.packet(&picture(1, 2, 1, true)), []);
    assert_eq!(fixture.packet(&picture(2, 2, 0, true)), []);
    assert_eq!(fixture.packet(&picture(2, 2, 1, true)), []);
}

#[test]
fn the_room_has_room_for_so_many() {
    let mut fixture = Fixture::new(0);
    for user in 0..limits::ROOM_PEERS as u64 {
        let joined = fixture.room.join(UserId(user), ALL, Sections::default());
        assert!(joined.is_some());
    }
    assert_eq!(fixture.room.join(UserId(0), ALL, Sections::default()), None);
    assert_eq!(fixture.room.len(), limits::ROOM_PEERS);
}

#[test]
fn when_a_peer_that_came_late_goes_the_one_before_is_its_user_again() {
    let mut fixture = Fixture::new(2);
    fixture.want(0, &[(1, CAMERA, 720)]);
    let late = fixture.join(1, sections());
    let now = fixture.now;
    fixture.room.leave(now, late, &mut fixture.effects);
    fixture.packet(&picture(1, 2, 0, true));
    assert_eq!(to(&fixture.packet(&picture(1, 2, 1, true))), [0]);
}

#[test]
fn nobody_is_asked_for_keyframes_that_the_viewer_cannot_decode() {
    let mut fixture = Fixture::new(2);
    let codecs = Codecs::default().with(Codec::Opus).with(Codec::H264);
    let viewer = fixture.join(
        2,
        Sections {
            codecs,
            ..sections()
        },
    );
    fixture.want(viewer.0, &[(1, CAMERA, 720)]);
    for number in 0..20 {
        fixture.packet(&picture(1, 2, number, number == 0));
        fixture.pass(100);
    }
    assert_eq!(fixture.asked(), []);
    // It is sent in another codec, which begins with a keyframe.
    let other = |number, keyframe| crate::sfu::Arrival {
        codec: Codec::H264,
        ..picture(1, 2, number, keyframe)
    };
    assert_eq!(fixture.packet(&other(20, false)), []);
    assert_eq!(to(&fixture.packet(&other(21, true))), [viewer.0]);
}
