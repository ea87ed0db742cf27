//! `/guilds/{id}/members`.

use axum::extract::State;
use rookery_protocol::client::member::MemberJson;
use rookery_protocol::command::group::{
    GetMember, ListMembers, MemberPatch, RemoveMember, SearchMembers, UpdateMember,
};
use rookery_protocol::document::MemberRow;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;

use super::body::{JsonBody, Params, Query};
use super::form::Form;
use super::reason::Reason;
use super::refusal::{Reply, no_content, ok};
use crate::app::App;
use crate::auth::Caller;

/// `GET /guilds/{id}/members`
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    query: Query,
) -> Reply {
    let group = params.group()?;
    // Listing everybody is what the privileged intent is for, here too.
    let application = caller.account.application.as_ref();
    if application.is_some_and(|a| !a.privileged.contains(Intents::GUILD_MEMBERS)) {
        return Err(ErrorCode::MissingAccess.into());
    }
    let (after, limit) = query.read(|form| {
        let (low, high) = limits::MEMBERS_PAGE.into_inner();
        let after = form.mark("after", UserId(0)).optional();
        let limit = form.integer("limit", low as u64..=high as u64).or(1);
        Some((after, limit))
    })?;
    let request = ListMembers {
        by: caller.id(),
        after,
        limit: usize::try_from(limit).unwrap_or(1),
    };
    let rows = app.directory.ask(group, request).await?;
    show(&app, &rows).await
}

/// `GET /guilds/{id}/members/search`
pub(super) async fn search(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    query: Query,
) -> Reply {
    let group = params.group()?;
    let by = caller.id();
    let request = query.read(|form| {
        let (low, high) = limits::MEMBER_SEARCH_PAGE.into_inner();
        let query = form.text("query").name(1..=100).required();
        let limit = form.integer("limit", low as u64..=high as u64).or(1);
        Some(SearchMembers {
            by,
            query: query?,
            limit: usize::try_from(limit).unwrap_or(1),
        })
    })?;
    let rows = app.directory.ask(group, request).await?;
    show(&app, &rows).await
}

async fn show(app: &App, rows: &[MemberRow]) -> Reply {
    let profiles = app
        .accounts
        .profiles(rows.iter().map(|row| row.user))
        .await?;
    let list: Vec<MemberJson<'_>> = rows
        .iter()
        .filter_map(|row| {
            profiles
                .get(&row.user)
                .map(|user| MemberJson::full(row, user))
        })
        .collect();
    Ok(ok(&list))
}

/// `GET /guilds/{id}/members/{user}`
pub(super) async fn get(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let group = params.group()?;
    let user = params.user()?;
    let by = caller.id();
    let row = app.directory.ask(group, GetMember { by, user }).await?;
    let profile = app.accounts.profile(user).await?;
    Ok(ok(&MemberJson::full(&row, &profile)))
}

/// `DELETE /guilds/{id}/members/{user}`
pub(super) async fn kick(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
) -> Reply {
    let group = params.group()?;
    let user = params.user()?;
    let request = RemoveMember {
        by: caller.id(),
        user: app.accounts.profile(user).await?,
        reason,
    };
    app.directory.ask(group, request).await?;
    Ok(no_content())
}

/// `PATCH /guilds/{id}/members/{user}`
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: JsonBody,
) -> Reply {
    let group = params.group()?;
    let user = params.user()?;
    let patch = body.read(|form| {
        let roles = form.ids("roles", limits::ROLES_PER_GROUP).patch();
        let until = form.field("communication_disabled_until", BAD_TIME.0, |value| {
            let time = value.as_str().and_then(Millis::parse);
            time.ok_or_else(|| BAD_TIME.1.to_owned())
        });
        let channel = form.id("channel_id").patch();
        Some(MemberPatch {
            nick: read_nick(form),
            roles: roles.map(Option::unwrap_or_default),
            timeout_until: until.patch(),
            mute: form.flag("mute").optional(),
            deaf: form.flag("deaf").optional(),
            voice: channel.map(|channel| channel.map(|channel| (channel, app.voice.place()))),
        })
    })?;
    let user = app.accounts.profile(user).await?;
    change(&app, &caller, group, user, patch, reason).await
}

/// What a timestamp that is none is answered with.
const BAD_TIME: (&str, &str) = (
    "DATE_TIME_TYPE_PARSE",
    "Could not parse. Should be ISO8601.",
);

/// `PATCH /guilds/{id}/members/@me`
pub(super) async fn update_me(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: JsonBody,
) -> Reply {
    let group = params.group()?;
    let nick = body.read(|form| Some(read_nick(form)))?;
    let patch = MemberPatch {
        nick,
        ..MemberPatch::default()
    };
    let me = caller.account.profile.clone();
    change(&app, &caller, group, me, patch, reason).await
}

/// A name in the group; an empty one is none.
#[allow(clippy::option_option, reason = "the shape of every patch command")]
fn read_nick(form: &Form<'_>) -> Option<Option<String>> {
    let chars = 0..=*limits::DISPLAY_NAME_CHARS.end();
    let nick = form.text("nick").name(chars).patch();
    nick.map(|nick| nick.filter(|nick| !nick.is_empty()))
}

async fn change(
    app: &App,
    caller: &Caller,
    group: GroupId,
    user: Profile,
    patch: MemberPatch,
    reason: Option<String>,
) -> Reply {
    let request = UpdateMember {
        by: caller.id(),
        user: user.clone(),
        patch,
        reason,
    };
    let row = app.directory.ask(group, request).await?;
    Ok(ok(&MemberJson::full(&row, &user)))
}
