//! The beat of a running member: renews its lease, reserves ids, reads how the others are, and fences who is dead.

use rookery_protocol::document::{IncarnationId, IncarnationRow, NodeState, ViewNode, ViewRow};
use rookery_protocol::limits::ID_RESERVE_MS;
use rookery_protocol::time::Millis;

use super::{Effect, Member, Now, Other, Slot, Stage, Victim};
use crate::ownership::incarnation::{Reserve, lane};
use crate::ownership::lease::{Boot, Watch};
use crate::ownership::may_write;
use crate::ownership::op::{Op, Refusal, Verdict};
use crate::ownership::read::Read;
use crate::ownership::view::{self, Change};

impl Member {
    pub(super) fn pump_beat(&mut self, now: Now, out: &mut Vec<Effect>) {
        self.pump_renew(now, out);
        self.pump_reserve(now, out);
        if self.look
            && let Some(ticket) = self.ask(Slot::View, now)
        {
            self.look = false;
            let what = Read::View;
            out.push(Effect::Read { ticket, what });
        }
    }

    fn pump_renew(&mut self, now: Now, out: &mut Vec<Effect>) {
        let Some(me) = &self.me else { return };
        if self.settings.alone || now.boot.since(me.renewed) < self.settings.timing.renew {
            return;
        }
        let Some(ticket) = self.ask(Slot::Renew, now) else {
            return;
        };
        let Some(me) = &mut self.me else { return };
        me.renewed = now.boot;
        me.counter += 1;
        let op = Op::Renew {
            me: me.id.clone(),
            counter: me.counter,
        };
        out.push(Effect::Decide { ticket, op });
    }

    fn pump_reserve(&mut self, now: Now, out: &mut Vec<Effect>) {
        let used = self.used(now);
        let Some(me) = &self.me else { return };
        if used.plus(ID_RESERVE_MS / 2) < me.ceiling {
            return;
        }
        let reserve = Reserve {
            me: me.id.clone(),
            worker: me.worker,
            ceiling: used.plus(ID_RESERVE_MS),
        };
        if let Some(ticket) = self.ask_ceiling(Slot::Reserve, now, reserve.ceiling) {
            let op = Op::Reserve(reserve);
            out.push(Effect::Decide { ticket, op });
        }
    }

    /// A renewal that started at `started` was acknowledged.
    pub(super) fn extend(&mut self, started: Boot, out: &mut Vec<Effect>) {
        self.lease.renewed(started, self.settings.timing.lease);
        self.beats.renewed(started);
        self.look |= !self.settings.alone;
        let until = if self.settings.alone {
            Boot(u64::MAX)
        } else {
            self.lease.until()
        };
        out.push(Effect::Lease(until));
    }

    pub(super) fn renewed(
        &mut self,
        started: Boot,
        verdict: Result<Verdict, ()>,
        out: &mut Vec<Effect>,
    ) {
        match verdict {
            Ok(Verdict::Done) => self.extend(started, out),
            Ok(_) => self.fenced(out),
            Err(()) => {
                // Due again, with a new counter, as soon as the pause is over.
                if let Some(me) = &mut self.me {
                    me.renewed = Boot(0);
                }
            }
        }
    }

    pub(super) fn reserved(
        &mut self,
        ceiling: Millis,
        verdict: Result<Verdict, ()>,
        out: &mut Vec<Effect>,
    ) {
        match (verdict, &mut self.me) {
            (Ok(Verdict::Done), Some(me)) => {
                me.ceiling = me.ceiling.max(ceiling);
                out.push(Effect::Ceiling(me.ceiling));
            }
            (Ok(_), _) => self.fenced(out),
            (Err(()), _) => {}
        }
    }

    /// The view and those in it were read.
    pub(super) fn viewed(
        &mut self,
        now: Now,
        view: ViewRow,
        rows: Vec<(IncarnationId, Option<IncarnationRow>)>,
        out: &mut Vec<Effect>,
    ) {
        let Some(me) = &self.me else { return };
        if view.version < self.view.version {
            return;
        }
        if view.cuts != self.view.cuts || self.view.version == 0 {
            self.cuts_seen = now.boot;
        }
        let is_new = view.version != self.view.version;
        self.view = view;
        self.pins
            .retain(|shard, node| !view::is_pinned(&self.view, *shard, node.as_deref()));
        for (id, row) in &rows {
            // Nobody begins before his last run is over.
            let before = id.number.saturating_sub(u64::from(may_write(row.as_ref())));
            let number = self.over.entry(id.node.clone()).or_default();
            if *number < before {
                *number = before;
                let node = id.node.clone();
                let number = before;
                out.push(Effect::Over(IncarnationId { node, number }));
            }
        }
        let live = rows.into_iter().filter_map(|(id, row)| {
            let row = row.filter(|row| id != me.id && may_write(Some(row)))?;
            Some((id, row))
        });
        let mut others = std::mem::take(&mut self.others);
        for (id, row) in live {
            let mut watch = match others.remove(&id) {
                Some(other) => other.watch,
                None => Watch::new(row.counter, now.boot),
            };
            watch.observe(row.counter, now.boot, &self.beats, &self.settings.timing);
            let lanes = row.lanes;
            self.links.entry(id.clone()).or_insert(Some(now.boot));
            // Left by a node of another name in a store that is mine alone.
            if self.settings.alone {
                let victim = Victim::new(row.counter, lanes);
                self.victims.entry(id.clone()).or_insert(victim);
            }
            self.others.insert(id, Other { watch, lanes });
        }
        let others = &self.others;
        // Who has ended is not in the view any more.
        let is_over = |id: &IncarnationId| !others.contains_key(id);
        for id in self.not_over.extract_if(.., is_over) {
            let number = self.over.entry(id.node.clone()).or_default();
            if *number < id.number {
                *number = id.number;
                out.push(Effect::Over(id));
            }
        }
        self.not_over.extend(others.keys().cloned());
        self.links.retain(|id, _| others.contains_key(id));
        if is_new {
            self.prefer();
        }
    }

    /// The preferred owners follow from the view.
    pub(super) fn prefer(&mut self) {
        let gives_away = self.gives_away();
        self.places
            .prefer(&self.settings.node, &self.view, gives_away);
    }

    /// Whether it wants to have no shards.
    pub(super) fn gives_away(&self) -> bool {
        self.is_draining || self.is_yielding
    }

    pub(super) fn linked(&mut self, now: Now, peer: IncarnationId, is_up: bool) {
        if is_up && let Some(other) = self.others.get_mut(&peer) {
            other.watch.linked();
        }
        let link = self.links.entry(peer).or_insert(Some(now.boot));
        *link = match *link {
            _ if is_up => None,
            Some(since) => Some(since),
            None => Some(now.boot),
        };
    }

    /// Looks for the dead, as long as I am known to be alive myself.
    pub(super) fn condemn(&mut self, now: Now) {
        if !self.lease.holds(now.boot) {
            return;
        }
        let peers = self.others.len();
        for (id, other) in &self.others {
            if other
                .watch
                .is_condemned(peers, now.boot, &self.settings.timing)
            {
                let victim = Victim::new(other.watch.counter(), other.lanes);
                self.victims.entry(id.clone()).or_insert(victim);
            }
        }
    }

    pub(super) fn pump_victims(&mut self, now: Now, out: &mut Vec<Effect>) {
        let victims: Vec<_> = self
            .victims
            .iter()
            .map(|(id, v)| (id.clone(), *v))
            .collect();
        for (id, victim) in victims {
            let Some(ticket) = self.ask(Slot::Victim(id.clone()), now) else {
                continue;
            };
            if !victim.is_condemned {
                let counter = victim.counter;
                let op = Op::Condemn { who: id, counter };
                out.push(Effect::Decide { ticket, op });
            } else if victim.fenced < victim.lanes {
                let lane = lane(&id, victim.fenced);
                out.push(Effect::Fence { ticket, lane });
            } else {
                let op = Op::Fenced { who: id };
                out.push(Effect::Decide { ticket, op });
            }
        }
    }

    pub(super) fn lane_fenced(&mut self, slot: &Slot) {
        match (slot, &mut self.stage) {
            (Slot::Victim(who), _) => {
                if let Some(victim) = self.victims.get_mut(who) {
                    victim.fenced += 1;
                }
            }
            (Slot::OwnLane, Stage::Closing { fenced, .. }) => *fenced += 1,
            _ => {}
        }
    }

    /// Another is condemned, or marked as fenced.
    pub(super) fn marked(
        &mut self,
        who: &IncarnationId,
        verdict: Result<Verdict, ()>,
        out: &mut Vec<Effect>,
    ) {
        let Some(victim) = self.victims.get_mut(who) else {
            return;
        };
        if !victim.is_condemned && verdict == Ok(Verdict::Done) {
            victim.is_condemned = true;
        } else if !victim.is_condemned && verdict.is_ok() {
            // It lives after all.
            self.victims.remove(who);
            self.look = true;
            self.look_again();
        } else if verdict.is_ok() {
            self.victims.remove(who);
            self.others.remove(who);
            self.look = true;
            self.look_again();
            out.push(Effect::Hint);
        }
    }

    pub(super) fn pump_change(&mut self, now: Now, out: &mut Vec<Effect>) {
        if !self.settings.alone && !self.lease.holds(now.boot) {
            return;
        }
        let Some((view, cut)) = self.wanted_view(now) else {
            return;
        };
        let Some(by) = self.id().cloned() else { return };
        if let Some(ticket) = self.ask(Slot::Change, now) {
            let op = Op::Change(Change { by, view, cut });
            out.push(Effect::Decide { ticket, op });
        }
    }

    pub(super) fn changed(
        &mut self,
        now: Now,
        verdict: Result<Verdict, ()>,
        out: &mut Vec<Effect>,
    ) {
        // What is wanted next follows from the view that is read now.
        self.pause(Slot::Change, now);
        match verdict {
            Ok(Verdict::Done) => {
                self.look = true;
                out.push(Effect::Hint);
            }
            Ok(Verdict::Refused(Refusal::Stale)) => self.look = true,
            Ok(_) => self.fenced(out),
            Err(()) => {}
        }
    }

    /// The view as I want it, if it is not so, and who is evicted with it.
    fn wanted_view(&self, now: Now) -> Option<(ViewRow, Option<IncarnationId>)> {
        let me = self.id()?;
        let mine = view::node(&self.view, me)?;
        let mut wanted = self.view.clone();
        let state = match mine.state {
            NodeState::Joining | NodeState::Up if self.gives_away() => NodeState::Draining,
            NodeState::Joining if self.is_linked_with_all() => NodeState::Up,
            // An operator has thought better of it.
            NodeState::Draining if !self.gives_away() && self.is_linked_with_all() => NodeState::Up,
            state => state,
        };
        let cut = self.cut_off(now, mine).cloned();
        for node in &mut wanted.nodes {
            if node.id == *me {
                node.state = state;
            } else if Some(&node.id) == cut.as_ref() {
                node.state = NodeState::Evicted;
                wanted.cuts += 1;
            }
        }
        for (shard, node) in &self.pins {
            if !view::is_pinned(&wanted, *shard, node.as_deref()) {
                view::pin(&mut wanted, *shard, node.as_deref());
            }
        }
        if wanted == self.view {
            return None;
        }
        wanted.version += 1;
        Some((wanted, cut))
    }

    /// Whether nobody who is up is out of my reach.
    fn is_linked_with_all(&self) -> bool {
        self.view
            .nodes
            .iter()
            .all(|node| node.state != NodeState::Up || self.links.get(&node.id) == Some(&None))
    }

    /// A node that is alive, and that I have not reached for too long. One at a time: who evicts for a cut link has known for
    /// the time of a lease that nobody else did.
    ///
    /// Only who reaches most of the nodes evicts anybody, so that one that is cut off from all others goes and not they; of
    /// two halves the one with the oldest node does. Where both ends of a cut link reach most, the older one is faster.
    fn cut_off(&self, now: Now, mine: &ViewNode) -> Option<&IncarnationId> {
        let timing = &self.settings.timing;
        // Those who are to link with a node that joins have to read of it first, and the store may be away just then.
        let is_joining = mine.state == NodeState::Joining;
        if is_joining || now.boot.since(self.cuts_seen) < timing.lease {
            return None;
        }
        let is_alive = |id: &IncarnationId| {
            let other = self.others.get(id);
            other.is_some_and(|other| other.watch.is_alive(now.boot, timing))
        };
        let nodes = self.view.nodes.iter();
        let alive = nodes.filter(|node| {
            let takes_part = matches!(node.state, NodeState::Up | NodeState::Draining);
            takes_part && (node.id == mine.id || is_alive(&node.id))
        });
        let alive: Vec<&ViewNode> = alive.collect();
        let is_near =
            |node: &&ViewNode| node.id == mine.id || self.links.get(&node.id) == Some(&None);
        let near = alive.iter().copied().filter(is_near).count();
        let is_most = near * 2 > alive.len();
        let oldest = alive.iter().copied().min_by_key(|node| node.joined);
        let is_first_half = near * 2 == alive.len() && oldest.as_ref().is_some_and(is_near);
        if !is_most && !is_first_half {
            return None;
        }
        let is_cut = |node: &&ViewNode| {
            let since = self.links.get(&node.id).copied().flatten();
            let patience = if node.joined > mine.joined {
                timing.link_cut
            } else {
                timing.link_cut + 2 * timing.renew
            };
            since.is_some_and(|since| now.boot.since(since) >= patience)
        };
        let found = alive.into_iter().find(is_cut);
        found.map(|node| &node.id)
    }
}
