//! What is enforced, and coming and going.

use std::time::{Duration, Instant};

use rookery_node::voice::media::{GoneReason, MediaEvent, PeerId};
use rookery_protocol::client::voice::{MediaRights, Streams};
use rookery_tests::voice::world::ALL;
use rookery_tests::voice::{Client, Layout, World};

const SOON: Duration = Duration::from_secs(8);

fn heard(world: &World, who: usize, whom: usize) -> u64 {
    let of = |audio: &rookery_tests::voice::Audio| audio.of.get(&(whom as u64 + 1)).copied();
    let client = &world.clients[who];
    client.audio.iter().filter_map(|(_, a)| of(a)).sum()
}

fn frames(world: &World, who: usize) -> u64 {
    world.clients[who].video.iter().map(|(_, v)| v.frames).sum()
}

/// Two people; the first watches the second.
fn two() -> World {
    let mut world = World::new();
    world.join(Layout::PERSON);
    world.join(Layout::PERSON);
    world.want(0, &[(1, 720)]);
    assert!(world.connected());
    let flows = world.until(SOON, |w| heard(w, 0, 1) > 20 && frames(w, 0) > 10);
    assert!(flows, "{:?}", world.media.load());
    world
}

#[test]
fn who_is_muted_is_heard_by_nobody_whatever_he_sends() {
    let mut world = two();
    let muted = MediaRights {
        speak: false,
        ..ALL
    };
    world.room.allow(PeerId(2), muted);
    world.run(Duration::from_millis(300));
    let (before, seen) = (heard(&world, 0, 1), frames(&world, 0));
    world.run(Duration::from_secs(1));
    assert_eq!(heard(&world, 0, 1), before);
    assert!(frames(&world, 0) > seen + 10, "the camera goes on");
    world.room.allow(PeerId(2), ALL);
    assert!(world.until(SOON, |w| heard(w, 0, 1) > before + 20));
}

#[test]
fn who_may_not_stream_is_seen_by_nobody() {
    let mut world = two();
    let rights = MediaRights {
        stream: false,
        ..ALL
    };
    world.room.allow(PeerId(2), rights);
    world.run(Duration::from_millis(300));
    let seen = frames(&world, 0);
    world.run(Duration::from_secs(1));
    assert_eq!(frames(&world, 0), seen);
    world.room.allow(PeerId(2), ALL);
    assert!(world.until(SOON, |w| frames(w, 0) > seen + 10));
}

#[test]
fn who_leaves_is_forgotten_and_may_come_again() {
    let mut world = two();
    world.room.leave(PeerId(2));
    world.run(Duration::from_millis(300));
    let (voice, seen, load) = (heard(&world, 0, 1), frames(&world, 0), world.media.load());
    world.events();
    // He goes on sending.
    world.run(Duration::from_secs(1));
    assert_eq!((heard(&world, 0, 1), frames(&world, 0)), (voice, seen));
    let after = world.media.load();
    assert!(after.unknown > load.unknown + 50, "{after:?}");
    assert_eq!(after.peers, 1);
    let gone = |e: &MediaEvent| matches!(e, MediaEvent::Gone(..));
    assert!(!world.events().iter().any(gone), "he was told to leave");

    let (mut client, offer) = Client::new(2, Layout::PERSON).unwrap();
    let answer = world.offer(2, 2, ALL, &offer).unwrap();
    client.accept(&answer).unwrap();
    world.clients[1] = client;
    let streams = Streams {
        camera: true,
        screen: false,
    };
    world.room.streams(PeerId(2), streams);
    let back = world.until(SOON, |w| {
        heard(w, 0, 1) > voice + 20 && frames(w, 0) > seen + 10
    });
    assert!(back, "{:?}", world.media.load());
    for (_, video) in &world.clients[0].video {
        assert_eq!(video.errors, 0, "one stream for the viewer: {video:?}");
    }
}

#[test]
fn who_ends_the_connection_is_gone() {
    let mut world = two();
    world.events();
    world.clients[1].close();
    let gone = world.until(SOON, |w| {
        w.events()
            .iter()
            .any(|e| matches!(e, MediaEvent::Gone(PeerId(2), GoneReason::Closed)))
    });
    assert!(gone);
    assert_eq!(world.media.load().peers, 1);
}

#[test]
fn a_restart_of_ice_moves_the_session_to_another_address() {
    let mut world = two();
    let connected = world.clients[0].connected;
    let offer = world.clients[0].restart().unwrap();
    let answer = world.offer(1, 1, ALL, &offer).unwrap();
    world.clients[0].accept(&answer).unwrap();
    let (voice, seen) = (heard(&world, 0, 1), frames(&world, 0));
    let start = Instant::now();
    let back = world.until(SOON, |w| {
        heard(w, 0, 1) > voice + 20 && frames(w, 0) > seen + 10
    });
    assert!(back, "{:?}", world.media.load());
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(world.clients[0].connected, connected, "the same DTLS");
    assert_eq!(world.media.load().peers, 2);
}

#[test]
fn an_offer_with_other_sections_replaces_the_session_and_keeps_the_wants() {
    let mut world = two();
    let layout = Layout {
        video_slots: 2,
        ..Layout::PERSON
    };
    let (mut client, offer) = Client::new(1, layout).unwrap();
    let answer = world.offer(1, 1, ALL, &offer).unwrap();
    client.accept(&answer).unwrap();
    world.clients[0] = client;
    assert!(world.until(SOON, |w| frames(w, 0) > 10 && heard(w, 0, 1) > 10));
    assert_eq!(world.media.load().peers, 2);
    assert_eq!(world.media.load().failed, 0);
}

#[test]
fn a_peer_that_never_connects_is_gone_in_time() {
    let mut world = World::new();
    let (_silent, offer) = Client::new(1, Layout::PERSON).unwrap();
    world.offer(1, 1, ALL, &offer).unwrap();
    assert_eq!(world.media.load().peers, 1);
    let gone = world.until(Duration::from_secs(40), |w| {
        w.events()
            .iter()
            .any(|e| matches!(e, MediaEvent::Gone(PeerId(1), GoneReason::NeverConnected)))
    });
    assert!(gone);
    assert_eq!(world.media.load().peers, 0);
}

#[test]
fn a_room_that_is_dropped_takes_its_peers_along() {
    let mut world = two();
    let other = world.media.open(2, |_| {});
    let room = std::mem::replace(&mut world.room, other);
    drop(room);
    let empty = world.until(SOON, |w| {
        let load = w.media.load();
        load.rooms == 1 && load.peers == 0
    });
    assert!(empty, "{:?}", world.media.load());
}
