//! `POST /api/v1/keys/{key}/rotate`

use axum::{extract::State, response::Response};
use chrono::TimeDelta;
use keywarden_domain::{
    Domain,
    keys::{Overlap, RotateError},
};
use keywarden_model::ApiKeyId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::create::{IssuedKey, shown_once};
use crate::{
    at::At,
    caller::Caller,
    etag::Seen,
    flaw::{Flaw, Flaws},
    json::{self, Asked},
    problem::Problem,
};

/// How long the old value works on: one of both, or neither: as the environment says. Never past the key's own expiry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateKey {
    /// 0 stops it at once; at most 90 days (7 776 000).
    #[schema(example = 86_400)]
    overlap_seconds: Option<i64>,
    /// Until then: RFC 3339.
    overlap_until: Option<String>,
}

/// Give a key a new value
///
/// The answer holds it, this once. The old one works on for the overlap.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{key}/rotate",
    tag = "Keys",
    operation_id = "rotateKey",
    params(
        ("key" = String, Path, description = "`key_…`"),
        ("If-Match" = Option<String>, Header, description = "The key's `ETag` that was read"),
    ),
    request_body = RotateKey,
    responses((status = 200, description = "The key and its new value", body = IssuedKey)),
)]
pub(crate) async fn rotate(
    State(domain): State<Domain>,
    caller: Caller,
    At(key): At<ApiKeyId>,
    seen: Seen,
    asked: Asked<RotateKey>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let op = seen.of(op);
    let pointer = if body.overlap_until.is_some() { "/overlap_until" } else { "/overlap_seconds" };
    let rotated = domain.rotate_key(&op, key, body.read()?).await;
    let rotated = rotated.map_err(|error| refused(error, pointer))?;
    let value = (key, &rotated.value, rotated.public_id.as_str());
    Ok(shown_once(&domain, &op, value, |answer| json::ok(answer)).await)
}

impl RotateKey {
    fn read(self) -> Result<Overlap, Problem> {
        let mut flaws = Flaws::default();
        let until = flaws.instant("/overlap_until", self.overlap_until.as_deref());
        let Some(until) = until else { return Err(flaws.problem()) };
        match (self.overlap_seconds, until) {
            (None, None) => Ok(Overlap::Default),
            (None, Some(until)) => Ok(Overlap::Until(until)),
            (Some(_), Some(_)) => {
                Err(Problem::invalid(Flaw::at("/overlap_until", "stands beside `overlap_seconds`: send one")))
            }
            // What no duration can hold is too long as well.
            (Some(seconds), None) => TimeDelta::try_seconds(seconds)
                .map(Overlap::For)
                .ok_or_else(|| refused(RotateError::OverlapTooLong, "/overlap_seconds")),
        }
    }
}

/// What is wrong with the overlap is wrong with the field that was sent.
fn refused(error: RotateError, overlap: &'static str) -> Problem {
    match error {
        RotateError::Archived | RotateError::Expired | RotateError::Revoked | RotateError::TooManyValues => {
            Problem::conflict(error)
        }
        RotateError::OverlapIsOver | RotateError::OverlapTooLong => {
            Problem::invalid(Flaw::at(overlap, error))
        }
        RotateError::Refused(refused) => refused.into(),
    }
}
