//! The screens of lists that are only looked at: voice rooms, warnings and what operators did.

use rookery_protocol::inspect::{
    ActRecord, ActorId, RoomRow, Rooms, Warning, WarningKind, Warnings,
};

use super::cursor::Cursor;

/// What of the rooms is looked at.
#[derive(Debug, Default)]
pub struct RoomsScreen {
    /// The chosen one.
    pub cursor: Cursor<String>,
    /// The one whose peers are shown.
    pub detail: Option<String>,
    /// The chosen peer.
    pub peers: Cursor<String>,
}

impl RoomsScreen {
    /// Channels of the rooms.
    pub fn keys(&self, rooms: Option<&Rooms>) -> Vec<String> {
        let rooms = rooms.map(|rooms| rooms.rooms.as_slice());
        let rooms = rooms.unwrap_or_default().iter();
        rooms.map(|room| room.channel.clone()).collect()
    }

    /// The room whose peers are shown.
    pub fn room<'a>(&self, rooms: Option<&'a Rooms>) -> Option<&'a RoomRow> {
        let channel = self.detail.as_ref()?;
        rooms?.rooms.iter().find(|room| room.channel == *channel)
    }

    /// Users of its peers.
    pub fn peer_keys(&self, rooms: Option<&Rooms>) -> Vec<String> {
        let peers = self.room(rooms).map(|room| room.peers.as_slice());
        let peers = peers.unwrap_or_default().iter();
        peers.map(|peer| peer.user.clone()).collect()
    }
}

/// By what a warning is known from one answer to the next.
pub type WarningKey = (WarningKind, String, Option<ActorId>, u64);

/// What of the warnings is looked at.
#[derive(Debug, Default)]
pub struct WarningsScreen {
    /// The chosen one.
    pub cursor: Cursor<WarningKey>,
}

impl WarningsScreen {
    /// By what each is known.
    pub fn keys(&self, warnings: Option<&Warnings>) -> Vec<WarningKey> {
        let warnings = warnings.map(|warnings| warnings.warnings.as_slice());
        let warnings = warnings.unwrap_or_default().iter();
        warnings.map(key).collect()
    }
}

fn key(warning: &Warning) -> WarningKey {
    (
        warning.kind,
        warning.node.clone(),
        warning.actor,
        warning.since_ms,
    )
}

/// What of the acts is looked at.
#[derive(Debug, Default)]
pub struct ActsScreen {
    /// The chosen one, by its id.
    pub cursor: Cursor<String>,
}

impl ActsScreen {
    /// Ids of the acts.
    pub fn keys(&self, acts: Option<&Vec<ActRecord>>) -> Vec<String> {
        let acts = acts.into_iter().flatten();
        acts.map(|act| act.id.clone()).collect()
    }
}
