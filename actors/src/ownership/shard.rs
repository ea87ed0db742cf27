//! Where an entity belongs: its shard, and the node that a shard prefers.
//!
//! Both are part of what is stored or agreed on by all nodes, so the hashes are written out here and never change.

use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::limits::SHARDS;

/// 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The shard of an entity, below [`SHARDS`].
pub fn shard_of(entity: EntityRef) -> u16 {
    let kind = match entity.kind {
        EntityKind::User => 1,
        EntityKind::Group => 2,
    };
    let hash = mix(mix(kind) ^ entity.id);
    // The remainder is below SHARDS.
    u16::try_from(hash % u64::from(SHARDS)).unwrap_or(0)
}

/// The node that a shard prefers: the winner of a rendezvous, so that who comes or goes moves only his own share.
pub fn preferred<'a>(shard: u16, nodes: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let weight = |node: &str| mix(name(node) ^ mix(u64::from(shard)));
    nodes.into_iter().max_by_key(|node| (weight(node), *node))
}

/// Spreads the bits of a number (the finaliser of splitmix64).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The number of a name (FNV-1a).
fn name(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::ids::{GroupId, UserId};

    #[test]
    fn the_shard_of_an_entity_never_changes() {
        let users = [0, 1, 2, 1 << 60].map(|id| shard_of(UserId(id).into()));
        let groups = [0, 1, 2, 1 << 60].map(|id| shard_of(GroupId(id).into()));
        assert_eq!(users, [286, 542, 1643, 3178]);
        assert_eq!(groups, [1204, 645, 1873, 959]);
    }

    #[test]
    fn the_preference_of_a_shard_never_changes() {
        let of = |shard| preferred(shard, ["n1", "n2", "n3"]);
        let first: Vec<_> = (0..8).filter_map(of).collect();
        assert_eq!(first, ["n3", "n3", "n3", "n3", "n3", "n1", "n1", "n3"]);
        assert_eq!(preferred(0, []), None);
    }

    #[test]
    fn entities_and_shards_spread_evenly() {
        let mut count = vec![0_u32; usize::from(SHARDS)];
        // Ids of one worker, a second apart.
        for n in 0..409_600_u64 {
            count[usize::from(shard_of(UserId((n * 1_000) << 22).into()))] += 1;
        }
        assert!(count.iter().all(|&n| (50..160).contains(&n)), "{count:?}");
        for winner in ["n1", "n2", "n3"] {
            let wins = |shard: &u16| preferred(*shard, ["n1", "n2", "n3"]) == Some(winner);
            let share = (0..SHARDS).filter(wins).count();
            assert!((1_200..1_530).contains(&share), "{winner} gets {share}");
        }
    }

    #[test]
    fn who_leaves_moves_only_his_own_shards() {
        for shard in 0..SHARDS {
            let before = preferred(shard, ["n1", "n2", "n3"]);
            let after = preferred(shard, ["n3", "n1"]);
            assert!(before == Some("n2") || before == after);
        }
    }
}
