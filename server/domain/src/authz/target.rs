//! A thing as a decision sees it: with the roles that it holds itself, if it is somebody.

use std::fmt;

use keywarden_model::{ProjectId, Role};
use keywarden_store::{Conn, authority};

use super::{Action, Resource};
use crate::Fault;

/// What something is done to, and what that thing may do itself. Acting on somebody can be a way to act *as* them (a
/// token of a workload, a member of a team), so a decision must know what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The thing.
    pub resource: Resource,
    /// It is a person, team or workload that holds the role of owner.
    pub owner: bool,
    /// It is a workload that holds no role outside its own project.
    pub confined: bool,
}

impl Target {
    /// A thing that holds no roles: anything but people, teams and workloads.
    pub fn thing(resource: Resource) -> Self {
        Self { resource, owner: false, confined: false }
    }

    /// Somebody who holds these roles; `None` stands for the organization.
    pub fn holder(resource: Resource, held: &[(Role, Option<ProjectId>)]) -> Self {
        let home = resource.project();
        Self {
            resource,
            owner: held.iter().any(|(role, _)| *role == Role::Owner),
            confined: home.is_some() && held.iter().all(|(_, project)| *project == home),
        }
    }

    /// Reads what the thing holds. Must be read after the change counter that the permit will name: then whoever is
    /// made an owner in between makes the permit stale.
    pub(super) async fn load(conn: &mut Conn, resource: Resource) -> Result<Self, Fault> {
        let Some(holder) = holder(&resource) else { return Ok(Self::thing(resource)) };
        let damaged = |cause: &dyn fmt::Display| Fault::Damaged(format!("role_bindings: {cause}"));
        let mut held = Vec::new();
        for row in authority::held(conn, &holder).await? {
            let role = row.role.parse().map_err(|cause| damaged(&cause))?;
            let project = row.project_id.map(|id| id.parse()).transpose().map_err(|cause| damaged(&cause))?;
            held.push((role, project));
        }
        Ok(Self::holder(resource, &held))
    }

    /// The thing as the gate sees it when it is asked about this action.
    pub(crate) async fn as_asked(conn: &mut Conn, action: Action, resource: Resource) -> Result<Self, Fault> {
        if !Self::must_be_loaded(action, &resource) {
            return Ok(Self::thing(resource));
        }
        Self::load(conn, resource).await
    }

    /// Whether what the thing holds must be read: only changes of somebody depend on it.
    pub(super) fn must_be_loaded(action: Action, resource: &Resource) -> bool {
        !action.is_read() && holder(resource).is_some()
    }
}

fn holder(resource: &Resource) -> Option<String> {
    match resource {
        Resource::Person(id) => Some(id.to_string()),
        Resource::Team(id) => Some(id.to_string()),
        Resource::Workload { id, .. } => Some(id.to_string()),
        Resource::ApiKey { .. }
        | Resource::Environment { .. }
        | Resource::Organization
        | Resource::Project(_)
        | Resource::Secret { .. } => None,
    }
}
