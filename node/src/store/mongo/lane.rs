//! The lanes of this process: each has one session, so that whoever fences a lane knows what to end.

use std::collections::HashMap;
use std::sync::Arc;

use bson::{Binary, Document, RawDocumentBuf, rawdoc};
use mongodb::{Client, ClientSession};
use parking_lot::Mutex;
use rookery_actors::store::LaneId;
use rookery_protocol::document::LaneRow;

use super::error::Failure;

/// The collection of the lanes' documents: `{_id, seq, fenced, refused, lsid}`.
pub(super) const LANES: &str = "lanes";

/// A lane's session.
pub(super) struct Lane {
    pub(super) session: ClientSession,
    /// The lane's document carries the session's id. Nothing is written in the session before: a transaction that nobody
    /// can name could hold the document for as long as MongoDB lets transactions live.
    pub(super) is_named: bool,
    /// A call was given up half-way: the driver may believe that a transaction is open.
    pub(super) is_unsettled: bool,
}

/// Sessions by lane; as many as lanes were opened here.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: Mutex<HashMap<LaneId, Arc<tokio::sync::Mutex<Lane>>>>,
}

impl Lanes {
    /// The lane's session, made if need be.
    pub(super) async fn of(
        &self,
        client: &Client,
        id: &LaneId,
    ) -> Result<Arc<tokio::sync::Mutex<Lane>>, Failure> {
        if let Some(lane) = self.lanes.lock().get(id) {
            return Ok(Arc::clone(lane));
        }
        let session = transaction_session(client).await?;
        let lane = Lane {
            session,
            is_named: false,
            is_unsettled: false,
        };
        let made = Arc::new(tokio::sync::Mutex::new(lane));
        let mut lanes = self.lanes.lock();
        Ok(Arc::clone(lanes.entry(id.clone()).or_insert(made)))
    }
}

/// A session for transactions. Not causally consistent: they read what their snapshot holds and are acknowledged by a
/// majority, so that waiting for an earlier write at their start would only cost time.
pub(super) async fn transaction_session(client: &Client) -> Result<ClientSession, Failure> {
    Ok(client.start_session().causal_consistency(false).await?)
}

/// The `_id` of a lane's document.
pub(super) fn id(lane: &LaneId) -> RawDocumentBuf {
    rawdoc! {
        "node": lane.node.as_str(),
        // A number that MongoDB has; only equality matters.
        "incarnation": lane.incarnation.cast_signed(),
        "index": i32::from(lane.index),
    }
}

/// What names a session to `killSessions`.
pub(super) fn name_of(session: &ClientSession) -> Option<Binary> {
    match session.id().get("id") {
        Some(bson::Bson::Binary(id)) => Some(id.clone()),
        _ => None,
    }
}

/// Where a lane stands.
pub(super) fn row_of(document: Document) -> Result<LaneRow, Failure> {
    let row = bson::deserialize_from_document(document);
    row.map_err(|_| Failure::Final("the lane's document is malformed".to_owned()))
}
