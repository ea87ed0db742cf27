//! Direct channels: `/users/@me/channels`, and `/channels/{id}` where that is a direct one.

use axum::extract::State;
use axum::response::Response;
use rookery_protocol::client::direct::direct_channel;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{
    AddRecipient, CreateDirect, CreatePair, DirectView, GetDirect, RemoveRecipient, SetOpen,
    UpdateDirect,
};
use rookery_protocol::document::{DirectRow, Friendship, Relation};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::limits;
use rookery_protocol::profile::Profile;
use serde_json::Value;

use super::body::{JsonBody, Params};
use super::guard::Person;
use super::images;
use super::refusal::{Refusal, Reply, no_content, ok};
use crate::app::App;
use crate::auth::Caller;
use crate::contacts::Contacts;
use crate::media::Album;

/// How often a pair is looked up that others may be making.
const TRIES: usize = 3;

/// Whether a channel is a direct one: those have the id of their group.
pub(super) fn is_direct(group: GroupId, channel: ChannelId) -> bool {
    group.0 == channel.0
}

/// The profile of an account that exists.
pub(super) async fn existing(app: &App, user: UserId) -> Answer<Profile> {
    let account = app.accounts.get(user).await?;
    if account.profile.is_deleted() {
        return Err(ErrorCode::UnknownUser.into());
    }
    Ok(account.profile.clone())
}

/// The pair of the caller and another, made if there is none yet.
pub(super) async fn pair(app: &App, me: &Profile, other: &Profile) -> Answer<GroupId> {
    let mut refused = ErrorCode::Busy.into();
    for _ in 0..TRIES {
        if let Some(pair) = app.index.pair_of(me.id, other.id).await? {
            return Ok(pair);
        }
        let mut people = [me.clone(), other.clone()];
        people.sort_by_key(|profile| profile.id);
        let id = GroupId(app.ids.mint()?);
        match app.directory.ask(id, CreatePair { people }).await {
            Ok(_) => return Ok(id),
            // Another may have made it in this moment.
            Err(refusal) if refusal.code == ErrorCode::Busy => refused = refusal,
            Err(refusal) => return Err(refusal),
        }
    }
    Err(refused)
}

/// `MaximumFriends` when a person's list has no room for one more; what is in it already needs none.
pub(super) fn require_room(rows: &[DirectRow], other: UserId, most: usize) -> Answer<()> {
    if rows.len() < most || row_with(rows, other).is_some() {
        Ok(())
    } else {
        Err(ErrorCode::MaximumFriends.into())
    }
}

/// The row of the pair with somebody.
fn row_with(rows: &[DirectRow], other: UserId) -> Option<&DirectRow> {
    let mut pairs = rows.iter().filter(|row| row.group.is_none());
    pairs.find(|row| row.recipients.contains(&other))
}

fn is_friend(rows: &[DirectRow], other: UserId) -> bool {
    row_with(rows, other).is_some_and(|row| row.relation == Relation::Friend)
}

/// `CannotMessageUser` in the channel of two people who are neither friends nor in a group together. In all other
/// channels the group decides alone.
pub(super) async fn require_acquainted(
    app: &App,
    caller: &Caller,
    group: GroupId,
    channel: ChannelId,
) -> Answer<()> {
    if !is_direct(group, channel) {
        return Ok(());
    }
    let by = caller.id();
    let view = app.directory.ask(group, GetDirect { by }).await?;
    let Some(pair) = view.group.pair() else {
        return Ok(());
    };
    if pair.friendship == Friendship::Friends {
        return Ok(());
    }
    let stranger = || ErrorCode::CannotMessageUser;
    let other = view.people.iter().copied().find(|&user| user != by);
    let other = app.accounts.get(other.ok_or_else(stranger)?).await?;
    let other_id = other.profile.id;
    if (caller.is_bot() && other.profile.bot) || !app.index.share_group(by, other_id).await? {
        return Err(stranger().into());
    }
    let closed = view
        .group
        .direct
        .is_some_and(|d| d.closed.contains(&other_id));
    if closed && !other.profile.bot {
        let rows = app.index.directs_of(other_id).await?;
        require_room(&rows, by, limits::DIRECTS_PER_USER).map_err(|_| stranger())?;
    }
    Ok(())
}

/// `GET /users/@me/channels`; a bot's list is empty, as on Discord.
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Reply {
    if caller.is_bot() {
        return Ok(ok(&Vec::<Value>::new()));
    }
    let contacts = Contacts::of(&app, caller.id()).await?;
    Ok(ok(&contacts.private_channels))
}

/// `POST /users/@me/channels`
pub(super) async fn create(State(app): State<App>, caller: Caller, body: JsonBody) -> Reply {
    let mut wanted = body.read(|form| {
        let one = form.id::<UserId>("recipient_id").optional();
        let field = form.field("recipients", "LIST_TYPE_CONVERT", read_ids);
        Some(one.map_or_else(|| field.or(Vec::new()), |one| vec![one]))
    })?;
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.contains(&caller.id()) {
        return Err(ErrorCode::InvalidRecipients.into());
    }
    match wanted[..] {
        [] => Err(ErrorCode::InvalidRecipients.into()),
        [other] => open(&app, &caller, other).await,
        _ if caller.is_bot() => Err(ErrorCode::BotsCannotUse.into()),
        _ if wanted.len() >= limits::RECIPIENTS_PER_DIRECT => {
            Err(ErrorCode::MaximumRecipients.into())
        }
        _ => found(&app, &caller, wanted).await,
    }
}

fn read_ids(value: &Value) -> Result<Vec<UserId>, String> {
    let list = value.as_array();
    let list = list.ok_or_else(|| "Only iterables may be used in a ListType".to_owned())?;
    let id = |value: &Value| {
        let id = value.as_str().and_then(|text| text.parse().ok());
        id.ok_or_else(|| super::form::not_snowflake(value))
    };
    list.iter().map(id).collect()
}

/// Opens the channel with another.
async fn open(app: &App, caller: &Caller, other: UserId) -> Reply {
    let by = caller.id();
    let other = existing(app, other).await?;
    if !caller.is_bot() {
        let rows = app.index.directs_of(by).await?;
        require_room(&rows, other.id, limits::DIRECTS_PER_USER)?;
    }
    let pair = pair(app, &caller.account.profile, &other).await?;
    let request = SetOpen { by, open: true };
    let view = app.directory.ask(pair, request).await?;
    show(app, &view, by).await
}

/// Makes a channel of a few friends.
async fn found(app: &App, caller: &Caller, others: Vec<UserId>) -> Reply {
    let rows = app.index.directs_of(caller.id()).await?;
    if rows.len() >= limits::DIRECTS_PER_USER {
        return Err(ErrorCode::MaximumFriends.into());
    }
    let mut recipients = Vec::with_capacity(others.len());
    for other in others {
        if !is_friend(&rows, other) {
            existing(app, other).await?;
            return Err(ErrorCode::InvalidRecipients.into());
        }
        recipients.push(invited(app, other).await?);
    }
    let by = caller.account.profile.clone();
    let id = GroupId(app.ids.mint()?);
    let view = app
        .directory
        .ask(id, CreateDirect { by, recipients })
        .await?;
    show(app, &view, caller.id()).await
}

/// The profile of somebody who is about to be put into a channel, if his list has room for it.
async fn invited(app: &App, user: UserId) -> Answer<Profile> {
    if app.index.directs_of(user).await?.len() >= limits::DIRECTS_PER_USER {
        return Err(ErrorCode::InvalidRecipients.into());
    }
    existing(app, user).await
}

/// `GET /channels/{id}`
pub(super) async fn get(app: &App, caller: &Caller, group: GroupId) -> Reply {
    let by = caller.id();
    let view = app.directory.ask(group, GetDirect { by }).await?;
    show(app, &view, by).await
}

/// `PATCH /channels/{id}`
pub(super) async fn update(app: &App, caller: &Caller, group: GroupId, body: &JsonBody) -> Reply {
    let (name, icon) = body.read(|form| {
        let icon = form.text("icon").patch();
        let (_, most) = limits::DIRECT_NAME_CHARS.into_inner();
        let name = form.text("name").name(0..=most).patch();
        let name = name.map(|name| name.filter(|name| !name.is_empty()));
        Some((name, icon))
    })?;
    if icon.is_some() {
        // Who may not look in there need not have it decoded.
        let by = caller.id();
        app.directory.ask(group, GetDirect { by }).await?;
    }
    let icon = images::change(app, Album::Icon(group), "icon", icon).await?;
    let request = UpdateDirect {
        by: caller.account.profile.clone(),
        name,
        icon,
    };
    let view = app.directory.ask(group, request).await?;
    show(app, &view, caller.id()).await
}

/// `DELETE /channels/{id}`: closes the channel of two, leaves that of a few.
pub(super) async fn delete(app: &App, caller: &Caller, group: GroupId) -> Reply {
    let by = caller.id();
    let view = app.directory.ask(group, GetDirect { by }).await?;
    if view.group.pair().is_some() {
        let request = SetOpen { by, open: false };
        app.directory.ask(group, request).await?;
    } else {
        let by = caller.account.profile.clone();
        let user = by.clone();
        app.directory
            .ask(group, RemoveRecipient { by, user })
            .await?;
        // The last one leaving ends it.
        app.janitor.wake();
    }
    show(app, &view, by).await
}

/// `PUT /channels/{id}/recipients/{user}`
pub(super) async fn add_recipient(
    State(app): State<App>,
    Person(caller): Person,
    params: Params,
    _: JsonBody,
) -> Reply {
    let group = group(&app, &params).await?;
    let user = params.user()?;
    // Who may not look in there learns nothing else.
    let by = caller.id();
    let view = app.directory.ask(group, GetDirect { by }).await?;
    let user = if view.people.contains(&user) {
        existing(&app, user).await?
    } else {
        let rows = app.index.directs_of(by).await?;
        if view.group.pair().is_none() && !is_friend(&rows, user) {
            existing(&app, user).await?;
            return Err(ErrorCode::InvalidRecipients.into());
        }
        invited(&app, user).await?
    };
    let by = caller.account.profile.clone();
    app.directory.ask(group, AddRecipient { by, user }).await?;
    Ok(no_content())
}

/// `DELETE /channels/{id}/recipients/{user}`
pub(super) async fn remove_recipient(
    State(app): State<App>,
    Person(caller): Person,
    params: Params,
) -> Reply {
    let group = group(&app, &params).await?;
    let request = RemoveRecipient {
        user: app.accounts.profile(params.user()?).await?,
        by: caller.account.profile.clone(),
    };
    app.directory.ask(group, request).await?;
    Ok(no_content())
}

async fn group(app: &App, params: &Params) -> Result<GroupId, Refusal> {
    let channel = params.channel()?;
    Ok(app.index.group_of(channel).await?)
}

/// A direct channel as one of its people sees it.
async fn show(app: &App, view: &DirectView, viewer: UserId) -> Result<Response, Refusal> {
    let others = || view.people.iter().copied().filter(|&user| user != viewer);
    let profiles = app.accounts.profiles(others()).await?;
    let others: Vec<&Profile> = others().filter_map(|user| profiles.get(&user)).collect();
    let id = ChannelId(view.group.id.0);
    let pin = view
        .group
        .channel(id)
        .and_then(|channel| channel.last_pin_at);
    let group = view.group.direct_group();
    Ok(ok(&direct_channel(
        id,
        group.as_ref(),
        others,
        view.last_message,
        pin,
    )))
}
