//! Sessions that have moved here, by what they are called, as all lanes and the gateway see them.

use parking_lot::Mutex;
use rookery_actors::relay::{Names, SessionRef};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::session::SessionKey;

use crate::presence::At;

/// The sessions that have moved here. There are never more than sessions: each goes with its session.
#[derive(Debug, Default)]
pub struct Moves(Mutex<Names<At>>);

impl Moves {
    /// Where a session is, if it is at this node, which is `me` and has so many lanes.
    pub(super) fn place_of(
        &self,
        key: &SessionKey,
        me: &IncarnationId,
        lanes: usize,
    ) -> Option<At> {
        let born =
            |lane, session: SessionRef| (usize::from(lane) < lanes).then_some(At { lane, session });
        self.0.lock().place_of(key, me, born)
    }

    /// What a session is called that has moved here.
    pub fn name(&self, at: At) -> Option<SessionKey> {
        self.0.lock().name(at)
    }

    pub(super) fn came(&self, key: SessionKey, at: At) {
        self.0.lock().came(key, at);
    }

    pub(super) fn went(&self, at: At) {
        self.0.lock().went(at);
    }
}
