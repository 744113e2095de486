//! `keywarden bare`: what `make bench` compares with. Only in builds with the feature `bare`, which no release has.
//!
//! One handler behind the listener, the log level and the limits of the real server. It reads the same JSON as verify and
//! writes an answer of the same size, and knows nothing: what verify costs beside it is what Keywarden does.

use std::borrow::Cow;

use axum::{Json, Router, body::Bytes, routing::post};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    Failure,
    serve::{bind, guard},
};
use crate::{config::Config, listen::serve};

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(borrow)]
    caller: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Told<'a> {
    valid: bool,
    code: &'a str,
    key_id: &'a str,
    project: &'a str,
    environment: &'a str,
    name: &'a str,
    owner: &'a str,
    scopes: [&'a str; 1],
    tags: [&'a str; 0],
    metadata: serde_json::Map<String, serde_json::Value>,
    expires_at: &'a str,
    superseded: bool,
}

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let listener = bind(config.listen.address).await?;
    let router =
        Router::new().route("/api/v1/keys/verify", post(verify)).route("/readyz", axum::routing::get(ready));
    tracing::info!(address = %config.listen.address, "the bare server is open");
    serve(listener, None, router, guard(config), CancellationToken::new()).await;
    Ok(())
}

async fn ready() -> StatusCode {
    StatusCode::OK
}

async fn verify(body: Bytes) -> Result<Json<Told<'static>>, StatusCode> {
    let asked: Asked<'_> = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let known = asked.key.len() + asked.scopes.len() + asked.caller.map_or(0, |caller| caller.len());
    Ok(Json(Told {
        valid: known > 0,
        code: "valid",
        key_id: "key_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
        project: "pay",
        environment: "live",
        name: "checkout 000000",
        owner: "team_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
        scopes: ["orders:read"],
        tags: [],
        metadata: serde_json::Map::new(),
        expires_at: "2027-12-31T00:00:00Z",
        superseded: false,
    }))
}
