//! Whether the process lives, and whether it can decide and forward.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::Control;

/// The process answers.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// Everything that decisions need is there; otherwise 503 with what is missing.
pub(crate) async fn ready(State(control): State<Arc<Control>>) -> (StatusCode, Json<Value>) {
    let missing = control.missing();
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let revision = control.live.load().world.revision();
    (status, Json(json!({ "ready": missing.is_empty(), "missing": missing, "revision": revision })))
}
