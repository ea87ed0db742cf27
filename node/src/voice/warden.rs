//! Looks for rooms whose node is gone, and has the groups that are here move them; asks for the rooms of this node that nobody
//! came to; tells other nodes how much this one has to do; gives this node's rooms away when it stops.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use rookery_actors::entity::Directory;
use rookery_actors::ownership::Placement;
use rookery_actors::store::{self, SharedStore, StoreError};
use rookery_protocol::command::group::{BeatRoom, LoseRooms};
use rookery_protocol::document::{IncarnationId, Key, Part, Rooms, RoomsAt, Table, decode};
use rookery_protocol::ids::{ChannelId, GroupId};
use rookery_protocol::limits::{ROOM_WATCH_MS, ROOMS, VOICE_ABSENT_MS};
use rookery_protocol::voice::RoomId;
use tokio::task::JoinHandle;

use super::Voice;
use super::vacant::Vacant;

/// Rows read at once.
const PAGE: usize = 1_000;
/// Groups asked at a time.
const CONCURRENT_ASKS: usize = 16;
/// Looks for which a node that is not linked is still believed to be there: links break and come back.
const PATIENCE: u32 = 2;

/// The warden; it ends when it is dropped.
#[derive(Debug)]
pub struct Warden(JoinHandle<()>);

impl Drop for Warden {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Warden {
    /// Starts it.
    pub fn start(voice: Arc<Voice>, store: SharedStore, placement: Placement) -> Self {
        let watch = Watch {
            voice,
            store,
            placement,
            linked: BTreeSet::new(),
            missed: Vec::new(),
            vacant: Vacant::default(),
        };
        Self(tokio::spawn(watch.run()))
    }
}

struct Watch {
    voice: Arc<Voice>,
    store: SharedStore,
    placement: Placement,
    /// The nodes that were linked at the last look.
    linked: BTreeSet<IncarnationId>,
    /// Incarnations that had rooms and were not linked, and for how many looks.
    missed: Vec<(IncarnationId, u32)>,
    /// Rooms of this node that do not run.
    vacant: Vacant,
}

/// What a look at where all rooms are has found.
#[derive(Default)]
struct Found {
    /// The groups here that have rooms at nodes that are gone.
    stray: BTreeSet<(GroupId, IncarnationId)>,
    /// The rooms of this node that do not run.
    vacant: BTreeMap<ChannelId, GroupId>,
}

impl Watch {
    async fn run(mut self) {
        let mut beat = tokio::time::interval(Duration::from_millis(ROOM_WATCH_MS));
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            self.look().await;
        }
    }

    /// Looks once.
    async fn look(&mut self) {
        if let Some(cluster) = &self.voice.cluster {
            cluster.tell_load(&self.voice.me, self.voice.load());
            let linked: BTreeSet<_> = cluster.linked_nodes().into_iter().collect();
            for gone in self.linked.difference(&linked) {
                self.voice.loads.gone(&gone.node);
            }
            self.linked = linked;
        }
        let found = match self.find().await {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, "rooms could not be looked for");
                return;
            }
        };
        self.bring_home(found.stray).await;
        let late = self.vacant.look(found.vacant, self.voice.clock.now());
        self.ask_for(late).await;
    }

    /// Looks where all rooms are.
    async fn find(&mut self) -> Result<Found, StoreError> {
        let mut found = Found::default();
        let mut absent = BTreeSet::new();
        let running = self.voice.running();
        let mut after = None;
        loop {
            let rows = self.store.walk(RoomsAt::ID, after.as_ref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(last.clone());
            for (key, row) in &rows {
                let row = decode::<RoomsAt>(row)?;
                if row.node == self.voice.me.node {
                    if let Part::Num(channel) = key.sort
                        && !running.contains(&ChannelId(channel))
                        && found.vacant.len() < ROOMS
                    {
                        found.vacant.insert(ChannelId(channel), row.group);
                    }
                    continue;
                }
                if self.linked.contains(&row.node) {
                    continue;
                }
                absent.insert(row.node.clone());
                if self.placement.is_here(row.group.into()) && found.stray.len() < ROOMS {
                    found.stray.insert((row.group, row.node));
                }
            }
        }
        self.missed.retain(|(node, _)| absent.contains(node));
        for node in absent {
            match self.missed.iter_mut().find(|(missed, _)| *missed == node) {
                Some((_, looks)) => *looks += 1,
                None => self.missed.push((node, 1)),
            }
        }
        // An earlier run of this node, or of one that is linked, is surely gone.
        let is_over = |node: &IncarnationId| {
            let me = &self.voice.me.node;
            node.node == me.node || self.linked.iter().any(|linked| linked.node == node.node)
        };
        let is_gone = |node: &IncarnationId| {
            let missed = self.missed.iter().find(|(missed, _)| missed == node);
            is_over(node) || missed.is_some_and(|(_, looks)| *looks > PATIENCE)
        };
        found.stray.retain(|(_, node)| is_gone(node));
        Ok(found)
    }

    async fn bring_home(&self, stray: BTreeSet<(GroupId, IncarnationId)>) {
        let Some(directory) = self.voice.directory.get() else {
            return;
        };
        for (group, node) in stray {
            let at = self.voice.place();
            tracing::info!(%group, from = %node, to = %at.node, "voice rooms move");
            let only = None;
            let request = LoseRooms { node, at, only };
            if let Err(refusal) = directory.ask(group, request).await {
                // It is looked at again.
                tracing::debug!(%group, code = refusal.code.code(), "rooms not moved");
            }
        }
    }

    /// Asks groups in the place of rooms that do not run: who never came is taken out.
    async fn ask_for(&self, late: Vec<(GroupId, ChannelId)>) {
        let Some(directory) = self.voice.directory.get() else {
            return;
        };
        let late = futures_util::stream::iter(late);
        let asks = late.for_each_concurrent(CONCURRENT_ASKS, |(group, channel)| {
            Box::pin(self.ask_for_one(directory, group, channel))
        });
        // Who does not answer is asked again, and holds up nothing else.
        let patience = Duration::from_millis(ROOM_WATCH_MS);
        if tokio::time::timeout(patience, asks).await.is_err() {
            tracing::debug!("groups are slow to say who is late in their rooms");
        }
    }

    async fn ask_for_one(&self, directory: &Directory, group: GroupId, channel: ChannelId) {
        let row = store::get::<Rooms>(self.store.as_ref(), &Key::new(group, channel)).await;
        let life = match row {
            Ok(Some(row)) => row.life,
            // It is over.
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%group, %channel, %error, "where a room is could not be read");
                return;
            }
        };
        let request = BeatRoom {
            room: RoomId {
                group,
                channel,
                life,
            },
            node: self.voice.me.node.clone(),
            // It has not: they had all that time.
            runs_ms: VOICE_ABSENT_MS,
            present: Vec::new(),
            gone: Vec::new(),
        };
        if let Err(refusal) = directory.ask(group, request).await {
            let code = refusal.code.code();
            tracing::debug!(%group, %channel, code, "a group was not asked for its room");
        }
    }
}

impl Voice {
    /// Gives the rooms of this node to others, if there are any: it is about to stop.
    pub async fn give_away(&self) {
        let (Some(directory), Some(at)) =
            (self.directory.get(), self.loads.other(self.clock.now()))
        else {
            return;
        };
        let groups: BTreeSet<GroupId> = self.rooms().iter().map(|room| room.id.group).collect();
        for group in groups {
            let request = LoseRooms {
                node: self.me.node.clone(),
                at: at.clone(),
                only: None,
            };
            if let Err(refusal) = directory.ask(group, request).await {
                tracing::warn!(%group, code = refusal.code.code(), "rooms not given away");
            }
        }
    }

    /// Gives one room of this node to another one, by name, or to the one with least to do.
    ///
    /// # Errors
    /// It cannot be given, in a sentence.
    pub async fn give(&self, channel: ChannelId, to: Option<&str>) -> Result<String, String> {
        let rooms = self.rooms();
        let room = rooms.iter().find(|room| room.id.channel == channel);
        let room = room.ok_or("the room is not here")?;
        let at = match to {
            Some(node) => self.loads.named(node, self.clock.now()),
            None => self.loads.other(self.clock.now()),
        };
        let at = at.ok_or("no such node takes voice rooms, or it has only just begun")?;
        let to = at.node.node.clone();
        let request = LoseRooms {
            node: self.me.node.clone(),
            at,
            only: Some(channel),
        };
        let directory = self.directory.get().ok_or("the node begins or ends")?;
        match directory.ask(room.id.group, request).await {
            Ok(()) => Ok(to),
            Err(refusal) => Err(refusal.to_string()),
        }
    }
}
