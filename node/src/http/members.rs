//! `/guilds/{id}/members`.

use axum::extract::State;
use rookery_protocol::client::member::MemberJson;
use rookery_protocol::command::group::{GetMember, ListMembers, RemoveMember};
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::limits;

use super::body::{Params, Query};
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
    let group = params.id::<GroupId>("guild_id")?;
    let (after, limit) = query.read(|form| {
        let (low, high) = limits::MEMBERS_PAGE.into_inner();
        // 0 is where clients begin, and no id.
        let after = form
            .text("after")
            .optional()
            .is_some_and(|text| text != "0");
        let after = after
            .then(|| form.id::<UserId>("after").optional())
            .flatten();
        let limit = form.integer("limit", low as u64..=high as u64).or(1);
        Some((after, limit))
    })?;
    let request = ListMembers {
        by: caller.id(),
        after,
        limit: usize::try_from(limit).unwrap_or(1),
    };
    let rows = app.directory.ask(group, request).await?;
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
    let group = params.id::<GroupId>("guild_id")?;
    let user = params.id::<UserId>("user_id")?;
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
    let group = params.id::<GroupId>("guild_id")?;
    let user = params.id::<UserId>("user_id")?;
    let request = RemoveMember {
        by: caller.id(),
        user: app.accounts.profile(user).await?,
        reason,
    };
    app.directory.ask(group, request).await?;
    Ok(no_content())
}
