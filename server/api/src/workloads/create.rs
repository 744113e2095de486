//! `POST /api/v1/workloads`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain, Op,
    workloads::{CreateWorkloadError, NewWorkload},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::WholeWorkload;
use crate::{
    caller::Caller,
    flaw::{Flaw, Flaws},
    json::{self, Asked},
    problem::Problem,
};

/// A new workload.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateWorkload {
    /// 1 to 120 characters.
    #[schema(example = "checkout")]
    name: String,
    /// Slug or id of the project that it belongs to; absent for one of the organization.
    #[schema(example = "pay")]
    project: Option<String>,
    /// Its first role: `manager`, `issuer`, `verifier` or `viewer` in its project; `admin` or `auditor` without one.
    /// Absent: none, yet.
    #[schema(example = "verifier")]
    role: Option<String>,
}

/// Make a workload
///
/// Whoever makes it must be allowed to give that role too.
#[utoipa::path(
    post,
    path = "/api/v1/workloads",
    tag = "Workloads",
    operation_id = "createWorkload",
    request_body = CreateWorkload,
    responses((status = 201, description = "The workload", body = WholeWorkload)),
)]
pub(crate) async fn create(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<CreateWorkload>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let id = domain.create_workload(&op, body.read(&domain, &op).await?).await?;
    let shown = domain.workload(&op, id).await.map_err(Problem::after_all)?;
    Ok(json::created(&format!("/api/v1/workloads/{id}"), &WholeWorkload::from(shown)))
}

impl CreateWorkload {
    async fn read(self, domain: &Domain, op: &Op) -> Result<NewWorkload, Problem> {
        let mut flaws = Flaws::default();
        let name = flaws.parse("/name", &self.name);
        let role = flaws.keep("/role", self.role.as_deref().map(str::parse).transpose());
        let (Some(name), Some(role)) = (name, role) else { return Err(flaws.problem()) };
        let project = match self.project {
            Some(project) => Some(domain.project(op, &project).await?.id),
            None => None,
        };
        Ok(NewWorkload { name, project, role })
    }
}

impl From<CreateWorkloadError> for Problem {
    fn from(error: CreateWorkloadError) -> Self {
        match error {
            CreateWorkloadError::Archived => Self::conflict(error),
            CreateWorkloadError::NameTaken => Self::taken("/name", error),
            CreateWorkloadError::OnlyPeopleOwn | CreateWorkloadError::WrongScope(_) => {
                Self::invalid(Flaw::at("/role", error))
            }
            CreateWorkloadError::Refused(refused) => refused.into(),
        }
    }
}
