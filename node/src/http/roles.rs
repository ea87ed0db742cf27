//! `/guilds/{id}/roles`, and who holds them.

use axum::extract::State;
use rookery_protocol::client::group::role;
use rookery_protocol::command::group::{
    CreateRole, DeleteRole, GetGroup, MoveRoles, RolePatch, SetMemberRole, UpdateRole,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::RoleId;
use rookery_protocol::limits;

use super::body::{JsonBody, Params};
use super::form::Form;
use super::overwrites::permissions;
use super::reason::Reason;
use super::refusal::{Reply, no_content, ok};
use crate::app::App;
use crate::auth::Caller;

/// The last colour there is.
const WHITE: u64 = 0x00ff_ffff;

/// `GET /guilds/{id}/roles`
pub(super) async fn list(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let group = params.group()?;
    let view = app
        .directory
        .ask(group, GetGroup { by: caller.id() })
        .await?;
    Ok(ok(&view.group.roles.iter().map(role).collect::<Vec<_>>()))
}

/// `GET /guilds/{id}/roles/{role}`
pub(super) async fn get(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let group = params.group()?;
    let id = params.id::<RoleId>("role_id")?;
    let view = app
        .directory
        .ask(group, GetGroup { by: caller.id() })
        .await?;
    let found = view.group.roles.iter().find(|role| role.id == id);
    Ok(ok(&role(found.ok_or(ErrorCode::UnknownRole)?)))
}

/// `POST /guilds/{id}/roles`
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: JsonBody,
) -> Reply {
    let group = params.group()?;
    let request = CreateRole {
        by: caller.id(),
        patch: body.read(|form| Some(read_role(form)))?,
        reason,
    };
    Ok(ok(&role(&app.directory.ask(group, request).await?)))
}

/// `PATCH /guilds/{id}/roles/{role}`
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: JsonBody,
) -> Reply {
    let group = params.group()?;
    let request = UpdateRole {
        by: caller.id(),
        role: params.id("role_id")?,
        patch: body.read(|form| Some(read_role(form)))?,
        reason,
    };
    Ok(ok(&role(&app.directory.ask(group, request).await?)))
}

/// The fields of a role; null leaves one as it is, or at its default.
fn read_role(form: &Form<'_>) -> RolePatch {
    // What clients send now, and what they sent before there were gradients.
    let colors = form.object("colors").optional();
    let primary = colors.and_then(|colors| colors.integer("primary_color", 0..=WHITE).optional());
    let color = primary.or(form.integer("color", 0..=WHITE).optional());
    RolePatch {
        name: form.text("name").name(limits::ROLE_NAME_CHARS).optional(),
        color: color.and_then(|color| u32::try_from(color).ok()),
        hoist: form.flag("hoist").optional(),
        permissions: permissions(form, "permissions"),
        mentionable: form.flag("mentionable").optional(),
    }
}

/// `PATCH /guilds/{id}/roles`
pub(super) async fn arrange(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: JsonBody,
) -> Reply {
    let group = params.group()?;
    let positions = body.read_list(limits::ROLES_PER_GROUP, |form| {
        let id = form.id::<RoleId>("id").required();
        let position = form.integer("position", 0..=u64::from(u16::MAX)).optional();
        Some((id?, position.and_then(|n| u32::try_from(n).ok())))
    })?;
    let request = MoveRoles {
        by: caller.id(),
        positions: positions
            .into_iter()
            .filter_map(|(id, position)| Some((id, position?)))
            .collect(),
        reason,
    };
    let roles = app.directory.ask(group, request).await?;
    Ok(ok(&roles.iter().map(role).collect::<Vec<_>>()))
}

/// `DELETE /guilds/{id}/roles/{role}`
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
) -> Reply {
    let group = params.group()?;
    let request = DeleteRole {
        by: caller.id(),
        role: params.id("role_id")?,
        reason,
    };
    app.directory.ask(group, request).await?;
    Ok(no_content())
}

/// `PUT /guilds/{id}/members/{user}/roles/{role}`
pub(super) async fn give(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
) -> Reply {
    set(&app, &caller, &params, reason, true).await
}

/// `DELETE /guilds/{id}/members/{user}/roles/{role}`
pub(super) async fn take(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
) -> Reply {
    set(&app, &caller, &params, reason, false).await
}

async fn set(
    app: &App,
    caller: &Caller,
    params: &Params,
    reason: Option<String>,
    held: bool,
) -> Reply {
    let group = params.group()?;
    let user = params.user()?;
    let role = params.id::<RoleId>("role_id")?;
    let request = SetMemberRole {
        by: caller.id(),
        user: app.accounts.profile(user).await?,
        role,
        held,
        reason,
    };
    app.directory.ask(group, request).await?;
    Ok(no_content())
}
