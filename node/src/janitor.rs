//! The janitor: deletes in the background what ended groups and removed channels left, old entries of audit logs, dead
//! invites, and files that nothing refers to. It reads what there is and asks the group's entity to delete it piece by
//! piece, with pauses, so that the commit lane stays free for people; a crash costs nothing but time, since the row that
//! says what ended goes last.

use std::time::Duration;

use rookery_actors::entity::Clock;
use rookery_actors::store::{self, Order, Scan, StoreError};
use rookery_protocol::command::group::{Reap, ReapPiece};
use rookery_protocol::document::{
    AuditLog, EndedGroup, EndedGroups, Invites, Key, Messages, Part, Table, TableId, decode,
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
    let mut after: Option<Key> = None;
    loop {
        let rows = app
            .store
            .walk(TableId::EndedGroups, after.as_ref(), PIECE)
            .await?;
        let Some((last, _)) = rows.last() else {
            return Ok(());
        };
        after = Some(last.clone());
        for (key, row) in rows {
            let (Part::Num(group), Part::Num(place)) = (key.partition, key.sort) else {
                continue;
            };
            let ended = decode::<EndedGroups>(&row).map_err(StoreError::from)?;
            let reaper = Reaper {
                app,
                group: GroupId(group),
                channel: (place != 0).then_some(ChannelId(place)),
            };
            reaper.run(&ended).await?;
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
    async fn run(&self, ended: &EndedGroup) -> Result<(), RoundError> {
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
    let mut groups = groups_with_old_entries(app, now).await?;
    groups.extend(groups_with_dead_invites(app, now).await?);
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let piece = ReapPiece::Expired;
        let channel = None;
        ask(app, group, Reap { channel, piece }).await?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
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
async fn groups_with_dead_invites(app: &App, now: Millis) -> Result<Vec<GroupId>, StoreError> {
    let mut groups = Vec::new();
    let mut after: Option<Key> = None;
    loop {
        let rows = app.store.walk(Invites::ID, after.as_ref(), PIECE).await?;
        let Some((last, _)) = rows.last() else {
            return Ok(groups);
        };
        after = Some(last.clone());
        for (key, row) in rows {
            let invite = decode::<Invites>(&row)?;
            if let Part::Num(group) = key.partition
                && !invite.is_open(now)
                && groups.last() != Some(&GroupId(group))
            {
                groups.push(GroupId(group));
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
