//! `/channels/{id}/messages`.

use std::collections::HashMap;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use bytes::Bytes;
use rookery_actors::entity::Clock;
use rookery_actors::links::Links;
use rookery_actors::store::{self, Order, Scan};
use rookery_protocol::client::encode;
use rookery_protocol::client::message::{Beside, MessageJson};
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{
    DeleteMessage, EditMessage, Mentioned, PostMessage, ReadHistory, Referenced,
};
use rookery_protocol::document::{Attachment, Key, MessageRow, Messages, Nonce, TableId};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::ids::{ChannelId, GroupId, MessageId, UserId};
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;
use rookery_protocol::{limits, text};
use serde_json::Value;

use super::body::{Params, Query};
use super::directs::require_acquainted;
use super::form::{Field, Form};
use super::reason::Reason;
use super::refusal::{Reply, json_bytes, no_content};
use super::upload::{MessageBody, Target, read_attachments};
use crate::app::App;
use crate::auth::Caller;
use crate::fault;

/// Flags a sender may set: SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS.
const FLAGS: u64 = 1 << 2 | 1 << 12;

/// The form of a new message.
struct MessageForm {
    content: String,
    tts: bool,
    nonce: Option<Nonce>,
    enforce_nonce: bool,
    flags: u32,
    reference: Option<Reference>,
    allowed: Allowed,
}

/// The message to be answered.
struct Reference {
    message: MessageId,
    is_required: bool,
}

/// Whom a message may mention.
struct Allowed {
    /// Everybody named in the content; or only those listed.
    users: Option<Vec<UserId>>,
    /// The author of the message it answers.
    replied_user: bool,
}

fn read_message(form: &Form<'_>) -> Option<MessageForm> {
    let content = content(form).or(String::new());
    let tts = form.flag("tts").or(false);
    let nonce = form.field("nonce", "NONCE_TYPE_INVALID", nonce).optional();
    let enforce_nonce = form.flag("enforce_nonce").or(false);
    let flags = form.integer("flags", 0..=u64::from(u32::MAX)).or(0) & FLAGS;
    let reference = form.object("message_reference").optional();
    let reference = reference.map(|reference| {
        let message = reference.id("message_id").required();
        let is_required = reference.flag("fail_if_not_exists").or(true);
        reference
            .choice("type", "0", |n| (n == 0).then_some(()))
            .optional();
        message.map(|message| Reference {
            message,
            is_required,
        })
    });
    let allowed = form.object("allowed_mentions").optional();
    let allowed = allowed.map_or(
        Allowed {
            users: None,
            replied_user: true,
        },
        |allowed| read_allowed(&allowed),
    );
    Some(MessageForm {
        content,
        tts,
        nonce,
        enforce_nonce,
        flags: u32::try_from(flags).unwrap_or(0),
        reference: reference.flatten(),
        allowed,
    })
}

fn read_allowed(form: &Form<'_>) -> Allowed {
    let most = limits::MENTIONS_PER_MESSAGE;
    let kinds = form.texts("parse", 3).or(Vec::new());
    let users = form.texts("users", most).or(Vec::new());
    let users = users.iter().filter_map(|id| id.parse().ok()).collect();
    Allowed {
        users: (!kinds.iter().any(|kind| kind == "users")).then_some(users),
        replied_user: form.flag("replied_user").or(false),
    }
}

/// The content, clean and of an allowed length.
fn content<'a>(form: &Form<'a>) -> Field<'a, String> {
    let field = form.field("content", "STRING_TYPE_CONVERT", |value| match value {
        Value::String(text) => Ok(text::clean_content(text)),
        _ => Err("Could not interpret value as string.".to_owned()),
    });
    field.checked(|errors, path, content| {
        if content.chars().count() > limits::MESSAGE_CHARS {
            let message = format!("Must be {} or fewer in length.", limits::MESSAGE_CHARS);
            errors.add(path, "BASE_TYPE_MAX_LENGTH", message);
        }
    })
}

fn nonce(value: &Value) -> Result<Nonce, String> {
    match value {
        Value::Number(number) => number
            .as_i64()
            .map(Nonce::Number)
            .ok_or_else(|| "Nonce must be an integer or a string.".to_owned()),
        Value::String(text) if text.chars().count() <= limits::NONCE_CHARS => {
            Ok(Nonce::Text(text.clone()))
        }
        Value::String(_) => Err(format!(
            "Must be {} or fewer in length.",
            limits::NONCE_CHARS
        )),
        _ => Err("Nonce must be an integer or a string.".to_owned()),
    }
}

/// `POST /channels/{id}/messages`
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    request: Request,
) -> Reply {
    let channel = params.id::<ChannelId>("channel_id")?;
    let group = app.index.group_of(channel).await?;
    let target = Target {
        by: caller.id(),
        group,
        channel,
        permissions: Permissions::SEND_MESSAGES | Permissions::ATTACH_FILES,
    };
    let body = MessageBody::receive(&app, target, request).await?;
    let (form, described) = body.read(|form| Some((read_message(form), read_attachments(form))))?;
    let form = form.ok_or(ErrorCode::Internal)?;
    if form.content.is_empty() && !body.has_files() {
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
    let mut mentions = text::mentioned_users(&form.content);
    if let Some(allowed) = &form.allowed.users {
        mentions.retain(|user| allowed.contains(user));
    }
    if let Some(author) = answered.filter(|_| form.allowed.replied_user)
        && !mentions.contains(&author)
    {
        mentions.push(author);
    }
    let users = existing(&app, mentions).await?;
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
        mentions: Mentioned {
            users,
            ..Mentioned::default()
        },
        reply_to,
        flags: form.flags,
        embeds: Vec::new(),
        attachments: stored.files.clone(),
    };
    let posted = app.directory.ask(group, request).await;
    let posted = stored.settle(posted, |posted| !posted.repeated)?;
    Ok(json_bytes(
        StatusCode::OK,
        show(&app, &posted.message).await?,
    ))
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

/// A message of the history.
async fn find(app: &App, channel: ChannelId, message: MessageId) -> Answer<Option<MessageRow>> {
    let key = Key::new(channel, message);
    let row = store::get::<Messages>(app.store.as_ref(), &key).await;
    row.map_err(fault::read_failed)
}

/// `GET /channels/{id}/messages`
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    query: Query,
) -> Reply {
    let channel = params.id::<ChannelId>("channel_id")?;
    let (page, limit) = query.read(read_page)?;
    let group = app.index.group_of(channel).await?;
    let by = caller.id();
    match app.directory.ask(group, ReadHistory { by, channel }).await {
        Ok(()) => {}
        // Who sees the channel but not its past sees an empty past, as on Discord.
        Err(refusal) if refusal.code == ErrorCode::MissingPermissions => {
            return Ok(json_bytes(StatusCode::OK, Bytes::from_static(b"[]")));
        }
        Err(refusal) => return Err(refusal.into()),
    }
    let rows = match page {
        Page::Before(before) => scan(&app, channel, None, before, limit).await?,
        Page::After(after) => scan(&app, channel, Some(after), None, limit).await?,
        Page::Around(middle) => {
            let half = limit / 2;
            let mut rows = scan(&app, channel, Some(middle), None, half).await?;
            let next = Some(MessageId(middle.0.saturating_add(1)));
            rows.extend(scan(&app, channel, None, next, limit - half).await?);
            rows
        }
    };
    Ok(json_bytes(StatusCode::OK, show_all(&app, &rows).await?))
}

/// Which part of the history.
enum Page {
    /// The newest, or those next below a message.
    Before(Option<MessageId>),
    /// Those next above a message.
    After(MessageId),
    /// Half of them below.
    Around(MessageId),
}

fn read_page(form: &Form<'_>) -> Option<(Page, usize)> {
    let (low, high) = limits::MESSAGES_PAGE.into_inner();
    let limit = form.integer("limit", low as u64..=high as u64).or(50);
    let around = mark(form, "around");
    let before = mark(form, "before");
    let after = mark(form, "after");
    let page = match (around, before, after) {
        (Some(around), ..) => Page::Around(around),
        (_, Some(before), _) => Page::Before(Some(before)),
        (_, _, Some(after)) => Page::After(after),
        _ => Page::Before(None),
    };
    Some((page, usize::try_from(limit).unwrap_or(1)))
}

/// An id to start from. 0, which is no id, is before every message.
fn mark(form: &Form<'_>, key: &str) -> Option<MessageId> {
    let is_zero = |value: &Value| value.as_str() == Some("0");
    let field = form.field(key, "NUMBER_TYPE_COERCE", |value| {
        if is_zero(value) {
            return Ok(MessageId(0));
        }
        let id = value.as_str().and_then(|text| text.parse().ok());
        id.ok_or_else(|| super::form::not_snowflake(value))
    });
    field.optional()
}

/// A part of the history, newest first.
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

/// `GET /channels/{id}/messages/{id}`
pub(super) async fn get(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let channel = params.id::<ChannelId>("channel_id")?;
    let message = params.id::<MessageId>("message_id")?;
    let group = app.index.group_of(channel).await?;
    let by = caller.id();
    app.directory
        .ask(group, ReadHistory { by, channel })
        .await?;
    let row = find(&app, channel, message).await?;
    let row = row.ok_or(ErrorCode::UnknownMessage)?;
    Ok(json_bytes(StatusCode::OK, show(&app, &row).await?))
}

/// `PATCH /channels/{id}/messages/{id}`
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    request: Request,
) -> Reply {
    let channel = params.id::<ChannelId>("channel_id")?;
    let message = params.id::<MessageId>("message_id")?;
    let group = app.index.group_of(channel).await?;
    let target = Target {
        by: caller.id(),
        group,
        channel,
        permissions: Permissions::ATTACH_FILES,
    };
    let body = MessageBody::receive(&app, target, request).await?;
    let (content, flags, described) = body.read(|form| {
        let content = content(form).patch().map(Option::unwrap_or_default);
        let flags = form.integer("flags", 0..=u64::from(u32::MAX)).optional();
        Some((content, flags, read_attachments(form)))
    })?;
    let mentioned = content.as_deref().map(text::mentioned_users);
    let users = existing(&app, mentioned.unwrap_or_default()).await?;
    let stored = body
        .store(&app, channel, described.as_deref(), true)
        .await?;
    let request = EditMessage {
        by: caller.account.profile.clone(),
        channel,
        message,
        content,
        mentions: Mentioned {
            users,
            ..Mentioned::default()
        },
        flags: flags.and_then(|flags| u32::try_from(flags & FLAGS).ok()),
        embeds: None,
        keep: stored.keep.clone(),
        attachments: stored.files.clone(),
    };
    let row = app.directory.ask(group, request).await;
    let row = stored.settle(row, |_| true)?;
    Ok(json_bytes(StatusCode::OK, show(&app, &row).await?))
}

/// `DELETE /channels/{id}/messages/{id}`
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
) -> Reply {
    let channel = params.id::<ChannelId>("channel_id")?;
    let request = DeleteMessage {
        by: caller.id(),
        channel,
        message: params.id("message_id")?,
        reason,
    };
    let group = app.index.group_of(channel).await?;
    let files = app.directory.ask(group, request).await?;
    app.media.forget(channel, files);
    Ok(no_content())
}

/// One message as JSON.
async fn show(app: &App, row: &MessageRow) -> Answer<Bytes> {
    let joined = Joined::of(app, std::slice::from_ref(row)).await?;
    Ok(encode(&joined.message(row)))
}

/// Messages as JSON.
async fn show_all(app: &App, rows: &[MessageRow]) -> Answer<Bytes> {
    let joined = Joined::of(app, rows).await?;
    let list: Vec<_> = rows.iter().filter_map(|row| joined.message(row)).collect();
    Ok(encode(&list))
}

/// What messages refer to: the messages they answer, and everybody's profiles.
struct Joined {
    answered: HashMap<MessageId, MessageRow>,
    profiles: HashMap<UserId, Profile>,
    links: Links,
    now: Millis,
}

impl Joined {
    async fn of(app: &App, rows: &[MessageRow]) -> Answer<Self> {
        let mut answered = HashMap::new();
        for row in rows {
            let Some(id) = row.reply_to else { continue };
            if answered.contains_key(&id) {
                continue;
            }
            let of_page = rows.iter().find(|row| row.id == id).cloned();
            let found = match of_page {
                Some(found) => Some(found),
                None => find(app, row.channel, id).await?,
            };
            if let Some(found) = found {
                answered.insert(id, found);
            }
        }
        let people = rows
            .iter()
            .chain(answered.values())
            .flat_map(|row| std::iter::once(row.author).chain(row.mentions.iter().copied()));
        let profiles = app.accounts.profiles(people).await?;
        Ok(Self {
            answered,
            profiles,
            links: app.links.clone(),
            now: app.clock.now(),
        })
    }

    /// `None` never: every author has a profile.
    fn message<'a>(&'a self, row: &'a MessageRow) -> Option<MessageJson<'a>> {
        let answered = row.reply_to.and_then(|id| self.answered.get(&id));
        let answered = answered.and_then(|row| MessageJson::new(row, &self));
        Some(MessageJson::new(row, &self)?.answering(answered))
    }
}

impl<'a> Beside<'a> for &'a Joined {
    fn profile(&self, user: UserId) -> Option<&'a Profile> {
        self.profiles.get(&user)
    }

    fn file_url(&self, channel: ChannelId, file: &Attachment) -> String {
        self.links.attachment(channel, file, self.now)
    }
}
