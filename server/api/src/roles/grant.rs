//! `POST /api/v1/roles`

use axum::{extract::State, response::Response};
use http::StatusCode;
use keywarden_domain::{
    Domain, Op,
    roles::{Grant, GrantRoleError, Holder},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    caller::Caller,
    flaw::{Flaw, Flaws},
    json::{self, Asked},
    problem::Problem,
};

/// A role to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantRole {
    /// The id of the person, team or workload.
    #[schema(example = "wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    holder: String,
    /// `owner`, `admin` or `auditor` without a project; `manager`, `issuer`, `verifier` or `viewer` in one.
    #[schema(example = "verifier")]
    role: String,
    /// Slug or id of the project.
    #[schema(example = "pay")]
    project: Option<String>,
}

/// What was given.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GrantedRole {
    #[schema(example = "rbd_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
}

/// Give a role
#[utoipa::path(
    post,
    path = "/api/v1/roles",
    tag = "People",
    operation_id = "grantRole",
    request_body = GrantRole,
    responses((status = 201, description = "The binding's id", body = GrantedRole)),
)]
pub(crate) async fn grant(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<GrantRole>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let id = domain.grant_role(&op, body.read(&domain, &op).await?).await?;
    Ok(json::answer(StatusCode::CREATED, &GrantedRole { id: id.to_string() }))
}

impl GrantRole {
    async fn read(self, domain: &Domain, op: &Op) -> Result<Grant, Problem> {
        let mut flaws = Flaws::default();
        let holder = Holder::parse(&self.holder).ok_or("write the id of a person, team or workload");
        let holder = flaws.keep("/holder", holder);
        let role = flaws.parse("/role", &self.role);
        let (Some(holder), Some(role)) = (holder, role) else { return Err(flaws.problem()) };
        let project = match self.project {
            Some(project) => Some(domain.project(op, &project).await?.id),
            None => None,
        };
        Ok(Grant { holder, role, project })
    }
}

impl From<GrantRoleError> for Problem {
    fn from(error: GrantRoleError) -> Self {
        match error {
            GrantRoleError::AlreadyHeld | GrantRoleError::Archived | GrantRoleError::LocksOut => {
                Self::conflict(error)
            }
            GrantRoleError::NoSuchHolder => Self::invalid(Flaw::at("/holder", error)),
            GrantRoleError::OnlyPeopleOwn | GrantRoleError::WrongScope(_) => {
                Self::invalid(Flaw::at("/role", error))
            }
            GrantRoleError::Refused(refused) => refused.into(),
        }
    }
}
