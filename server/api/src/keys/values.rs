//! `POST /api/v1/keys/{key}/values/{value}/stop` and `…/extend`: an old value's end, now or later.

use axum::{
    extract::{FromRequestParts, Path, State},
    response::Response,
};
use http::request::Parts;
use keywarden_domain::{
    Domain,
    keys::{ExtendError, StopError},
};
use keywarden_model::{ApiKeyId, KeyValueId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::after;
use crate::{
    caller::Caller,
    etag::Seen,
    flaw::{Flaw, Flaws},
    json::Asked,
    problem::Problem,
    standards,
};

/// `{key}` and `{value}` of a path.
#[derive(Debug)]
pub(crate) struct Of {
    key: ApiKeyId,
    value: KeyValueId,
}

impl<S: Send + Sync> FromRequestParts<S> for Of {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((key, value)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found())?;
        let key = key.parse().map_err(|_| Problem::not_found())?;
        Ok(Self { key, value: value.parse().map_err(|_| Problem::not_found())? })
    }
}

/// The old value's new end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtendValue {
    /// RFC 3339: within 90 days, not after the key's own expiry.
    #[schema(example = "2027-01-31T00:00:00Z")]
    until: String,
}

/// Why the old value stops.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopValue {
    /// Absent: it has had its time, and says `expired` from now on. A reason as in revoking a key: it says `revoked`, and
    /// with `key-compromise` it is *compromised*, while the key goes on with its new value.
    #[schema(example = "key-compromise")]
    reason: Option<String>,
}

/// Stop an old value now
///
/// `drain` says who breaks.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{key}/values/{value}/stop",
    tag = "Keys",
    operation_id = "stopValue",
    params(
        ("key" = String, Path, description = "`key_…`"),
        ("value" = String, Path, description = "`kvl_…`"),
        ("If-Match" = Option<String>, Header, description = "The key's `ETag` that was read"),
    ),
    request_body = StopValue,
    responses((status = 200, description = "The key as it is now", body = super::WholeKey)),
)]
pub(crate) async fn stop(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of,
    seen: Seen,
    asked: Asked<StopValue>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let op = seen.of(op);
    let mut flaws = Flaws::default();
    let reason = flaws.keep("/reason", body.reason.as_deref().map(str::parse).transpose());
    let Some(reason) = reason else { return Err(flaws.problem()) };
    domain.stop_old_value(&op, of.key, of.value, reason).await?;
    after(&domain, &op, of.key).await
}

/// Let an old value work until another moment
#[utoipa::path(
    post,
    path = "/api/v1/keys/{key}/values/{value}/extend",
    tag = "Keys",
    operation_id = "extendValue",
    params(
        ("key" = String, Path, description = "`key_…`"),
        ("value" = String, Path, description = "`kvl_…`"),
        ("If-Match" = Option<String>, Header, description = "The key's `ETag` that was read"),
    ),
    request_body = ExtendValue,
    responses((status = 200, description = "The key as it is now", body = super::WholeKey)),
)]
pub(crate) async fn extend(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of,
    seen: Seen,
    asked: Asked<ExtendValue>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let op = seen.of(op);
    let mut flaws = Flaws::default();
    let Some(Some(until)) = flaws.instant("/until", Some(&body.until)) else { return Err(flaws.problem()) };
    domain.extend_key_overlap(&op, of.key, of.value, until).await?;
    after(&domain, &op, of.key).await
}

impl From<StopError> for Problem {
    fn from(error: StopError) -> Self {
        match error {
            StopError::Current | StopError::Stopped => Self::conflict(error),
            StopError::Refused(refused) => refused.into(),
        }
    }
}

impl From<ExtendError> for Problem {
    fn from(error: ExtendError) -> Self {
        match error {
            ExtendError::Archived | ExtendError::Current | ExtendError::Stopped => Self::conflict(error),
            ExtendError::Refused(refused) => refused.into(),
            ExtendError::Standard(breach) => standards::broken_at("/until", &breach),
            ExtendError::When => Self::invalid(Flaw::at("/until", error)),
        }
    }
}
