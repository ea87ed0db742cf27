//! The life of an incarnation: begun, renewed, and ended or fenced; and the worker id it mints with.

use rookery_protocol::document::{
    IncarnationId, IncarnationRow, Incarnations, Key, NodeRow, NodeState, Nodes, Phase, TableId,
    View, WorkerRow, Workers,
};
use rookery_protocol::time::Millis;

use super::op::{Decision, Refusal, Verdict, done, refused};
use super::view;
use super::{is_live, may_write};
use crate::store::{LaneId, Named, delete_up_to, put};

/// A lane of an incarnation.
pub fn lane(id: &IncarnationId, index: u16) -> LaneId {
    LaneId {
        node: id.node.clone(),
        incarnation: id.number,
        index,
    }
}

fn worker_key(worker: u16) -> Key {
    Key::new(0, u64::from(worker))
}

fn view_key() -> Key {
    Key::single(0)
}

/// Begins the incarnation after `last`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// The node.
    pub node: String,
    /// Where others reach it.
    pub address: String,
    /// Drawn by the process at its start; at most `i64::MAX`.
    pub process: u64,
    /// The node's latest incarnation as it was read; 0: it never ran.
    pub last: u64,
    /// The worker id that is wanted.
    pub worker: u16,
    /// Who held it when it was read.
    pub holder: Option<IncarnationId>,
    /// How many lanes it may open.
    pub lanes: u16,
    /// When.
    pub at: Millis,
}

impl Begin {
    fn id(&self, number: u64) -> IncarnationId {
        IncarnationId {
            node: self.node.clone(),
            number,
        }
    }

    pub(super) fn rows(&self) -> Vec<(TableId, Key)> {
        let incarnation = |id: &IncarnationId| (TableId::Incarnations, id.key());
        let mut rows = vec![
            (TableId::Nodes, Key::single(self.node.as_str())),
            incarnation(&self.id(self.last)),
            incarnation(&self.id(self.last + 1)),
            (TableId::Workers, worker_key(self.worker)),
            (TableId::View, view_key()),
        ];
        let is_new = |id: &&IncarnationId| id.node != self.node || id.number != self.last;
        rows.extend(self.holder.as_ref().filter(is_new).map(incarnation));
        rows
    }

    pub(super) fn decide(&self, rows: &Named<'_>) -> Decision {
        let me = self.id(self.last + 1);
        let node = rows.get::<Nodes>(&Key::single(self.node.as_str()))?;
        let last = node.as_ref().map_or(0, |node| node.incarnation);
        if last != self.last {
            return match rows.get::<Incarnations>(&me.key())? {
                Some(row) if last == me.number && row.process == self.process => {
                    let begun = Verdict::Begun {
                        worker: row.worker,
                        id_floor: row.id_floor,
                    };
                    Ok((Vec::new(), begun))
                }
                _ => refused(Refusal::Stale),
            };
        }
        if may_write(rows.get::<Incarnations>(&self.id(last).key())?.as_ref()) {
            return refused(Refusal::Lives);
        }
        let worker = rows.get::<Workers>(&worker_key(self.worker))?;
        if worker.as_ref().map(|row| &row.holder) != self.holder.as_ref() {
            return refused(Refusal::Stale);
        }
        if let Some(holder) = &self.holder
            && may_write(rows.get::<Incarnations>(&holder.key())?.as_ref())
        {
            return refused(Refusal::Taken);
        }
        let view = rows.get::<View>(&view_key())?.unwrap_or_default();
        let Some(view) = view::joined(view, me.clone(), &self.address) else {
            return refused(Refusal::Full);
        };
        // What this node reserved before worker ids were claimed.
        let of_node = node.map_or(Millis(0), |row| row.id_ceiling);
        let id_floor = worker.map_or(of_node, |row| row.ceiling.max(of_node));
        let row = IncarnationRow {
            counter: 1,
            phase: Phase::Live,
            lanes: self.lanes,
            worker: self.worker,
            id_floor,
            process: self.process,
            started: self.at,
        };
        let node = NodeRow {
            incarnation: me.number,
            id_ceiling: of_node,
        };
        let worker = WorkerRow {
            holder: me.clone(),
            ceiling: id_floor,
        };
        let writes = vec![
            put::<Nodes>(Key::single(self.node.as_str()), &node),
            put::<Incarnations>(me.key(), &row),
            put::<Workers>(worker_key(self.worker), &worker),
            put::<View>(view_key(), &view),
            // Those before the last were not live when the last began.
            delete_up_to::<Incarnations>(self.node.as_str(), self.last.saturating_sub(1)),
        ];
        let begun = Verdict::Begun {
            worker: self.worker,
            id_floor,
        };
        Ok((writes, begun))
    }
}

/// Renews a lease. An earlier renewal that arrives late changes nothing.
pub(super) fn renew(rows: &Named<'_>, me: &IncarnationId, counter: u64) -> Decision {
    match rows.get::<Incarnations>(&me.key())? {
        Some(row) if row.phase == Phase::Live => {
            let counter = counter.max(row.counter);
            let row = IncarnationRow { counter, ..row };
            Ok((vec![put::<Incarnations>(me.key(), &row)], Verdict::Done))
        }
        _ => refused(Refusal::Fenced),
    }
}

/// Reserves ids below `ceiling`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// Who mints.
    pub me: IncarnationId,
    /// With which worker id.
    pub worker: u16,
    /// Up to where.
    pub ceiling: Millis,
}

impl Reserve {
    pub(super) fn rows(&self) -> Vec<(TableId, Key)> {
        vec![
            (TableId::Incarnations, self.me.key()),
            (TableId::Workers, worker_key(self.worker)),
        ]
    }

    pub(super) fn decide(&self, rows: &Named<'_>) -> Decision {
        let worker = rows.get::<Workers>(&worker_key(self.worker))?;
        let me = rows.get::<Incarnations>(&self.me.key())?;
        match worker {
            Some(row) if is_live(me.as_ref()) && row.holder == self.me => {
                let ceiling = row.ceiling.max(self.ceiling);
                let row = WorkerRow { ceiling, ..row };
                let write = put::<Workers>(worker_key(self.worker), &row);
                Ok((vec![write], Verdict::Done))
            }
            _ => refused(Refusal::Fenced),
        }
    }
}

/// Takes the right to renew its lease from an incarnation whose counter stands still.
pub(super) fn condemn(rows: &Named<'_>, who: &IncarnationId, counter: u64) -> Decision {
    match rows.get::<Incarnations>(&who.key())? {
        Some(row) if row.phase == Phase::Live && row.counter != counter => refused(Refusal::Stale),
        Some(row) if row.phase == Phase::Live => {
            let phase = Phase::Evicted;
            let row = IncarnationRow { phase, ..row };
            Ok((vec![put::<Incarnations>(who.key(), &row)], Verdict::Done))
        }
        _ => done(),
    }
}

pub(super) fn fenced_rows(who: &IncarnationId) -> Vec<(TableId, Key)> {
    vec![
        (TableId::Incarnations, who.key()),
        (TableId::View, view_key()),
    ]
}

/// Marks an incarnation as fenced and evicts it.
pub(super) fn fenced(rows: &Named<'_>, who: &IncarnationId) -> Decision {
    let Some(row) = rows.get::<Incarnations>(&who.key())? else {
        return done();
    };
    if !may_write(Some(&row)) {
        return done();
    }
    let phase = Phase::Fenced;
    let mut writes = vec![put::<Incarnations>(
        who.key(),
        &IncarnationRow { phase, ..row },
    )];
    let mut view = rows.get::<View>(&view_key())?.unwrap_or_default();
    if let Some(node) = view.nodes.iter_mut().find(|node| node.id == *who)
        && node.state != NodeState::Evicted
    {
        node.state = NodeState::Evicted;
        view.version += 1;
        writes.push(put::<View>(view_key(), &view));
    }
    Ok((writes, Verdict::Done))
}

/// Ends an incarnation: it leaves the view, and its worker id can be had from where it stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Which.
    pub me: IncarnationId,
    /// Its worker id.
    pub worker: u16,
    /// All its ids lie below.
    pub used: Millis,
}

impl End {
    pub(super) fn rows(&self) -> Vec<(TableId, Key)> {
        vec![
            (TableId::Incarnations, self.me.key()),
            (TableId::Workers, worker_key(self.worker)),
            (TableId::View, view_key()),
        ]
    }

    pub(super) fn decide(&self, rows: &Named<'_>) -> Decision {
        let row = match rows.get::<Incarnations>(&self.me.key())? {
            Some(row) if may_write(Some(&row)) => row,
            Some(row) if row.phase == Phase::Ended => return done(),
            _ => return refused(Refusal::Fenced),
        };
        let phase = Phase::Ended;
        let mut writes = vec![put::<Incarnations>(
            self.me.key(),
            &IncarnationRow { phase, ..row },
        )];
        let worker = rows.get::<Workers>(&worker_key(self.worker))?;
        if let Some(worker) = worker.filter(|worker| worker.holder == self.me) {
            let ceiling = worker.ceiling.min(self.used);
            let worker = WorkerRow { ceiling, ..worker };
            writes.push(put::<Workers>(worker_key(self.worker), &worker));
        }
        let mut view = rows.get::<View>(&view_key())?.unwrap_or_default();
        let before = view.nodes.len();
        view.nodes.retain(|node| node.id != self.me);
        if view.nodes.len() != before {
            view.version += 1;
            writes.push(put::<View>(view_key(), &view));
        }
        Ok((writes, Verdict::Done))
    }
}
