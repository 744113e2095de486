//! `GET /api/v1/rewraps`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use serde::Serialize;
use utoipa::ToSchema;

use super::Rewrap;
use crate::{caller::Caller, json, problem::Problem};

/// The latest rewraps.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rewraps {
    /// At most 50, those under way first.
    items: Vec<Rewrap>,
}

/// List rewraps
#[utoipa::path(
    get,
    path = "/api/v1/rewraps",
    tag = "Encryption keys",
    operation_id = "listRewraps",
    responses((status = 200, description = "The latest", body = Rewraps)),
)]
pub(crate) async fn list(State(domain): State<Domain>, caller: Caller) -> Result<Response, Problem> {
    let found = domain.rewraps(caller.op()).await?;
    Ok(json::ok(&Rewraps { items: found.into_iter().map(Rewrap::from).collect() }))
}
