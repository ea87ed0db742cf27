//! `/guilds/{id}/bans`.

use axum::extract::State;
use rookery_actors::store::{self, Order, Scan};
use rookery_protocol::client::ban::ban;
use rookery_protocol::command::group::{Ban, Unban};
use rookery_protocol::document::{BanRow, Bans, Key, TableId};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use serde_json::{Value, json};

use super::body::{JsonBody, Params, Query};
use super::form::Form;
use super::guard::require;
use super::reason::Reason;
use super::refusal::{Reply, no_content, ok};
use crate::app::App;
use crate::auth::Caller;

/// The largest old-style span for deletion, in days.
const DELETE_DAYS: u64 = limits::BAN_DELETE_SECONDS / DAY;
const DAY: u64 = 86_400;

/// `GET /guilds/{id}/bans`: by rising id; with both marks only `before` counts.
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    query: Query,
) -> Reply {
    let group = params.group()?;
    let (before, after, limit) = query.read(|form| {
        let (low, high) = limits::BANS_PAGE.into_inner();
        let limit = form.integer("limit", low as u64..=high as u64);
        let limit = usize::try_from(limit.or(high as u64)).unwrap_or(low);
        let mark = |key| form.mark(key, UserId(0)).optional();
        let before = mark("before").filter(|id| *id != UserId(0));
        Some((before, mark("after"), limit))
    })?;
    require(&app, &caller, group, Permissions::BAN_MEMBERS).await?;
    let scan = Scan {
        table: TableId::Bans,
        partition: group.into(),
        above: after.filter(|_| before.is_none()).map(Into::into),
        below: before.map(Into::into),
        order: if before.is_some() {
            Order::Descending
        } else {
            Order::Ascending
        },
        limit,
    };
    let rows = store::scan::<Bans>(app.store.as_ref(), scan).await?;
    let mut rows: Vec<BanRow> = rows.into_iter().map(|(_, row)| row).collect();
    rows.sort_by_key(|row| row.user);
    let users = rows.iter().map(|row| row.user);
    let profiles = app.accounts.profiles(users).await?;
    let list: Vec<Value> = rows
        .iter()
        .filter_map(|row| Some(ban(row, profiles.get(&row.user)?)))
        .collect();
    Ok(ok(&list))
}

/// `GET /guilds/{id}/bans/{user}`
pub(super) async fn get(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let group = params.group()?;
    let user = params.user()?;
    require(&app, &caller, group, Permissions::BAN_MEMBERS).await?;
    let row = store::get::<Bans>(app.store.as_ref(), &Key::new(group, user)).await?;
    let row = row.ok_or(ErrorCode::UnknownBan)?;
    Ok(ok(&ban(&row, &app.accounts.profile(user).await?)))
}

/// How far back messages are to be deleted, in seconds; the old field counts in days.
fn delete_seconds(form: &Form<'_>) -> u64 {
    let seconds = form.integer("delete_message_seconds", 0..=limits::BAN_DELETE_SECONDS);
    let days = form.integer("delete_message_days", 0..=DELETE_DAYS).or(0);
    seconds.optional().unwrap_or(days * DAY)
}

/// `PUT /guilds/{id}/bans/{user}`
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: JsonBody,
) -> Reply {
    let group = params.group()?;
    let user = params.user()?;
    let delete_seconds = body.read(|form| Some(delete_seconds(form)))?;
    let request = Ban {
        by: caller.id(),
        user: app.accounts.get(user).await?.profile.clone(),
        reason,
        delete_seconds,
    };
    app.directory.ask(group, request).await?;
    if delete_seconds > 0 {
        app.purges.notify_one();
    }
    Ok(no_content())
}

/// `DELETE /guilds/{id}/bans/{user}`
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
) -> Reply {
    let group = params.group()?;
    let user = params.user()?;
    let request = Unban {
        by: caller.id(),
        user: app.accounts.profile(user).await?,
        reason,
    };
    app.directory.ask(group, request).await?;
    Ok(no_content())
}

/// `POST /guilds/{id}/bulk-ban`: who cannot be banned is told and stops nobody else's ban.
pub(super) async fn create_many(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: JsonBody,
) -> Reply {
    let group = params.group()?;
    let (ids, delete_seconds) = body.read(|form| {
        let ids = form.texts("user_ids", *limits::BULK_BAN.end());
        let ids = ids.checked(|errors, path, ids| {
            errors.check_length(path, ids.len(), limits::BULK_BAN);
        });
        let seconds = delete_seconds(form);
        Some((ids.required()?, seconds))
    })?;
    let mut users = Vec::with_capacity(ids.len());
    for (n, id) in ids.iter().enumerate() {
        let user: UserId = id.parse().map_err(|_| {
            let message = super::form::not_snowflake(&json!(id));
            ApiError::field(format!("user_ids.{n}"), "NUMBER_TYPE_COERCE", message)
        })?;
        if !users.contains(&user) {
            users.push(user);
        }
    }
    let needed = Permissions::BAN_MEMBERS | Permissions::MANAGE_GUILD;
    require(&app, &caller, group, needed).await?;
    let (mut banned, mut failed) = (Vec::new(), Vec::new());
    for id in users {
        let user = match app.accounts.get(id).await {
            Ok(account) => account.profile.clone(),
            Err(refusal) if refusal.code == ErrorCode::UnknownUser => {
                failed.push(id);
                continue;
            }
            Err(refusal) => return Err(refusal.into()),
        };
        let request = Ban {
            by: caller.id(),
            user,
            reason: reason.clone(),
            delete_seconds,
        };
        match app.directory.ask(group, request).await {
            Ok(()) => banned.push(id),
            Err(_) => failed.push(id),
        }
    }
    if banned.is_empty() {
        return Err(ErrorCode::BulkBanFailed.into());
    }
    if delete_seconds > 0 {
        app.purges.notify_one();
    }
    Ok(ok(
        &json!({ "banned_users": banned, "failed_users": failed }),
    ))
}
