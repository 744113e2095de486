//! `GET /api/v1/users/{user}/permissions` and `GET /api/v1/workloads/{workload}/permissions`

use axum::{Json, extract::State};
use keywarden_domain::{
    Domain, Op,
    permissions::{Allowed, Where},
    roles::Holder,
};
use keywarden_model::{UserId, WorkloadId};
use serde::Serialize;
use utoipa::ToSchema;

use super::PermissionPath;
use crate::{at::At, caller::Caller, problem::Problem, query::Query};

/// What somebody can do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldPermissions {
    /// The id of the person or workload.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    principal: String,
    #[schema(example = "Alice")]
    name: String,
    /// False for somebody deactivated, who can do nothing.
    #[schema(example = true)]
    active: bool,
    permissions: Vec<HeldPermission>,
}

/// Something that somebody can do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldPermission {
    #[schema(example = "key.issue")]
    action: &'static str,
    /// `organization`, `every-project`, `project`, `own-keys`, `team-keys` or `own-account`.
    #[schema(example = "project")]
    place: &'static str,
    /// The project, or the team whose keys are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "prj_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    of: Option<String>,
    /// Each way that would do by itself.
    paths: Vec<PermissionPath>,
}

impl From<Allowed> for HeldPermission {
    fn from(it: Allowed) -> Self {
        let of = match &it.place {
            Where::Project(id, _) => Some(id.to_string()),
            Where::TeamKeys(id, _) => Some(id.to_string()),
            Where::EveryProject | Where::Organization | Where::OwnKeys | Where::Themselves => None,
        };
        let paths = it.paths.into_iter().map(PermissionPath::from).collect();
        Self { action: it.action.name(), place: it.place.word(), of, paths }
    }
}

/// Show what a person can do, where, and by what
///
/// A fresh passkey is asked for beside that. Managers of projects are told of their projects alone.
#[utoipa::path(
    get,
    path = "/api/v1/users/{user}/permissions",
    tag = "Permissions",
    operation_id = "listUserPermissions",
    params(
        ("user" = String, Path, description = "`usr_…`"),
        ("q" = Option<String>, Query, description = "A part of the action's name, or of its words"),
    ),
    responses((status = 200, description = "What they can do", body = HeldPermissions)),
)]
pub(crate) async fn of_user(
    State(domain): State<Domain>,
    caller: Caller,
    At(user): At<UserId>,
    query: Query,
) -> Result<Json<HeldPermissions>, Problem> {
    of(&domain, caller.op(), Holder::Person(user), query).await
}

/// Show what a workload can do, where, and by what
///
/// Managers of projects are told of their projects alone.
#[utoipa::path(
    get,
    path = "/api/v1/workloads/{workload}/permissions",
    tag = "Permissions",
    operation_id = "listWorkloadPermissions",
    params(
        ("workload" = String, Path, description = "`wkl_…`"),
        ("q" = Option<String>, Query, description = "A part of the action's name, or of its words"),
    ),
    responses((status = 200, description = "What it can do", body = HeldPermissions)),
)]
pub(crate) async fn of_workload(
    State(domain): State<Domain>,
    caller: Caller,
    At(workload): At<WorkloadId>,
    query: Query,
) -> Result<Json<HeldPermissions>, Problem> {
    of(&domain, caller.op(), Holder::Workload(workload), query).await
}

async fn of(
    domain: &Domain,
    op: &Op,
    holder: Holder,
    query: Query,
) -> Result<Json<HeldPermissions>, Problem> {
    let mut query = query.read();
    let part = query.text("q");
    query.end()?;
    let found = domain.permissions_of(op, holder).await?.only(part.as_deref());
    Ok(Json(HeldPermissions {
        principal: found.holder.to_string(),
        name: found.name,
        active: found.active,
        permissions: found.allowed.into_iter().map(HeldPermission::from).collect(),
    }))
}
