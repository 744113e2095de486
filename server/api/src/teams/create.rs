//! `POST /api/v1/teams`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    teams::{CreateTeamError, NewTeam},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::WholeTeam;
use crate::{
    caller::Caller,
    etag::tagged,
    flaw::Flaws,
    json::{self, Asked},
    problem::Problem,
};

/// A new team.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTeam {
    /// Lower-case letters, digits and single dashes between them; 1 to 40; for good.
    #[schema(example = "payments")]
    slug: String,
    /// 1 to 120 characters.
    #[schema(example = "Payments")]
    name: String,
}

/// Make a team
///
/// Nobody is in it yet.
#[utoipa::path(
    post,
    path = "/api/v1/teams",
    tag = "People",
    operation_id = "createTeam",
    request_body = CreateTeam,
    responses((status = 201, description = "The team", body = WholeTeam)),
)]
pub(crate) async fn create(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<CreateTeam>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let id = domain.create_team(&op, body.read()?).await?;
    let shown = domain.team(&op, &id.to_string()).await.map_err(Problem::after_all)?;
    let version = shown.team.row_version;
    let location = format!("/api/v1/teams/{}", shown.team.slug);
    Ok(tagged(json::created(&location, &WholeTeam::from(shown)), version))
}

impl CreateTeam {
    fn read(self) -> Result<NewTeam, Problem> {
        let mut flaws = Flaws::default();
        let slug = flaws.parse("/slug", &self.slug);
        let name = flaws.parse("/name", &self.name);
        let (Some(slug), Some(name)) = (slug, name) else { return Err(flaws.problem()) };
        Ok(NewTeam { slug, name })
    }
}

impl From<CreateTeamError> for Problem {
    fn from(error: CreateTeamError) -> Self {
        match error {
            CreateTeamError::NameTaken => Self::taken("/name", error),
            CreateTeamError::Refused(refused) => refused.into(),
            CreateTeamError::SlugTaken => Self::taken("/slug", error),
        }
    }
}
