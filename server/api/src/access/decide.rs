//! `POST /api/v1/access-requests/{request}/…`: taken back, or denied.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{Domain, Op};
use keywarden_model::{AccessRequestId, Reason};
use serde::Deserialize;
use utoipa::ToSchema;

use super::WholeAccessRequest;
use crate::{
    caller::Caller,
    flaw::Flaws,
    json::{self, Asked, Nothing},
    problem::Problem,
};

/// Why not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DenyAccessRequest {
    /// In 3 to 200 characters, for whoever asked.
    #[schema(example = "ask on Monday")]
    words: String,
}

async fn after(domain: &Domain, op: &Op, id: AccessRequestId) -> Result<Response, Problem> {
    let shown = domain.access_request(op, id).await.map_err(Problem::after_all)?;
    Ok(json::ok(&WholeAccessRequest::from(shown)))
}

/// Withdraw a request for access
///
/// Whoever asked may, and whoever it is for.
#[utoipa::path(
    post,
    path = "/api/v1/access-requests/{request}/withdraw",
    tag = "Access",
    operation_id = "withdrawAccessRequest",
    params(("request" = String, Path, description = "`acr_…`")),
    responses((status = 200, description = "The request as it is now", body = WholeAccessRequest)),
)]
pub(crate) async fn withdraw(
    State(domain): State<Domain>,
    caller: Caller,
    Path(request): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let id = request.parse().map_err(|_| Problem::not_found())?;
    domain.withdraw_access_request(&op, id).await?;
    after(&domain, &op, id).await
}

/// Deny a request for access
///
/// Whoever may approve it says no. To approve takes a passkey, in a browser.
#[utoipa::path(
    post,
    path = "/api/v1/access-requests/{request}/deny",
    tag = "Access",
    operation_id = "denyAccessRequest",
    params(("request" = String, Path, description = "`acr_…`")),
    request_body = DenyAccessRequest,
    responses((status = 200, description = "The request as it is now", body = WholeAccessRequest)),
)]
pub(crate) async fn deny(
    State(domain): State<Domain>,
    caller: Caller,
    Path(request): Path<String>,
    asked: Asked<DenyAccessRequest>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let id = request.parse().map_err(|_| Problem::not_found())?;
    let mut flaws = Flaws::default();
    let Some(words) = flaws.parse::<Reason>("/words", &body.words) else { return Err(flaws.problem()) };
    domain.deny_access(&op, id, words).await?;
    after(&domain, &op, id).await
}
