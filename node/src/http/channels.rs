//! `/channels`: channels, their invites, typing.

use axum::extract::State;
use rookery_protocol::client::channel::channel;
use rookery_protocol::client::invite::invite_with_metadata;
use rookery_protocol::command::group::{
    CreateInvite, DeleteChannel, GetChannel, GetInvite, StartTyping, UpdateChannel,
};
use rookery_protocol::command::user::Signal;
use rookery_protocol::limits;

use super::body::{ImageBody, JsonBody, Params};
use super::directs;
use super::guilds::{list_invites, read_channel};
use super::reason::Reason;
use super::refusal::{Reply, no_content, ok};
use crate::app::App;
use crate::auth::Caller;
use crate::random;

/// How long an invite lives when nothing is said: a day.
const DEFAULT_MAX_AGE: u64 = 86_400;

/// `GET /channels/{id}`
pub(super) async fn get(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let id = params.channel()?;
    let group = app.index.group_of(id).await?;
    if directs::is_direct(group, id) {
        return directs::get(&app, &caller, group).await;
    }
    let request = GetChannel {
        by: caller.id(),
        channel: id,
    };
    let view = app.directory.ask(group, request).await?;
    Ok(ok(&channel(&view.channel, view.group, view.last_message)))
}

/// `PATCH /channels/{id}`
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: ImageBody,
) -> Reply {
    let id = params.channel()?;
    let group = app.index.group_of(id).await?;
    let body = body.json();
    if directs::is_direct(group, id) {
        return directs::update(&app, &caller, group, body).await;
    }
    let patch = body.read(|form| Some(read_channel(form)))?;
    let request = UpdateChannel {
        by: caller.id(),
        channel: id,
        patch,
        reason,
    };
    let view = app.directory.ask(group, request).await?;
    Ok(ok(&channel(&view.channel, view.group, view.last_message)))
}

/// `DELETE /channels/{id}`
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
) -> Reply {
    let id = params.channel()?;
    let group = app.index.group_of(id).await?;
    if directs::is_direct(group, id) {
        return directs::delete(&app, &caller, group).await;
    }
    let request = DeleteChannel {
        by: caller.id(),
        channel: id,
        reason,
    };
    let view = app.directory.ask(group, request).await?;
    app.janitor.wake();
    Ok(ok(&channel(&view.channel, view.group, view.last_message)))
}

/// `POST /channels/{id}/typing`
pub(super) async fn typing(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let id = params.channel()?;
    let group = app.index.group_of(id).await?;
    directs::require_acquainted(&app, &caller, group, id).await?;
    let request = StartTyping {
        by: caller.account.profile.clone(),
        channel: id,
    };
    let typing = app.directory.ask(group, request).await?;
    if let Some(dispatch) = typing.dispatch {
        for user in typing.show_to {
            let dispatch = dispatch.clone();
            app.directory.ask(user, Signal { dispatch }).await?;
        }
    }
    Ok(no_content())
}

/// `GET /channels/{id}/invites`
pub(super) async fn invites(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let id = params.channel()?;
    let group = app.index.group_of(id).await?;
    list_invites(&app, &caller, group, Some(id)).await
}

/// `POST /channels/{id}/invites`
pub(super) async fn create_invite(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: JsonBody,
) -> Reply {
    let id = params.channel()?;
    let (max_age, max_uses, is_unique) = body.read(|form| {
        let ages = 0..=limits::INVITE_MAX_AGE_SECONDS;
        let uses = 0..=limits::INVITE_MAX_USES;
        Some((
            form.integer("max_age", ages).or(DEFAULT_MAX_AGE),
            form.integer("max_uses", uses).or(0),
            form.flag("unique").or(false),
        ))
    })?;
    let group = app.index.group_of(id).await?;
    let by = caller.account.profile.clone();
    let request = CreateInvite {
        by: by.clone(),
        channel: id,
        code: random::code(limits::INVITE_CODE_CHARS),
        max_age,
        max_uses,
        reuse: !is_unique,
        reason,
    };
    let row = app.directory.ask(group, request).await?;
    let code = row.code.clone();
    let view = app.directory.ask(group, GetInvite { code }).await?;
    let inviter = app.accounts.profile(row.inviter).await?;
    Ok(ok(&invite_with_metadata(&row, &view.group, Some(&inviter))))
}
