//! How far somebody has read, and who mentioned him.
//!
//! Not in the public documentation; the shapes are those that the community documents.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use rookery_protocol::command::group::ReadHistory;
use rookery_protocol::command::user::{Acknowledge, ListMentions};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{ChannelId, MessageId};
use rookery_protocol::limits;
use serde_json::json;

use super::body::{JsonBody, Params, Query};
use super::guard::Person;
use super::messages::may_read;
use super::messages::page::find;
use super::messages::show::show_all;
use super::refusal::{Reply, json_bytes, ok};
use crate::app::App;

/// `POST /channels/{id}/messages/{id}/ack`
pub(super) async fn acknowledge(
    State(app): State<App>,
    Person(caller): Person,
    params: Params,
    _: JsonBody,
) -> Reply {
    let channel = params.channel()?;
    let message = params.message()?;
    let group = app.index.group_of(channel).await?;
    let by = caller.id();
    app.directory
        .ask(group, ReadHistory { by, channel })
        .await?;
    let request = Acknowledge { channel, message };
    app.directory.ask(by, request).await?;
    Ok(ok(&json!({ "token": null })))
}

/// `GET /users/@me/mentions`: the unread messages that mention the caller, newest first, of channels that he still reads.
pub(super) async fn mentions(
    State(app): State<App>,
    Person(caller): Person,
    query: Query,
) -> Reply {
    let (before, limit) = query.read(|form| {
        let (low, high) = limits::MENTIONS_PAGE.into_inner();
        let limit = form.integer("limit", low as u64..=high as u64).or(25);
        let before = form.id::<MessageId>("before").optional();
        Some((before, usize::try_from(limit).unwrap_or(1)))
    })?;
    let mentions = app.directory.ask(caller.id(), ListMentions).await?;
    let mut readable: HashMap<ChannelId, bool> = HashMap::new();
    let mut rows = Vec::new();
    for mention in mentions.iter().rev() {
        if rows.len() == limit {
            break;
        }
        if before.is_some_and(|before| mention.message >= before) {
            continue;
        }
        let channel = mention.channel;
        let may_read = match readable.get(&channel) {
            Some(&may_read) => may_read,
            None => {
                let may_read = match may_read(&app, caller.id(), channel).await {
                    Ok(may_read) => may_read,
                    Err(refusal) if is_gone(refusal.code) => false,
                    Err(refusal) => return Err(refusal.into()),
                };
                readable.insert(channel, may_read);
                may_read
            }
        };
        if may_read && let Some(row) = find(&app, channel, mention.message).await? {
            rows.push(row);
        }
    }
    let list = show_all(&app, caller.id(), &rows).await?;
    Ok(json_bytes(StatusCode::OK, list))
}

/// Whether somebody has nothing to do with a channel any more.
fn is_gone(code: ErrorCode) -> bool {
    use ErrorCode::{MissingAccess, NonTextChannel, UnknownChannel, UnknownGuild};
    matches!(
        code,
        MissingAccess | NonTextChannel | UnknownChannel | UnknownGuild
    )
}
