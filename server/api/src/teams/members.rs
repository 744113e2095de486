//! `PUT` and `DELETE /api/v1/teams/{team}/members/{user}`

use axum::{
    extract::{FromRequestParts, Path, State},
    response::Response,
};
use http::request::Parts;
use keywarden_domain::{Domain, teams::MemberError};
use keywarden_model::UserId;

use crate::{caller::Caller, etag::Unheeded, json, problem::Problem};

/// `{team}` and `{user}` of a path.
#[derive(Debug)]
pub(crate) struct Membership {
    team: String,
    user: UserId,
}

impl<S: Send + Sync> FromRequestParts<S> for Membership {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((team, user)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found())?;
        Ok(Self { team, user: user.parse().map_err(|_| Problem::not_found())? })
    }
}

/// Add a person to a team
///
/// From now on the team's roles are theirs too.
#[utoipa::path(
    put,
    path = "/api/v1/teams/{team}/members/{user}",
    tag = "People",
    operation_id = "addMember",
    params(
        ("team" = String, Path, description = "Slug or `team_…`"),
        ("user" = String, Path, description = "`usr_…`"),
    ),
    responses((status = 204, description = "The person is in the team")),
)]
pub(crate) async fn add(
    State(domain): State<Domain>,
    caller: Caller,
    membership: Membership,
    _: Unheeded,
) -> Result<Response, Problem> {
    let team = domain.team(caller.op(), &membership.team).await?.team;
    done(domain.add_member(caller.op(), team.id, membership.user).await)
}

/// Remove a person from a team
///
/// And with that the team's roles from the person.
#[utoipa::path(
    delete,
    path = "/api/v1/teams/{team}/members/{user}",
    tag = "People",
    operation_id = "removeMember",
    params(
        ("team" = String, Path, description = "Slug or `team_…`"),
        ("user" = String, Path, description = "`usr_…`"),
    ),
    responses((status = 204, description = "The person is not in the team")),
)]
pub(crate) async fn remove(
    State(domain): State<Domain>,
    caller: Caller,
    membership: Membership,
    _: Unheeded,
) -> Result<Response, Problem> {
    let team = domain.team(caller.op(), &membership.team).await?.team;
    done(domain.remove_member(caller.op(), team.id, membership.user).await)
}

/// Both verbs say how it should be; that it was so already is no failure (RFC 9110, 9.2.2).
fn done<T>(outcome: Result<T, MemberError>) -> Result<Response, Problem> {
    match outcome {
        Ok(_) | Err(MemberError::AlreadyIn | MemberError::NotIn) => Ok(json::nothing()),
        Err(error @ MemberError::LocksOut) => Err(Problem::conflict(error)),
        Err(MemberError::NoSuchPerson) => Err(Problem::not_found()),
        Err(MemberError::Refused(refused)) => Err(refused.into()),
    }
}
