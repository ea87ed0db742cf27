//! Transactions whose client is gone.
//!
//! MongoDB lets a transaction live for a minute and more after its client was killed, stopped or cut off, and everybody who
//! wants a row of it is turned away meanwhile. A lane's is ended by who fences the lane; all others are ended here, by
//! who is held up.

use bson::{Bson, Document, doc};
use mongodb::options::ReadConcern;
use rookery_protocol::limits::STORE_ORPHAN_MS;

use super::MongoStore;
use super::error::Failure;

impl MongoStore {
    /// Ends the transactions of this database's nodes that have stood open for long with nobody at work on them. A client
    /// that is only slow finds its transaction gone, and begins it again.
    pub(super) async fn end_orphans(&self) {
        let ended = async {
            let orphans = self.orphans().await?;
            let count = orphans.len();
            if count > 0 {
                self.end_sessions(orphans).await?;
            }
            Ok::<_, Failure>(count)
        };
        match ended.await {
            Ok(0) => {}
            Ok(count) => tracing::warn!(count, "abandoned transactions were ended"),
            // Who is held up goes on trying anyway.
            Err(failure) => {
                tracing::warn!(error = %failure.into_text(), "no look for abandoned transactions");
            }
        }
    }

    /// Sessions with such a transaction. What other users of the server do is not seen, and not needed.
    async fn orphans(&self) -> Result<Vec<bson::Binary>, Failure> {
        let micros = i64::try_from(STORE_ORPHAN_MS * 1_000).unwrap_or(i64::MAX);
        let stages = [
            doc! { "$currentOp": { "allUsers": false, "idleSessions": true } },
            doc! { "$match": {
                "type": "idleSession",
                "appName": &self.shared.app_name,
                "transaction.timeOpenMicros": { "$gte": micros },
            } },
            doc! { "$project": { "session": "$lsid.id" } },
        ];
        let admin = self.shared.client.database("admin");
        // What is under way now is no data: the client's read concern does not apply to it.
        let asked = admin.aggregate(stages).read_concern(ReadConcern::local());
        let mut found = asked.await?;
        let mut orphans = Vec::new();
        while found.advance().await? {
            let document = Document::try_from(found.current());
            let document = document.map_err(|error| Failure::Final(error.to_string()))?;
            if let Some(Bson::Binary(id)) = document.get("session") {
                orphans.push(id.clone());
            }
        }
        Ok(orphans)
    }
}
