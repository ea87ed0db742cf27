//! From an HTTP request to a WebSocket.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::Gateway;
use super::admit::{Admitted, admit};
use crate::http::client::gateway_url;
use crate::net::Io;

/// The query of the socket's URL. What is not known is not looked at.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Params {
    v: Option<String>,
    encoding: Option<String>,
    compress: Option<String>,
}

/// How a client wants to talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// 9 or 10, or nothing said.
    pub(super) is_known_version: bool,
    /// JSON, or nothing said.
    pub(super) is_json: bool,
    /// `compress=zlib-stream`; other compressions are not offered, the client then gets text.
    pub(super) zlib_stream: bool,
}

impl From<Params> for Manner {
    fn from(params: Params) -> Self {
        Self {
            is_known_version: matches!(params.v.as_deref(), None | Some("9" | "10")),
            is_json: matches!(params.encoding.as_deref(), None | Some("json")),
            zlib_stream: params.compress.as_deref() == Some("zlib-stream"),
        }
    }
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    headers.get_all(name).iter().any(|value| {
        value.to_str().is_ok_and(|value| {
            value
                .split(',')
                .any(|t| t.trim().eq_ignore_ascii_case(token))
        })
    })
}

/// Whether a request asks for a WebSocket, well or badly.
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, header::UPGRADE, "websocket")
}

/// The answer to a request for a socket, and the connection once that is written, with what hyper has read beyond the
/// request; or the answer to a request for something else.
#[allow(
    clippy::type_complexity,
    clippy::result_large_err,
    reason = "two callers, once a connection"
)]
pub fn handshake(
    request: &mut Request,
) -> Result<
    (
        Response<Body>,
        impl Future<Output = Option<(Io, Vec<u8>)>> + Send + 'static,
    ),
    Response<Body>,
> {
    let headers = request.headers();
    let is_websocket = is_upgrade(headers)
        && has_token(headers, header::CONNECTION, "upgrade")
        && headers
            .get(header::SEC_WEBSOCKET_VERSION)
            .is_some_and(|version| version == "13");
    let accept = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|_| is_websocket)
        .and_then(|key| HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok());
    let Some(accept) = accept else {
        return Err(refuse());
    };
    let upgraded = hyper::upgrade::on(request);
    let taken = async move {
        let taken = take(upgraded.await.ok()?);
        if taken.is_none() {
            tracing::error!("a connection is not served over net::Io");
        }
        taken
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok((response, taken))
}

/// Answers the upgrade and starts the socket's task.
pub(super) async fn upgrade(
    State(gateway): State<Arc<Gateway>>,
    mut request: Request,
) -> Response<Body> {
    let (response, taken) = match handshake(&mut request) {
        Ok(accepted) => accepted,
        Err(refusal) => return refusal,
    };
    // The client's own words about itself only change what it is told itself.
    let is_forwarded = request
        .headers()
        .get("x-forwarded-proto")
        .is_some_and(|proto| proto == "https" || proto == "wss");
    let headers = request.headers().clone();
    let query = Query::try_from_uri(request.uri());
    let manner = Manner::from(query.map_or_else(|_| Params::default(), |Query(params)| params));
    let task = gateway.clone();
    gateway.tasks.spawn(async move {
        let Some((io, read)) = taken.await else {
            return;
        };
        let is_secure = is_forwarded || io.wire().is_tls();
        let origin = gateway_url(task.public_url.as_deref(), &headers, is_secure);
        drop(headers);
        // Boxed: what identifying needs is gone while the session idles.
        let admitted = Box::pin(admit(task, io, read, manner, origin)).await;
        if let Some(Admitted { socket, seat, name }) = admitted {
            socket.serve(seat, name).await;
        }
    });
    response
}

/// Takes the connection back out of hyper, with what hyper has read beyond the request.
fn take(upgraded: Upgraded) -> Option<(Io, Vec<u8>)> {
    let parts = upgraded.downcast::<TokioIo<Io>>().ok()?;
    Some((parts.io.into_inner(), parts.read_buf.to_vec()))
}

fn refuse() -> Response<Body> {
    let mut response = Response::new(Body::from("this is a WebSocket\n"));
    *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    response
}
