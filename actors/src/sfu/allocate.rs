//! Which layer of each stream a viewer gets: by what he wants and by what his way to us is thought to bear.

use rookery_protocol::limits;
use rookery_protocol::time::Millis;

/// What is known of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LayerState {
    /// It is sent at the moment.
    pub active: bool,
    /// Pixels that it is high.
    pub height: u32,
    /// Bits per second.
    pub bps: u64,
}

/// A stream that a viewer wants.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// Its layers, the smallest first.
    pub layers: &'a [LayerState],
    /// Pixels that it is high where it is shown.
    pub height: u32,
    /// The layer that he gets now.
    pub current: Option<u8>,
}

/// How much more than a layer needs must be there before it is taken up, as a ratio: what has just fitted would not fit
/// again when the estimate trembles.
const ROOM: (u64, u64) = (6, 5);

impl Choice<'_> {
    /// The layer he would get if bandwidth were free: the smallest of those sent that is as high as wanted, or the highest.
    pub fn desired(&self) -> Option<u8> {
        let mut best = None;
        for (index, layer) in (0u8..).zip(self.layers) {
            if !layer.active {
                continue;
            }
            best = Some(index);
            // A little too small is not seen.
            if u64::from(layer.height) * 8 >= u64::from(self.height) * 7 {
                break;
            }
        }
        best
    }

    pub(super) fn lowest(&self) -> Option<u8> {
        (0u8..)
            .zip(self.layers)
            .find(|(_, layer)| layer.active)
            .map(|(index, _)| index)
    }

    pub(super) fn bps(&self, layer: u8) -> u64 {
        self.layers
            .get(usize::from(layer))
            .map_or(0, |layer| layer.bps)
    }

    /// What must be free for a layer: more than it needs, if it is above the current one.
    pub(super) fn price(&self, layer: u8) -> u64 {
        let bps = self.bps(layer);
        if self.current.is_some_and(|current| layer <= current) {
            bps
        } else {
            bps.saturating_mul(ROOM.0) / ROOM.1
        }
    }
}

/// Keeps the most important stream playing for a while when not even its lowest layer fits. Takes since when it has not
/// fitted, and answers that.
pub(super) fn hold(
    choices: &[Choice<'_>],
    chosen: &mut [Option<u8>],
    since: Option<Millis>,
    now: Millis,
) -> Option<Millis> {
    let mut sent = choices.iter().zip(chosen);
    let (choice, chosen) = sent.find(|(choice, _)| choice.lowest().is_some())?;
    if chosen.is_some() || choice.current.is_none() {
        return None;
    }
    let since = since.unwrap_or(now);
    if now.since(since) < limits::PAUSE_PATIENCE_MS {
        *chosen = choice.lowest();
    }
    Some(since)
}

/// The layer of each choice, the most important first; none where nothing is sent or not even the lowest fits. First all
/// get their lowest layer, then each in turn the best that still fits. Without a `budget` (bits per second) all get what
/// they want; unless `rising`, nobody gets a higher layer than he has.
pub fn choose(choices: &[Choice<'_>], budget: Option<u64>, rising: bool) -> Vec<Option<u8>> {
    let Some(budget) = budget else {
        return choices.iter().map(Choice::desired).collect();
    };
    let mut free = budget;
    let mut chosen: Vec<Option<u8>> = vec![None; choices.len()];
    for (choice, chosen) in choices.iter().zip(&mut chosen) {
        let Some(lowest) = choice.lowest() else {
            continue;
        };
        if choice.price(lowest) <= free {
            *chosen = Some(lowest);
            free -= choice.bps(lowest);
        }
    }
    for (choice, chosen) in choices.iter().zip(&mut chosen) {
        let (Some(lowest), Some(desired)) = (*chosen, choice.desired()) else {
            continue;
        };
        let ceiling = match choice.current {
            Some(current) if !rising => desired.min(current.max(lowest)),
            _ => desired,
        };
        let spent = choice.bps(lowest);
        let best = (lowest..=ceiling).rev().find(|layer| {
            choice.layers[usize::from(*layer)].active
                && (*layer == lowest || choice.price(*layer) <= free + spent)
        });
        if let Some(best) = best {
            // A higher layer may be cheaper than a lower one while the picture stands still.
            free = (free + spent).saturating_sub(choice.bps(best));
            *chosen = Some(best);
        }
    }
    chosen
}
