//! A thing as a decision sees it: with the roles that it holds itself, if it is somebody.

use std::fmt;

use keywarden_model::{ProjectId, Role};
use keywarden_store::{Conn, authority};

use super::{Action, Facts, InForce, Resource};
use crate::Fault;

/// What something is done to, and what that thing may do itself. Acting on somebody can be a way to act *as* them (a
/// token of a workload, a member of a team), so a decision must know what they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The thing.
    pub resource: Resource,
    /// It is a person, team or workload that holds the role of owner.
    pub owner: bool,
    /// It is a workload that holds no role outside its own project.
    pub confined: bool,
    /// What policies that people wrote ask of it besides; read only where one in force asks.
    pub facts: Option<Facts>,
}

impl Target {
    /// A thing that holds no roles: anything but people, teams and workloads.
    pub fn thing(resource: Resource) -> Self {
        Self { resource, owner: false, confined: false, facts: None }
    }

    /// Somebody who holds these roles; `None` stands for the organization.
    pub fn holder(resource: Resource, held: &[(Role, Option<ProjectId>)]) -> Self {
        let home = resource.project();
        Self {
            resource,
            owner: held.iter().any(|(role, _)| *role == Role::Owner),
            confined: home.is_some() && held.iter().all(|(_, project)| *project == home),
            facts: None,
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

    /// The same with what was read of it.
    #[must_use]
    pub fn with(self, facts: Facts) -> Self {
        Self { facts: Some(facts), ..self }
    }

    /// Reads whatever deciding about this must know: what the thing holds, and what policies in force ask of it. Not one statement
    /// where neither matters. As [`Target::load`], to be read after the change counter.
    pub(crate) async fn as_asked(
        conn: &mut Conn,
        in_force: &InForce,
        action: Action,
        resource: Resource,
    ) -> Result<Self, Fault> {
        let target = if Self::must_be_loaded(action, &resource) {
            Self::load(conn, resource).await?
        } else {
            Self::thing(resource)
        };
        if !in_force.asks_of(action, &resource) {
            return Ok(target);
        }
        Ok(target.with(Facts::load(conn, &resource).await?))
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
