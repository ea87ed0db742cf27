//! `/healthz`: the process answers. `/readyz`: it takes work.

use std::sync::atomic::Ordering::Relaxed;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::refusal::{json, ok};
use crate::app::App;

/// `GET /healthz`
pub(super) async fn healthz() -> Response {
    ok(&json!({ "status": "ok" }))
}

/// `GET /readyz`: false while the node drains.
pub(super) async fn readyz(State(app): State<App>) -> Response {
    if app.is_draining.load(Relaxed) {
        return json(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({ "status": "draining" }),
        );
    }
    ok(&json!({ "status": "ready" }))
}
