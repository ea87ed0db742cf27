//! `/channels/{id}/messages/pins`, and the older `/channels/{id}/pins`.

use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use rookery_actors::store::{self, Order, Scan};
use rookery_protocol::client::message::MessageJson;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::SetPinned;
use rookery_protocol::document::{MessageRow, Pins, TableId};
use rookery_protocol::ids::ChannelId;
use rookery_protocol::limits;
use rookery_protocol::time::{Millis, iso};
use serde::Serialize;

use super::body::{Params, Query};
use super::form::Form;
use super::messages::may_read;
use super::messages::page::find;
use super::messages::show::{Joined, around, show_all};
use super::reason::Reason;
use super::refusal::{Reply, json_bytes, no_content, ok};
use crate::app::App;
use crate::auth::Caller;
use crate::fault;

/// `PUT .../pins/{message}`
pub(super) async fn pin(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
) -> Reply {
    set(&app, &caller, &params, true, reason).await
}

/// `DELETE .../pins/{message}`
pub(super) async fn unpin(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
) -> Reply {
    set(&app, &caller, &params, false, reason).await
}

async fn set(
    app: &App,
    caller: &Caller,
    params: &Params,
    pinned: bool,
    reason: Option<String>,
) -> Reply {
    let channel = params.channel()?;
    let message = params.message()?;
    let group = app.index.group_of(channel).await?;
    let request = SetPinned {
        by: caller.account.profile.clone(),
        channel,
        message,
        pinned,
        around: around(app, channel, message).await?,
        reason,
    };
    app.directory.ask(group, request).await?;
    Ok(no_content())
}

/// The pinned messages of a channel, the one pinned last first.
async fn read(app: &App, channel: ChannelId) -> Answer<Vec<(Millis, MessageRow)>> {
    let scan = Scan {
        table: TableId::Pins,
        partition: channel.into(),
        above: None,
        below: None,
        order: Order::Descending,
        limit: limits::PINS_PER_CHANNEL,
    };
    let pins = store::scan::<Pins>(app.store.as_ref(), scan).await;
    let mut rows = Vec::new();
    for (_, pin) in pins.map_err(fault::read_failed)? {
        // One that was deleted just now is a pin no more.
        if let Some(row) = find(app, channel, pin.message).await? {
            rows.push((pin.at, row));
        }
    }
    rows.sort_by_key(|(at, row)| std::cmp::Reverse((*at, row.id)));
    Ok(rows)
}

/// `GET /channels/{id}/pins`
pub(super) async fn list(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let channel = params.channel()?;
    if !may_read(&app, caller.id(), channel).await? {
        return Ok(json_bytes(StatusCode::OK, Bytes::from_static(b"[]")));
    }
    let pins = read(&app, channel).await?;
    let rows: Vec<MessageRow> = pins.into_iter().map(|(_, row)| row).collect();
    let list = show_all(&app, caller.id(), &rows).await?;
    Ok(json_bytes(StatusCode::OK, list))
}

/// A page of pins.
#[derive(Debug, Serialize)]
struct PinsJson<'a> {
    items: Vec<PinJson<'a>>,
    has_more: bool,
}

/// A pin.
#[derive(Debug, Serialize)]
struct PinJson<'a> {
    #[serde(serialize_with = "iso::serialize")]
    pinned_at: Millis,
    message: MessageJson<'a>,
}

/// `GET /channels/{id}/messages/pins`
pub(super) async fn page(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    query: Query,
) -> Reply {
    let channel = params.channel()?;
    let (before, limit) = query.read(read_page)?;
    let mut pins = Vec::new();
    if may_read(&app, caller.id(), channel).await? {
        pins = read(&app, channel).await?;
    }
    pins.retain(|(at, _)| before.is_none_or(|before| *at < before));
    let has_more = pins.len() > limit;
    pins.truncate(limit);
    let (times, rows): (Vec<Millis>, Vec<MessageRow>) = pins.into_iter().unzip();
    let joined = Joined::of(&app, caller.id(), &rows).await?;
    let items = times.into_iter().zip(&rows).filter_map(|(pinned_at, row)| {
        let message = joined.message(row)?;
        Some(PinJson { pinned_at, message })
    });
    let items = items.collect();
    Ok(ok(&PinsJson { items, has_more }))
}

fn read_page(form: &Form<'_>) -> Option<(Option<Millis>, usize)> {
    let (low, high) = limits::PINS_PAGE.into_inner();
    let limit = form.integer("limit", low as u64..=high as u64);
    let limit = limit.or(high as u64);
    let before = form.field("before", "DATE_TIME_TYPE_PARSE", |value| {
        let at = value.as_str().and_then(Millis::parse);
        at.ok_or_else(|| "Could not parse value. Should be ISO8601.".to_owned())
    });
    Some((before.optional(), usize::try_from(limit).unwrap_or(1)))
}
