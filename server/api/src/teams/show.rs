//! `GET /api/v1/teams/{team}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;

use super::WholeTeam;
use crate::{at::At, caller::Caller, etag::tagged, json, problem::Problem};

/// Show a team and who is in it
#[utoipa::path(
    get,
    path = "/api/v1/teams/{team}",
    tag = "People",
    operation_id = "showTeam",
    params(("team" = String, Path, description = "Slug or `team_…`")),
    responses((status = 200, description = "The team", body = WholeTeam)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(team): At<String>,
) -> Result<Response, Problem> {
    let shown = domain.team(caller.op(), &team).await?;
    let version = shown.team.row_version;
    Ok(tagged(json::ok(&WholeTeam::from(shown)), version))
}
