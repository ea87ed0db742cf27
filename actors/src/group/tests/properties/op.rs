//! What happens in a sequence.

use proptest::prelude::*;
use rookery_protocol::limits;

/// One thing that happens. Indexes are taken modulo what there is.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Post {
        by: u64,
        channel: usize,
        nonce: Option<i64>,
        enforce: bool,
    },
    Edit {
        by: u64,
        message: usize,
    },
    Delete {
        by: u64,
        message: usize,
    },
    React {
        by: u64,
        message: usize,
        emoji: usize,
    },
    Unreact {
        by: u64,
        message: usize,
        emoji: usize,
        user: u64,
    },
    Clear {
        by: u64,
        message: usize,
        emoji: Option<usize>,
    },
    Pin {
        by: u64,
        message: usize,
        pinned: bool,
    },
    Bulk {
        by: u64,
        messages: Vec<usize>,
    },
    Join {
        by: u64,
    },
    Leave {
        by: u64,
        user: u64,
    },
    MakeChannel {
        by: u64,
    },
    DropChannel {
        by: u64,
        channel: usize,
    },
    Invite {
        by: u64,
        uses: u64,
    },
    Read {
        by: u64,
    },
    End {
        by: u64,
    },
    /// A row arrives, or the store says that it is away.
    Deliver {
        fails: bool,
    },
    Wait {
        ms: u64,
    },
    Crash,
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let by = || 1..7u64;
    prop_oneof![
        10 => (by(), 0..4usize, proptest::option::of(0..3i64), any::<bool>())
            .prop_map(|(by, channel, nonce, enforce)| Op::Post { by, channel, nonce, enforce }),
        6 => (by(), any::<usize>()).prop_map(|(by, message)| Op::Edit { by, message }),
        4 => (by(), any::<usize>()).prop_map(|(by, message)| Op::Delete { by, message }),
        8 => (by(), any::<usize>(), 0..3usize)
            .prop_map(|(by, message, emoji)| Op::React { by, message, emoji }),
        4 => (by(), any::<usize>(), 0..3usize, by())
            .prop_map(|(by, message, emoji, user)| Op::Unreact { by, message, emoji, user }),
        2 => (by(), any::<usize>(), proptest::option::of(0..3usize))
            .prop_map(|(by, message, emoji)| Op::Clear { by, message, emoji }),
        3 => (by(), any::<usize>(), any::<bool>())
            .prop_map(|(by, message, pinned)| Op::Pin { by, message, pinned }),
        2 => (by(), proptest::collection::vec(any::<usize>(), 1..6))
            .prop_map(|(by, messages)| Op::Bulk { by, messages }),
        4 => by().prop_map(|by| Op::Join { by }),
        2 => (by(), by()).prop_map(|(by, user)| Op::Leave { by, user }),
        1 => by().prop_map(|by| Op::MakeChannel { by }),
        1 => (by(), any::<usize>()).prop_map(|(by, channel)| Op::DropChannel { by, channel }),
        2 => (by(), 0..3u64).prop_map(|(by, uses)| Op::Invite { by, uses }),
        1 => by().prop_map(|by| Op::Read { by }),
        1 => (1..30u64).prop_map(|by| Op::End { by }),
        5 => (0..8u8).prop_map(|n| Op::Deliver { fails: n == 0 }),
        3 => prop_oneof![Just(0), 1..50u64, Just(limits::NONCE_MS / 2)].prop_map(|ms| Op::Wait { ms }),
        2 => Just(Op::Crash),
    ]
}
