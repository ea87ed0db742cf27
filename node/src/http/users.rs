//! `/users`: oneself, others, the groups one is in.

use axum::extract::State;
use futures_util::stream::{self, StreamExt};
use rookery_protocol::client::group::partial_guild;
use rookery_protocol::client::member::MemberJson;
use rookery_protocol::client::user::{UserJson, self_user};
use rookery_protocol::command::group::{GetGroup, GetMember, RemoveMember};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::GroupId;
use rookery_protocol::limits;

use super::body::{Params, Query};
use super::refusal::{Reply, no_content, ok};
use crate::app::App;
use crate::auth::Caller;

/// Groups asked at a time for a listing.
const CONCURRENT_ASKS: usize = 16;

/// `GET /users/@me`
pub(super) async fn me(caller: Caller) -> Reply {
    Ok(ok(&self_user(&caller.account)))
}

/// `GET /users/{id}`
pub(super) async fn get(State(app): State<App>, _: Caller, params: Params) -> Reply {
    let account = app.accounts.get(params.user()?).await?;
    Ok(ok(&UserJson::from(&account.profile)))
}

/// `GET /users/@me/guilds`
pub(super) async fn my_groups(State(app): State<App>, caller: Caller, query: Query) -> Reply {
    let most = limits::GROUPS_PER_USER as u64;
    let (before, after, limit, with_counts) = query.read(|form| {
        Some((
            form.id::<GroupId>("before").optional(),
            form.id::<GroupId>("after").optional(),
            form.integer("limit", 1..=most).or(most),
            form.flag("with_counts").or(false),
        ))
    })?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut groups = app.index.groups_of(caller.id()).await?;
    groups.retain(|&group| before.is_none_or(|id| group < id) && after.is_none_or(|id| group > id));
    if before.is_some() && after.is_none() {
        // The ones next to the mark.
        groups.drain(..groups.len().saturating_sub(limit));
    }
    groups.truncate(limit);
    let by = caller.id();
    let views: Vec<_> = stream::iter(groups)
        .map(|group| app.directory.ask(group, GetGroup { by }))
        .buffered(CONCURRENT_ASKS)
        .collect()
        .await;
    let mut list = Vec::with_capacity(views.len());
    for view in views {
        match view {
            Ok(view) => {
                let mut group = partial_guild(&view, by);
                if with_counts {
                    group["approximate_member_count"] = view.member_count.into();
                    group["approximate_presence_count"] = 0.into();
                }
                list.push(group);
            }
            // Left or ended since the index was read.
            Err(refusal)
                if matches!(
                    refusal.code,
                    ErrorCode::UnknownGuild | ErrorCode::MissingAccess
                ) => {}
            Err(refusal) => return Err(refusal.into()),
        }
    }
    Ok(ok(&list))
}

/// `GET /users/@me/guilds/{id}/member`
pub(super) async fn my_member(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let group = params.group()?;
    let request = GetMember {
        by: caller.id(),
        user: caller.id(),
    };
    let row = app.directory.ask(group, request).await?;
    Ok(ok(&MemberJson::full(&row, &caller.account.profile)))
}

/// `DELETE /users/@me/guilds/{id}`
pub(super) async fn leave(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let group = params.group()?;
    let request = RemoveMember {
        by: caller.id(),
        user: caller.account.profile.clone(),
        reason: None,
    };
    app.directory.ask(group, request).await?;
    Ok(no_content())
}
