//! Roles: giving them, taking them, and who holds which.
//!
//! **Invariants:** a role of the organization is held without a project and a project's role within one. Only people are
//! owners, and the last active one stays. A workload that belongs to a project holds roles in that project alone, so
//! that whoever may make tokens for it gains nothing elsewhere by it.

mod candidates;
mod grant;
mod list;
mod revoke;
#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{ProjectId, Role, RoleBindingId, RoleScope, TeamId, UserId, WorkloadId};
use keywarden_store::roles as rows;

use crate::{Action, Fault, Resource};

pub use candidates::Candidate;
pub(crate) use grant::can_hold;
pub use grant::{Grant, GrantRoleError};
pub use list::RolePage;
pub use revoke::RevokeRoleError;

/// Who can hold a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A person.
    Person(UserId),
    /// Everybody in a team.
    Team(TeamId),
    /// A machine identity.
    Workload(WorkloadId),
}

impl Holder {
    /// From its id.
    pub fn parse(text: &str) -> Option<Self> {
        (text.parse().map(Self::Person))
            .or_else(|_| text.parse().map(Self::Team))
            .or_else(|_| text.parse().map(Self::Workload))
            .ok()
    }

    /// `person`, `team` or `workload`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Team(_) => "team",
            Self::Workload(_) => "workload",
        }
    }

    /// The word that events use for it.
    pub(crate) fn event_kind(self) -> &'static str {
        match self {
            Self::Person(_) => "user",
            Self::Team(_) => "team",
            Self::Workload(_) => "workload",
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Team(id) => id.fmt(f),
            Self::Workload(id) => id.fmt(f),
        }
    }
}

/// A role that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleBinding {
    /// Its id.
    pub id: RoleBindingId,
    /// Who holds it.
    pub holder: Holder,
    /// What the holder is called.
    pub holder_name: String,
    /// False for somebody deactivated, for whom it does not count.
    pub holder_active: bool,
    /// Which role.
    pub role: Role,
    /// In which project; `None` for the organization's roles.
    pub project: Option<ProjectId>,
    /// The project's slug.
    pub project_slug: Option<String>,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Given by whom: an actor's id.
    pub created_by: String,
}

impl TryFrom<rows::Binding> for RoleBinding {
    type Error = Fault;
    fn try_from(row: rows::Binding) -> Result<Self, Fault> {
        let damaged = |what: &str| Fault::Damaged(format!("role_bindings {}: {what}", row.id));
        Ok(Self {
            id: row.id,
            holder: Holder::parse(&row.principal_id).ok_or_else(|| damaged("principal"))?,
            holder_name: row.principal_name.unwrap_or_default(),
            holder_active: row.principal_active,
            role: row.role.parse().map_err(|_| damaged("role"))?,
            project: row.project_id.map(|it| it.parse()).transpose().map_err(|_| damaged("project"))?,
            project_slug: row.project_slug,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
        })
    }
}

/// What giving or taking a role there asks for; `None` if the role is not held in such a place.
pub(crate) fn permit_for(role: Role, project: Option<ProjectId>) -> Option<(Action, Resource)> {
    let resource = match (role.scope(), project) {
        (RoleScope::Organization, None) => Resource::Organization,
        (RoleScope::Project, Some(project)) => Resource::Project(project),
        (RoleScope::Organization, Some(_)) | (RoleScope::Project, None) => return None,
    };
    Some((Action::to_grant(role), resource))
}
