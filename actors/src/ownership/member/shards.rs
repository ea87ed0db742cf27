//! Shards of a member: which it wants, which it holds, and what it claims or releases next.

use std::sync::Arc;

use rookery_protocol::document::{IncarnationId, NodeState, ShardRow, ViewRow};
use rookery_protocol::limits::{SHARD_SCAN_MS, SHARD_WAVE, SHARDS_LEAVING};

use super::{Effect, Member, Now, Slot};
use crate::ownership::claim::Claim;
use crate::ownership::lease::Boot;
use crate::ownership::op::{Op, Verdict};
use crate::ownership::placement::Place as Seen;
use crate::ownership::read::Read;
use crate::ownership::view;

/// What I have of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    Nothing,
    Held(u64),
    Leaving(u64),
}

#[derive(Debug, Clone)]
struct Place {
    /// As it was read last.
    row: Option<ShardRow>,
    hold: Hold,
    /// What was read by a ticket up to this one is older than what I know.
    known: u64,
    /// Whether I am the preferred owner.
    is_wanted: bool,
}

/// All shards.
#[derive(Debug)]
pub(super) struct Places {
    places: Vec<Place>,
    /// Whether to read them soon.
    look: bool,
    /// When they were last read.
    scanned: Option<Boot>,
    /// Whether there is another node that would take what I release.
    has_heirs: bool,
}

impl Places {
    pub(super) fn new(shards: u16) -> Self {
        let place = Place {
            row: None,
            hold: Hold::Nothing,
            known: 0,
            is_wanted: false,
        };
        Self {
            places: vec![place; usize::from(shards)],
            look: true,
            scanned: None,
            has_heirs: false,
        }
    }

    pub(super) fn held(&self, shard: u16) -> Option<u64> {
        match self.places.get(usize::from(shard))?.hold {
            Hold::Held(epoch) => Some(epoch),
            Hold::Nothing | Hold::Leaving(_) => None,
        }
    }

    pub(super) fn row(&self, shard: u16) -> Option<&ShardRow> {
        self.places.get(usize::from(shard))?.row.as_ref()
    }

    pub(super) fn look(&mut self) {
        self.look = true;
    }

    /// Where each shard is, as far as `me` knows.
    pub(super) fn seen_by(&self, me: Option<&IncarnationId>) -> Vec<Seen> {
        let mut last: Option<Arc<IncarnationId>> = None;
        let mut seen = |place: &Place| match (place.hold, &place.row) {
            (Hold::Held(epoch), _) => Seen::Here(epoch),
            (Hold::Leaving(epoch), _) => Seen::Leaving(epoch),
            // What a claim of unknown outcome may have left with me is nobody's until I know.
            (Hold::Nothing, Some(row)) if !row.released && Some(&row.owner) != me => {
                // Shards in a row often have one owner.
                let owner = match &last {
                    Some(owner) if **owner == row.owner => Arc::clone(owner),
                    _ => Arc::new(row.owner.clone()),
                };
                last = Some(Arc::clone(&owner));
                Seen::At(owner, row.epoch)
            }
            (Hold::Nothing, _) => Seen::Nowhere,
        };
        self.places.iter().map(&mut seen).collect()
    }

    /// What others say is newer than what I know if its epoch is; or as new, and released.
    pub(super) fn learned(&mut self, shard: u16, row: ShardRow) {
        if let Some(place) = self.places.get_mut(usize::from(shard))
            && place.hold == Hold::Nothing
        {
            let known = place.row.as_ref().map(|row| (row.epoch, row.released));
            if known < Some((row.epoch, row.released)) {
                place.row = Some(row);
            }
        }
    }

    pub(super) fn scanned(&mut self, rows: Vec<(u16, ShardRow)>, ticket: u64, started: Boot) {
        self.scanned = Some(started);
        for (shard, row) in rows {
            // What others said in the meantime may be newer.
            let age = |row: &ShardRow| (row.epoch, row.released);
            if let Some(place) = self.places.get_mut(usize::from(shard))
                && place.known < ticket
                && place.row.as_ref().map(age) <= Some(age(&row))
            {
                place.row = Some(row);
            }
        }
    }

    /// The preferred owners follow from the view.
    pub(super) fn prefer(&mut self, node: &str, view: &ViewRow, gives_away: bool) {
        self.has_heirs = view::up(view).any(|up| up != node);
        let shards = u16::try_from(self.places.len()).unwrap_or(u16::MAX);
        for ((_, home), place) in view::homes(view, shards).zip(&mut self.places) {
            place.is_wanted = !gives_away && home == Some(node);
        }
        self.look = true;
    }

    /// What becomes of those of them that were on their way out.
    pub(super) fn released(&mut self, shards: &[(u16, u64)], tickets: u64) -> Vec<(u16, ShardRow)> {
        let mut released = Vec::new();
        for &(shard, epoch) in shards {
            if let Some(place) = self.places.get_mut(usize::from(shard))
                && place.hold == Hold::Leaving(epoch)
            {
                place.hold = Hold::Nothing;
                place.known = tickets;
                if let Some(row) = &mut place.row {
                    row.released = true;
                    released.push((shard, row.clone()));
                }
            }
        }
        released
    }

    fn is_empty(&self) -> bool {
        self.places.iter().all(|place| place.hold == Hold::Nothing)
    }
}

impl Member {
    pub(super) fn pump_shards(&mut self, now: Now, out: &mut Vec<Effect>) {
        if !self.settings.alone && !self.lease.holds(now.boot) {
            return;
        }
        let Some(me) = self.id().cloned() else { return };
        let state = view::node(&self.view, &me).map(|node| node.state);
        self.pump_scan(now, &me, out);
        if self.places.scanned.is_none() {
            return;
        }
        match state {
            Some(NodeState::Up) if !self.gives_away() => {
                self.pump_claim(now, &me, out);
                self.pump_release(&me, out);
            }
            Some(NodeState::Draining) => self.pump_release(&me, out),
            _ => {}
        }
    }

    fn is_believed_live(&self, id: &IncarnationId) -> bool {
        // Who was evicted for a cut link is watched until it is fenced.
        self.others.contains_key(id)
            || view::node(&self.view, id).is_some_and(|node| node.state != NodeState::Evicted)
    }

    /// Whether a shard can be had.
    fn is_free(&self, place: &Place, me: &IncarnationId) -> bool {
        match &place.row {
            None => true,
            Some(row) => row.released || row.owner == *me || !self.is_believed_live(&row.owner),
        }
    }

    fn pump_scan(&mut self, now: Now, me: &IncarnationId, out: &mut Vec<Effect>) {
        let places = &self.places;
        let age = places.scanned.map_or(u64::MAX, |at| now.boot.since(at));
        let is_unsettled = |place: &Place| {
            place.hold == Hold::Nothing && (place.is_wanted || self.is_free(place, me))
        };
        let is_due = places.look
            || age >= SHARD_SCAN_MS
            || (age >= self.settings.timing.renew && places.places.iter().any(is_unsettled));
        if is_due && let Some(ticket) = self.ask(Slot::Shards, now) {
            self.places.look = false;
            let what = Read::Shards;
            out.push(Effect::Read { ticket, what });
        }
    }

    fn pump_claim(&mut self, now: Now, me: &IncarnationId, out: &mut Vec<Effect>) {
        let mut shards = Vec::new();
        let mut owners = Vec::new();
        for (shard, place) in (0..).zip(&self.places.places) {
            // What a claim of unknown outcome left with me, I must have to give it away.
            let is_mine = |row: &ShardRow| row.owner == *me && !row.released;
            let is_wanted = place.is_wanted || place.row.as_ref().is_some_and(is_mine);
            if place.hold != Hold::Nothing || !is_wanted || !self.is_free(place, me) {
                continue;
            }
            shards.push(shard);
            if let Some(row) = &place.row
                && !row.released
                && !owners.contains(&row.owner)
            {
                owners.push(row.owner.clone());
            }
            if shards.len() >= SHARD_WAVE {
                break;
            }
        }
        if shards.is_empty() {
            return;
        }
        if let Some(ticket) = self.ask(Slot::Claim, now) {
            let op = Op::Claim(Claim {
                me: me.clone(),
                lane: 0,
                shards,
                owners,
            });
            out.push(Effect::Decide { ticket, op });
        }
    }

    pub(super) fn claimed(
        &mut self,
        now: Now,
        verdict: Result<Verdict, ()>,
        out: &mut Vec<Effect>,
    ) {
        let rows = match verdict {
            Ok(Verdict::Claimed(rows)) => rows,
            Ok(_) => return self.fenced(out),
            Err(()) => return,
        };
        let Some(me) = self.id().cloned() else { return };
        let known = self.tickets;
        let (mut served, mut moved) = (Vec::new(), Vec::new());
        for (shard, row) in rows {
            let Some(place) = self.places.places.get_mut(usize::from(shard)) else {
                continue;
            };
            place.known = known;
            if row.owner == me && !row.released {
                place.hold = Hold::Held(row.epoch);
                served.push((shard, row.epoch));
                moved.push((shard, row.clone()));
            } else {
                // Somebody began or claimed that I have not heard of.
                self.look = true;
            }
            place.row = Some(row);
        }
        if self.look {
            self.pause(Slot::Claim, now);
        }
        if !served.is_empty() {
            out.push(Effect::Serve(served));
            out.push(Effect::Moved(moved));
        }
    }

    /// Shards that belong elsewhere go, a few at a time: the next ones when others have taken those before them, so that no
    /// shard is nobody's for longer than a few take.
    fn pump_release(&mut self, me: &IncarnationId, out: &mut Vec<Effect>) {
        if !self.places.has_heirs {
            return;
        }
        let places = &mut self.places.places;
        let is_on_its_way = |place: &&Place| match (place.hold, &place.row) {
            (Hold::Leaving(_), _) => true,
            (Hold::Nothing, Some(row)) => row.released && row.owner == *me && !place.is_wanted,
            (Hold::Nothing, None) | (Hold::Held(_), _) => false,
        };
        let room = SHARDS_LEAVING.saturating_sub(places.iter().filter(is_on_its_way).count());
        let mut going = Vec::new();
        for (shard, place) in (0..).zip(places) {
            if going.len() >= room {
                break;
            }
            if let Hold::Held(epoch) = place.hold
                && !place.is_wanted
            {
                place.hold = Hold::Leaving(epoch);
                going.push((shard, epoch));
            }
        }
        if !going.is_empty() {
            out.push(Effect::Release(going));
        }
    }

    /// Whether nothing is left that another node would take.
    pub(super) fn has_nothing_to_give(&self) -> bool {
        !self.places.has_heirs || self.places.is_empty()
    }
}
