//! The faults of a seed.

use rookery_protocol::ids::{GroupId, UserId};

use super::network::Way;
use super::random::Random;

/// Milliseconds of a run in which faults happen.
pub(crate) const FAULTS_MS: u64 = 45_000;

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies, and another one is started after a while.
    Crash { node: usize, down_ms: u64 },
    /// The same, in the middle of carrying something out.
    CrashWithin {
        node: usize,
        effects: u64,
        down_ms: u64,
    },
    /// The process hangs, and goes on as if nothing had been.
    Freeze { node: usize, ms: u64 },
    /// An entity of the node panics.
    Panic { node: usize },
    /// The database answers nobody, and forgets what was open.
    FailOver { ms: u64 },
    /// A node and the database do not hear each other.
    CutDatabase { node: usize, way: Way, ms: u64 },
    /// Two nodes do not hear each other.
    CutLink {
        a: usize,
        b: usize,
        way: Way,
        ms: u64,
    },
    /// Packets are lost, doubled or late.
    Weather {
        loss: u64,
        twice: u64,
        late: u64,
        late_ms: u64,
        ms: u64,
    },
    /// A node's wall clock is set, forward or back.
    SetClock { node: usize, by_ms: i64 },
    /// A node ends in order, and is started again after a while.
    Drain { node: usize, down_ms: u64 },
}

/// What happens in a run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) nodes: usize,
    pub(crate) clients: usize,
    pub(crate) entities: u64,
    pub(crate) shards: u16,
    /// When each node is started.
    pub(crate) starts: Vec<u64>,
    /// How fast each node's clocks run, in thousandths.
    pub(crate) rates: Vec<u64>,
    /// When what happens.
    pub(crate) faults: Vec<(u64, Fault)>,
    /// When the first entity is asked for the last time.
    pub(crate) forgotten_at: u64,
    /// Nothing happens that could make anybody unheard of for long: nobody may be fenced.
    pub(crate) is_calm: bool,
    /// One node at a time crashes or ends, and nothing else is wrong: sessions outlive that.
    pub(crate) is_gentle: bool,
}

impl Plan {
    /// The groups of a user.
    pub(crate) fn groups_of(&self, user: UserId) -> impl Iterator<Item = GroupId> {
        let is_member = move |group: &u64| !(group + user.0).is_multiple_of(3);
        (1..=self.entities).filter(is_member).map(GroupId)
    }

    pub(crate) fn new(random: &mut Random) -> Self {
        // One in eight has nothing but fail-overs and clocks that are set; one in six nodes that go one at a time.
        let is_calm = random.once_in(8);
        let is_gentle = !is_calm && random.once_in(6);
        let nodes = if is_gentle {
            random.between(3, 4) as usize
        } else {
            [1, 2, 3, 3, 3, 4][random.index(6)]
        };
        let kinds: Vec<u64> = if is_calm {
            vec![4, 8]
        } else {
            (0..10).filter(|_| random.percent(50)).collect()
        };
        let mut faults = Vec::new();
        if !kinds.is_empty() {
            for _ in 0..random.between(2, 14) {
                let at = random.between(4_000, FAULTS_MS - 3_000);
                let kind = kinds[random.index(kinds.len())];
                faults.push((at, fault(kind, nodes, random)));
            }
        }
        if is_gentle {
            let goes = |n: u64| {
                (
                    5_000 + n * 16_000 + random.between(0, 2_000),
                    [0, 9][random.index(2)],
                )
            };
            let goes: Vec<_> = (0..3).map(goes).collect();
            faults = goes
                .into_iter()
                .map(|(at, kind)| (at, fault(kind, nodes, random)))
                .collect();
        }
        faults.sort_by_key(|(at, _)| *at);
        let start = |random: &mut Random| {
            if is_gentle || random.percent(70) {
                random.between(0, 50)
            } else {
                random.between(1_000, 25_000)
            }
        };
        let mut starts: Vec<u64> = (0..nodes).map(|_| start(random)).collect();
        starts[0] = 0;
        Self {
            nodes,
            clients: 4,
            entities: random.between(2, 6),
            shards: [1, 3, 8][random.index(3)],
            starts,
            rates: (0..nodes).map(|_| random.between(960, 1_040)).collect(),
            faults,
            forgotten_at: random.between(5_000, FAULTS_MS),
            is_calm,
            is_gentle,
        }
    }
}

fn fault(kind: u64, nodes: usize, random: &mut Random) -> Fault {
    let node = random.index(nodes);
    let way = [Way::There, Way::Back, Way::Both][random.index(3)];
    let down_ms = random.between(50, 15_000);
    match kind {
        0 => Fault::Crash { node, down_ms },
        1 => {
            let effects = random.between(0, 6);
            Fault::CrashWithin {
                node,
                effects,
                down_ms,
            }
        }
        2 => {
            let ms = random.between(200, 25_000);
            Fault::Freeze { node, ms }
        }
        3 => Fault::Panic { node },
        4 => {
            let ms = random.between(300, 15_000);
            Fault::FailOver { ms }
        }
        5 => {
            let ms = random.between(500, 20_000);
            Fault::CutDatabase { node, way, ms }
        }
        6 => {
            let ms = random.between(500, 25_000);
            let (a, b) = (node, random.index(nodes));
            Fault::CutLink { a, b, way, ms }
        }
        7 => Fault::Weather {
            loss: random.between(0, 25),
            twice: random.between(0, 25),
            late: random.between(0, 40),
            late_ms: random.between(50, 4_000),
            ms: random.between(1_000, 15_000),
        },
        8 => {
            let by = i64::try_from(random.between(0, 7_200_000)).unwrap_or(0);
            let by_ms = by - 3_600_000;
            Fault::SetClock { node, by_ms }
        }
        _ => Fault::Drain { node, down_ms },
    }
}
