//! What every request of the API passes: who is it, and is it too much.

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rookery_actors::entity::Clock;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::Authorize;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::GroupId;
use rookery_protocol::permissions::Permissions;

use super::client::{Client, Peer};
use super::limits::{Who, counts_address};
use super::refusal::Refusal;
use crate::app::App;
use crate::auth::Caller;

/// The prefixes the API is served under; the longest first.
pub(super) const PREFIXES: [&str; 3] = ["/api/v10", "/api/v9", "/api"];

/// Identifies the client and the caller, counts the request, and says in the answer how its rate limit stands.
pub(super) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let client = client_of(&app, &request);
    let caller = match request.headers().get(AUTHORIZATION) {
        None => None,
        Some(value) => match app.auth.authenticate(value.to_str().unwrap_or("")).await {
            Ok(caller) => Some(caller),
            Err(refusal) if refusal.code == ErrorCode::Unauthorized => None,
            Err(refusal) => return Refusal(refusal).into_response(),
        },
    };
    let route = request.extensions().get::<MatchedPath>();
    let route = below_prefix(route.map_or("", MatchedPath::as_str));
    let who = match &caller {
        Some(caller) if !counts_address(route) => Who::User(caller.id()),
        _ => Who::Address(client.subscriber()),
    };
    let admitted = app.limits.admit(
        &who,
        request.method(),
        route,
        request.uri().path(),
        app.clock.now(),
    );
    let admitted = match admitted.await {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    request.extensions_mut().insert(client);
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    let mut response = next.run(request).await;
    if let Some(admitted) = admitted {
        admitted.describe(response.headers_mut());
    }
    response
}

/// The client of a request.
pub fn client_of<B>(app: &App, request: &axum::http::Request<B>) -> Client {
    let nobody = Peer {
        address: ([0, 0, 0, 0], 0).into(),
        is_tls: false,
    };
    // The accept loop always puts it there.
    let peer = request.extensions().get::<Peer>().copied();
    Client::resolve(
        peer.unwrap_or(nobody),
        request.headers(),
        &app.config.trusted_proxies,
    )
}

/// Asks a group whether the caller holds permissions in it.
pub(super) async fn require(
    app: &App,
    caller: &Caller,
    group: GroupId,
    permissions: Permissions,
) -> Answer<()> {
    let leave = Authorize {
        by: caller.id(),
        permissions,
        channel: None,
    };
    app.directory.ask(group, leave).await
}

/// A path without the API's prefix.
fn below_prefix(path: &str) -> &str {
    let rest = PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix));
    rest.unwrap_or(path)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| ErrorCode::Unauthorized.into())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let client = parts.extensions.get::<Self>().cloned();
        client.ok_or_else(|| ErrorCode::Internal.into())
    }
}

/// A caller that is a person.
pub(super) struct Person(pub(super) Caller);

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.is_bot() {
            return Err(ErrorCode::BotsCannotUse.into());
        }
        Ok(Self(caller))
    }
}
