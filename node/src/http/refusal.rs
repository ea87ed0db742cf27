//! Answers: JSON with exactly `application/json`, nothing, or a refusal in Discord's shape.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, VIA};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rookery_actors::store::StoreError;
use rookery_protocol::client::encode;
use rookery_protocol::error::{ApiError, ErrorCode};
use serde::Serialize;

use crate::fault;

/// When a request that found the node overloaded or its store away may be worth repeating, in milliseconds.
const UNAVAILABLE_MS: u64 = 1_000;

/// What a handler answers.
pub type Reply = Result<Response, Refusal>;

/// A refusal on its way to the client.
#[derive(Debug)]
pub struct Refusal(pub ApiError);

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self(code.into())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self(fault::read_failed(error))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, &self.0.body());
        let unavailable = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(UNAVAILABLE_MS);
        if let Some(ms) = self.0.retry_after_ms.or(unavailable) {
            let seconds = HeaderValue::from(ms.div_ceil(1_000));
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

/// A JSON answer.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    json_bytes(status, encode(body))
}

/// 200 with JSON.
pub fn ok(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

/// 201 with JSON.
pub fn created(body: &impl Serialize) -> Response {
    json(StatusCode::CREATED, body)
}

/// An answer whose JSON is already encoded.
pub fn json_bytes(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    // discord.py parses the body only if this is exactly so.
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    if status == StatusCode::TOO_MANY_REQUESTS {
        // Without it discord.py takes this for a ban by Cloudflare, and raises instead of waiting.
        let via = HeaderValue::from_static("1.1 rookery");
        response.headers_mut().insert(VIA, via);
    }
    response
}

/// 204.
pub fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
