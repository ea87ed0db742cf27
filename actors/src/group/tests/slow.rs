//! Slow mode.

use rookery_protocol::document::ChannelKind;
use rookery_protocol::error::{ApiError, ErrorCode};

use super::messages::with_nonce;
use super::*;
use crate::testkit::code;

fn slow(rig: &mut Rig<Group>, seconds: u32) -> ChannelId {
    let text = rig.text();
    rig.edit(|document| {
        let mut channels = document.channels.iter_mut();
        let channel = channels.find(|channel| channel.id == text).unwrap();
        channel.rate_limit_per_user = seconds;
    });
    text
}

#[test]
fn a_member_waits_between_two_messages() {
    let mut rig = community();
    let text = slow(&mut rig, 10);
    rig.post(ADA, "a");
    rig.now = rig.now.plus(2_500);
    let refused = rig.run(message(ADA, text, "b"));
    assert_eq!(refused, Err(ApiError::slow_mode(7_500)));
    // Others, and elsewhere, one need not wait.
    rig.post(BEN, "b");
    let voice = rig.channel(ChannelKind::Voice);
    rig.run(message(ADA, voice, "b")).unwrap();
    rig.run(message(ADA, voice, "c")).unwrap();
    // What is refused does not count.
    rig.now = rig.now.plus(7_499);
    assert_eq!(
        rig.run(message(ADA, text, "b")),
        Err(ApiError::slow_mode(1))
    );
    rig.now = rig.now.plus(1);
    rig.post(ADA, "b");
}

#[test]
fn moderators_and_bots_do_not_wait() {
    let mut rig = community();
    let text = slow(&mut rig, 21_600);
    for by in [OWNER, OWNER] {
        rig.run(message(by, text, "a")).unwrap();
    }
    for held in [
        Permissions::MANAGE_MESSAGES,
        Permissions::MANAGE_CHANNELS,
        Permissions::BYPASS_SLOWMODE,
    ] {
        rig.everyone(Permissions::DEFAULT | held);
        rig.post(ADA, "a");
        rig.post(ADA, "b");
    }
    rig.everyone(Permissions::DEFAULT);
    assert_eq!(code(rig.run(message(ADA, text, "c"))), ErrorCode::SlowMode);
    rig.run(rookery_protocol::command::group::AddBot {
        by: OWNER,
        bot: profile(BOT),
        permissions: Permissions::NONE,
    })
    .unwrap();
    rig.post(BOT, "a");
    rig.post(BOT, "b");
}

#[test]
fn a_repeated_nonce_is_not_a_second_message() {
    let mut rig = community();
    let text = slow(&mut rig, 10);
    let first = rig.run(with_nonce(ADA, text, "a", 1)).unwrap();
    assert!(rig.run(with_nonce(ADA, text, "a", 1)).unwrap().repeated);
    rig.crash();
    let again = rig.run(with_nonce(ADA, text, "a", 1)).unwrap();
    assert_eq!(again.message, first.message);
    let refused = rig.run(with_nonce(ADA, text, "a", 2));
    assert_eq!(code(refused), ErrorCode::SlowMode);
}

#[test]
fn a_crash_ends_nobodys_wait() {
    let mut rig = community();
    let text = slow(&mut rig, 10);
    rig.post(ADA, "a");
    for _ in 0..1_500 {
        rig.now = rig.now.plus(1);
        rig.post(OWNER, "much");
    }
    rig.crash();
    rig.now = rig.now.plus(500);
    let refused = rig.run(message(ADA, text, "b"));
    assert_eq!(refused, Err(ApiError::slow_mode(8_000)));
    rig.now = rig.now.plus(8_000);
    rig.crash();
    rig.post(ADA, "b");
}
