//! A stream that somebody sends, with its layers and with who gets it.

use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::allocate::LayerState;
use super::demand::Demand;
use super::gate::Gate;
use super::keyframe::Codec;
use super::packet::Arrival;
use super::peer::PeerIndex;
use super::slots::SlotIndex;

/// Milliseconds over which a layer's bit rate is taken.
const WINDOW_MS: u64 = 500;
/// Bits per second that are assumed of a layer until it has been measured, from the smallest of three.
const ASSUMED_BPS: [u64; limits::SIMULCAST_LAYERS] = [150_000, 500_000, 1_500_000];
/// Pixels that a layer is assumed to be high until a keyframe says it.
const ASSUMED_HEIGHT: [u32; limits::SIMULCAST_LAYERS] = [180, 360, 720];

/// A layer.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) state: LayerState,
    pub(super) gate: Gate,
    last: Option<Millis>,
    window: Option<(Millis, u64)>,
}

/// A stream.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) layers: Vec<Layer>,
    /// What it is sent in; none: nothing came yet.
    pub(super) codec: Option<Codec>,
    /// Who has it in which slot.
    pub(super) viewers: Vec<(PeerIndex, SlotIndex)>,
    pub(super) demand: Demand,
}

impl Track {
    pub(super) fn new(layers: usize) -> Self {
        let layers = layers.clamp(1, limits::SIMULCAST_LAYERS);
        // One layer alone is the full picture.
        let skip = if layers == 1 { 2 } else { 0 };
        Self {
            layers: (0..layers)
                .map(|index| Layer {
                    state: LayerState {
                        active: false,
                        height: ASSUMED_HEIGHT[index + skip],
                        bps: ASSUMED_BPS[index + skip],
                    },
                    gate: Gate::default(),
                    last: None,
                    window: None,
                })
                .collect(),
            codec: None,
            viewers: Vec::new(),
            demand: Demand::default(),
        }
    }

    pub(super) fn states(&self) -> Vec<LayerState> {
        self.layers.iter().map(|layer| layer.state).collect()
    }

    /// A packet came; whether that changes what viewers may get.
    pub(super) fn arrived(&mut self, now: Millis, packet: &Arrival) -> bool {
        let Some(layer) = self.layers.get_mut(usize::from(packet.layer)) else {
            return false;
        };
        layer.last = Some(now);
        let mut changed = !layer.state.active;
        layer.state.active = true;
        if packet.keyframe {
            layer.gate.came();
        }
        // Nothing else tells another codec from a straggler of the one before.
        if packet.keyframe || changed {
            changed |= self.codec.replace(packet.codec) != Some(packet.codec);
        }
        if let Some(height) = packet.height.filter(|height| *height > 0) {
            let height = u32::from(height);
            changed |= layer.state.height != height;
            layer.state.height = height;
        }
        let bits = u64::from(packet.bytes) * 8;
        match &mut layer.window {
            Some((since, sum)) => {
                *sum += bits;
                let passed = now.0.saturating_sub(since.0);
                if passed >= WINDOW_MS {
                    let bps = *sum * 1_000 / passed;
                    // Half old, half new: a keyframe is no trend.
                    layer.state.bps = layer.state.bps.midpoint(bps);
                    layer.window = Some((now, 0));
                }
            }
            None => layer.window = Some((now, bits)),
        }
        changed
    }

    /// Time passed; whether a layer fell silent.
    pub(super) fn tick(&mut self, now: Millis) -> bool {
        let mut changed = false;
        for layer in &mut self.layers {
            let idle = layer
                .last
                .is_none_or(|last| now.0.saturating_sub(last.0) >= limits::LAYER_IDLE_MS);
            if layer.state.active && idle {
                layer.state.active = false;
                layer.window = None;
                changed = true;
            }
        }
        changed
    }
}
