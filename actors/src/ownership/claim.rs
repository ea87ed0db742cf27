//! Shards: claimed in waves, released one by one.

use rookery_protocol::document::{IncarnationId, Incarnations, Key, ShardRow, Shards, TableId};

use super::op::{Decision, Refusal, Verdict, refused};
use super::{NODE, is_live, may_write};
use crate::store::{Named, Unit, put};

fn key(shard: u16) -> Key {
    Key::new(0, u64::from(shard))
}

/// Claims shards: those that nobody ever owned, that were released, or whose owner is fenced or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who wants them.
    pub me: IncarnationId,
    /// The lane that will write for them.
    pub lane: u16,
    /// Which; at most [`rookery_protocol::limits::SHARD_WAVE`].
    pub shards: Vec<u16>,
    /// Who owned them when they were read. Of an owner that is not here, a shard is only taken when it is released.
    pub owners: Vec<IncarnationId>,
}

impl Claim {
    pub(super) fn rows(&self) -> Vec<(TableId, Key)> {
        let me = std::iter::once((TableId::Incarnations, self.me.key()));
        let others = self.owners.iter().filter(|owner| **owner != self.me);
        let owners = others.map(|owner| (TableId::Incarnations, owner.key()));
        let shards = self
            .shards
            .iter()
            .map(|&shard| (TableId::Shards, key(shard)));
        me.chain(owners).chain(shards).collect()
    }

    pub(super) fn decide(&self, rows: &Named<'_>) -> Decision {
        if !is_live(rows.get::<Incarnations>(&self.me.key())?.as_ref()) {
            return refused(Refusal::Fenced);
        }
        let mut dead = Vec::new();
        for owner in self.owners.iter().filter(|owner| **owner != self.me) {
            if !may_write(rows.get::<Incarnations>(&owner.key())?.as_ref()) {
                dead.push(owner);
            }
        }
        let mut writes = Vec::new();
        let mut claimed = Vec::with_capacity(self.shards.len());
        for &shard in &self.shards {
            let row = rows.get::<Shards>(&key(shard))?;
            let epoch = match row {
                Some(row) if !row.released && !dead.contains(&&row.owner) => {
                    // Mine already, or not to be had.
                    claimed.push((shard, row));
                    continue;
                }
                Some(row) => row.epoch + 1,
                None => 1,
            };
            let row = ShardRow {
                owner: self.me.clone(),
                lane: self.lane,
                epoch,
                released: false,
            };
            writes.push(put::<Shards>(key(shard), &row));
            claimed.push((shard, row));
        }
        Ok((writes, Verdict::Claimed(claimed)))
    }
}

/// The unit that releases a shard. It goes through the owner's lane behind everything that was written for the shard;
/// nothing may be handed to the lane for it afterwards.
pub fn release(me: &IncarnationId, lane: u16, shard: u16, epoch: u64) -> Unit {
    let row = ShardRow {
        owner: me.clone(),
        lane,
        epoch,
        released: true,
    };
    Unit {
        entity: NODE,
        absent: Vec::new(),
        writes: vec![put::<Shards>(key(shard), &row)],
    }
}
