//! Taking a lane: by its own node when it opens it, by another when it fences it.
//!
//! A transaction whose client was killed or stopped holds the lane's document until MongoDB ends it, which takes more than a
//! minute. So the document names its lane's session, and who takes the lane ends that session first.

use bson::{Binary, Document, RawDocumentBuf, doc, rawdoc};
use mongodb::options::ReadConcern;
use rookery_actors::store::{CommitError, LaneId, lane};
use rookery_protocol::document::LaneRow;
use rookery_protocol::limits::{STORE_CALL_MS, STORE_SEIZE_MS};

use super::MongoStore;
use super::error::{Failure, MAX_TIME_EXPIRED, code, describe};
use super::lane::{LANES, Lane, id, name_of, row_of};

/// A change of a lane's document.
struct Seizure {
    /// Only if it is not fenced.
    unfenced: bool,
    update: RawDocumentBuf,
    /// Make the document if there is none.
    upsert: bool,
    /// The session that is not to be ended.
    own: Option<Binary>,
}

impl MongoStore {
    /// Opens a lane: its document names the session that is used from now on.
    pub(super) async fn take_lane(&self, lane_id: &LaneId) -> Result<u64, CommitError> {
        let unknown = |failure: Failure| CommitError::Unknown(failure.into_text());
        let held = self.shared.lanes.of(&self.shared.client, lane_id);
        let held = held.await.map_err(unknown)?;
        let mut held = held.lock().await;
        match self.seize(lane_id, &naming(&held, true)).await {
            Ok(Some(row)) => {
                held.is_named = true;
                lane::open(&row)
            }
            // A document is there that does not match: it is fenced, or was made at this moment.
            Ok(None) | Err(Failure::Duplicate) => match self.durable_lane(lane_id).await {
                Ok(Some(row)) if row.fenced => Err(CommitError::Fenced),
                Ok(_) => Err(CommitError::Unknown("the lane is being taken".to_owned())),
                Err(failure) => Err(unknown(failure)),
            },
            Err(failure) => Err(unknown(failure)),
        }
    }

    /// Before the first commit of a session: the lane's document names it. A lane that is fenced or missing stays as it is;
    /// the commit finds that out.
    pub(super) async fn name_session(
        &self,
        lane_id: &LaneId,
        held: &mut Lane,
    ) -> Result<(), Failure> {
        if !held.is_named {
            let row = self.seize(lane_id, &naming(held, false)).await?;
            held.is_named = row.is_some();
        }
        Ok(())
    }

    /// Fences a lane.
    pub(super) async fn fence_lane(&self, lane_id: &LaneId) -> Result<(), CommitError> {
        let seizure = Seizure {
            unfenced: false,
            update: rawdoc! {
                "$set": { "fenced": true },
                "$setOnInsert": { "seq": 0_i64, "refused": [] },
            },
            upsert: true,
            own: None,
        };
        let fenced = match self.seize(lane_id, &seizure).await {
            // Two made the document at once: now it is there.
            Err(Failure::Duplicate) => self.seize(lane_id, &seizure).await,
            other => other,
        };
        let failed = |failure: Failure| CommitError::Unknown(failure.into_text());
        fenced.map(|_| ()).map_err(failed)
    }

    /// Changes a lane's document, durably, and returns it. Whatever session holds it is ended, as often as it takes it
    /// again: between the end of its transaction and our write it can begin another one.
    async fn seize(&self, lane_id: &LaneId, seizure: &Seizure) -> Result<Option<LaneRow>, Failure> {
        let mut query = rawdoc! { "_id": id(lane_id) };
        if seizure.unfenced {
            query.append(bson::raw::cstr!("fenced"), false);
        }
        let mut patience = STORE_SEIZE_MS;
        loop {
            self.end_session_of(lane_id, seizure.own.as_ref()).await?;
            let patience_now = i64::try_from(patience).unwrap_or(i64::MAX);
            let command = rawdoc! {
                "findAndModify": LANES,
                "query": query.clone(),
                "update": seizure.update.clone(),
                "upsert": seizure.upsert,
                "new": true,
                "maxTimeMS": patience_now,
                "writeConcern": { "w": "majority", "j": true },
            };
            let mut session = self.shared.client.start_session().await?;
            let ran = self.shared.database.run_raw_command(command);
            match ran.session(&mut session).await {
                Ok(reply) => match reply.get_document("writeConcernError") {
                    // Not known yet to be with a majority: then it is written again, to no effect, and waited for longer.
                    Ok(error) if error.get_i32("code").ok() == Some(MAX_TIME_EXPIRED) => {}
                    Ok(error) => {
                        let name = error.get_str("codeName").unwrap_or_default();
                        return Err(Failure::Final(name.to_owned()));
                    }
                    Err(_) => {
                        self.saw(&session);
                        let document = reply.get_document("value").ok().cloned();
                        return document.map(row_of).transpose();
                    }
                },
                Err(error) if code(&error) == Some(MAX_TIME_EXPIRED) => {}
                Err(error) => return Err(error.into()),
            }
            patience = (patience * 2).min(STORE_CALL_MS);
        }
    }

    /// Ends the session that a lane's document names, and with it the transaction that may hold the document.
    async fn end_session_of(&self, lane_id: &LaneId, own: Option<&Binary>) -> Result<(), Failure> {
        // What is written but not yet with a majority counts too.
        let found = self.find_lane(lane_id, ReadConcern::local()).await?;
        let Some(named) = found.as_ref().and_then(|row| row.get("lsid")) else {
            return Ok(());
        };
        let bson::Bson::Binary(named) = named else {
            return Err(Failure::Final(
                "the lane's document is malformed".to_owned(),
            ));
        };
        if Some(named) == own {
            return Ok(());
        }
        self.end_sessions(vec![named.clone()]).await
    }

    /// Ends sessions; those of other users of the database are not touched.
    pub(super) async fn end_sessions(&self, sessions: Vec<Binary>) -> Result<(), Failure> {
        let sessions: Vec<Document> = sessions.into_iter().map(|id| doc! { "id": id }).collect();
        let admin = self.shared.client.database("admin");
        let command = doc! { "killSessions": sessions };
        match admin.run_command(command).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Final(describe(&error))),
        }
    }

    /// Where a lane stands for good.
    async fn durable_lane(&self, lane_id: &LaneId) -> Result<Option<LaneRow>, Failure> {
        let found = self.find_lane(lane_id, ReadConcern::majority()).await?;
        found.map(row_of).transpose()
    }

    async fn find_lane(
        &self,
        lane_id: &LaneId,
        read_concern: ReadConcern,
    ) -> Result<Option<Document>, Failure> {
        let filter = Document::try_from(rawdoc! { "_id": id(lane_id) });
        let filter = filter.map_err(|error| Failure::Final(error.to_string()))?;
        let lanes = self.shared.database.collection::<Document>(LANES);
        Ok(lanes.find_one(filter).read_concern(read_concern).await?)
    }
}

/// Makes an unfenced lane's document name a session.
fn naming(held: &Lane, upsert: bool) -> Seizure {
    let own = name_of(&held.session);
    let mut set = RawDocumentBuf::new();
    if let Some(own) = own.clone() {
        set.append(bson::raw::cstr!("lsid"), own);
    }
    Seizure {
        unfenced: true,
        update: rawdoc! { "$set": set, "$setOnInsert": { "seq": 0_i64, "refused": [] } },
        upsert,
        own,
    }
}
