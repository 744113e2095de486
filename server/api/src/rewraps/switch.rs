//! `POST /api/v1/rewraps/{rewrap}/pause` and `…/resume`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, Op, rewraps::SwitchRewrapError};
use keywarden_model::RewrapId;

use super::Rewrap;
use crate::{
    at::At,
    caller::Caller,
    json::{self, Asked, Nothing},
    problem::Problem,
};

/// Pause a rewrap
///
/// It rests after the batch that it is at. Everything reads and writes as before.
#[utoipa::path(
    post,
    path = "/api/v1/rewraps/{rewrap}/pause",
    tag = "Encryption keys",
    operation_id = "pauseRewrap",
    params(("rewrap" = String, Path, description = "`rwp_…`")),
    responses((status = 200, description = "The rewrap as it is now", body = Rewrap)),
)]
pub(crate) async fn pause(
    State(domain): State<Domain>,
    caller: Caller,
    At(rewrap): At<RewrapId>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.pause_rewrap(&op, rewrap).await?;
    after(&domain, &op, rewrap).await
}

/// Resume a rewrap
#[utoipa::path(
    post,
    path = "/api/v1/rewraps/{rewrap}/resume",
    tag = "Encryption keys",
    operation_id = "resumeRewrap",
    params(("rewrap" = String, Path, description = "`rwp_…`")),
    responses((status = 200, description = "The rewrap as it is now", body = Rewrap)),
)]
pub(crate) async fn resume(
    State(domain): State<Domain>,
    caller: Caller,
    At(rewrap): At<RewrapId>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.resume_rewrap(&op, rewrap).await?;
    after(&domain, &op, rewrap).await
}

async fn after(domain: &Domain, op: &Op, rewrap: RewrapId) -> Result<Response, Problem> {
    let rewrap = domain.find_rewrap(op, rewrap).await.map_err(Problem::after_all)?;
    Ok(json::ok(&Rewrap::from(rewrap)))
}

impl From<SwitchRewrapError> for Problem {
    fn from(error: SwitchRewrapError) -> Self {
        match error {
            SwitchRewrapError::Is(_) => Self::conflict(error),
            SwitchRewrapError::Refused(refused) => refused.into(),
        }
    }
}
