//! `/invites`: looking at, taking and revoking an invite by its code.

use axum::extract::State;
use rookery_protocol::client::invite::invite;
use rookery_protocol::command::group::{AcceptInvite, DeleteInvite, GetInvite, InviteView};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::limits;
use serde_json::Value;

use super::body::{JsonBody, Params, Query};
use super::guard::Person;
use super::reason::Reason;
use super::refusal::{Refusal, Reply, ok};
use crate::app::App;
use crate::auth::Caller;

/// `GET /invites/{code}`; whoever has the code may look.
pub(super) async fn get(State(app): State<App>, params: Params, query: Query) -> Reply {
    let with_counts = query.read(|form| Some(form.flag("with_counts").or(false)))?;
    let code = params.text("code").to_owned();
    let group = app.index.group_of_invite(&code).await?;
    let view = app.directory.ask(group, GetInvite { code }).await?;
    Ok(ok(&show(&app, &view, with_counts).await?))
}

/// `POST /invites/{code}`
pub(super) async fn accept(
    State(app): State<App>,
    Person(caller): Person,
    params: Params,
    _: JsonBody,
) -> Reply {
    let code = params.text("code").to_owned();
    let group = app.index.group_of_invite(&code).await?;
    let groups = app.index.groups_of(caller.id()).await?;
    if groups.len() >= limits::GROUPS_PER_USER && !groups.contains(&group) {
        return Err(ErrorCode::MaximumGuilds.into());
    }
    let by = caller.account.profile.clone();
    let view = app.directory.ask(group, AcceptInvite { by, code }).await?;
    let mut body = show(&app, &view, true).await?;
    body["new_member"] = view.new_member.into();
    Ok(ok(&body))
}

/// `DELETE /invites/{code}`
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
) -> Reply {
    let code = params.text("code").to_owned();
    let group = app.index.group_of_invite(&code).await?;
    let by = caller.id();
    let view = app
        .directory
        .ask(group, DeleteInvite { by, code, reason })
        .await?;
    Ok(ok(&show(&app, &view, false).await?))
}

async fn show(app: &App, view: &InviteView, with_counts: bool) -> Result<Value, Refusal> {
    let inviter = app.accounts.profile(view.invite.inviter).await?;
    let counts = (view.member_count, app.presence.count(view.group.id));
    let counts = with_counts.then_some(counts);
    Ok(invite(&view.invite, &view.group, Some(&inviter), counts))
}
