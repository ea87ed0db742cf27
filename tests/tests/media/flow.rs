//! What people notice: voices, pictures, layers.

use std::time::Duration;

use rookery_node::voice::media::MediaEvent;
use rookery_protocol::client::voice::StreamKind;
use rookery_protocol::ids::UserId;
use rookery_tests::voice::{Layout, World};

const SOON: Duration = Duration::from_secs(8);
/// Bandwidth has to be found first.
const LATER: Duration = Duration::from_secs(20);

/// Three people who all want to see the others.
fn three() -> World {
    let mut world = World::new();
    for _ in 0..3 {
        world.join(Layout::PERSON);
    }
    for place in 0..3 {
        let others: Vec<_> = (0..3).filter(|o| *o != place).map(|o| (o, 720)).collect();
        world.want(place, &others);
    }
    assert!(world.connected(), "all connect");
    world
}

#[test]
fn three_hear_and_see_each_other() {
    let mut world = three();
    let all = world.until(SOON, |world| {
        world.clients.iter().all(|client| {
            let seen = client.video.iter().filter(|(_, v)| v.frames >= 60).count();
            let heard: std::collections::BTreeSet<_> = client
                .audio
                .iter()
                .flat_map(|(_, audio)| audio.of.iter().filter(|(_, n)| **n >= 50))
                .map(|(user, _)| *user)
                .collect();
            seen == 2 && heard.len() == 2 && !heard.contains(&client.user.0)
        })
    });
    for client in &world.clients {
        for (mid, video) in &client.video {
            eprintln!("{} {mid} video {video:?}", client.user);
        }
        for (mid, audio) in &client.audio {
            eprintln!("{} {mid} audio {audio:?}", client.user);
        }
    }
    assert!(
        all,
        "everybody gets two pictures and two voices: {:?}",
        world.media.load()
    );
    for client in &world.clients {
        for (_, video) in &client.video {
            assert_eq!(video.errors, 0, "{video:?}");
            assert_ne!(video.last.map(|c| c.user), Some(client.user.0), "himself");
        }
        for (_, audio) in &client.audio {
            assert_eq!(audio.errors, 0, "{audio:?}");
        }
    }
    let events = world.events();
    for user in 1..=3 {
        let spoke = events
            .iter()
            .any(|e| matches!(e, MediaEvent::Speaking(UserId(u), true) if *u == user));
        assert!(spoke, "{user} is said to speak");
    }
}

#[test]
fn packets_of_a_picture_that_is_never_whole_are_passed_on_all_the_same() {
    let mut world = World::new();
    let publisher = Layout {
        microphone: false,
        ..Layout::PERSON
    };
    world.join(publisher);
    world.join(Layout::VIEWER);
    for source in &mut world.clients[0].sources {
        source.torn = true;
    }
    world.want(1, &[(0, 720)]);
    assert!(world.connected(), "all connect");
    let got = world.until(SOON, |world| world.clients[1].video[0].1.packets >= 60);
    assert!(got, "{:?}", world.clients[1].video);
    assert_eq!(world.clients[1].video[0].1.frames, 0, "none is whole");
}

#[test]
fn a_viewer_gets_the_layer_of_the_size_he_wants() {
    let mut world = three();
    let mut slots = Vec::new();
    for (height, layer, rid) in [(180, 0, "q"), (720, 2, "f"), (360, 1, "h")] {
        world.want(0, &[(1, height)]);
        let got = world.until(LATER, |world| {
            world.learn(0, &mut slots);
            let told = slots.iter().any(|slot| {
                slot.stream == Some(StreamKind::Camera) && slot.rid.as_deref() == Some(rid)
            });
            let mut seen = world.clients[0].video.iter();
            told && seen.any(|(_, v)| v.last.is_some_and(|c| c.user == 2 && c.layer == layer))
        });
        assert!(got, "layer {layer} for {height} pixels: {slots:?}");
    }
    for (_, video) in &world.clients[0].video {
        assert_eq!(video.errors, 0, "{video:?}");
    }
}
