//! Looks for rooms whose node is gone, and has the groups that are here move them; tells other nodes how much this one has to
//! do; gives this node's rooms away when it stops.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rookery_actors::ownership::Placement;
use rookery_actors::store::{SharedStore, StoreError};
use rookery_protocol::command::group::LoseRooms;
use rookery_protocol::document::{IncarnationId, RoomsAt, Table, decode};
use rookery_protocol::ids::{ChannelId, GroupId};
use rookery_protocol::limits::{ROOM_WATCH_MS, ROOMS};
use tokio::task::JoinHandle;

use super::Voice;

/// Rows read at once.
const PAGE: usize = 1_000;
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
}

impl Watch {
    async fn run(mut self) {
        let mut beat = tokio::time::interval(Duration::from_millis(ROOM_WATCH_MS));
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            let is_clean = self.look().await;
            // Alone it had only to look after what an earlier run left.
            if is_clean && self.voice.cluster.is_none() {
                return;
            }
        }
    }

    /// Looks once; whether every room is where its node is.
    async fn look(&mut self) -> bool {
        if let Some(cluster) = &self.voice.cluster {
            cluster.tell_load(&self.voice.me, self.voice.load());
            let linked: BTreeSet<_> = cluster.linked_nodes().into_iter().collect();
            for gone in self.linked.difference(&linked) {
                self.voice.loads.gone(&gone.node);
            }
            self.linked = linked;
        }
        match self.stray().await {
            Ok(stray) => {
                let is_clean = stray.is_empty() && self.missed.is_empty();
                self.bring_home(stray).await;
                is_clean
            }
            Err(error) => {
                tracing::debug!(%error, "rooms could not be looked for");
                false
            }
        }
    }

    /// The groups here that have rooms at nodes that are gone.
    async fn stray(&mut self) -> Result<BTreeSet<(GroupId, IncarnationId)>, StoreError> {
        let (mut stray, mut absent) = (BTreeSet::new(), BTreeSet::new());
        let mut after = None;
        loop {
            let rows = self.store.walk(RoomsAt::ID, after.as_ref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(last.clone());
            for (_, row) in &rows {
                let row = decode::<RoomsAt>(row)?;
                if row.node == self.voice.me.node || self.linked.contains(&row.node) {
                    continue;
                }
                absent.insert(row.node.clone());
                if self.placement.is_here(row.group.into()) && stray.len() < ROOMS {
                    stray.insert((row.group, row.node));
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
        stray.retain(|(_, node)| is_gone(node));
        Ok(stray)
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
