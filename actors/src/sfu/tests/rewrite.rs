//! Numbers across switches.

use proptest::prelude::*;
use rookery_protocol::client::voice::StreamKind;
use rookery_protocol::time::Millis;

use super::fixture::packet;
use crate::sfu::{PeerIndex, Picture, Rewriter};

#[test]
fn numbers_start_low_and_go_on_over_a_switch() {
    let mut rewriter = Rewriter::default();
    let first = packet(PeerIndex(7), StreamKind::Camera, 0, 70_000);
    rewriter.start(Millis(0), &first);
    assert_eq!(rewriter.pass(Millis(0), &first).map(|out| out.0), Some(1));
    let second = packet(PeerIndex(7), StreamKind::Camera, 0, 70_001);
    let (seq, time, picture) = rewriter.pass(Millis(33), &second).unwrap();
    assert_eq!(seq, 2);

    // 100 ms later another layer begins.
    let other = packet(PeerIndex(3), StreamKind::Camera, 2, 5);
    rewriter.start(Millis(133), &other);
    let (after, later, next) = rewriter.pass(Millis(133), &other).unwrap();
    assert_eq!(after, 3);
    assert_eq!(later.wrapping_sub(time), 100 * 90, "the time that passed");
    assert_eq!(next.id, picture.id.map(|id| (id + 1) & 0x7fff));
    assert_eq!(next.tl0, picture.tl0.map(|tl0| tl0.wrapping_add(1)));
    assert_eq!(next.key, picture.key.map(|key| (key + 1) & 0x1f));
}

#[test]
fn what_is_older_than_the_switch_is_not_passed_on() {
    let mut rewriter = Rewriter::default();
    rewriter.start(Millis(0), &packet(PeerIndex(0), StreamKind::Camera, 0, 10));
    let old = packet(PeerIndex(0), StreamKind::Camera, 0, 9);
    assert_eq!(rewriter.pass(Millis(0), &old), None);
    rewriter.stop();
    let new = packet(PeerIndex(0), StreamKind::Camera, 0, 11);
    assert_eq!(rewriter.pass(Millis(0), &new), None, "nothing plays");
}

#[test]
fn a_packet_that_comes_late_gets_the_number_that_was_left_for_it() {
    let mut rewriter = Rewriter::default();
    let at = |number| packet(PeerIndex(0), StreamKind::Camera, 0, number);
    rewriter.start(Millis(0), &at(0));
    let mut numbers = Vec::new();
    for number in [0, 1, 3, 4, 2] {
        numbers.extend(rewriter.pass(Millis(number), &at(number)).map(|out| out.0));
    }
    assert_eq!(numbers, [1, 2, 4, 5, 3]);
}

#[test]
fn short_picture_ids_stay_short() {
    let mut rewriter = Rewriter::default();
    let mut last = packet(PeerIndex(0), StreamKind::Camera, 0, 0);
    last.picture = Picture {
        id: Some(0x7fff),
        wide: true,
        ..Picture::default()
    };
    rewriter.start(Millis(0), &last);
    rewriter.pass(Millis(0), &last);
    let mut short = packet(PeerIndex(1), StreamKind::Camera, 0, 0);
    short.picture = Picture {
        id: Some(0x55),
        wide: false,
        ..Picture::default()
    };
    rewriter.start(Millis(1), &short);
    let (.., picture) = rewriter.pass(Millis(1), &short).unwrap();
    assert_eq!(picture.id, Some(0), "one after 0x7fff, in 7 bits");
}

proptest! {
    /// Whatever plays one after the other, the receiver sees one stream: each number once, rising by one, with picture ids
    /// that follow and timestamps that rise.
    #[test]
    fn a_slot_is_one_stream_for_its_receiver(
        sources in prop::collection::vec((0u32..50, 0u8..3, 0u64..100_000, 1u64..30, 1u64..500), 1..20),
    ) {
        let mut rewriter = Rewriter::default();
        let mut now = Millis(5);
        let mut last: Option<(u64, u32, Picture)> = None;
        for (peer, layer, start, count, gap) in sources {
            now = now.plus(gap);
            for number in start..start + count {
                let packet = packet(PeerIndex(peer), StreamKind::Camera, layer, number);
                if number == start {
                    rewriter.start(now, &packet);
                }
                let out = rewriter.pass(now, &packet).unwrap();
                match last {
                    None => prop_assert_eq!(out.0, 1),
                    Some((seq, time, picture)) => {
                        prop_assert_eq!(out.0, seq + 1);
                        let ahead = out.1.wrapping_sub(time);
                        prop_assert!(ahead > 0 && ahead < 1 << 31);
                        prop_assert_eq!(out.2.id, picture.id.map(|id| (id + 1) & 0x7fff));
                        prop_assert_eq!(out.2.tl0, picture.tl0.map(|tl0| tl0.wrapping_add(1)));
                        prop_assert_eq!(out.2.key, picture.key.map(|key| (key + 1) & 0x1f));
                    }
                }
                last = Some(out);
                now = now.plus(33);
            }
        }
    }
}
