//! Which part of a history is asked for, and reading it.

use rookery_actors::store::{self, Order, Scan};
use rookery_protocol::command::Answer;
use rookery_protocol::document::{Key, MessageRow, Messages, TableId};
use rookery_protocol::ids::{ChannelId, MessageId};
use rookery_protocol::limits;

use crate::app::App;
use crate::fault;
use crate::http::form::Form;

/// Which part of the history.
pub(super) enum Page {
    /// The newest, or those next below a message.
    Before(Option<MessageId>),
    /// Those next above a message.
    After(MessageId),
    /// Half of them below.
    Around(MessageId),
}

/// Reads the query of a listing: a page and its size.
pub(super) fn form(form: &Form<'_>) -> Option<(Page, usize)> {
    let (low, high) = limits::MESSAGES_PAGE.into_inner();
    let limit = form.integer("limit", low as u64..=high as u64).or(50);
    let around = form.mark("around", MessageId(0)).optional();
    let before = form.mark("before", MessageId(0)).optional();
    let after = form.mark("after", MessageId(0)).optional();
    let page = match (around, before, after) {
        (Some(around), ..) => Page::Around(around),
        (_, Some(before), _) => Page::Before(Some(before)),
        (_, _, Some(after)) => Page::After(after),
        _ => Page::Before(None),
    };
    Some((page, usize::try_from(limit).unwrap_or(1)))
}

/// A part of the history, newest first.
pub(super) async fn read(
    app: &App,
    channel: ChannelId,
    page: Page,
    limit: usize,
) -> Answer<Vec<MessageRow>> {
    match page {
        Page::Before(before) => scan(app, channel, None, before, limit).await,
        Page::After(after) => scan(app, channel, Some(after), None, limit).await,
        Page::Around(middle) => {
            let half = limit / 2;
            let mut rows = scan(app, channel, Some(middle), None, half).await?;
            let next = Some(MessageId(middle.0.saturating_add(1)));
            rows.extend(scan(app, channel, None, next, limit - half).await?);
            Ok(rows)
        }
    }
}

/// Messages between two others, newest first.
async fn scan(
    app: &App,
    channel: ChannelId,
    above: Option<MessageId>,
    below: Option<MessageId>,
    limit: usize,
) -> Answer<Vec<MessageRow>> {
    let order = if above.is_some() {
        Order::Ascending
    } else {
        Order::Descending
    };
    let scan = Scan {
        table: TableId::Messages,
        partition: channel.into(),
        above: above.map(Into::into),
        below: below.map(Into::into),
        order,
        limit,
    };
    let rows = store::scan::<Messages>(app.store.as_ref(), scan).await;
    let rows = rows.map_err(fault::read_failed)?.into_iter();
    let rows = rows.map(|(_, row)| row);
    Ok(match order {
        Order::Ascending => rows.rev().collect(),
        Order::Descending => rows.collect(),
    })
}

/// A message of the history.
pub(in crate::http) async fn find(
    app: &App,
    channel: ChannelId,
    message: MessageId,
) -> Answer<Option<MessageRow>> {
    let key = Key::new(channel, message);
    let row = store::get::<Messages>(app.store.as_ref(), &key).await;
    row.map_err(fault::read_failed)
}
