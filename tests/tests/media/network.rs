//! Bad networks.

use std::time::Duration;

use rookery_tests::voice::{Layout, Profile, Relay, Video, World};

/// A publisher on a good network, and a viewer behind a relay who wants his camera large.
fn watched(seed: u64) -> (World, Relay) {
    let mut world = World::new();
    world.join(Layout {
        video_slots: 0,
        ..Layout::PERSON
    });
    let relay = Relay::start(world.address(), seed).unwrap();
    world.join_through(Layout::VIEWER, &relay);
    world.want(1, &[(0, 720)]);
    assert!(world.connected());
    assert!(layer(&mut world, 2, 20), "{:?}", world.clients[1].video);
    (world, relay)
}

/// Waits until the viewer sees a layer.
fn layer(world: &mut World, layer: u8, seconds: u64) -> bool {
    world.until(Duration::from_secs(seconds), |w| {
        w.clients[1].video[0].1.last.map(|c| c.layer) == Some(layer)
    })
}

/// Plays with so much loss both ways, where no picture may stand still longer than `freeze`, and so many must come a second.
fn bears(loss: f64, seconds: u64, freeze: Duration, rate: u64) {
    let (mut world, relay) = watched(7);
    relay.set(Profile {
        loss,
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(5),
        reorder: 0.01,
        ..Profile::default()
    });
    world.run(Duration::from_secs(2));
    world.clients[1].video[0].1.reset_freeze();
    let before = world.clients[1].video[0].1.frames;
    world.run(Duration::from_secs(seconds));
    let video = &world.clients[1].video[0].1;
    assert_eq!(video.errors, 0, "{video:?}");
    let audio = &world.clients[1].audio[0].1;
    assert!(audio.packets > 0 && audio.errors == 0, "{audio:?}");
    stands(video, freeze);
    let rate = seconds * rate / u64::from(slack());
    assert!(video.frames - before >= rate, "{video:?}");
}

/// No picture stood still for so long: on the sender's clock, which a busy machine does not hold up, and with some slack on that of
/// who looks.
fn stands(video: &Video, most: Duration) {
    assert!(video.left_out < most, "{video:?}");
    assert!(video.freeze < most * slack(), "{video:?}");
}

fn is_full() -> bool {
    std::env::var_os("ROOKERY_ROUNDS").is_some()
}

/// How much worse than on a machine of its own (`--full`) it may be: all clients are drawn on the cores that others use, too.
fn slack() -> u32 {
    if is_full() { 1 } else { 3 }
}

#[test]
fn one_percent_loss_is_not_seen() {
    bears(0.01, 10, Duration::from_millis(500), 28);
}

#[test]
fn five_percent_loss_freezes_nothing_for_a_second() {
    let seconds = if is_full() { 60 } else { 15 };
    bears(0.05, seconds, Duration::from_secs(1), 25);
}

#[test]
fn ten_percent_loss_can_be_watched() {
    bears(0.10, 10, Duration::from_secs(2), 20);
}

#[test]
fn a_narrow_way_gets_a_small_layer_and_the_large_one_when_it_is_wide_again() {
    let (mut world, relay) = watched(11);
    relay.down.lock().profile.bps = Some(300_000);
    assert!(
        layer(&mut world, 0, 30),
        "{:?}",
        world.clients[1].video[0].1
    );
    // It stays watchable.
    world.run(Duration::from_secs(2));
    world.clients[1].video[0].1.reset_freeze();
    let before = world.clients[1].video[0].1.frames;
    world.run(Duration::from_secs(6));
    let video = &world.clients[1].video[0].1;
    stands(video, Duration::from_secs(1));
    let rate = 6 * 20 / u64::from(slack());
    assert!(video.frames - before > rate, "{video:?}");
    relay.down.lock().profile.bps = None;
    assert!(
        layer(&mut world, 2, 80),
        "{:?}",
        world.clients[1].video[0].1
    );
}

#[test]
fn after_two_dark_seconds_the_picture_is_back_at_once() {
    let (mut world, relay) = watched(13);
    relay.set(Profile {
        dark: true,
        ..Profile::default()
    });
    world.run(Duration::from_secs(2));
    relay.set(Profile::default());
    let frames = world.clients[1].video[0].1.frames;
    let back = world.until(Duration::from_secs(3), |w| {
        w.clients[1].video[0].1.frames > frames + 10
    });
    assert!(back, "{:?}", world.clients[1].video[0].1);
    assert_eq!(world.clients[1].video[0].1.errors, 0);
}
