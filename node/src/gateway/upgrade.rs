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

/// Answers the upgrade and starts the socket's task.
pub(super) async fn upgrade(
    State(gateway): State<Arc<Gateway>>,
    mut request: Request,
) -> Response<Body> {
    let headers = request.headers();
    let is_websocket = has_token(headers, header::CONNECTION, "upgrade")
        && has_token(headers, header::UPGRADE, "websocket")
        && headers
            .get(header::SEC_WEBSOCKET_VERSION)
            .is_some_and(|version| version == "13");
    let accept = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|_| is_websocket)
        .and_then(|key| HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok());
    let Some(accept) = accept else {
        return refuse();
    };
    // The client's own words about itself only change what it is told itself.
    let is_forwarded = headers
        .get("x-forwarded-proto")
        .is_some_and(|proto| proto == "https" || proto == "wss");
    let headers = headers.clone();
    let query = Query::try_from_uri(request.uri());
    let manner = Manner::from(query.map_or_else(|_| Params::default(), |Query(params)| params));
    let upgraded = hyper::upgrade::on(&mut request);
    let task = gateway.clone();
    gateway.tasks.spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let Some((io, read)) = take(upgraded) else {
            tracing::error!("a connection is not served over net::Io");
            return;
        };
        let is_secure = is_forwarded || io.wire().is_tls();
        let origin = gateway_url(task.public_url.as_deref(), &headers, is_secure);
        drop(headers);
        // Boxed: what identifying needs is gone while the session idles.
        let admitted = Box::pin(admit(task, io, read, manner, origin)).await;
        if let Some(Admitted { socket, seat }) = admitted {
            socket.serve(seat).await;
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
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
