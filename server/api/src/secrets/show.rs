//! `GET /api/v1/secrets/{secret}`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, secrets::Address};
use keywarden_model::SecretId;

use super::{WholeSecret, whole};
use crate::{at::At, caller::Caller, problem::Problem};

/// Show a secret, its labels and versions, without any value
#[utoipa::path(
    get,
    path = "/api/v1/secrets/{secret}",
    tag = "Secrets",
    operation_id = "showSecret",
    params(("secret" = String, Path, description = "`sec_…`")),
    responses((status = 200, description = "The secret", body = WholeSecret)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(secret): At<SecretId>,
) -> Result<Response, Problem> {
    Ok(whole(domain.secret(caller.op(), &Address::Id(secret)).await?))
}
