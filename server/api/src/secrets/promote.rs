//! `POST /api/v1/secrets/{secret}/promote`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    secrets::{Address, Expected, PromoteError, Promotion, PutError},
};
use keywarden_model::SecretId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::put::PutVersion;
use crate::{
    at::At,
    caller::Caller,
    etag::{self, tagged},
    flaw::{Flaw, Flaws},
    json::Asked,
    keys::create::place,
    problem::{Kind, Problem},
    standards,
};

/// Where the value goes, and what was seen here and there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PromoteSecret {
    /// Slug or id of another environment of the project.
    #[schema(example = "live")]
    to: String,
    /// The number of the version that is current here: if it is another one by then, nothing is carried.
    #[schema(example = 3)]
    version: i64,
    /// The number of the version that must be current there; 0: no secret yet.
    #[schema(example = 0)]
    expected_version: Option<i64>,
}

/// Carry a value to another environment
///
/// The current value is read here and put to the same path there, in one step. Who does it may read here and put there; both
/// secrets' records tell it. It is read there as long as here: `not_before` and `expires_at` go with it. Where there is no secret yet, one is made with this one's description, tags and owner. A value
/// that is current there already is not put again.
#[utoipa::path(
    post,
    path = "/api/v1/secrets/{secret}/promote",
    tag = "Secrets",
    operation_id = "promoteSecret",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("Keywarden-Reason" = Option<String>, Header, description = "Why the value is carried: it is read here"),
    ),
    request_body = PromoteSecret,
    responses(
        (status = 200, description = "The new version there", body = PutVersion),
        (status = 201, description = "The new secret's first version", body = PutVersion),
    ),
    extensions(("x-expects" = json!(true))),
)]
pub(crate) async fn promote(
    State(domain): State<Domain>,
    caller: Caller,
    At(secret): At<SecretId>,
    asked: Asked<PromoteSecret>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let (version, expected) = body.numbers()?;
    let seen = domain.secret(&op, &Address::Id(secret)).await?.secret;
    let to = place(&domain, &op, &seen.project_slug, &body.to).await?;
    let done = domain.promote_secret(&op, secret, Promotion { to, version, expected }).await?;
    Ok(tagged(PutVersion::answer(&done), done.version))
}

impl PromoteSecret {
    fn numbers(&self) -> Result<(i64, Option<Expected>), Problem> {
        let mut flaws = Flaws::default();
        let version = match self.version {
            number @ 1.. => Ok(number),
            _ => Err("use the number of the current version"),
        };
        let version = flaws.keep("/version", version);
        let expected = match self.expected_version {
            None => Ok(None),
            Some(number @ 0..) => Ok(Some(Expected::Number(number))),
            Some(_) => Err("use the number of a version, or 0"),
        };
        match (version, flaws.keep("/expected_version", expected)) {
            (Some(version), Some(expected)) => Ok((version, expected)),
            _ => Err(flaws.problem()),
        }
    }
}

impl From<PromoteError> for Problem {
    fn from(error: PromoteError) -> Self {
        match error {
            PromoteError::Here => Self::invalid(Flaw::at("/to", error)),
            PromoteError::NoReason => Self::no_reason(error),
            PromoteError::Outside { .. } => Self::new(Kind::OutsideValidity, error.to_string()),
            PromoteError::Put(PutError::Standard(breach)) => standards::broken_at("/to", &breach),
            PromoteError::Put(error) => error.into(),
            PromoteError::Refused(refused) => refused.into(),
            PromoteError::Same | PromoteError::Shut { .. } => Self::conflict(error),
            PromoteError::Stale => etag::changed(),
        }
    }
}
