//! `POST /api/v1/fingerprints/check`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain, SecretString,
    secrets::{CheckError, Held},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    caller::Caller,
    json::{self, Asked},
    problem::{Kind, Problem},
};

/// What was found. No `Debug`: it may be a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckFingerprint {
    /// The whole value, of 16 to 512 visible ASCII characters, 8 of them different. It is neither kept nor logged.
    #[schema(example = "sk_live_4f9a1c77e2b8d03a")]
    value: String,
}

/// Secrets that hold the value, or held it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckedFingerprint {
    /// Those that the caller may see; others are not counted.
    items: Vec<HoldingSecret>,
}

/// A secret that holds the value, or held it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HoldingSecret {
    #[schema(example = "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The project's slug.
    #[schema(example = "pay")]
    project: String,
    /// The environment's slug.
    #[schema(example = "live")]
    environment: String,
    #[schema(example = "database/password")]
    path: String,
    /// Whether a reader who names no version gets this value.
    #[schema(example = true)]
    current: bool,
    /// The numbers of its versions with this value, newest first.
    #[schema(example = json!([3]))]
    versions: Vec<i64>,
}

/// Check whether a leaked value is one of ours
///
/// By its keyed fingerprint: nothing is opened. Of a value that could be guessed nothing is said (`guessable-value`), and
/// at most 30 values in a minute are answered. Each answer is an event of the audit record, without the value.
#[utoipa::path(
    post,
    path = "/api/v1/fingerprints/check",
    tag = "Leaks",
    operation_id = "checkFingerprint",
    request_body = CheckFingerprint,
    responses((status = 200, description = "Which secrets hold it, or held it", body = CheckedFingerprint)),
)]
pub(crate) async fn check(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<CheckFingerprint>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let held = domain.check_fingerprint(&op, &SecretString::new(body.value)).await?;
    Ok(json::ok(&CheckedFingerprint { items: held.into_iter().map(HoldingSecret::from).collect() }))
}

impl From<Held> for HoldingSecret {
    fn from(held: Held) -> Self {
        Self {
            current: held.is_current(),
            id: held.secret.id.to_string(),
            project: held.secret.project_slug,
            environment: held.secret.environment_slug,
            path: held.secret.path.to_string(),
            versions: held.versions.iter().map(|it| it.number).collect(),
        }
    }
}

impl From<CheckError> for Problem {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Guessable => Self::new(Kind::Guessable, error.to_string()),
            CheckError::Refused(refused) => refused.into(),
            CheckError::TooMany => Self::new(Kind::TooManyChecks, error.to_string()),
        }
    }
}
