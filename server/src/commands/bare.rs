//! `keywarden bare`: what `make bench` compares with. Only in builds with the feature `bare`, which no release has.
//!
//! Handlers behind the listener, the log level and the limits of the real server. They read the same JSON as verify and as a
//! put, and write answers of the same size, and know nothing: what verify, a reading and a put cost beside them is what
//! Keywarden does.

use std::borrow::Cow;

use axum::{
    Json, Router,
    body::Bytes,
    extract::Path,
    routing::{get, post},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    Failure,
    serve::{bind, guard},
};
use crate::{config::Config, listen::serve};

/// Where the real server has values.
const SECRET: &str = "/api/v1/projects/{project}/environments/{environment}/secrets/{*path}";

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
    let router = Router::new()
        .route("/api/v1/keys/verify", post(verify))
        .route(SECRET, get(read).put(put))
        .route("/readyz", get(ready));
    tracing::info!(address = %config.listen.address, "the bare server is open");
    serve(listener, None, router, guard(config), CancellationToken::new()).await;
    Ok(())
}

async fn ready() -> StatusCode {
    StatusCode::OK
}

async fn verify(body: Bytes) -> Result<Json<Told<'static>>, StatusCode> {
    let asked: Asked<'_> = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let named = asked.caller.is_some_and(|caller| !caller.is_empty());
    Ok(Json(Told {
        valid: named || !(asked.key.is_empty() && asked.scopes.is_empty()),
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

#[derive(Serialize)]
struct Value {
    id: &'static str,
    path: String,
    version: u32,
    version_id: &'static str,
    uuid: &'static str,
    kind: &'static str,
    content_type: &'static str,
    value: &'static str,
    created_at: &'static str,
}

async fn read(Path((_, _, path)): Path<(String, String, String)>) -> Json<Value> {
    Json(Value {
        id: "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
        path,
        version: 1,
        version_id: "sev_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
        uuid: "0192f4c1-5f2b-7000-8000-000000000000",
        kind: "text",
        content_type: "text/plain",
        value: "0123456789abcdef0123456789abcdef",
        created_at: "2027-12-31T00:00:00.000000Z",
    })
}

#[derive(Deserialize)]
struct Put<'a> {
    #[serde(borrow)]
    value: Cow<'a, str>,
}

#[derive(Serialize)]
struct Version {
    id: &'static str,
    version: usize,
    version_id: &'static str,
    uuid: &'static str,
}

async fn put(body: Bytes) -> Result<Json<Version>, StatusCode> {
    let asked: Put<'_> = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(Json(Version {
        id: "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
        version: asked.value.len(),
        version_id: "sev_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
        uuid: "0192f4c1-5f2b-7000-8000-000000000000",
    }))
}
