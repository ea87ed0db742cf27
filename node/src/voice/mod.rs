//! Voice on this node: its rooms, the sockets and media of their clients, and which node of the cluster has which room.
//!
//! Decisions are in `rookery_actors::room` and in the group that a room belongs to; [`media`] carries packets.

mod bridge;
pub mod decode;
mod loads;
pub mod media;
mod socket;
mod turn;
mod vacant;
mod warden;

use std::collections::HashSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use rookery_actors::entity::{Clock, Directory, KindView};
use rookery_actors::links::Links;
use rookery_actors::room::{MediaMaker, RoomView, RoomWorld, Rooms};
use rookery_protocol::client::voice::IceServer;
use rookery_protocol::command::group::BeatRoom;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::voice::{MediaNode, RoomOrders};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::decode::{VoiceCommand, decode};
use self::loads::Loads;
use self::media::{Media, MediaError};
use self::turn::Turn;
pub use self::warden::Warden;
use crate::cluster::Cluster;
use crate::config::Config;

/// Voice on this node.
pub struct Voice {
    /// This node as others are told of it.
    me: MediaNode,
    clock: Arc<dyn Clock>,
    links: Links,
    maker: bridge::Maker,
    turn: Option<Turn>,
    loads: Loads,
    cluster: Option<Arc<Cluster>>,
    /// Set once the entities run.
    directory: OnceLock<Directory>,
    rooms: OnceLock<Rooms>,
    next_socket: AtomicU64,
    tasks: TaskTracker,
    /// Cancelled when the node stops.
    stopping: CancellationToken,
}

impl Voice {
    /// The voice of an incarnation; nobody is served before [`Voice::open`].
    ///
    /// # Errors
    /// The ports for media cannot be had.
    pub fn new(
        config: &Config,
        node: IncarnationId,
        clock: Arc<dyn Clock>,
        links: Links,
        cluster: Option<Arc<Cluster>>,
    ) -> Result<Arc<Self>, MediaError> {
        let media = Media::start(&config.voice.media())?;
        let own = config.voice.public_url.clone();
        let is_told = own.is_some() || config.public_url.is_some() || cluster.is_some();
        let origin = own.unwrap_or_else(|| config.origin());
        let rest = origin.split_once("://").map_or("", |(_, rest)| rest);
        // A client of a node that has no public name finds its voice where it found the node.
        let me = MediaNode {
            node,
            endpoint: rest.to_owned(),
            url: is_told.then(|| format!("{}/voice", origin.replacen("http", "ws", 1))),
        };
        Ok(Arc::new(Self {
            me,
            clock,
            links,
            maker: bridge::Maker(media),
            turn: Turn::of(&config.voice),
            loads: Loads::default(),
            cluster,
            directory: OnceLock::new(),
            rooms: OnceLock::new(),
            next_socket: AtomicU64::new(1),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }))
    }

    /// From now on rooms can be. Once; must be called within a tokio runtime.
    ///
    /// # Errors
    /// The supervisor of rooms could not be started.
    pub async fn open(self: &Arc<Self>, directory: Directory) -> Result<(), ractor::SpawnErr> {
        let _ = self.directory.set(directory);
        let world = Arc::new(Surroundings(
            Arc::downgrade(self),
            self.me.node.clone(),
            Arc::clone(&self.clock),
        ));
        let rooms = Rooms::start(world).await?;
        let _ = self.rooms.set(rooms);
        Ok(())
    }

    /// The route of the voice socket.
    pub fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/voice", get(socket::upgrade))
            .route("/voice/", get(socket::upgrade))
            .with_state(Arc::clone(self))
    }

    /// The rooms that are here.
    pub fn rooms(&self) -> Vec<RoomView> {
        self.rooms.get().map(Rooms::list).unwrap_or_default()
    }

    /// The channels whose rooms run here.
    fn running(&self) -> HashSet<ChannelId> {
        self.rooms.get().map(Rooms::channels).unwrap_or_default()
    }

    /// How many rooms are here, and people in them.
    pub fn count(&self) -> (usize, usize) {
        self.rooms.get().map(Rooms::count).unwrap_or_default()
    }

    /// Messages of the rooms by kind.
    pub fn kinds(&self) -> Vec<KindView> {
        let rooms = self.rooms.get();
        rooms.map(|rooms| rooms.kinds().view()).unwrap_or_default()
    }

    /// Ends the room of a channel, if it is here: its clients come back by themselves, and it is made anew.
    pub fn restart(&self, channel: ChannelId) -> bool {
        self.rooms.get().is_some_and(|rooms| rooms.end(channel))
    }

    /// The media workers.
    pub fn media(&self) -> &Media {
        &self.maker.0
    }

    /// Where a new room goes: to the node with the fewest people in its rooms.
    pub fn place(&self) -> MediaNode {
        let load = self.load();
        self.loads.lightest(&self.me, load, self.clock.now())
    }

    /// How many people the rooms of this node have.
    fn load(&self) -> u64 {
        self.count().1 as u64
    }

    /// TURN servers for somebody.
    fn ice_servers(&self, user: UserId) -> Vec<IceServer> {
        let turn = self.turn.iter();
        turn.map(|turn| turn.server(user, self.clock.now()))
            .collect()
    }

    /// Another node says how much its rooms have to do.
    pub fn heard(&self, of: MediaNode, load: u64) {
        self.loads.heard(of, load, self.clock.now());
    }

    /// Another node's group has a room here that should ask it.
    pub fn nudged(&self, channel: ChannelId) {
        if let Some(rooms) = self.rooms.get() {
            rooms.nudge(channel);
        }
    }

    /// Ends all rooms and sockets.
    pub async fn shutdown(&self) {
        self.stopping.cancel();
        if let Some(rooms) = self.rooms.get() {
            rooms.stop();
        }
        self.tasks.close();
        let ended = tokio::time::timeout(std::time::Duration::from_millis(500), self.tasks.wait());
        if ended.await.is_err() {
            tracing::debug!(left = self.tasks.len(), "voice sockets still closing");
        }
    }
}

impl std::fmt::Debug for Voice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Voice")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}

impl rookery_actors::entity::Rooms for Voice {
    fn nudge(&self, node: &IncarnationId, channel: ChannelId) {
        if *node == self.me.node {
            self.nudged(channel);
        } else if let Some(cluster) = &self.cluster {
            cluster.nudge(node, channel);
        }
    }
}

/// What rooms need of their node.
struct Surroundings(std::sync::Weak<Voice>, IncarnationId, Arc<dyn Clock>);

#[async_trait]
impl RoomWorld for Surroundings {
    fn node(&self) -> &IncarnationId {
        &self.1
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        &self.2
    }

    fn media(&self) -> Option<Arc<dyn MediaMaker>> {
        let voice = self.0.upgrade()?;
        Some(Arc::new(voice.maker.clone()))
    }

    async fn ask(&self, group: GroupId, request: BeatRoom) -> Option<RoomOrders> {
        let voice = self.0.upgrade()?;
        let directory = voice.directory.get()?;
        match directory.ask(group, request).await {
            Ok(orders) => Some(orders),
            Err(refusal) if refusal.code == rookery_protocol::error::ErrorCode::UnknownGuild => {
                Some(RoomOrders::Close)
            }
            Err(refusal) => {
                tracing::debug!(%group, code = refusal.code.code(), "a room could not ask its group");
                None
            }
        }
    }
}
