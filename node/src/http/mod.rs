//! The HTTP API: routes, and what every request passes.

mod account;
mod applications;
mod audit;
mod auth;
mod bans;
pub mod body;
mod channels;
pub mod client;
mod directs;
pub mod embeds;
mod emoji;
mod files;
pub mod form;
mod gateway;
pub mod guard;
mod guilds;
mod headers;
mod health;
mod images;
mod invites;
pub mod limits;
mod members;
mod messages;
mod overwrites;
mod pins;
mod reactions;
mod reason;
pub mod refusal;
mod relationships;
mod roles;
#[cfg(test)]
mod tests;
mod unread;
mod upload;
mod users;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use rookery_actors::entity::Origin;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::limits::{REQUEST_SECONDS, UPLOAD_SECONDS};

use self::refusal::Refusal;
use crate::app::App;
use crate::gateway::{Gateway, is_upgrade};
use crate::{random, web};

/// Names a request in its answer, and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Everything the node serves: the API, its health, the gateway's sockets, and the web client.
pub fn router(app: &App, gateway: &Arc<Gateway>) -> Router {
    let mut router = Router::new()
        .route("/", get(front))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .merge(files::routes());
    for prefix in guard::PREFIXES {
        router = router.nest(prefix, api(app));
    }
    router
        .fallback(elsewhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(in_time))
        .layer(middleware::from_fn_with_state(app.clone(), headers::add))
        .layer(middleware::from_fn(for_request))
        .layer(Extension(Arc::clone(gateway)))
        .with_state(app.clone())
        .merge(gateway.routes())
        .merge(app.voice.routes())
}

/// Declares the routes below a prefix, once for the router and once for the README's table.
macro_rules! routes {
    ($($path:literal: $($method:ident $handler:path),+;)*) => {
        /// Every route of the API: its method and its path below a prefix.
        pub const ROUTES: &[(&str, &str)] = &[$($((stringify!($method), $path)),+),*];

        fn table() -> Router<App> {
            Router::new()$(.route($path, MethodRouter::new()$(.$method($handler))+))*
        }
    };
}

routes! {
    "/gateway": get gateway::get;
    "/gateway/bot": get gateway::bot;

    "/auth/register": post auth::register;
    "/auth/login": post auth::login;
    "/auth/refresh": post auth::refresh;
    "/auth/logout": post auth::logout;
    "/auth/sessions": get auth::sessions;
    "/auth/sessions/{session_id}": delete auth::close_session;

    "/users/@me": get users::me, patch account::update;
    "/users/@me/delete": post account::delete;
    "/users/@me/channels": get directs::list, post directs::create;
    "/users/@me/relationships": get relationships::list, post relationships::ask;
    "/users/@me/relationships/{user_id}": put relationships::put, delete relationships::delete;
    "/users/@me/mentions": get unread::mentions;
    "/users/@me/guilds": get users::my_groups;
    "/users/@me/guilds/{guild_id}": delete users::leave;
    "/users/@me/guilds/{guild_id}/member": get users::my_member;
    "/users/{user_id}": get users::get;

    "/guilds": post guilds::create;
    "/guilds/{guild_id}": get guilds::get, patch guilds::update, delete guilds::delete;
    "/guilds/{guild_id}/channels": get guilds::channels, post guilds::create_channel,
        patch guilds::arrange_channels;
    "/guilds/{guild_id}/roles": get roles::list, post roles::create, patch roles::arrange;
    "/guilds/{guild_id}/roles/{role_id}": get roles::get, patch roles::update, delete roles::delete;
    "/guilds/{guild_id}/invites": get guilds::invites;
    "/guilds/{guild_id}/bans": get bans::list;
    "/guilds/{guild_id}/bans/{user_id}": get bans::get, put bans::create, delete bans::delete;
    "/guilds/{guild_id}/bulk-ban": post bans::create_many;
    "/guilds/{guild_id}/audit-logs": get audit::list;
    "/guilds/{guild_id}/members": get members::list;
    "/guilds/{guild_id}/members/search": get members::search;
    "/guilds/{guild_id}/members/@me": patch members::update_me;
    "/guilds/{guild_id}/members/{user_id}":
        get members::get, patch members::update, delete members::kick;
    "/guilds/{guild_id}/members/{user_id}/roles/{role_id}": put roles::give, delete roles::take;

    "/channels/{channel_id}": get channels::get, patch channels::update, delete channels::delete;
    "/channels/{channel_id}/recipients/{user_id}":
        put directs::add_recipient, delete directs::remove_recipient;
    "/channels/{channel_id}/permissions/{overwrite_id}":
        put overwrites::put, delete overwrites::delete;
    "/channels/{channel_id}/typing": post channels::typing;
    "/channels/{channel_id}/invites": get channels::invites, post channels::create_invite;
    "/channels/{channel_id}/messages": get messages::list, post messages::create;
    "/channels/{channel_id}/messages/{message_id}":
        get messages::get, patch messages::update, delete messages::delete;
    "/channels/{channel_id}/messages/bulk-delete": post messages::bulk_delete;
    "/channels/{channel_id}/messages/{message_id}/ack": post unread::acknowledge;
    "/channels/{channel_id}/messages/{message_id}/reactions": delete reactions::clear;
    "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}":
        get reactions::list, delete reactions::clear_emoji;
    "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me":
        put reactions::add, delete reactions::remove_own;
    "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}":
        delete reactions::remove;
    "/channels/{channel_id}/messages/pins": get pins::page;
    "/channels/{channel_id}/messages/pins/{message_id}": put pins::pin, delete pins::unpin;
    "/channels/{channel_id}/pins": get pins::list;
    "/channels/{channel_id}/pins/{message_id}": put pins::pin, delete pins::unpin;

    "/invites/{code}": get invites::get, post invites::accept, delete invites::delete;

    "/applications": get applications::list, post applications::create;
    "/applications/@me": get applications::mine, patch applications::update_mine;
    "/applications/{application_id}": patch applications::update, delete applications::delete;
    "/applications/{application_id}/bot": post applications::reset_bot;
    "/applications/{application_id}/bot/reset": post applications::reset_bot;
    "/oauth2/authorize": post applications::authorize;
    "/oauth2/applications/@me": get applications::mine;
}

/// The routes below a prefix.
fn api(app: &App) -> Router<App> {
    table().route_layer(middleware::from_fn_with_state(app.clone(), guard::guard))
}

/// Gives a request a name that goes with all that is done for it, and tells it in `X-Request-Id`.
async fn for_request(request: Request, next: Next) -> Response {
    let origin = Origin(u64::from_le_bytes(random::bytes()));
    let (method, started) = (request.method().clone(), Instant::now());
    let mut response = origin.scope(next.run(request)).await;
    if let Ok(value) = HeaderValue::try_from(origin.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let (status, ms) = (response.status().as_u16(), started.elapsed().as_millis());
    tracing::debug!(request = %origin, %method, status, ms, "answered");
    response
}

/// Ends a request that takes too long; its outcome is unknown then. Files may take longer.
async fn in_time(request: Request, next: Next) -> Response {
    let limit = if upload::is_upload(&request) {
        Duration::from_secs(UPLOAD_SECONDS)
    } else {
        Duration::from_secs(REQUEST_SECONDS)
    };
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::from(ErrorCode::Unavailable).into_response(),
    }
}

/// `/` is the gateway's for sockets, and the web client's for browsers.
async fn front(
    State(app): State<App>,
    Extension(gateway): Extension<Arc<Gateway>>,
    request: Request,
) -> Response {
    if is_upgrade(request.headers()) {
        return gateway.upgrade(request).await;
    }
    let page = web::page(request.headers()).map(|page| within_cluster(&app, page));
    page.unwrap_or_else(|| Refusal::from(ErrorCode::NotFound).into_response())
}

/// A place in the web client, or an unknown route.
async fn elsewhere(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match web::serve(&method, uri.path(), &headers) {
        Some(response) => within_cluster(&app, response),
        None => unknown_route(&uri).into_response(),
    }
}

/// The client's page as it is served where there are other nodes.
fn within_cluster(app: &App, mut page: Response) -> Response {
    if app.config.cluster.listen.is_some() {
        web::admit_sockets(&mut page, &app.config.origin());
    }
    page
}

fn unknown_route(uri: &Uri) -> Refusal {
    // `/api/v6/...` and the like: a version we do not speak.
    let version = uri.path().strip_prefix("/api/v");
    let version = version.and_then(|rest| rest.split('/').next());
    let is_other = version.is_some_and(|n| {
        !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) && n != "9" && n != "10"
    });
    if is_other {
        return ErrorCode::InvalidApiVersion.into();
    }
    ErrorCode::NotFound.into()
}

async fn wrong_method() -> Refusal {
    ErrorCode::MethodNotAllowed.into()
}
