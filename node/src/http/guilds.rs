//! `/guilds`: groups, their channels and invites.

use axum::extract::State;
use rookery_protocol::client::channel::channel;
use rookery_protocol::client::group::guild;
use rookery_protocol::client::invite::invite_with_metadata;
use rookery_protocol::command::group::{
    ChannelMove, ChannelPatch, CreateChannel, CreateGroup, DeleteGroup, GetGroup, GroupPatch,
    ListChannels, ListInvites, MoveChannels, UpdateGroup,
};
use rookery_protocol::document::ChannelKind;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{ChannelId, GroupId};
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use serde_json::Value;

use super::body::{ImageBody, JsonBody, Params, Query};
use super::form::Form;
use super::guard::{Person, require};
use super::images;
use super::overwrites::read_overwrites;
use super::reason::Reason;
use super::refusal::{Reply, created, no_content, ok};
use crate::app::App;
use crate::auth::Caller;
use crate::media::Album;

/// The slowest slow mode, in seconds.
const SLOWEST_SECONDS: u64 = 21_600;
/// Bits per second of a voice channel.
const BITRATE: std::ops::RangeInclusive<u64> = 8_000..=384_000;
/// The largest limit of people in a voice channel.
const VOICE_USERS: u64 = 99;

/// `POST /guilds`
pub(super) async fn create(
    State(app): State<App>,
    Person(caller): Person,
    body: ImageBody,
) -> Reply {
    let (name, icon) = body.json().read(|form| {
        let icon = form.text("icon").optional();
        let name = form.text("name").name(limits::GROUP_NAME_CHARS).required();
        Some((name?, icon))
    })?;
    if app.index.groups_of(caller.id()).await?.len() >= limits::GROUPS_PER_USER {
        return Err(ErrorCode::MaximumGuilds.into());
    }
    let group = GroupId(app.ids.mint()?);
    let icon = images::change(&app, Album::Icon(group), "icon", icon.map(Some)).await?;
    let request = CreateGroup {
        by: caller.account.profile.clone(),
        name,
        icon: icon.flatten(),
    };
    let view = app.directory.ask(group, request).await?;
    Ok(created(&guild(&view.group)))
}

/// `GET /guilds/{id}`
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    query: Query,
) -> Reply {
    let with_counts = query.read(|form| Some(form.flag("with_counts").or(false)))?;
    let group = params.group()?;
    let view = app
        .directory
        .ask(group, GetGroup { by: caller.id() })
        .await?;
    let mut body = guild(&view.group);
    if with_counts {
        body["approximate_member_count"] = view.member_count.into();
        body["approximate_presence_count"] = app.presence.count(group).into();
    }
    Ok(ok(&body))
}

/// `PATCH /guilds/{id}`
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: ImageBody,
) -> Reply {
    let group = params.group()?;
    let (mut patch, icon) = body.json().read(|form| {
        let icon = form.text("icon").patch();
        let patch = GroupPatch {
            name: form.text("name").name(limits::GROUP_NAME_CHARS).change(),
            description: filled(
                form.text("description")
                    .name(limits::GROUP_DESCRIPTION_CHARS)
                    .patch(),
            ),
            system_channel: form.id("system_channel_id").patch(),
            owner: form.id("owner_id").change(),
            icon: None,
        };
        Some((patch, icon))
    })?;
    if icon.is_some() || patch.owner.is_some() {
        // For who may not change anything nothing is decoded or looked up.
        require(&app, &caller, group, Permissions::MANAGE_GUILD).await?;
    }
    // The group does not know which of its members are bots.
    if let Some(owner) = patch.owner
        && app.accounts.profile(owner).await?.bot
    {
        return Err(ErrorCode::BotsCannotOwn.into());
    }
    patch.icon = images::change(&app, Album::Icon(group), "icon", icon).await?;
    let request = UpdateGroup {
        by: caller.id(),
        patch,
        reason,
    };
    let view = app.directory.ask(group, request).await?;
    Ok(ok(&guild(&view.group)))
}

/// Makes an empty text a missing one.
#[allow(clippy::option_option, reason = "the shape of every patch command")]
fn filled(text: Option<Option<String>>) -> Option<Option<String>> {
    text.map(|text| text.filter(|text| !text.is_empty()))
}

/// `DELETE /guilds/{id}`
pub(super) async fn delete(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let group = params.group()?;
    let request = DeleteGroup { by: caller.id() };
    app.directory.ask(group, request).await?;
    app.janitor.wake();
    Ok(no_content())
}

/// `GET /guilds/{id}/channels`
pub(super) async fn channels(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let group = params.group()?;
    let request = ListChannels { by: caller.id() };
    let views = app.directory.ask(group, request).await?;
    let list: Vec<Value> = views
        .iter()
        .map(|view| channel(&view.channel, Some(group), view.last_message))
        .collect();
    Ok(ok(&list))
}

/// `POST /guilds/{id}/channels`
pub(super) async fn create_channel(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: JsonBody,
) -> Reply {
    let group = params.group()?;
    let (kind, patch) = body.read(|form| {
        let kind = form.choice("type", "0, 2, 4", ChannelKind::from_wire);
        let kind = kind.or(ChannelKind::Text);
        let has_name = form.text("name").required().is_some();
        let patch = read_channel(form);
        has_name.then_some((kind, patch))
    })?;
    let request = CreateChannel {
        by: caller.id(),
        kind,
        patch,
        reason,
    };
    let view = app.directory.ask(group, request).await?;
    Ok(created(&channel(
        &view.channel,
        Some(group),
        view.last_message,
    )))
}

/// `PATCH /guilds/{id}/channels`
pub(super) async fn arrange_channels(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    body: JsonBody,
) -> Reply {
    let group = params.group()?;
    let moves = body.read_list(limits::CHANNELS_PER_GROUP, |form| {
        let channel = form.id::<ChannelId>("id").required();
        let position = form.integer("position", 0..=u64::from(u16::MAX)).optional();
        let parent = form.id::<ChannelId>("parent_id").patch();
        let lock_permissions = form.flag("lock_permissions").or(false);
        Some(ChannelMove {
            channel: channel?,
            position: position.and_then(|n| u32::try_from(n).ok()),
            parent,
            lock_permissions,
        })
    })?;
    let by = caller.id();
    app.directory.ask(group, MoveChannels { by, moves }).await?;
    Ok(no_content())
}

/// The fields of a channel.
pub(super) fn read_channel(form: &Form<'_>) -> ChannelPatch {
    let small = |field: Option<u64>| field.and_then(|n| u32::try_from(n).ok());
    ChannelPatch {
        name: form.text("name").name(limits::CHANNEL_NAME_CHARS).change(),
        position: small(form.integer("position", 0..=u64::from(u16::MAX)).optional()),
        parent: form.id::<ChannelId>("parent_id").patch(),
        topic: filled(form.text("topic").name(limits::CHANNEL_TOPIC_CHARS).patch()),
        nsfw: form.flag("nsfw").optional(),
        rate_limit_per_user: small(
            form.integer("rate_limit_per_user", 0..=SLOWEST_SECONDS)
                .optional(),
        ),
        bitrate: small(form.integer("bitrate", BITRATE).optional()),
        user_limit: small(form.integer("user_limit", 0..=VOICE_USERS).optional()),
        overwrites: read_overwrites(form),
    }
}

/// `GET /guilds/{id}/invites`
pub(super) async fn invites(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let group = params.group()?;
    list_invites(&app, &caller, group, None).await
}

/// The invites of a group or of one of its channels.
pub(super) async fn list_invites(
    app: &App,
    caller: &Caller,
    group: GroupId,
    channel: Option<ChannelId>,
) -> Reply {
    let by = caller.id();
    let rows = app
        .directory
        .ask(group, ListInvites { by, channel })
        .await?;
    let view = app.directory.ask(group, GetGroup { by }).await?;
    let inviters = app
        .accounts
        .profiles(rows.iter().map(|row| row.inviter))
        .await?;
    let list: Vec<Value> = rows
        .iter()
        .map(|row| invite_with_metadata(row, &view.group, inviters.get(&row.inviter)))
        .collect();
    Ok(ok(&list))
}
