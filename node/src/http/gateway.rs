//! `GET /gateway` and `GET /gateway/bot`: where the socket is.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use rookery_protocol::limits;
use serde_json::json;

use super::client::{Client, gateway_url};
use super::refusal::{Reply, ok};
use crate::app::App;
use crate::auth::Caller;
use crate::gateway::Gateway;

/// Identifies that may run at once (`max_concurrency`).
const CONCURRENT_IDENTIFIES: u32 = 16;

/// `GET /gateway`
pub(super) async fn get(State(app): State<App>, client: Client, headers: HeaderMap) -> Reply {
    let url = gateway_url(app.config.public_url.as_deref(), &headers, client.is_secure);
    Ok(ok(&json!({ "url": url })))
}

/// `GET /gateway/bot`
pub(super) async fn bot(
    State(app): State<App>,
    Extension(gateway): Extension<Arc<Gateway>>,
    caller: Caller,
    client: Client,
    headers: HeaderMap,
) -> Reply {
    let url = gateway_url(app.config.public_url.as_deref(), &headers, client.is_secure);
    let left = gateway.left(caller.id());
    let groups = app.index.groups_of(caller.id()).await?.len();
    Ok(ok(&json!({
        "url": url,
        "shards": groups.div_ceil(limits::GROUPS_PER_SHARD).max(1),
        "session_start_limit": {
            "total": left.total,
            "remaining": left.remaining,
            "reset_after": left.reset_after_ms,
            "max_concurrency": CONCURRENT_IDENTIFIES,
        },
    })))
}
