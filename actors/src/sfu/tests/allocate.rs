//! Which layers fit.

use proptest::prelude::*;

use crate::sfu::{Choice, LayerState, choose};

fn layers(bps: [u64; 3]) -> [LayerState; 3] {
    let heights = [180, 360, 720];
    std::array::from_fn(|index| LayerState {
        active: bps[index] > 0,
        height: heights[index],
        bps: bps[index],
    })
}

#[test]
fn one_stream_gets_the_layer_that_is_wanted_and_fits() {
    let all = layers([100, 400, 1_200]);
    let some = layers([100, 400, 0]);
    let none = layers([0, 0, 0]);
    for (layers, height, current, budget, rising, expected) in [
        (&all, 720, None, None, true, Some(2)),
        (&all, 360, None, None, true, Some(1)),
        (&all, 90, None, None, true, Some(0)),
        (&all, 2_000, None, None, true, Some(2)),
        // A little too small is good enough.
        (&all, 400, None, None, true, Some(1)),
        (&all, 420, None, None, true, Some(2)),
        (&some, 720, None, None, true, Some(1)),
        (&none, 720, None, None, true, None),
        (&none, 720, None, Some(9_999), true, None),
        (&all, 720, None, Some(5_000), true, Some(2)),
        // A layer that one has stays while it fits; one that one has not needs a fifth more.
        (&all, 720, Some(2), Some(1_200), true, Some(2)),
        (&all, 720, Some(1), Some(1_200), true, Some(1)),
        (&all, 720, Some(1), Some(1_440), true, Some(2)),
        (&all, 720, Some(2), Some(1_199), true, Some(1)),
        (&all, 720, Some(2), Some(399), true, Some(0)),
        (&all, 720, Some(2), Some(99), true, None),
        (&all, 720, None, Some(110), true, None),
        (&all, 720, None, Some(120), true, Some(0)),
        // Not rising: what fits, but nothing above what one has.
        (&all, 720, Some(0), Some(5_000), false, Some(0)),
        (&all, 720, Some(2), Some(500), false, Some(1)),
    ] {
        let choice = Choice {
            layers,
            height,
            current,
        };
        assert_eq!(
            choose(&[choice], budget, rising),
            [expected],
            "{height} {current:?} {budget:?} {rising}"
        );
    }
}

#[test]
fn all_get_a_little_before_one_gets_much_and_the_first_gets_more() {
    let all = layers([100, 400, 1_200]);
    let choice = Choice {
        layers: &all,
        height: 720,
        current: None,
    };
    let three = [choice; 3];
    assert_eq!(choose(&three, Some(360), true), [Some(0); 3]);
    assert_eq!(choose(&three, Some(700), true), [Some(1), Some(0), Some(0)]);
    assert_eq!(
        choose(&three, Some(240), true),
        [Some(0), Some(0), None],
        "the last is paused"
    );
}

fn any_layers() -> impl Strategy<Value = Vec<LayerState>> {
    prop::collection::vec((any::<bool>(), 1u32..2_000, 1u64..3_000_000), 0..=3).prop_map(|layers| {
        layers
            .into_iter()
            .map(|(active, height, bps)| LayerState {
                active,
                height,
                bps,
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn what_is_chosen_fits_is_sent_and_is_not_more_than_wanted(
        streams in prop::collection::vec((any_layers(), 1u32..2_000, prop::option::of(0u8..3)), 0..8),
        budget in 0u64..6_000_000,
        rising in any::<bool>(),
    ) {
        let choices: Vec<_> = streams
            .iter()
            .map(|(layers, height, current)| Choice { layers, height: *height, current: *current })
            .collect();
        let chosen = choose(&choices, Some(budget), rising);
        prop_assert_eq!(chosen.len(), choices.len());
        let mut sum = 0;
        for (choice, chosen) in choices.iter().zip(&chosen) {
            let Some(layer) = chosen else { continue };
            let state = choice.layers[usize::from(*layer)];
            prop_assert!(state.active);
            prop_assert!(Some(*layer) <= choice.desired());
            sum += state.bps;
        }
        prop_assert!(sum <= budget, "{} of {}", sum, budget);
    }

    #[test]
    fn more_bandwidth_never_pauses_the_most_important_stream(
        streams in prop::collection::vec((any_layers(), 1u32..2_000), 0..8),
        budget in 0u64..6_000_000,
        more in 0u64..6_000_000,
    ) {
        let choices: Vec<_> = streams
            .iter()
            .map(|(layers, height)| Choice { layers, height: *height, current: None })
            .collect();
        let plays = |budget| choose(&choices, Some(budget), true).iter().flatten().count();
        let first = |budget| choose(&choices, Some(budget), true).first().copied().flatten();
        prop_assert!(plays(u64::MAX / 8) >= plays(budget));
        // Its layer may well fall: more streams play, and each gets its smallest layer before one gets a larger one.
        prop_assert!(first(budget).is_none() || first(budget + more).is_some());
    }
}
