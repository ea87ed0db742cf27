//! Deletes what somebody banned has written. A ban that wants it leaves a row ([`PurgeRow`]) that is deleted when
//! nothing is left to delete, so that what a killed node did not finish is taken up at its next start.

use std::time::Duration;

use rookery_actors::store::{self, Order, Scan};
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{BulkDelete, EndPurge};
use rookery_protocol::document::{Groups, Key, Messages, Part, PurgeRow, Purges, Table, decode};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{ChannelId, GroupId, MessageId};
use rookery_protocol::limits;

use crate::app::App;
use crate::fault;

/// Rows read at once.
const PAGE: usize = 1_000;
/// How long a purge waits that the store or the group did not answer.
const RETRY: Duration = Duration::from_secs(10);

/// Purges until it is aborted: what the last run left, then whenever a ban wants it.
pub async fn run(app: App) {
    loop {
        match purge_all(&app).await {
            Ok(()) => app.purges.notified().await,
            Err(refusal) => {
                tracing::warn!(error = %refusal, "messages of somebody banned not all deleted");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

async fn purge_all(app: &App) -> Answer<()> {
    loop {
        let rows = app.store.walk(Purges::ID, None, PAGE).await;
        let rows = rows.map_err(fault::read_failed)?;
        if rows.is_empty() {
            return Ok(());
        }
        // One that cannot be done now keeps nobody else's waiting.
        let mut failed = None;
        for (key, bytes) in rows {
            let (Part::Num(group), Ok(row)) = (&key.partition, decode::<Purges>(&bytes)) else {
                tracing::error!(table = %Purges::ID, "corrupt row");
                failed = Some(ErrorCode::Internal.into());
                continue;
            };
            if let Err(refusal) = purge(app, GroupId(*group), &row).await {
                failed = Some(refusal);
            }
        }
        if let Some(refusal) = failed {
            return Err(refusal);
        }
    }
}

/// Deletes the messages of one ban, whatever its maker may see: the ban was the leave for it.
async fn purge(app: &App, group: GroupId, row: &PurgeRow) -> Answer<()> {
    let document = store::get::<Groups>(app.store.as_ref(), &Key::single(group)).await;
    let channels = document
        .map_err(fault::read_failed)?
        .map_or(Vec::new(), |document| document.channels);
    for channel in channels
        .iter()
        .filter(|channel| channel.kind.holds_messages())
    {
        purge_channel(app, group, channel.id, row).await?;
    }
    let purge = row.below;
    // A group that ended took the row along.
    gone_is_done(app.directory.ask(group, EndPurge { purge }).await)?;
    tracing::info!(%group, user = %row.user, "deleted what somebody banned wrote");
    Ok(())
}

async fn purge_channel(
    app: &App,
    group: GroupId,
    channel: ChannelId,
    row: &PurgeRow,
) -> Answer<()> {
    let mut above = row.above;
    loop {
        let scan = Scan {
            table: Messages::ID,
            partition: channel.into(),
            above: Some(above.into()),
            below: Some(row.below.into()),
            order: Order::Ascending,
            limit: PAGE,
        };
        let page = store::scan::<Messages>(app.store.as_ref(), scan).await;
        let page = page.map_err(fault::read_failed)?;
        let Some((_, last)) = page.last() else {
            return Ok(());
        };
        above = last.id;
        let his = page
            .iter()
            .filter(|(_, message)| message.author == row.user);
        let his: Vec<MessageId> = his.map(|(_, message)| message.id).collect();
        for messages in his.chunks(*limits::BULK_DELETE.end()) {
            let request = BulkDelete {
                by: row.by,
                channel,
                messages: messages.to_vec(),
                reason: None,
                purge: true,
            };
            let files = gone_is_done(app.directory.ask(group, request).await)?;
            app.media.forget(channel, files);
        }
    }
}

/// A channel or a group that is gone took its messages along.
fn gone_is_done<T: Default>(answer: Answer<T>) -> Answer<T> {
    match answer {
        Err(refusal)
            if matches!(
                refusal.code,
                ErrorCode::UnknownChannel | ErrorCode::UnknownGuild
            ) =>
        {
            Ok(T::default())
        }
        other => other,
    }
}
