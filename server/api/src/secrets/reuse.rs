//! `GET /api/v1/secrets/{secret}/reuse`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::SecretId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{at::At, caller::Caller, fingerprints::check::HoldingSecret, json, problem::Problem};

/// Where else a secret's current value is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretReuse {
    /// The other secrets that hold it, or held it, as far as the caller may read them; others are not counted.
    items: Vec<HoldingSecret>,
}

/// List which other secrets have a secret's value
///
/// By its keyed fingerprint, and without any value, to whoever may read both. There are none for a caller who may only see
/// the secret, of a value that could be guessed, and of a template.
#[utoipa::path(
    get,
    path = "/api/v1/secrets/{secret}/reuse",
    tag = "Secrets",
    operation_id = "listSecretReuse",
    params(("secret" = String, Path, description = "`sec_…`")),
    responses((status = 200, description = "Where else the value is", body = SecretReuse)),
)]
pub(crate) async fn reuse(
    State(domain): State<Domain>,
    caller: Caller,
    At(secret): At<SecretId>,
) -> Result<Response, Problem> {
    let held = domain.secret_reuse(caller.op(), secret).await?;
    Ok(json::ok(&SecretReuse { items: held.into_iter().map(HoldingSecret::from).collect() }))
}
