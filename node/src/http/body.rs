//! Bodies, query strings and path parameters of requests, read with limits.

use std::str::FromStr;

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use rookery_protocol::command::Answer;
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::ids::{ChannelId, GroupId, MessageId, UserId};
use rookery_protocol::limits;
use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;

use super::form::{self, Form};
use super::refusal::Refusal;
use crate::app::App;

/// A body with an image in base64.
const IMAGE_BODY_BYTES: usize = limits::IMAGE_BYTES.div_ceil(3) * 4 + limits::BODY_BYTES;

/// A JSON body; none at all is an empty object.
#[derive(Debug)]
pub(super) struct JsonBody(Value);

impl JsonBody {
    /// Reads it as a form.
    ///
    /// # Errors
    /// `InvalidFormBody`.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Form<'_>) -> Option<T>) -> Answer<T> {
        form::read(&self.0, read)
    }

    /// Reads it as a list of forms.
    ///
    /// # Errors
    /// `InvalidFormBody`.
    pub(super) fn read_list<T>(
        &self,
        most: usize,
        read: impl Fn(&Form<'_>) -> Option<T>,
    ) -> Answer<Vec<T>> {
        form::read_list(&self.0, most, read)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        Self::within(request, limits::BODY_BYTES).await
    }
}

/// A JSON body that may hold an image as a `data:` URL. To be read only of who is known: it may be large, so few are read
/// at a time.
pub(super) struct ImageBody {
    body: JsonBody,
    _place: Option<OwnedSemaphorePermit>,
}

impl ImageBody {
    /// The body itself.
    pub(super) fn json(&self) -> &JsonBody {
        &self.body
    }
}

impl FromRequest<App> for ImageBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let length = request.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let (limit, place) = match length {
            Some(length) if length <= limits::BODY_BYTES => (limits::BODY_BYTES, None),
            // A body of unknown length counts as a large one.
            _ => {
                let place = app.media.image_place()?;
                (IMAGE_BODY_BYTES, Some(place))
            }
        };
        Ok(Self {
            body: JsonBody::within(request, limit).await?,
            _place: place,
        })
    }
}

impl JsonBody {
    /// A body that came in another way.
    pub(super) fn of(value: Value) -> Self {
        Self(value)
    }

    async fn within(request: Request, limit: usize) -> Result<Self, Refusal> {
        let is_json = is_json(request.headers());
        let bytes = Limited::new(request.into_body(), limit)
            .collect()
            .await
            .map_err(|error| match error.downcast_ref::<LengthLimitError>() {
                Some(_) => ErrorCode::PayloadTooLarge,
                None => ErrorCode::InvalidJson,
            })?
            .to_bytes();
        // Many clients name the type of a body that they do not send.
        if bytes.is_empty() {
            return Ok(Self(Value::Object(Map::new())));
        }
        if !is_json {
            return Err(ErrorCode::UnsupportedMediaType.into());
        }
        Ok(Self(parse(&bytes)?))
    }
}

/// The value of a JSON text.
///
/// # Errors
/// `InvalidJson`, also when it is nested too deeply.
pub fn parse(json: &[u8]) -> Result<Value, ErrorCode> {
    if depth(json) > limits::JSON_DEPTH {
        return Err(ErrorCode::InvalidJson);
    }
    serde_json::from_slice(json).map_err(|_| ErrorCode::InvalidJson)
}

/// Whether the body says that it is JSON.
fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// How deep brackets outside of strings are nested.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The query string; of a repeated key the last value counts.
#[derive(Debug)]
pub(super) struct Query(Value);

impl Query {
    /// Reads it as a form.
    ///
    /// # Errors
    /// `InvalidFormBody`.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Form<'_>) -> Option<T>) -> Answer<T> {
        form::read(&self.0, read)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| ApiError::field("", "DICT_TYPE_CONVERT", "Invalid query string."))?;
        let fields = pairs
            .0
            .into_iter()
            .map(|(key, value)| (key, Value::String(value)));
        Ok(Self(Value::Object(fields.collect())))
    }
}

/// The parameters of the path.
#[derive(Debug)]
pub(super) struct Params(RawPathParams);

impl Params {
    /// An id of the path.
    ///
    /// # Errors
    /// `InvalidFormBody` that names the parameter.
    pub(super) fn id<T: FromStr>(&self, name: &str) -> Result<T, Refusal> {
        let text = self.text(name);
        text.parse().map_err(|_| {
            let message = form::not_snowflake(&Value::String(text.to_owned()));
            ApiError::field(name, "NUMBER_TYPE_COERCE", message).into()
        })
    }

    /// The group of the path.
    ///
    /// # Errors
    /// As of [`Params::id`]; so of the next ones.
    pub(super) fn group(&self) -> Result<GroupId, Refusal> {
        self.id("guild_id")
    }

    /// The channel of the path.
    pub(super) fn channel(&self) -> Result<ChannelId, Refusal> {
        self.id("channel_id")
    }

    /// The message of the path.
    pub(super) fn message(&self) -> Result<MessageId, Refusal> {
        self.id("message_id")
    }

    /// The user of the path.
    pub(super) fn user(&self) -> Result<UserId, Refusal> {
        self.id("user_id")
    }

    /// A text of the path.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| *key == name);
        found.map_or("", |(_, value)| value)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        RawPathParams::from_request_parts(parts, state)
            .await
            .map(Self)
            .map_err(|_| ErrorCode::NotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    async fn read(kind: &str, body: impl Into<Body>) -> Result<Value, ErrorCode> {
        let request = Request::post("/")
            .header(CONTENT_TYPE, kind)
            .body(body.into())
            .unwrap();
        match JsonBody::from_request(request, &()).await {
            Ok(body) => Ok(body.0),
            Err(refusal) => Err(refusal.0.code),
        }
    }

    #[tokio::test]
    async fn bad_bodies_are_refused_each_in_its_way() {
        const JSON: &str = "application/json";
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(read(JSON, "").await, Ok(Value::Object(Map::new())));
        assert_eq!(read(JSON, "{").await, Err(ErrorCode::InvalidJson));
        assert_eq!(read(JSON, "\u{feff}{}").await, Err(ErrorCode::InvalidJson));
        assert_eq!(
            read(JSON, &b"\"\xff\""[..]).await,
            Err(ErrorCode::InvalidJson)
        );
        assert_eq!(read(JSON, r#""\ud800""#).await, Err(ErrorCode::InvalidJson));
        assert_eq!(read(JSON, deep(33)).await, Err(ErrorCode::InvalidJson));
        assert_eq!(read(JSON, deep(100_000)).await, Err(ErrorCode::InvalidJson));
        assert!(read(JSON, deep(32)).await.is_ok());
        let strings = serde_json::json!(["[".repeat(100), "\\\"[[".repeat(50)]);
        assert_eq!(read(JSON, strings.to_string()).await, Ok(strings));
        let long = " ".repeat(limits::BODY_BYTES + 1);
        assert_eq!(read(JSON, long).await, Err(ErrorCode::PayloadTooLarge));
        let text = read("text/plain", "{}").await;
        assert_eq!(text, Err(ErrorCode::UnsupportedMediaType));
        assert!(read("Application/JSON; charset=utf-8", "{}").await.is_ok());
        assert!(read("text/plain", "").await.is_ok());
    }
}
