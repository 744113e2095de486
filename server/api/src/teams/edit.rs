//! `PATCH /api/v1/teams/{team}`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    teams::{RenameTeam, RenameTeamError},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::WholeTeam;
use crate::{
    at::At,
    caller::Caller,
    etag::{self, Seen, tagged},
    flaw::Flaws,
    json::{self, Asked, kept},
    problem::Problem,
};

/// What changes; what is absent stays (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchTeam {
    /// 1 to 120 characters.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false, example = "Payments")]
    name: Option<String>,
}

/// Rename a team
#[utoipa::path(
    patch,
    path = "/api/v1/teams/{team}",
    tag = "People",
    operation_id = "editTeam",
    params(("team" = String, Path, description = "Slug or `team_…`")),
    request_body = PatchTeam,
    responses((status = 200, description = "The team as it is now", body = WholeTeam)),
)]
pub(crate) async fn edit(
    State(domain): State<Domain>,
    caller: Caller,
    At(team): At<String>,
    seen: Seen,
    asked: Asked<PatchTeam>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    for left in seen.tries() {
        let before = domain.team(&op, &team).await?.team;
        let row_version = seen.version(before.row_version)?;
        if let Some(name) = &body.name {
            let mut flaws = Flaws::default();
            let Some(name) = flaws.parse("/name", name) else { return Err(flaws.problem()) };
            match domain.rename_team(&op, before.id, RenameTeam { name, row_version }).await {
                Err(RenameTeamError::ChangedMeanwhile) if left > 0 => continue,
                done => done?,
            };
        }
        let after = domain.team(&op, &before.id.to_string()).await.map_err(Problem::after_all)?;
        let version = after.team.row_version;
        return Ok(tagged(json::ok(&WholeTeam::from(after)), version));
    }
    Err(etag::changed())
}

impl From<RenameTeamError> for Problem {
    fn from(error: RenameTeamError) -> Self {
        match error {
            RenameTeamError::ChangedMeanwhile => etag::changed(),
            RenameTeamError::NameTaken => Self::taken("/name", error),
            RenameTeamError::Refused(refused) => refused.into(),
        }
    }
}
