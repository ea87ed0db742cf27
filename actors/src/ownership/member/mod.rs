//! A node's part in the cluster: begins its incarnation, keeps its lease, watches the others, and takes and gives shards.
//!
//! Without I/O, clock or randomness. What it wants of the store are effects with a [`Ticket`]; what became of them comes
//! back as inputs, `Err` when the outcome is not known. It is driven by levels, not by edges: after every input it looks
//! at where things stand and asks for what is missing and not already asked for, so nothing depends on an answer that
//! never comes.

mod beat;
mod begin;
mod end;
mod shards;
mod step;

use std::collections::{BTreeMap, BTreeSet};

use rookery_protocol::document::{IncarnationId, NodeState, ShardRow, ViewRow};
use rookery_protocol::limits::STORE_PAUSE_MS;
use rookery_protocol::time::Millis;

pub use self::step::{Effect, Input, Now, Settings, Standing, Ticket};

use self::begin::Beginning;
use self::shards::Places;
use super::lease::{Beats, Boot, Lease, Watch};
use super::op::Verdict;
use super::placement::Place;
use super::read::Facts;
use super::view;

/// What is asked for at most once at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Start,
    Begin,
    Renew,
    Reserve,
    View,
    Shards,
    Claim,
    Change,
    OwnLane,
    End,
    Victim(IncarnationId),
}

#[derive(Debug)]
struct Asked {
    slot: Slot,
    started: Boot,
    /// Of [`Slot::Reserve`].
    ceiling: Millis,
}

/// Who is being fenced.
#[derive(Debug, Clone, Copy)]
struct Victim {
    /// Its counter when it was held for dead.
    counter: u64,
    /// Its lease is not renewed any more.
    is_condemned: bool,
    lanes: u16,
    /// Lanes that are fenced.
    fenced: u16,
}

impl Victim {
    fn new(counter: u64, lanes: u16) -> Self {
        Self {
            counter,
            is_condemned: false,
            lanes,
            fenced: 0,
        }
    }
}

/// Another live incarnation of the view.
#[derive(Debug)]
struct Other {
    watch: Watch,
    lanes: u16,
}

/// The incarnation that I am.
#[derive(Debug, Clone)]
struct Me {
    id: IncarnationId,
    worker: u16,
    /// Of the last renewal that was tried.
    counter: u64,
    /// When it started.
    renewed: Boot,
    ceiling: Millis,
}

#[derive(Debug)]
enum Stage {
    Beginning(Beginning),
    /// Begun; the lanes are being opened.
    Opening,
    Running,
    /// Waits for [`Input::Quiet`].
    Quieting,
    /// Fences its own lanes, then ends.
    Closing {
        used: Millis,
        fenced: u16,
    },
    Over,
}

/// One node's part in the cluster.
#[derive(Debug)]
pub struct Member {
    settings: Settings,
    stage: Stage,
    me: Option<Me>,
    /// The last incarnation of this process.
    last_own: u64,
    asked: BTreeMap<Ticket, Asked>,
    tickets: u64,
    /// What is not asked for again before an instant.
    pauses: BTreeMap<Slot, Boot>,
    lease: Lease,
    beats: Beats,
    minted: Millis,
    is_draining: bool,
    /// It has no shards until it is told otherwise, and does not end.
    is_yielding: bool,
    /// Shards that are to be pinned, and are not yet in the view that I know.
    pins: BTreeMap<u16, Option<String>>,
    view: ViewRow,
    /// Whether the view is to be read.
    look: bool,
    /// When its number of cuts was first seen.
    cuts_seen: Boot,
    others: BTreeMap<IncarnationId, Other>,
    /// Others of the view that are not over, or of which that was not said yet.
    not_over: BTreeSet<IncarnationId>,
    /// Of each node the last run that is over.
    over: BTreeMap<String, u64>,
    /// Links with others: none when it is up, else since when it is cut.
    links: BTreeMap<IncarnationId, Option<Boot>>,
    victims: BTreeMap<IncarnationId, Victim>,
    places: Places,
}

impl Member {
    /// A member that begins with its first input.
    pub fn new(settings: Settings) -> Self {
        let places = Places::new(settings.shards);
        Self {
            settings,
            stage: Stage::Beginning(Beginning::default()),
            me: None,
            last_own: 0,
            asked: BTreeMap::new(),
            tickets: 0,
            pauses: BTreeMap::new(),
            lease: Lease::default(),
            beats: Beats::default(),
            minted: Millis(0),
            is_draining: false,
            is_yielding: false,
            pins: BTreeMap::new(),
            view: ViewRow::default(),
            look: true,
            cuts_seen: Boot(0),
            others: BTreeMap::new(),
            not_over: BTreeSet::new(),
            over: BTreeMap::new(),
            links: BTreeMap::new(),
            victims: BTreeMap::new(),
            places,
        }
    }

    /// The incarnation that I am.
    pub fn id(&self) -> Option<&IncarnationId> {
        self.me.as_ref().map(|me| &me.id)
    }

    /// How I stand.
    pub fn standing(&self) -> Standing {
        match (&self.stage, &self.me) {
            (Stage::Opening | Stage::Running, Some(me)) => Standing::In(
                view::node(&self.view, &me.id).map_or(NodeState::Joining, |node| node.state),
            ),
            (Stage::Quieting | Stage::Closing { .. }, _) => Standing::Ending,
            (Stage::Over, _) => Standing::Over,
            _ => Standing::Beginning,
        }
    }

    /// The view as I know it.
    pub fn view(&self) -> &ViewRow {
        &self.view
    }

    /// The other incarnations of the view that are not known to be over.
    pub fn others(&self) -> impl Iterator<Item = &IncarnationId> {
        self.others.keys()
    }

    /// The epoch of a shard that is mine, and not on its way out.
    pub fn epoch(&self, shard: u16) -> Option<u64> {
        self.places.held(shard)
    }

    /// Who owns a shard, as far as I know: a hint of whom to ask.
    pub fn owner(&self, shard: u16) -> Option<&ShardRow> {
        self.places.row(shard)
    }

    /// Where each shard is, as far as I know.
    pub fn places(&self) -> Vec<Place> {
        self.places.seen_by(self.id())
    }

    /// Takes one input.
    pub fn step(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        if let Stage::Over = self.stage {
            return;
        }
        match input {
            Input::Tick { minted } => self.minted = self.minted.max(minted),
            Input::Decided { ticket, verdict } => {
                if let Some(asked) = self.answered(ticket, verdict.is_err(), now) {
                    self.decided(now, asked, verdict, out);
                }
            }
            Input::Facts { ticket, facts } => {
                if let Some(asked) = self.answered(ticket, facts.is_err(), now)
                    && let Ok(facts) = facts
                {
                    self.learn(now, ticket, &asked, facts, out);
                }
            }
            Input::LaneFenced { ticket, result } => {
                if let Some(asked) = self.answered(ticket, result.is_err(), now)
                    && result.is_ok()
                {
                    self.lane_fenced(&asked.slot);
                }
            }
            Input::Opened { number } => {
                if let Stage::Opening = self.stage
                    && self.is_me(number)
                {
                    self.stage = Stage::Running;
                }
            }
            Input::Fenced { number } => {
                if self.is_me(number) && !matches!(self.stage, Stage::Closing { .. }) {
                    self.fenced(out);
                }
            }
            Input::Released(shards) => {
                let released = self.places.released(&shards, self.tickets);
                if !released.is_empty() {
                    out.push(Effect::Moved(released));
                }
            }
            Input::Link { peer, is_up } => self.linked(now, peer, is_up),
            Input::Refused { by, peer } => {
                if let Some(other) = self.others.get_mut(&peer) {
                    other.watch.refused(&by, now.boot);
                }
            }
            Input::Hint => {
                self.look = true;
                self.places.look();
            }
            Input::Learned(shards) => {
                for (shard, row) in shards {
                    self.places.learned(shard, row);
                }
            }
            Input::Yield(is_yielding) => {
                self.is_yielding = is_yielding;
                self.prefer();
            }
            Input::Pin { shard, node } => {
                if shard < self.settings.shards {
                    self.pins.insert(shard, node);
                }
            }
            Input::Drain => {
                self.is_draining = true;
                self.prefer();
            }
            Input::Quiet { used } => {
                if let Stage::Quieting = self.stage {
                    self.stage = Stage::Closing { used, fenced: 0 };
                }
            }
        }
        self.pump(now, out);
    }

    /// Asks for what is missing.
    fn pump(&mut self, now: Now, out: &mut Vec<Effect>) {
        match &self.stage {
            Stage::Over => return,
            Stage::Beginning(_) => self.pump_begin(now, out),
            Stage::Opening => self.pump_beat(now, out),
            Stage::Running => {
                self.pump_beat(now, out);
                self.condemn(now);
                self.pump_change(now, out);
                self.pump_shards(now, out);
                self.pump_drain(out);
            }
            Stage::Quieting => self.pump_beat(now, out),
            Stage::Closing { .. } => {
                self.pump_beat(now, out);
                self.pump_close(now, out);
            }
        }
        self.pump_victims(now, out);
    }

    fn decided(
        &mut self,
        now: Now,
        asked: Asked,
        verdict: Result<Verdict, ()>,
        out: &mut Vec<Effect>,
    ) {
        match asked.slot {
            Slot::Begin => self.begun(now, verdict, out),
            Slot::Renew => self.renewed(asked.started, verdict, out),
            Slot::Reserve => self.reserved(asked.ceiling, verdict, out),
            Slot::Claim => self.claimed(now, verdict, out),
            Slot::Change => self.changed(now, verdict, out),
            Slot::End => self.ended(verdict, out),
            Slot::Victim(who) => self.marked(&who, verdict, out),
            Slot::Start | Slot::View | Slot::Shards | Slot::OwnLane => {}
        }
    }

    fn learn(
        &mut self,
        now: Now,
        ticket: Ticket,
        asked: &Asked,
        facts: Facts,
        out: &mut Vec<Effect>,
    ) {
        match facts {
            Facts::Start { last, row, workers } => self.found(last, row, workers),
            Facts::View { view, rows } => self.viewed(now, view, rows, out),
            Facts::Shards(rows) => self.places.scanned(rows, ticket.0, asked.started),
        }
    }

    /// Marks a slot as asked for, if it may be.
    fn ask(&mut self, slot: Slot, now: Now) -> Option<Ticket> {
        self.ask_ceiling(slot, now, Millis(0))
    }

    fn ask_ceiling(&mut self, slot: Slot, now: Now, ceiling: Millis) -> Option<Ticket> {
        if self
            .pauses
            .get(&slot)
            .is_some_and(|until| now.boot < *until)
            || self.is_asked(&slot)
        {
            return None;
        }
        self.pauses.remove(&slot);
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let started = now.boot;
        let asked = Asked {
            slot,
            started,
            ceiling,
        };
        self.asked.insert(ticket, asked);
        Some(ticket)
    }

    fn is_asked(&self, slot: &Slot) -> bool {
        self.asked.values().any(|asked| asked.slot == *slot)
    }

    fn pause(&mut self, slot: Slot, now: Now) {
        self.pauses.insert(slot, now.boot.plus(STORE_PAUSE_MS));
    }

    /// What a ticket was for; none when it was for an incarnation that is over. A slot that failed pauses.
    fn answered(&mut self, ticket: Ticket, failed: bool, now: Now) -> Option<Asked> {
        let asked = self.asked.remove(&ticket)?;
        if failed {
            self.pause(asked.slot.clone(), now);
            self.look |= asked.slot == Slot::View;
            if asked.slot == Slot::Shards {
                self.places.look();
            }
        }
        Some(asked)
    }

    fn is_me(&self, number: u64) -> bool {
        self.me.as_ref().is_some_and(|me| me.id.number == number)
    }

    /// My incarnation is over: everything of it is forgotten, and the next one begins.
    fn fenced(&mut self, out: &mut Vec<Effect>) {
        let Some(me) = self.me.take() else { return };
        self.last_own = me.id.number;
        self.lease.end();
        out.push(Effect::Lease(self.lease.until()));
        out.push(Effect::Stop);
        self.asked.clear();
        self.pauses.clear();
        self.others.clear();
        self.not_over.clear();
        self.over.clear();
        self.victims.clear();
        self.places = Places::new(self.settings.shards);
        self.beats = Beats::default();
        self.view = ViewRow::default();
        self.look = true;
        if self.is_draining {
            self.stage = Stage::Over;
            out.push(Effect::Ended);
        } else {
            self.stage = Stage::Beginning(Beginning::default());
        }
    }
}
