//! `GET /api/v1/keys/{key}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::ApiKeyId;

use super::WholeKey;
use crate::{at::At, caller::Caller, etag::tagged, json, problem::Problem};

/// Show a key and its values
#[utoipa::path(
    get,
    path = "/api/v1/keys/{key}",
    tag = "Keys",
    operation_id = "showKey",
    params(("key" = String, Path, description = "`key_…`")),
    responses((status = 200, description = "The key", body = WholeKey)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(key): At<ApiKeyId>,
) -> Result<Response, Problem> {
    let view = domain.key(caller.op(), key).await?;
    let version = view.key.row_version;
    Ok(tagged(json::ok(&WholeKey::of(view, caller.op().now)), version))
}
