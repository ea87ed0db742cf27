//! `/channels/{id}/messages/{id}/reactions`.

use axum::extract::State;
use rookery_actors::store::{self, Order, Scan};
use rookery_protocol::client::user::UserJson;
use rookery_protocol::command::group::{AddReaction, ClearReactions, ReadHistory, RemoveReaction};
use rookery_protocol::document::{ReactionRow, Reactions, TableId};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{ChannelId, MessageId, UserId};
use rookery_protocol::limits;

use super::body::{Params, Query};
use super::emoji;
use super::form::Form;
use super::messages::page::find;
use super::refusal::{Refusal, Reply, no_content, ok};
use crate::app::App;
use crate::auth::Caller;
use crate::fault;

/// The message of the path.
fn place(params: &Params) -> Result<(ChannelId, MessageId), Refusal> {
    Ok((params.channel()?, params.message()?))
}

/// `PUT .../reactions/{emoji}/@me`
pub(super) async fn add(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let (channel, message) = place(&params)?;
    let request = AddReaction {
        by: caller.account.profile.clone(),
        channel,
        message,
        emoji: emoji::of(&params)?,
    };
    let group = app.index.group_of(channel).await?;
    app.directory.ask(group, request).await?;
    Ok(no_content())
}

/// `DELETE .../reactions/{emoji}/@me`
pub(super) async fn remove_own(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let user = caller.id();
    take_back(&app, &caller, &params, user).await
}

/// `DELETE .../reactions/{emoji}/{user}`
pub(super) async fn remove(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let user = params.user()?;
    take_back(&app, &caller, &params, user).await
}

async fn take_back(app: &App, caller: &Caller, params: &Params, user: UserId) -> Reply {
    let (channel, message) = place(params)?;
    let request = RemoveReaction {
        by: caller.id(),
        channel,
        message,
        emoji: emoji::of(params)?,
        user,
    };
    let group = app.index.group_of(channel).await?;
    app.directory.ask(group, request).await?;
    Ok(no_content())
}

/// `DELETE .../reactions`
pub(super) async fn clear(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    clear_of(&app, &caller, &params, None).await
}

/// `DELETE .../reactions/{emoji}`
pub(super) async fn clear_emoji(State(app): State<App>, caller: Caller, params: Params) -> Reply {
    let emoji = emoji::of(&params)?;
    clear_of(&app, &caller, &params, Some(emoji)).await
}

async fn clear_of(app: &App, caller: &Caller, params: &Params, emoji: Option<String>) -> Reply {
    let (channel, message) = place(params)?;
    let request = ClearReactions {
        by: caller.id(),
        channel,
        message,
        emoji,
    };
    let group = app.index.group_of(channel).await?;
    app.directory.ask(group, request).await?;
    Ok(no_content())
}

/// `GET .../reactions/{emoji}`: who reacted so, by rising id.
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    query: Query,
) -> Reply {
    let (channel, message) = place(&params)?;
    let emoji = emoji::of(&params)?;
    let (after, limit, is_burst) = query.read(read_page)?;
    let group = app.index.group_of(channel).await?;
    let by = caller.id();
    app.directory
        .ask(group, ReadHistory { by, channel })
        .await?;
    if find(&app, channel, message).await?.is_none() {
        return Err(ErrorCode::UnknownMessage.into());
    }
    // Bursts are something one pays for elsewhere.
    let limit = if is_burst { 0 } else { limit };
    // The byte after the `/` of every place.
    let below = format!("{emoji}0");
    let above = ReactionRow { emoji, user: after }.place();
    let scan = Scan {
        table: TableId::Reactions,
        partition: message.into(),
        above: Some(above.as_str().into()),
        below: Some(below.as_str().into()),
        order: Order::Ascending,
        limit,
    };
    let rows = store::scan::<Reactions>(app.store.as_ref(), scan).await;
    let rows = rows.map_err(fault::read_failed)?;
    let users: Vec<UserId> = rows.iter().map(|(_, row)| row.user).collect();
    let profiles = app.accounts.profiles(users.iter().copied()).await?;
    let shown = users.iter().filter_map(|user| profiles.get(user));
    Ok(ok(&shown.map(UserJson::from).collect::<Vec<_>>()))
}

fn read_page(form: &Form<'_>) -> Option<(UserId, usize, bool)> {
    let (low, high) = limits::REACTIONS_PAGE.into_inner();
    let limit = form.integer("limit", low as u64..=high as u64).or(25);
    let after = form.mark("after", UserId(0)).or(UserId(0));
    let kind = form.choice("type", "0, 1", |n| (n < 2).then_some(n)).or(0);
    Some((after, usize::try_from(limit).unwrap_or(1), kind == 1))
}
