//! `/users/@me/relationships`: friends, requests, and whom one blocks. For people only.
//!
//! Source: <https://docs.discord.food/resources/relationships>

use axum::extract::State;
use rookery_protocol::command::group::{RelationWish, SetRelation};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::UserId;
use rookery_protocol::{limits, text};

use super::body::{JsonBody, Params};
use super::directs::{existing, pair, require_room};
use super::guard::Person;
use super::refusal::{Reply, no_content, ok};
use crate::app::App;
use crate::auth::Caller;
use crate::contacts::Contacts;

/// `GET /users/@me/relationships`
pub(super) async fn list(State(app): State<App>, Person(caller): Person) -> Reply {
    let contacts = Contacts::of(&app, caller.id()).await?;
    Ok(ok(&contacts.relationships))
}

/// `POST /users/@me/relationships`: asks the holder of a name to be friends.
pub(super) async fn ask(State(app): State<App>, Person(caller): Person, body: JsonBody) -> Reply {
    let name = body.read(|form| form.text("username").required())?;
    let name = name.trim().to_ascii_lowercase();
    let user = if text::is_username(&name) {
        app.index.user_named(&name).await?
    } else {
        None
    };
    let user = user.ok_or(ErrorCode::NoSuchFriend)?;
    relate(&app, &caller, user, RelationWish::Friend).await
}

/// `PUT /users/@me/relationships/{id}`: 1 asks or accepts, 2 blocks.
pub(super) async fn put(
    State(app): State<App>,
    Person(caller): Person,
    params: Params,
    body: JsonBody,
) -> Reply {
    let user = params.user()?;
    let wish = body.read(|form| {
        let kind = form.choice("type", "1, 2", |n| match n {
            1 => Some(RelationWish::Friend),
            2 => Some(RelationWish::Block),
            _ => None,
        });
        Some(kind.or(RelationWish::Friend))
    })?;
    relate(&app, &caller, user, wish).await
}

/// `DELETE /users/@me/relationships/{id}`: ends a friendship, a request or one's own block.
pub(super) async fn delete(
    State(app): State<App>,
    Person(caller): Person,
    params: Params,
) -> Reply {
    let user = params.user()?;
    relate(&app, &caller, user, RelationWish::Nothing).await
}

async fn relate(app: &App, caller: &Caller, other: UserId, wish: RelationWish) -> Reply {
    let me = caller.id();
    if other == me {
        return Err(ErrorCode::CannotFriendSelf.into());
    }
    let (pair, other) = if wish == RelationWish::Nothing {
        // One may be done with an account that is gone, and with whom one never had to do.
        let other = app.accounts.get(other).await?.profile.clone();
        match app.index.pair_of(me, other.id).await? {
            Some(pair) => (pair, other),
            None => return Ok(no_content()),
        }
    } else {
        let other = existing(app, other).await?;
        if wish == RelationWish::Friend && other.bot {
            return Err(ErrorCode::BotsHaveNoFriends.into());
        }
        let mine = app.index.directs_of(me).await?;
        if wish == RelationWish::Friend {
            require_room(&mine, other.id, limits::DIRECTS_PER_USER)?;
            let theirs = app.index.directs_of(other.id).await?;
            require_room(&theirs, me, limits::DIRECTS_PER_USER)?;
        } else {
            require_room(&mine, other.id, limits::DIRECT_ROWS_PER_USER)?;
        }
        (pair(app, &caller.account.profile, &other).await?, other)
    };
    let request = SetRelation {
        by: caller.account.profile.clone(),
        other,
        wish,
    };
    app.directory.ask(pair, request).await?;
    Ok(no_content())
}
