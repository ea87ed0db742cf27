//! The task that drives a [`Member`]: inputs one after the other, effects as they come, calls of the store beside it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rookery_actors::commit::CommitLane;
use rookery_actors::entity::{Clock, SharedMinter};
use rookery_actors::ownership::{
    Boot, Effect, Input, Member, Now, Place, Placement, Settings, Standing, Tenure, lane, read,
};
use rookery_actors::store::{self, CommitError, SharedStore, StoreError};
use rookery_protocol::document::{IncarnationId, NodeState, ViewNode};
use rookery_protocol::limits::{CONDEMN_MS, OWNERSHIP_CALL_MS, SHARDS};
use rookery_protocol::time::Millis;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

use super::{Neighbours, OwnershipError, Phase, Run, Signals};
use crate::clock::SystemClock;
use crate::cluster::Cluster;
use crate::link::{LinkError, Links, Options};

/// Milliseconds between two ticks of a member.
const TICK_MS: u64 = 200;
/// Milliseconds before a lane that could not be opened is tried again.
const OPEN_AGAIN_MS: u64 = 250;
/// How often the links of an incarnation are tried again: as long as those of the one before take to end, and more.
const LINK_TRIES: u32 = 20;
/// Milliseconds that a node waits for another one that has shards and does not die: longer than it takes to condemn and
/// fence one.
const JOINING_MS: u64 = CONDEMN_MS + 4_000;

/// An incarnation that has begun, while it is made ready.
struct Begun {
    id: IncarnationId,
    minter: SharedMinter,
    tenure: Tenure,
    placement: Placement,
    /// None of a node that shares its store with nobody.
    cluster: Option<Arc<Cluster>>,
    links: Option<Arc<Links>>,
    lane: Option<CommitLane>,
    has_ceiling: bool,
    shards: usize,
    /// Whether every shard is somewhere, and the node may take its own.
    is_ready: bool,
}

/// What is opened beside the member, for an incarnation.
enum Opened {
    Lane(CommitLane),
    Links(Result<Links, LinkError>),
}

/// Where the driver is told what was opened, with the incarnation's number.
type Opening = mpsc::Sender<(u64, Opened)>;

/// The member and what it acts on.
pub(super) struct Driver {
    node: String,
    neighbours: Option<Neighbours>,
    /// Set when nothing writes or mints any more.
    may_end: watch::Receiver<bool>,
    /// Says that only that is missing.
    is_quiet: watch::Sender<bool>,
    /// The version of the view that the links know.
    view_known: Option<u64>,
    store: SharedStore,
    clock: Arc<SystemClock>,
    member: Member,
    inbox: mpsc::Sender<Input>,
    phase: watch::Sender<Phase>,
    begun: Option<Begun>,
    /// Since when it waits for a node that has the shards.
    joining: Option<Boot>,
}

impl Driver {
    pub(super) fn new(
        settings: Settings,
        store: SharedStore,
        clock: Arc<SystemClock>,
        neighbours: Option<Neighbours>,
        inbox: mpsc::Sender<Input>,
        Signals {
            phase,
            may_end,
            is_quiet,
        }: Signals,
    ) -> Self {
        Self {
            node: settings.node.clone(),
            neighbours,
            may_end,
            is_quiet,
            view_known: None,
            store,
            clock,
            member: Member::new(settings),
            inbox,
            phase,
            begun: None,
            joining: None,
        }
    }

    /// Starts the task. It ends with the member.
    pub(super) fn start(self, inputs: mpsc::Receiver<Input>) {
        tokio::spawn(self.run(inputs));
    }

    async fn run(mut self, mut inputs: mpsc::Receiver<Input>) {
        let (opening, mut opened) = mpsc::channel(2);
        let mut beat = tokio::time::interval(Duration::from_millis(TICK_MS));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut effects = Vec::new();
        while !self.is_over() {
            let minted = self.minted();
            let input = tokio::select! {
                _ = beat.tick() => Input::Tick { minted },
                // The sender is kept here too.
                Some(input) = inputs.recv() => input,
                Some((number, opened)) = opened.recv() => match self.opened(number, opened) {
                    Some(input) => input,
                    None => continue,
                },
            };
            let is_news = matches!(
                input,
                Input::Decided { .. }
                    | Input::Facts { .. }
                    | Input::Released(_)
                    | Input::Learned(_)
            );
            let now = Now {
                boot: self.clock.boot(),
                wall: self.clock.now(),
            };
            self.member.step(now, input, &mut effects);
            let moves = |effect: &Effect| matches!(effect, Effect::Serve(_) | Effect::Release(_));
            if is_news || effects.iter().any(moves) {
                self.place();
            }
            for effect in effects.drain(..) {
                self.carry_out(effect, &opening);
            }
            self.introduce();
            self.look_for_others(now.boot);
        }
    }

    fn is_over(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Over | Phase::Failed(_))
    }

    /// The millisecond of the last id of this incarnation.
    fn minted(&self) -> Millis {
        let begun = self.begun.as_ref();
        begun.map_or(Millis(0), |begun| begun.minter.high_water())
    }

    fn carry_out(&mut self, effect: Effect, opening: &Opening) {
        match effect {
            Effect::Decide { ticket, op } => self.ask(move |store| async move {
                let verdict = in_time(store::transact(store.as_ref(), &op)).await;
                Input::Decided { ticket, verdict }
            }),
            Effect::Read { ticket, what } => self.ask(move |store| async move {
                let facts = in_time(read(store.as_ref(), &what)).await;
                Input::Facts { ticket, facts }
            }),
            Effect::Fence { ticket, lane } => self.ask(move |store| async move {
                let fenced = store.fence(&lane).await;
                let result = fenced.map_err(|error| {
                    tracing::warn!(%error, node = lane.node, "a lane could not be fenced");
                });
                Input::LaneFenced { ticket, result }
            }),
            Effect::Begun {
                id,
                worker,
                id_floor,
            } => self.begin(id, worker, id_floor, opening.clone()),
            Effect::Lease(until) => self.change(|begun| begun.tenure.set(until)),
            Effect::Ceiling(ceiling) => self.change(|begun| {
                begun.minter.limit(ceiling);
                begun.has_ceiling = true;
            }),
            Effect::Serve(shards) => self.change(|begun| begun.shards += shards.len()),
            // The steward sees from the placement which shards leave.
            Effect::Release(_) => {}
            Effect::Hint => {
                let cluster = self.begun.as_ref().and_then(|begun| begun.cluster.as_ref());
                if let Some(cluster) = cluster {
                    cluster.hint();
                }
            }
            Effect::Moved(shards) => {
                let cluster = self.begun.as_ref().and_then(|begun| begun.cluster.as_ref());
                if let Some(cluster) = cluster {
                    cluster.tell_moved(shards);
                }
            }
            Effect::Stop => {
                tracing::error!("the incarnation was fenced by another node");
                self.leave();
                self.phase.send_replace(Phase::Beginning);
            }
            Effect::Over(node) => {
                let cluster = self.begun.as_ref().and_then(|begun| begun.cluster.as_ref());
                if let Some(cluster) = cluster {
                    cluster.over(&node);
                }
            }
            Effect::Quiet => self.quiet(),
            Effect::Ended => {
                self.leave();
                // A failure stays what it is.
                self.phase
                    .send_if_modified(|phase| phase.end_unless_failed());
            }
            Effect::Superseded => self.fail(OwnershipError::Superseded),
        }
    }

    /// Calls the store beside the member, on a thread that may block: the embedded store waits for its disk in the call.
    fn ask<F>(&self, call: impl FnOnce(SharedStore) -> F + Send + 'static)
    where
        F: Future<Output = Input>,
    {
        let (store, inbox) = (Arc::clone(&self.store), self.inbox.clone());
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || {
            let input = runtime.block_on(call(store));
            // A member that is over waits for nothing.
            let _ = inbox.blocking_send(input);
        });
    }

    fn begin(&mut self, id: IncarnationId, worker: u16, id_floor: Millis, opening: Opening) {
        tracing::info!(incarnation = %id, worker, "the incarnation has begun");
        let minter = SharedMinter::new(worker, id_floor);
        // Nothing is minted before the first ceiling.
        minter.limit(id_floor);
        let (number, lane_id) = (id.number, lane(&id, 0));
        let tenure = Tenure::default();
        let (placement, cluster) = self.join(&id, tenure.clone(), &opening);
        self.begun = Some(Begun {
            id,
            minter,
            tenure,
            placement,
            cluster,
            links: None,
            is_ready: false,
            lane: None,
            has_ceiling: false,
            shards: 0,
        });
        let (store, inbox) = (Arc::clone(&self.store), self.inbox.clone());
        tokio::spawn(async move {
            loop {
                match CommitLane::open(Arc::clone(&store), lane_id.clone()).await {
                    Ok(lane) => {
                        let _ = opening.send((number, Opened::Lane(lane))).await;
                        return;
                    }
                    Err(CommitError::Fenced) => {
                        let _ = inbox.send(Input::Fenced { number }).await;
                        return;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the commit lane could not be opened");
                        if inbox.is_closed() {
                            return;
                        }
                    }
                }
                tokio::time::sleep(Duration::from_millis(OPEN_AGAIN_MS)).await;
            }
        });
    }

    /// The lane of an incarnation is open, or its links are; none if that is over by now.
    fn opened(&mut self, number: u64, opened: Opened) -> Option<Input> {
        let begun = self
            .begun
            .as_mut()
            .filter(|begun| begun.id.number == number);
        match (opened, begun) {
            (Opened::Lane(lane), Some(begun)) => {
                begun.lane = Some(lane);
                Some(Input::Opened { number })
            }
            (Opened::Links(Ok(links)), Some(begun)) => {
                let links = Arc::new(links);
                if let Some(cluster) = &begun.cluster {
                    cluster.connect(Arc::clone(&links));
                }
                begun.links = Some(links);
                None
            }
            (Opened::Links(Err(error)), Some(_)) => {
                self.fail(|_| OwnershipError::Links(error.to_string()));
                None
            }
            (Opened::Links(Ok(links)), None) => {
                tokio::spawn(async move { links.shutdown().await });
                None
            }
            (Opened::Lane(_) | Opened::Links(Err(_)), None) => None,
        }
    }

    /// What an incarnation needs to live among others: the picture of who has what, and links.
    fn join(
        &self,
        id: &IncarnationId,
        tenure: Tenure,
        opening: &Opening,
    ) -> (Placement, Option<Arc<Cluster>>) {
        let Some(neighbours) = &self.neighbours else {
            return (Placement::whole(), None);
        };
        let placement = Placement::of_cluster(SHARDS);
        let (inbox, clock) = (self.inbox.clone(), Arc::clone(&self.clock));
        let cluster = Cluster::new(id.clone(), placement.clone(), inbox, tenure, clock);
        let options = Options {
            me: id.clone(),
            listen: neighbours.listen,
            identity: neighbours.identity.clone(),
        };
        let (number, door, opening) = (id.number, cluster.door(), opening.clone());
        tokio::spawn(async move {
            let mut tries = LINK_TRIES;
            let started = loop {
                match Links::start(options.clone(), Arc::clone(&door)).await {
                    // The incarnation before may still have the address.
                    Err(error) if tries > 0 => {
                        tracing::debug!(%error, "the links are not there yet");
                        tries -= 1;
                    }
                    started => break started,
                }
                tokio::time::sleep(Duration::from_millis(OPEN_AGAIN_MS)).await;
            };
            let _ = opening.send((number, Opened::Links(started))).await;
        });
        (placement, Some(cluster))
    }

    /// Ends what an incarnation had with others.
    fn leave(&mut self) {
        let Some(begun) = self.begun.take() else {
            return;
        };
        let nowhere = (0..SHARDS).map(|shard| (shard, Place::Nowhere));
        begun.placement.set(nowhere);
        self.view_known = None;
        if let Some(links) = begun.links {
            tokio::spawn(async move { links.shutdown().await });
        }
    }

    /// Shows everybody where shards are.
    fn place(&mut self) {
        let Some(begun) = &mut self.begun else {
            return;
        };
        let Some(cluster) = &begun.cluster else {
            return;
        };
        let places = self.member.places();
        let is_whole = !places.contains(&Place::Nowhere);
        let changed = begun.placement.set((0..).zip(places));
        cluster.moved(changed.into_iter().map(|(shard, _)| shard));
        if is_whole && self.member.standing() == Standing::In(NodeState::Up) && !begun.is_ready {
            self.change(|begun| begun.is_ready = true);
        }
    }

    /// Tells who is there.
    fn introduce(&mut self) {
        let cluster = self.begun.as_ref().and_then(|begun| begun.cluster.as_ref());
        if let Some(cluster) = cluster {
            cluster.live(self.member.others().cloned().collect());
        }
        let view = self.member.view();
        let links = self.begun.as_ref().and_then(|begun| begun.links.as_ref());
        let (Some(links), Some(me)) = (links, self.member.id()) else {
            return;
        };
        if self.view_known == Some(view.version) {
            return;
        }
        self.view_known = Some(view.version);
        if let Some(cluster) = cluster {
            cluster.see(view);
        }
        let is_other = |node: &&ViewNode| node.id != *me && node.state != NodeState::Evicted;
        let others = view.nodes.iter().filter(is_other);
        let others = others.filter(|node| !node.address.is_empty());
        links.learn(
            others
                .map(|node| (node.id.clone(), node.address.clone()))
                .collect(),
        );
    }

    /// Answers that nothing writes or mints any more once that is so.
    fn quiet(&self) {
        self.is_quiet.send_replace(true);
        let minter = self.begun.as_ref().map(|begun| begun.minter.clone());
        let (mut may_end, inbox) = (self.may_end.clone(), self.inbox.clone());
        tokio::spawn(async move {
            // Who would have ended it is gone: so is everything that minted.
            let _ = may_end.wait_for(|may| *may).await;
            let minted = minter.map_or(Millis(0), |minter| minter.high_water());
            let used = minted.plus(1);
            let _ = inbox.send(Input::Quiet { used }).await;
        });
    }

    /// Changes what has begun, and says how far it is.
    fn change(&mut self, change: impl FnOnce(&mut Begun)) {
        let Some(begun) = &mut self.begun else {
            return;
        };
        change(begun);
        if let (Some(lane), true) = (&begun.lane, begun.has_ceiling) {
            let run = Run {
                id: begun.id.clone(),
                lane: lane.clone(),
                minter: begun.minter.clone(),
                tenure: begun.tenure.clone(),
                placement: begun.placement.clone(),
                cluster: begun.cluster.clone(),
                phase: self.phase.subscribe(),
            };
            let has_all = begun.shards == usize::from(SHARDS);
            let is_ready = begun.is_ready || (begun.cluster.is_none() && has_all);
            self.phase.send_if_modified(|phase| match phase {
                Phase::Running(_, known) if *known == is_ready => false,
                Phase::Failed(_) | Phase::Over => false,
                other => {
                    *other = Phase::Running(Box::new(run), is_ready);
                    true
                }
            });
        }
    }

    /// A node that shares the store and lives keeps this one from its shards for ever: it is no use to wait.
    fn look_for_others(&mut self, now: Boot) {
        if self.neighbours.is_some() || self.member.standing() != Standing::In(NodeState::Joining) {
            self.joining = None;
            return;
        }
        let since = *self.joining.get_or_insert(now);
        if now.since(since) < JOINING_MS {
            return;
        }
        let me = self.member.id();
        let mut nodes = self.member.view().nodes.iter();
        let other = nodes.find(|node| node.state == NodeState::Up && Some(&node.id) != me);
        if let Some(other) = other {
            let name = other.id.node.clone();
            self.fail(|_| OwnershipError::InUse(name));
        }
    }

    fn fail(&mut self, why: impl FnOnce(String) -> OwnershipError) {
        let failed = Phase::Failed(why(self.node.clone()));
        self.phase.send_replace(failed);
    }
}

/// What the store answers; an error, or no answer for too long, is an unknown outcome.
async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, ()> {
    let limit = Duration::from_millis(OWNERSHIP_CALL_MS);
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(StoreError::Corrupt(row))) => {
            tracing::error!(error = %row, "corrupt row");
            Err(())
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "the rules of ownership were not answered");
            Err(())
        }
        Err(_) => {
            tracing::debug!("the rules of ownership were not answered in time");
            Err(())
        }
    }
}
