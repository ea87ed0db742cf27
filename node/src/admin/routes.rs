//! The routes of the admin API that are about the cluster: JSON in and out, refusals as `{"error": sentence}`.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use rookery_protocol::inspect::{Act, Acted, ActorId, ActorKind, NewToken, Role, Sort};
use rookery_protocol::limits;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::tokens::{Operator, TokenError};
use super::{Parts, audit, tokens};
use crate::inspect::survey::{TopQuery, Trouble};
use crate::operator::{self, NewOperator, OperatorError};

/// Actors that are listed unless somebody says how many.
const TOP: u32 = 50;

type Shared = State<Arc<Parts>>;

pub(super) fn table() -> Router<Arc<Parts>> {
    Router::new()
        .route("/nodes", get(nodes))
        .route("/actors", get(actors))
        .route("/actors/{kind}/{id}", get(actor))
        .route("/actors/{kind}/{id}/trace/{trace}", get(trace))
        .route("/tree", get(tree))
        .route("/rooms", get(rooms))
        .route("/sessions/{user}", get(sessions))
        .route("/warnings", get(warnings))
        .route("/acts", get(acts).post(act))
        .route("/operators", post(make_operator))
        .route("/tokens", get(list_tokens).post(make_token))
        .route("/tokens/{name}", delete(revoke_token))
        .route("/metrics", get(metrics))
}

fn refuse(status: StatusCode, why: impl Into<String>) -> Response {
    let why: String = why.into();
    (status, Json(json!({ "error": why }))).into_response()
}

fn answer(what: &impl Serialize) -> Response {
    Json(what).into_response()
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Silent(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Refused(_) => StatusCode::CONFLICT,
        };
        refuse(status, self.to_string())
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::BadName(_) | Self::BadDays => StatusCode::BAD_REQUEST,
            Self::Taken(_) | Self::Full => StatusCode::CONFLICT,
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Bad | Self::Expired => StatusCode::UNAUTHORIZED,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        refuse(status, self.to_string())
    }
}

/// Lets in who has a token, and says who it is.
pub(super) async fn guard(State(parts): Shared, mut request: Request, next: Next) -> Response {
    let Some(token) = bearer(request.headers()) else {
        let why = "a token is needed: `Authorization: Bearer TOKEN`, made with `rookery token add`";
        return refuse(StatusCode::UNAUTHORIZED, why);
    };
    match tokens::recognise(&parts.app, token).await {
        Ok(operator) => {
            request.extensions_mut().insert(operator);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// Refuses who may only look.
#[allow(clippy::result_large_err, reason = "the refusal is the response")]
fn require_act(operator: &Operator) -> Result<(), Response> {
    if operator.role == Role::Act {
        return Ok(());
    }
    let why = format!("the token `{}` may look, and not act", operator.name);
    Err(refuse(StatusCode::FORBIDDEN, why))
}

/// Writes down what somebody is about to do, if he may.
pub(super) async fn admit(
    parts: &Parts,
    operator: &Operator,
    act: &Act,
) -> Result<audit::Noted, Response> {
    require_act(operator)?;
    let noted = audit::note(&parts.app, &operator.name, act).await;
    noted.map_err(|why| refuse(StatusCode::SERVICE_UNAVAILABLE, why))
}

async fn nodes(State(parts): Shared) -> Response {
    answer(&parts.inspector.nodes().await)
}

/// What `GET /actors` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActorsQuery {
    sort: Option<String>,
    kind: Option<String>,
    node: Option<String>,
    limit: Option<u32>,
}

async fn actors(State(parts): Shared, Query(query): Query<ActorsQuery>) -> Response {
    let sort: Result<Sort, _> = query
        .sort
        .as_deref()
        .map_or(Ok(Sort::default()), str::parse);
    let kind: Result<Option<ActorKind>, _> = query.kind.as_deref().map(str::parse).transpose();
    let sort = match sort {
        Ok(sort) => sort,
        Err(why) => return refuse(StatusCode::BAD_REQUEST, why),
    };
    let Ok(kind) = kind else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "a kind is one of user, group, room",
        );
    };
    let limit = query.limit.unwrap_or(TOP);
    if !(1..=1_000).contains(&limit) {
        return refuse(StatusCode::BAD_REQUEST, "limit is a number from 1 to 1000");
    }
    let query = TopQuery {
        sort,
        kind,
        node: query.node,
        limit,
    };
    match parts.inspector.busiest(&query).await {
        Ok(top) => answer(&top),
        Err(trouble) => trouble.into_response(),
    }
}

#[allow(clippy::result_large_err, reason = "the refusal is the response")]
fn named(kind: &str, id: &str) -> Result<ActorId, Response> {
    let actor = format!("{kind}/{id}").parse::<ActorId>();
    actor.map_err(|error| refuse(StatusCode::BAD_REQUEST, error.to_string()))
}

async fn actor(State(parts): Shared, Path((kind, id)): Path<(String, String)>) -> Response {
    let actor = match named(&kind, &id) {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    match parts.inspector.detail(actor).await {
        Ok(detail) => answer(&detail),
        Err(trouble) => trouble.into_response(),
    }
}

/// A part of a trace; it is asked again and again.
async fn trace(
    State(parts): Shared,
    Path((kind, id, trace)): Path<(String, String, u64)>,
) -> Response {
    let actor = match named(&kind, &id) {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    match parts.inspector.traced(trace, actor).await {
        Ok(part) => answer(&part),
        Err(trouble) => trouble.into_response(),
    }
}

async fn tree(State(parts): Shared) -> Response {
    answer(&parts.inspector.trees().await)
}

async fn rooms(State(parts): Shared) -> Response {
    answer(&parts.inspector.all_rooms().await)
}

async fn sessions(State(parts): Shared, Path(user): Path<String>) -> Response {
    match user.parse() {
        Ok(user) => answer(&parts.inspector.sessions(user).await),
        Err(_) => refuse(
            StatusCode::BAD_REQUEST,
            format!("`{user}` is no id of a user"),
        ),
    }
}

async fn warnings(State(parts): Shared) -> Response {
    answer(&parts.inspector.all_warnings().await)
}

async fn metrics(State(parts): Shared) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    (
        [(header::CONTENT_TYPE, kind)],
        Body::from(parts.inspector.metrics().await),
    )
        .into_response()
}

async fn acts(State(parts): Shared) -> Response {
    match audit::list(&parts.app, limits::ADMIN_ACTS_LISTED).await {
        Ok(acts) => answer(&acts),
        Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

/// Does something, and writes it down before and after.
async fn act(
    State(parts): Shared,
    Extension(operator): Extension<Operator>,
    Json(act): Json<Act>,
) -> Response {
    if matches!(
        act,
        Act::MakeOperator { .. }
            | Act::MakeToken { .. }
            | Act::RevokeToken { .. }
            | Act::Backup { .. }
    ) {
        let why = "operators, tokens and backups have routes of their own";
        return refuse(StatusCode::BAD_REQUEST, why);
    }
    let noted = match admit(&parts, &operator, &act).await {
        Ok(noted) => noted,
        Err(refusal) => return refusal,
    };
    let done = parts.inspector.order(act).await;
    let outcome = match &done {
        Ok(acted) => acted.what.clone(),
        Err(trouble) => format!("refused: {trouble}"),
    };
    audit::close(&parts.app, noted, &outcome).await;
    match done {
        Ok(acted) => answer(&acted),
        Err(trouble) => trouble.into_response(),
    }
}

async fn make_operator(
    State(parts): Shared,
    Extension(operator): Extension<Operator>,
    Json(new): Json<NewOperator>,
) -> Response {
    if let Err(refusal) = require_act(&operator) {
        return refusal;
    }
    let made = operator::make(&parts.app, &operator.name, &new.name, new.password).await;
    match made {
        Ok(user) => answer(&user),
        Err(error @ OperatorError::NotNoted(_)) => {
            refuse(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        }
        Err(error) => refuse(StatusCode::CONFLICT, error.to_string()),
    }
}

async fn list_tokens(State(parts): Shared, Extension(operator): Extension<Operator>) -> Response {
    if let Err(refusal) = require_act(&operator) {
        return refusal;
    }
    match tokens::list(&parts.app).await {
        Ok(tokens) => answer(&tokens),
        Err(error) => error.into_response(),
    }
}

async fn make_token(
    State(parts): Shared,
    Extension(operator): Extension<Operator>,
    Json(new): Json<NewToken>,
) -> Response {
    let act = Act::MakeToken {
        name: new.name.clone(),
    };
    let noted = match admit(&parts, &operator, &act).await {
        Ok(noted) => noted,
        Err(refusal) => return refusal,
    };
    let made = tokens::make(&parts.app, &operator.name, &new).await;
    let (outcome, response) = match made {
        Ok(token) => {
            let (name, role, days) = (new.name, new.role.name(), new.days);
            let what = format!("the token {name} may {role} for {days} days");
            let acted = Acted {
                what: what.clone(),
                secret: Some(token),
            };
            (what, answer(&acted))
        }
        Err(error) => (format!("refused: {error}"), error.into_response()),
    };
    audit::close(&parts.app, noted, &outcome).await;
    response
}

async fn revoke_token(
    State(parts): Shared,
    Extension(operator): Extension<Operator>,
    Path(name): Path<String>,
) -> Response {
    let act = Act::RevokeToken { name: name.clone() };
    let noted = match admit(&parts, &operator, &act).await {
        Ok(noted) => noted,
        Err(refusal) => return refusal,
    };
    let (outcome, response) = match tokens::revoke(&parts.app, &name).await {
        Ok(()) => {
            let what = format!("the token {name} is not good any more");
            let acted = Acted {
                what: what.clone(),
                secret: None,
            };
            (what, answer(&acted))
        }
        Err(error) => (format!("refused: {error}"), error.into_response()),
    };
    audit::close(&parts.app, noted, &outcome).await;
    response
}
