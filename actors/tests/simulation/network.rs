//! The network: how long a packet takes, whether it arrives, and how often.

use std::collections::BTreeSet;

use super::random::Random;

/// Who sends and receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Node(usize),
    Database,
    Client(usize),
    Listener(usize),
}

/// How it behaves at the moment.
#[derive(Debug, Default)]
pub(crate) struct Network {
    /// Cut one way.
    cut: BTreeSet<(Place, Place)>,
    /// Percent of packets lost.
    pub(crate) loss: u64,
    /// Percent of packets between nodes and from clients that arrive twice.
    pub(crate) twice: u64,
    /// Percent of packets that take up to `late_ms`.
    pub(crate) late: u64,
    pub(crate) late_ms: u64,
}

/// Which directions are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    There,
    Back,
    Both,
}

impl Network {
    pub(crate) fn set(&mut self, a: Place, b: Place, way: Way, is_cut: bool) {
        let there = (way != Way::Back).then_some((a, b));
        let back = (way != Way::There).then_some((b, a));
        for pair in there.into_iter().chain(back) {
            if is_cut {
                self.cut.insert(pair);
            } else {
                self.cut.remove(&pair);
            }
        }
    }

    pub(crate) fn is_cut(&self, from: Place, to: Place) -> bool {
        self.cut.contains(&(from, to))
    }

    /// The delays with which a packet arrives; none when it does not.
    pub(crate) fn delays(&self, from: Place, to: Place, random: &mut Random) -> Vec<u64> {
        if from == to {
            return vec![1];
        }
        if self.is_cut(from, to) || random.percent(self.loss) {
            return Vec::new();
        }
        let is_call = from == Place::Database || to == Place::Database;
        let copies = if !is_call && random.percent(self.twice) {
            2
        } else {
            1
        };
        let delay = |random: &mut Random| {
            if random.percent(self.late) {
                random.between(10, self.late_ms.max(10))
            } else {
                random.between(1, 8)
            }
        };
        (0..copies).map(|_| delay(random)).collect()
    }

    /// How long it takes until what a connection holds is there: what is lost is sent again.
    pub(crate) fn flow_delay(&self, random: &mut Random) -> u64 {
        let mut delay = random.between(1, 8);
        if random.percent(self.loss) {
            delay += random.between(200, 1_000);
        }
        if random.percent(self.late) {
            delay += random.between(10, self.late_ms.max(10));
        }
        delay
    }

    /// It behaves.
    pub(crate) fn heal(&mut self) {
        *self = Self::default();
    }
}
