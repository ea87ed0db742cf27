//! `/channels/{id}/messages`: what is written to a channel.

pub(super) mod form;
pub(super) mod page;
pub(super) mod show;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use bytes::Bytes;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{
    BulkDelete, DeleteMessage, EditMessage, Mentioned, PostMessage, ReadHistory, Referenced,
};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;

use self::form::{Allowed, Reference};
use self::page::find;
use self::show::{around, show, show_all};
use super::body::{JsonBody, Params, Query};
use super::directs::require_acquainted;
use super::reason::Reason;
use super::refusal::{Reply, json_bytes, no_content};
use super::upload::{MessageBody, Target, read_attachments};
use crate::app::App;
use crate::auth::Caller;

/// As many ids as are read of a bulk deletion; the group counts them.
const BULK_IDS: usize = limits::BODY_BYTES / 16;

/// `POST /channels/{id}/messages`
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    request: Request,
) -> Reply {
    let channel = params.channel()?;
    let group = app.index.group_of(channel).await?;
    let target = Target {
        by: caller.id(),
        group,
        channel,
        permissions: Permissions::SEND_MESSAGES | Permissions::ATTACH_FILES,
    };
    let body = MessageBody::receive(&app, target, request).await?;
    let (form, described) =
        body.read(|form| Some((form::message(form)?, read_attachments(form))))?;
    if form.content.is_empty() && form.embeds.is_empty() && !body.has_files() {
        return Err(ErrorCode::EmptyMessage.into());
    }
    require_acquainted(&app, &caller, group, channel).await?;
    let reply_to = match form.reference {
        Some(reference) => referenced(&app, &caller, group, channel, &reference).await?,
        None => None,
    };
    let answered = reply_to
        .as_ref()
        .map(|referenced| referenced.message.author);
    let mentions = mentioned(&app, &form.allowed, &form.content, answered).await?;
    let stored = body
        .store(&app, channel, described.as_deref(), false)
        .await?;
    let request = PostMessage {
        by: caller.account.profile.clone(),
        channel,
        content: form.content,
        tts: form.tts,
        nonce: form.nonce,
        enforce_nonce: form.enforce_nonce,
        mentions,
        reply_to,
        flags: form.flags,
        embeds: form.embeds,
        attachments: stored.files.clone(),
    };
    let posted = app.directory.ask(group, request).await;
    let posted = stored.settle(posted, |posted| !posted.repeated)?;
    Ok(json_bytes(
        StatusCode::OK,
        show(&app, caller.id(), &posted.message).await?,
    ))
}

/// Whom a content mentions, as far as that is allowed, and the author of the message it answers.
async fn mentioned(
    app: &App,
    allowed: &Allowed,
    content: &str,
    answered: Option<UserId>,
) -> Answer<Mentioned> {
    let (mut users, roles, everyone) = allowed.mentioned(content);
    if let Some(author) = answered.filter(|_| allowed.replied_user)
        && !users.contains(&author)
    {
        users.push(author);
    }
    Ok(Mentioned {
        users: existing(app, users).await?,
        roles,
        everyone,
    })
}

/// The profiles of those who have an account.
async fn existing(app: &App, users: Vec<UserId>) -> Answer<Vec<Profile>> {
    let mut profiles = app.accounts.profiles(users.iter().copied()).await?;
    let found = users.into_iter().filter_map(|user| profiles.remove(&user));
    Ok(found.filter(|profile| !profile.is_deleted()).collect())
}

/// The message to be answered, once the group has granted the history.
async fn referenced(
    app: &App,
    caller: &Caller,
    group: GroupId,
    channel: ChannelId,
    reference: &Reference,
) -> Answer<Option<Referenced>> {
    let by = caller.id();
    app.directory
        .ask(group, ReadHistory { by, channel })
        .await?;
    let Some(message) = find(app, channel, reference.message).await? else {
        if reference.is_required {
            return Err(ApiError::field(
                "message_reference",
                "MESSAGE_REFERENCE_UNKNOWN_MESSAGE",
                "Unknown message",
            ));
        }
        return Ok(None);
    };
    let author = app.accounts.profile(message.author).await?;
    Ok(Some(Referenced { message, author }))
}

/// Whether somebody may read a channel's history: who sees the channel but not its past sees an empty past, as on Discord.
pub(super) async fn may_read(app: &App, by: UserId, channel: ChannelId) -> Answer<bool> {
    let group = app.index.group_of(channel).await?;
    match app.directory.ask(group, ReadHistory { by, channel }).await {
        Ok(()) => Ok(true),
        Err(refusal) if refusal.code == ErrorCode::MissingPermissions => Ok(false),
        Err(refusal) => Err(refusal),
    }
}

/// `GET /channels/{id}/messages`
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    query: Query,
) -> Reply {
    let channel = params.channel()?;
    let (page, limit) = query.read(page::form)?;
    if !may_read(&app, caller.id(), channel).await? {
        return Ok(json_bytes(StatusCode::OK, Bytes::from_static(b"[]")));
    }
    let rows = page::read(&app, channel, page, limit).await?;
    Ok(json_bytes(
        StatusCode::OK,
        show_all(&app, caller.id(), &rows).await?,
    ))
}

/// `GET /channels/{id}/messages/{id}`
pub(super) async fn get(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let channel = params.channel()?;
    let message = params.message()?;
    let group = app.index.group_of(channel).await?;
    let by = caller.id();
    app.directory
        .ask(group, ReadHistory { by, channel })
        .await?;
    let row = find(&app, channel, message).await?;
    let row = row.ok_or(ErrorCode::UnknownMessage)?;
    Ok(json_bytes(StatusCode::OK, show(&app, by, &row).await?))
}

/// `PATCH /channels/{id}/messages/{id}`
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    request: Request,
) -> Reply {
    let channel = params.channel()?;
    let message = params.message()?;
    let group = app.index.group_of(channel).await?;
    let target = Target {
        by: caller.id(),
        group,
        channel,
        permissions: Permissions::ATTACH_FILES,
    };
    let body = MessageBody::receive(&app, target, request).await?;
    let (form, described) = body.read(|form| Some((form::edit(form)?, read_attachments(form))))?;
    let around = around(&app, channel, message).await?;
    let answered = around.answered.as_ref().map(|row| row.author);
    let mentions = match &form.content {
        Some(content) => mentioned(&app, &form.allowed, content, answered).await?,
        None => Mentioned::default(),
    };
    let stored = body
        .store(&app, channel, described.as_deref(), true)
        .await?;
    let request = EditMessage {
        by: caller.account.profile.clone(),
        channel,
        message,
        content: form.content,
        mentions,
        around,
        flags: form.flags,
        embeds: form.embeds,
        keep: stored.keep.clone(),
        attachments: stored.files.clone(),
    };
    let row = app.directory.ask(group, request).await;
    let row = stored.settle(row, |_| true)?;
    Ok(json_bytes(
        StatusCode::OK,
        show(&app, caller.id(), &row).await?,
    ))
}

/// `DELETE /channels/{id}/messages/{id}`
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
) -> Reply {
    let channel = params.channel()?;
    let request = DeleteMessage {
        by: caller.id(),
        channel,
        message: params.message()?,
        reason,
    };
    let group = app.index.group_of(channel).await?;
    let files = app.directory.ask(group, request).await?;
    app.media.forget(channel, files);
    Ok(no_content())
}

/// `POST /channels/{id}/messages/bulk-delete`
pub(super) async fn bulk_delete(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: JsonBody,
) -> Reply {
    let channel = params.channel()?;
    let messages = body.read(|form| form.ids("messages", BULK_IDS).required())?;
    let request = BulkDelete {
        by: caller.id(),
        channel,
        messages,
        reason,
        purge: false,
    };
    let group = app.index.group_of(channel).await?;
    let files = app.directory.ask(group, request).await?;
    app.media.forget(channel, files);
    Ok(no_content())
}
