//! `GET /gateway` and `GET /gateway/bot`: where the socket is.

use axum::extract::State;
use axum::http::HeaderMap;
use rookery_protocol::limits;
use serde_json::json;

use super::client::{Client, gateway_url};
use super::refusal::{Reply, ok};
use crate::app::App;
use crate::auth::Caller;

/// `GET /gateway`
pub(super) async fn get(State(app): State<App>, client: Client, headers: HeaderMap) -> Reply {
    let url = gateway_url(app.config.public_url.as_deref(), &headers, client.is_secure);
    Ok(ok(&json!({ "url": url })))
}

/// `GET /gateway/bot`
pub(super) async fn bot(
    State(app): State<App>,
    _: Caller,
    client: Client,
    headers: HeaderMap,
) -> Reply {
    let url = gateway_url(app.config.public_url.as_deref(), &headers, client.is_secure);
    Ok(ok(&json!({
        "url": url,
        "shards": 1,
        "session_start_limit": {
            "total": limits::IDENTIFIES_PER_DAY,
            "remaining": limits::IDENTIFIES_PER_DAY,
            "reset_after": 24 * 3_600_000,
            "max_concurrency": 16,
        },
    })))
}
