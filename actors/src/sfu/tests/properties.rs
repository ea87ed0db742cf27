//! Whatever happens in a room, some things hold.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use rookery_protocol::client::voice::{MediaRights, StreamKind, Streams};
use rookery_protocol::limits;

use super::fixture::{Fixture, packet, sections};
use crate::sfu::{Effect, PeerIndex, SlotIndex, SlotView};

#[derive(Debug, Clone)]
enum Step {
    Join(u64),
    Leave(u32),
    Allow(u32, bool, bool, bool),
    Streams(u32, bool, bool),
    Want(u32, Vec<(u64, bool, u32)>),
    Estimate(u32, Option<u64>),
    Connected(u32, bool),
    Packet(u32, u8, u8, bool, i8),
    KeyframeWanted(u32, u8),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let peer = 0u32..6;
    prop_oneof![
        1 => (0u64..6).prop_map(Step::Join),
        1 => peer.clone().prop_map(Step::Leave),
        1 => (peer.clone(), any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(p, a, b, c)| Step::Allow(p, a, b, c)),
        1 => (peer.clone(), any::<bool>(), any::<bool>()).prop_map(|(p, a, b)| Step::Streams(p, a, b)),
        3 => (peer.clone(), prop::collection::vec((0u64..7, any::<bool>(), 0u32..1_500), 0..7))
            .prop_map(|(p, wants)| Step::Want(p, wants)),
        2 => (peer.clone(), prop::option::of(0u64..4_000_000)).prop_map(|(p, bps)| Step::Estimate(p, bps)),
        1 => (peer.clone(), any::<bool>()).prop_map(|(p, on)| Step::Connected(p, on)),
        20 => (peer.clone(), 0u8..4, 0u8..4, any::<bool>(), -127i8..=0)
            .prop_map(|(p, kind, layer, key, level)| Step::Packet(p, kind, layer, key, level)),
        1 => (peer, 0u8..5).prop_map(|(p, slot)| Step::KeyframeWanted(p, slot)),
        4 => (1u64..600).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn a_room_keeps_its_promises(steps in prop::collection::vec(step(), 1..200)) {
        let mut fixture = Fixture::new(4);
        let mut here: BTreeSet<u32> = (0..4).collect();
        let mut rights: HashMap<u32, MediaRights> = HashMap::new();
        let mut numbers: HashMap<(u32, u8, u8), u64> = HashMap::new();
        // What each slot has got, and what its owner was told that it plays.
        let mut highest: HashMap<(u32, SlotIndex), u64> = HashMap::new();
        let mut told: HashMap<(u32, SlotIndex), SlotView> = HashMap::new();
        let mut asked: HashMap<(u32, StreamKind, u8), u64> = HashMap::new();
        for step in steps {
            let now = fixture.now;
            let mut forwards = Vec::new();
            let mut from = None;
            match step {
                Step::Join(user) => {
                    let index = fixture.join(user, sections());
                    prop_assert!(here.insert(index.0));
                    rights.insert(index.0, super::fixture::ALL);
                }
                Step::Leave(peer) => {
                    here.remove(&peer);
                    highest.retain(|(of, _), _| *of != peer);
                    told.retain(|(of, _), _| *of != peer);
                    asked.retain(|(of, ..), _| *of != peer);
                    fixture.room.leave(now, PeerIndex(peer), &mut fixture.effects);
                }
                Step::Allow(peer, speak, stream, hear) => {
                    let may = MediaRights { speak, stream, hear };
                    if here.contains(&peer) {
                        rights.insert(peer, may);
                    }
                    fixture.room.allow(now, PeerIndex(peer), may, &mut fixture.effects);
                }
                Step::Streams(peer, camera, screen) => {
                    let streams = Streams { camera, screen };
                    fixture.room.streams(now, PeerIndex(peer), streams, &mut fixture.effects);
                }
                Step::Want(peer, wants) => {
                    let wants: Vec<_> = wants
                        .into_iter()
                        .map(|(user, camera, height)| {
                            let kind = if camera { StreamKind::Camera } else { StreamKind::Screen };
                            (user, kind, height)
                        })
                        .collect();
                    fixture.want(peer, &wants);
                }
                Step::Estimate(peer, bps) => {
                    fixture.room.estimate(now, PeerIndex(peer), bps, &mut fixture.effects);
                }
                Step::Connected(peer, on) => {
                    fixture.room.connected(now, PeerIndex(peer), on, &mut fixture.effects);
                }
                Step::Packet(peer, kind, layer, keyframe, level) => {
                    // Sound has one layer.
                    let layer = if StreamKind::ALL[usize::from(kind)].is_video() { layer } else { 0 };
                    let number = numbers.entry((peer, kind, layer)).or_default();
                    *number += 1;
                    let number = *number;
                    let kind = StreamKind::ALL[usize::from(kind)];
                    let arrival = crate::sfu::Arrival {
                        keyframe,
                        level: Some(level),
                        ..packet(PeerIndex(peer), kind, layer, number)
                    };
                    forwards = fixture.packet(&arrival);
                    from = Some((peer, kind));
                }
                Step::KeyframeWanted(peer, slot) => {
                    fixture.room.keyframe_wanted(now, PeerIndex(peer), SlotIndex::Video(slot), &mut fixture.effects);
                }
                Step::Pass(ms) => fixture.pass(ms),
            }
            for (at, effect) in fixture.taken_at() {
                match effect {
                    Effect::Slots { peer, slots } => {
                        for view in slots {
                            prop_assert!(told.insert((peer.0, view.slot), view) != Some(view), "told twice");
                        }
                    }
                    Effect::Keyframe { peer, kind, layer } => {
                        prop_assert!(here.contains(&peer.0));
                        let since = asked.insert((peer.0, kind, layer), at.0).map(|last| at.0 - last);
                        prop_assert!(since.is_none_or(|since| since >= limits::KEYFRAME_MERGE_MS));
                    }
                    Effect::Speaking { .. } | Effect::Desired { .. } | Effect::Demand { .. } => {}
                }
            }
            let mut got = BTreeSet::new();
            for forward in forwards {
                let (publisher, kind) = from.unwrap();
                prop_assert!(here.contains(&forward.to.0) && forward.to.0 != publisher);
                prop_assert!(got.insert((forward.to.0, forward.slot)), "once in a slot");
                let may = rights.get(&publisher).copied().unwrap_or(super::fixture::ALL);
                let allowed = if kind == StreamKind::Audio { may.speak } else { may.stream };
                prop_assert!(allowed);
                let hears = rights.get(&forward.to.0).is_none_or(|rights| rights.hear);
                prop_assert!(kind.is_video() || hears);
                let highest = highest.entry((forward.to.0, forward.slot)).or_default();
                prop_assert_eq!(forward.seq, *highest + 1, "without a gap: no packet was lost");
                *highest = forward.seq;
                let plays = told.get(&(forward.to.0, forward.slot)).and_then(|view| view.stream);
                prop_assert_eq!(plays.map(|(of, _, kind)| (of.0, kind)), Some((publisher, kind)), "as told");
            }
        }
    }
}
