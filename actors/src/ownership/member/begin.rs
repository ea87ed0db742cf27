//! Beginning: the incarnation before is fenced, a worker id is found, and the next incarnation is written.

use std::collections::BTreeSet;

use rookery_protocol::document::{IncarnationId, IncarnationRow, WorkerRow};
use rookery_protocol::snowflake::MAX_WORKER;
use rookery_protocol::time::Millis;

use super::{Effect, Me, Member, Now, Slot, Stage, Victim};
use crate::ownership::incarnation::Begin;
use crate::ownership::lease::{Boot, Lease};
use crate::ownership::may_write;
use crate::ownership::op::{Op, Refusal, Verdict};
use crate::ownership::read::Read;

#[derive(Debug, Default)]
pub(super) struct Beginning {
    found: Option<Found>,
    /// What is being tried, and since when: others may have seen it from then on.
    begin: Option<(Begin, Boot)>,
    /// Worker ids that turned out to be held.
    taken: BTreeSet<u16>,
}

#[derive(Debug)]
struct Found {
    last: u64,
    row: Option<IncarnationRow>,
    workers: Vec<(u16, WorkerRow)>,
}

impl Found {
    /// The worker id to try: the one that this node had, else one that nobody had, else any.
    fn worker(&self, node: &str, taken: &BTreeSet<u16>) -> Option<(u16, Option<IncarnationId>)> {
        let is_free = |worker: &u16| !taken.contains(worker);
        let held = || self.workers.iter().filter(|(worker, _)| is_free(worker));
        let holder = |(worker, row): &(u16, WorkerRow)| (*worker, Some(row.holder.clone()));
        if let Some(own) = held().find(|(_, row)| row.holder.node == node) {
            return Some(holder(own));
        }
        let known: BTreeSet<u16> = self.workers.iter().map(|(worker, _)| *worker).collect();
        let never = (0..=MAX_WORKER).find(|worker| is_free(worker) && !known.contains(worker));
        never
            .map(|worker| (worker, None))
            .or_else(|| held().next().map(holder))
    }
}

impl Member {
    pub(super) fn found(
        &mut self,
        last: u64,
        row: Option<IncarnationRow>,
        workers: Vec<(u16, WorkerRow)>,
    ) {
        if let Stage::Beginning(beginning) = &mut self.stage {
            beginning.found = Some(Found { last, row, workers });
        }
    }

    pub(super) fn pump_begin(&mut self, now: Now, out: &mut Vec<Effect>) {
        let Stage::Beginning(beginning) = &mut self.stage else {
            return;
        };
        if self.is_draining {
            self.stage = Stage::Over;
            out.push(Effect::Ended);
            return;
        }
        let Some(found) = &beginning.found else {
            if let Some(ticket) = self.ask(Slot::Start, now) {
                let node = self.settings.node.clone();
                let what = Read::Start { node };
                out.push(Effect::Read { ticket, what });
            }
            return;
        };
        if let Some(row) = &found.row {
            let is_mine = row.process == self.settings.process;
            if self.last_own > 0 && found.last > self.last_own && !is_mine {
                self.stage = Stage::Over;
                out.push(Effect::Superseded);
                return;
            }
            if may_write(Some(row)) && beginning.begin.is_none() {
                let id = IncarnationId {
                    node: self.settings.node.clone(),
                    number: found.last,
                };
                let victim = Victim::new(row.counter, row.lanes);
                self.victims.entry(id).or_insert(victim);
                return;
            }
        }
        if beginning.begin.is_none() {
            let Some((worker, holder)) = found.worker(&self.settings.node, &beginning.taken) else {
                // All of them are held, or were a moment ago.
                *beginning = Beginning::default();
                self.pause(Slot::Start, now);
                return;
            };
            let begin = Begin {
                node: self.settings.node.clone(),
                address: self.settings.address.clone(),
                process: self.settings.process,
                last: found.last,
                worker,
                holder,
                lanes: self.settings.lanes,
                at: now.wall,
            };
            beginning.begin = Some((begin, now.boot));
        }
        let op = beginning.begin.as_ref().map(|(begin, _)| begin.clone());
        if let Some(begin) = op
            && let Some(ticket) = self.ask(Slot::Begin, now)
        {
            let op = Op::Begin(begin);
            out.push(Effect::Decide { ticket, op });
        }
    }

    pub(super) fn begun(&mut self, now: Now, verdict: Result<Verdict, ()>, out: &mut Vec<Effect>) {
        let Stage::Beginning(beginning) = &mut self.stage else {
            return;
        };
        let Some((begin, first)) = &beginning.begin else {
            return;
        };
        match verdict {
            Ok(Verdict::Begun { worker, id_floor }) => {
                let id = IncarnationId {
                    node: begin.node.clone(),
                    number: begin.last + 1,
                };
                let started = *first;
                self.me = Some(Me {
                    id: id.clone(),
                    worker,
                    counter: 1,
                    renewed: started,
                    ceiling: id_floor,
                });
                self.minted = id_floor;
                self.stage = Stage::Opening;
                self.lease = Lease::default();
                out.push(Effect::Begun {
                    id,
                    worker,
                    id_floor,
                });
                self.extend(started, out);
                out.push(Effect::Hint);
            }
            Ok(Verdict::Refused(refusal)) => {
                if refusal == Refusal::Taken {
                    beginning.taken.insert(begin.worker);
                }
                beginning.found = None;
                beginning.begin = None;
                self.pause(Slot::Start, now);
            }
            // Unknown: the same is tried again.
            Ok(_) | Err(()) => {}
        }
    }

    /// The incarnation before is fenced: look again.
    pub(super) fn look_again(&mut self) {
        if let Stage::Beginning(beginning) = &mut self.stage {
            beginning.found = None;
        }
    }

    /// The first millisecond that nothing was minted in.
    pub(super) fn used(&self, now: Now) -> Millis {
        self.minted.max(now.wall)
    }
}
