//! The janitor: deletes in the background what ended groups and removed channels left, old entries of audit logs, dead
//! invites, and files that nothing refers to. It reads what there is and asks the group's entity to delete it piece by
//! piece, with pauses, so that the commit lane stays free for people; a crash costs nothing but time, since the row that
//! says what ended goes last.

use std::time::Duration;

use rookery_actors::entity::Clock;
use rookery_actors::store::{self, Order, Scan, StoreError};
use rookery_protocol::command::group::{Reap, ReapPiece};
use rookery_protocol::document::{
    AuditLog, EndedGroups, Invites, Key, Messages, Part, Table, TableId, decode,
};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::ids::{AttachmentId, ChannelId, GroupId};
use rookery_protocol::limits;
use rookery_protocol::snowflake;
use rookery_protocol::time::Millis;
use tokio::sync::Notify;

use crate::app::App;
use crate::media::sweep;

/// Rows deleted in one commit.
const PIECE: usize = 500;
/// The pause after each piece: at most 20,000 rows a second.
const PAUSE: Duration = Duration::from_millis(25);
/// The pause before something that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often it is tried; after that, the next round does it.
const TRIES: u32 = 30;
/// The pause between two rounds that nobody asked for.
const ROUND: Duration = Duration::from_secs(3_600);

/// Wakes the janitor.
#[derive(Debug, Default)]
pub struct Janitor(Notify);

impl Janitor {
    /// Something ended.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the group refused: {0}")]
    Refused(#[from] ApiError),
}

/// What failed in a round: one row or group keeps nobody else's waiting.
#[derive(Default)]
struct Failed(Option<RoundError>);

impl Failed {
    /// Keeps the first, for the end of the round.
    ///
    /// # Errors
    /// The store does not answer: the rest would fail as well.
    async fn add(&mut self, app: &App, error: RoundError) -> Result<(), RoundError> {
        if is_away(app, &error).await {
            return Err(error);
        }
        self.0.get_or_insert(error);
        Ok(())
    }

    fn into_result(self) -> Result<(), RoundError> {
        self.0.map_or(Ok(()), Err)
    }
}

/// Whether something failed because the store does not answer.
async fn is_away(app: &App, error: &RoundError) -> bool {
    match error {
        RoundError::Store(error) => matches!(error, StoreError::Unavailable(_)),
        // It may be the store, or only whoever has the group.
        RoundError::Refused(refusal) if refusal.code == ErrorCode::Unavailable => {
            let read = app.store.walk(TableId::EndedGroups, None, 1).await;
            matches!(read, Err(StoreError::Unavailable(_)))
        }
        RoundError::Refused(_) => false,
    }
}

/// Works for as long as the node runs.
pub async fn run(app: App) {
    tokio::join!(reaping(&app), upkeep(&app));
}

/// Deletes what ended, at the start, when woken, and every hour.
async fn reaping(app: &App) {
    loop {
        if let Err(error) = reap_all(app).await {
            tracing::warn!(%error, "what ended is not all deleted yet");
        }
        // Woken while it worked, it goes on at once.
        let _ = tokio::time::timeout(ROUND, app.janitor.0.notified()).await;
    }
}

/// Deletes what is too old, at the start and every hour.
async fn upkeep(app: &App) {
    loop {
        if let Err(error) = expire_all(app).await {
            tracing::warn!(%error, "what expired is not all deleted yet");
        }
        match app.media.sweep(app.store.as_ref(), sweep::AGE).await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "deleted files that nothing refers to"),
            Err(error) => tracing::warn!(%error, "the files were not all looked at"),
        }
        tokio::time::sleep(ROUND).await;
    }
}

/// Deletes everything that ended.
async fn reap_all(app: &App) -> Result<(), RoundError> {
    let mut failed = Failed::default();
    let mut after: Option<Key> = None;
    loop {
        let rows = app
            .store
            .walk(TableId::EndedGroups, after.as_ref(), PIECE)
            .await?;
        let Some((last, _)) = rows.last() else {
            return failed.into_result();
        };
        after = Some(last.clone());
        for (key, row) in rows {
            let (Part::Num(group), Part::Num(place)) = (key.partition, key.sort) else {
                continue;
            };
            let group = GroupId(group);
            let channel = (place != 0).then_some(ChannelId(place));
            let reaper = Reaper {
                app,
                group,
                channel,
            };
            if let Err(error) = reaper.run(&row).await {
                tracing::warn!(%group, ?channel, %error, "what ended cannot be deleted");
                failed.add(app, error).await?;
            }
        }
    }
}

/// Deletes what one group or one channel left.
struct Reaper<'a> {
    app: &'a App,
    group: GroupId,
    /// None: the group as a whole.
    channel: Option<ChannelId>,
}

impl Reaper<'_> {
    async fn run(&self, row: &[u8]) -> Result<(), RoundError> {
        let ended = decode::<EndedGroups>(row).map_err(StoreError::from)?;
        let mut rows = 0;
        for &channel in &ended.channels {
            rows += self.messages(channel).await?;
            rows += self.partition(TableId::Pins, channel.into()).await?;
            rows += self.files(channel).await?;
        }
        if self.channel.is_none() {
            for table in [
                TableId::Members,
                TableId::Invites,
                TableId::Bans,
                TableId::AuditLog,
            ] {
                rows += self.partition(table, self.group.into()).await?;
            }
        }
        self.ask(ReapPiece::Rest).await?;
        tracing::info!(group = %self.group, channel = ?self.channel, rows, "deleted what ended");
        Ok(())
    }

    /// The messages of a channel, each after the reactions to it.
    async fn messages(&self, channel: ChannelId) -> Result<usize, RoundError> {
        let mut deleted = 0;
        loop {
            let scan = page(TableId::Messages, channel.into());
            let rows = store::scan::<Messages>(self.app.store.as_ref(), scan).await?;
            if rows.is_empty() {
                return Ok(deleted);
            }
            for (_, row) in &rows {
                if !row.reactions.is_empty() {
                    deleted += self.partition(TableId::Reactions, row.id.into()).await?;
                }
            }
            deleted += rows.len();
            let keys = rows.into_iter().map(|(key, _)| key).collect();
            self.delete(TableId::Messages, keys).await?;
        }
    }

    /// The files of a channel, with their bytes.
    async fn files(&self, channel: ChannelId) -> Result<usize, RoundError> {
        let mut deleted = 0;
        loop {
            let keys = self.keys(TableId::Attachments, channel.into()).await?;
            if keys.is_empty() {
                self.app.media.delete_channel(channel).await;
                return Ok(deleted);
            }
            deleted += keys.len();
            let ids = keys.iter().filter_map(|key| match key.sort {
                Part::Num(id) => Some(AttachmentId(id)),
                Part::Text(_) => None,
            });
            let ids: Vec<AttachmentId> = ids.collect();
            self.delete(TableId::Attachments, keys).await?;
            self.app.media.delete(channel, &ids).await;
        }
    }

    /// All rows of a partition.
    async fn partition(&self, table: TableId, partition: Part) -> Result<usize, RoundError> {
        let mut deleted = 0;
        loop {
            let keys = self.keys(table, partition.clone()).await?;
            if keys.is_empty() {
                return Ok(deleted);
            }
            deleted += keys.len();
            self.delete(table, keys).await?;
        }
    }

    async fn keys(&self, table: TableId, partition: Part) -> Result<Vec<Key>, RoundError> {
        let rows = self.app.store.scan(&page(table, partition)).await?;
        Ok(rows.into_iter().map(|(key, _)| key).collect())
    }

    async fn delete(&self, table: TableId, keys: Vec<Key>) -> Result<(), RoundError> {
        let count = keys.len();
        self.ask(ReapPiece::Rows { table, keys }).await?;
        tracing::debug!(group = %self.group, %table, count, "deleted a piece");
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    async fn ask(&self, piece: ReapPiece) -> Result<(), RoundError> {
        let channel = self.channel;
        Ok(ask(self.app, self.group, Reap { channel, piece }).await?)
    }
}

/// Asks until there is an answer; pieces may come twice.
async fn ask(app: &App, group: GroupId, request: Reap) -> Result<(), ApiError> {
    let mut tries = 0;
    loop {
        match app.directory.ask(group, request.clone()).await {
            Err(refusal)
                if matches!(refusal.code, ErrorCode::Busy | ErrorCode::Unavailable)
                    && tries < TRIES =>
            {
                tries += 1;
                tokio::time::sleep(RETRY).await;
            }
            // It was done before, and the answer was lost.
            Err(refusal) if refusal.code == ErrorCode::UnknownGuild => return Ok(()),
            answer => return answer,
        }
    }
}

/// The first rows of a partition.
fn page(table: TableId, partition: Part) -> Scan {
    Scan {
        table,
        partition,
        above: None,
        below: None,
        order: Order::Ascending,
        limit: PIECE,
    }
}

/// Has groups delete what expired.
async fn expire_all(app: &App) -> Result<(), RoundError> {
    let now = app.clock.now();
    let mut failed = Failed::default();
    let mut groups = groups_with_old_entries(app, now).await?;
    groups.extend(groups_with_dead_invites(app, now, &mut failed).await?);
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let piece = ReapPiece::Expired;
        let channel = None;
        if let Err(error) = ask(app, group, Reap { channel, piece }).await {
            tracing::warn!(%group, %error, "what expired cannot be deleted");
            failed.add(app, error.into()).await?;
        }
        tokio::time::sleep(PAUSE).await;
    }
    failed.into_result()
}

/// Groups whose audit log has entries that are too old: of each group only the first entry is read.
async fn groups_with_old_entries(app: &App, now: Millis) -> Result<Vec<GroupId>, StoreError> {
    let oldest = snowflake::floor(Millis(now.0.saturating_sub(limits::AUDIT_MS)));
    let mut groups = Vec::new();
    let mut after = None;
    loop {
        let rows = app.store.walk(AuditLog::ID, after.as_ref(), 1).await?;
        let Some((key, _)) = rows.into_iter().next() else {
            return Ok(groups);
        };
        if let (Part::Num(group), Part::Num(entry)) = (&key.partition, &key.sort)
            && *entry <= oldest
        {
            groups.push(GroupId(*group));
        }
        // On to the next group.
        after = Some(Key::new(key.partition, i64::MAX.cast_unsigned()));
    }
}

/// Groups that have invites which cannot be taken any more.
async fn groups_with_dead_invites(
    app: &App,
    now: Millis,
    failed: &mut Failed,
) -> Result<Vec<GroupId>, RoundError> {
    let mut groups = Vec::new();
    let mut after: Option<Key> = None;
    loop {
        let rows = app.store.walk(Invites::ID, after.as_ref(), PIECE).await?;
        let Some((last, _)) = rows.last() else {
            return Ok(groups);
        };
        after = Some(last.clone());
        for (key, row) in rows {
            let Part::Num(group) = key.partition else {
                continue;
            };
            let group = GroupId(group);
            match decode::<Invites>(&row) {
                Ok(invite) if invite.is_open(now) || groups.last() == Some(&group) => {}
                Ok(_) => groups.push(group),
                Err(error) => {
                    // Without its code: whoever knows that may come in.
                    tracing::warn!(%group, %error, "an invite cannot be read");
                    failed.add(app, StoreError::from(error).into()).await?;
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rookery_actors::entity::Publisher;
    use rookery_actors::store::memory::MemoryStore;
    use rookery_actors::store::{SharedStore, Write, put};
    use rookery_protocol::command::group::CreateGroup;
    use rookery_protocol::document::EndedGroup;
    use rookery_protocol::event::SharedFrame;
    use rookery_protocol::ids::UserId;
    use rookery_protocol::profile::Profile;

    use super::*;
    use crate::config::Config;
    use crate::node::Node;

    struct Nobody;

    impl Publisher for Nobody {
        fn publish(&self, _: SharedFrame) {}
    }

    /// A node on a store with some rows.
    async fn node(rows: Vec<Write>) -> Node {
        let store: SharedStore = Arc::new(MemoryStore::new());
        store.transact(&[], &|_| rows.clone()).await.unwrap();
        Node::alone(Config::default(), store, Arc::new(Nobody)).await
    }

    fn no_row(table: TableId, key: Key) -> Write {
        Write::Put {
            table,
            key,
            row: b"no row".to_vec(),
        }
    }

    /// The groups, or channels, that have rows in a table.
    async fn left(node: &Node, table: TableId) -> Vec<Part> {
        let rows = node.app.store.walk(table, None, PIECE).await.unwrap();
        rows.into_iter().map(|(key, _)| key.partition).collect()
    }

    /// The table of the row that could not be read.
    #[track_caller]
    fn corrupt(ended: Result<(), RoundError>) -> TableId {
        match ended {
            Err(RoundError::Store(StoreError::Corrupt(row))) => row.table,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_of_one_ended_group_keeps_the_next_one_from_nothing() {
        let ended = |group: u64, channel: u64| {
            let row = EndedGroup {
                channels: vec![ChannelId(channel)],
                at: Millis(1),
            };
            put::<EndedGroups>(Key::new(group, 0), &row)
        };
        let node = node(vec![
            no_row(TableId::EndedGroups, Key::new(1, 0)),
            ended(2, 20),
            no_row(TableId::Messages, Key::new(20, 1)),
            ended(3, 30),
            no_row(TableId::Pins, Key::new(30, 1)),
        ])
        .await;
        let first = corrupt(reap_all(&node.app).await);
        assert_eq!(first, TableId::EndedGroups);
        let kept = left(&node, TableId::EndedGroups).await;
        assert_eq!(kept, [Part::Num(1), Part::Num(2)]);
        assert!(left(&node, TableId::Pins).await.is_empty());
        node.shutdown().await;
    }

    #[tokio::test]
    async fn a_spoiled_group_keeps_the_old_entries_of_no_other() {
        let node = node(vec![
            no_row(TableId::Invites, Key::new(1, "code")),
            no_row(TableId::Groups, Key::single(2)),
            no_row(TableId::AuditLog, Key::new(2, 1)),
            no_row(TableId::AuditLog, Key::new(3, 1)),
        ])
        .await;
        let by = Profile {
            id: UserId(9),
            username: "ada".to_owned(),
            global_name: None,
            avatar: None,
            bot: false,
        };
        let create = CreateGroup {
            by,
            name: "Rooks".to_owned(),
            icon: None,
        };
        node.app.directory.ask(GroupId(3), create).await.unwrap();
        let first = corrupt(expire_all(&node.app).await);
        assert_eq!(first, TableId::Invites);
        let kept = left(&node, TableId::AuditLog).await;
        assert_eq!(kept, [Part::Num(2)]);
        node.shutdown().await;
    }

    #[tokio::test]
    async fn without_a_store_a_round_ends_at_once() {
        let store = Arc::new(MemoryStore::new());
        let shared: SharedStore = store.clone();
        let node = Node::alone(Config::default(), shared, Arc::new(Nobody)).await;
        let mut failed = Failed::default();
        let refused = |code: ErrorCode| RoundError::from(ApiError::from(code));
        let unavailable = || refused(ErrorCode::Unavailable);
        for error in [refused(ErrorCode::Internal), unavailable()] {
            failed.add(&node.app, error).await.unwrap();
        }
        store.set_unavailable(true);
        assert!(failed.add(&node.app, unavailable()).await.is_err());
        store.set_unavailable(false);
        let Err(RoundError::Refused(first)) = failed.into_result() else {
            panic!("nothing has failed");
        };
        assert_eq!(first.code, ErrorCode::Internal);
        node.shutdown().await;
    }
}
