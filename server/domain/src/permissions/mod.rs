//! Effective permissions: who can do something to a thing, what somebody can do where, and what would be if.
//!
//! All three ask the policies in force, built in and written, as every use-case does, and show by which role, team or policy the answer is a yes. Only
//! those may look who hold [`Action::ExplainPermissions`]: of everything in the organization, or of what lies in a project.
//!
//! **Invariant:** nothing is decided by what a role is called. A policy that comes to be is found here by itself.

mod held;
mod principal;
mod setting;
mod simulate;
#[cfg(test)]
mod tests;
mod thing;
mod who_can;
mod written;

pub use crate::authz::{CameTo, Considered, Missing, Part};
pub use held::{Allowed, Permissions, Where};
pub use setting::{PasskeyAge, Setting};
pub use simulate::{Case, Enough, Simulated};
pub use thing::Thing;
pub use who_can::{Entitled, Path, Sought, WhoCan};
pub use written::{Under, WrittenPolicies, WrittenPolicy};

use keywarden_model::ProjectId;

use crate::authz::Reach;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Where the caller may look.
pub(crate) enum Sight {
    /// Everywhere.
    All,
    /// In these projects, sorted.
    Projects(Vec<ProjectId>),
}

impl Sight {
    /// Whether what lies there may be looked at; `None` is the organization.
    pub(crate) fn covers(&self, project: Option<ProjectId>) -> bool {
        match self {
            Self::All => true,
            Self::Projects(projects) => project.is_some_and(|it| projects.binary_search(&it).is_ok()),
        }
    }
}

impl Domain {
    /// Where the caller may see who may do what: they must be able to see the people, too. Who may nowhere gets one answer to
    /// every question, be there such a thing or not.
    pub(crate) async fn explains(&self, op: &Op) -> Result<Sight, Refused> {
        let sight = match self.reach(op, Action::ExplainPermissions).await? {
            Reach::Part { projects, .. } if !projects.is_empty() => Sight::Projects(projects),
            Reach::All | Reach::Part { .. } => {
                let _permit = self.authorize(op, Action::ExplainPermissions, &Resource::Organization).await?;
                Sight::All
            }
        };
        let _permit = self.authorize(op, Action::ViewUsers, &Resource::Organization).await?;
        Ok(sight)
    }

    /// Whether the caller may see who may do what, somewhere: for showing the way there.
    pub async fn may_explain_somewhere(&self, op: &Op) -> Result<bool, Refused> {
        let reach = self.reach(op, Action::ExplainPermissions).await?;
        let somewhere = !matches!(reach, Reach::Part { projects, .. } if projects.is_empty());
        Ok(somewhere && self.would(op, Action::ViewUsers, &Resource::Organization).await?)
    }

    /// Whether the caller may see who may do what, somewhere; else the refusal.
    pub async fn explains_anything(&self, op: &Op) -> Result<(), Refused> {
        self.explains(op).await.map(drop)
    }

    /// The thing of this id, for those who may see who may do what to it.
    pub async fn explained_thing(&self, op: &Op, id: &str) -> Result<Thing, Refused> {
        let sight = self.explains(op).await?;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let thing = Thing::find(&mut conn, id).await?;
        thing.filter(|it| sight.covers(it.resource.project())).ok_or(Refused::NotFound)
    }

    /// Whether the caller may see who may do what to this: for showing the way there.
    pub async fn may_explain(&self, op: &Op, resource: &Resource) -> Result<bool, Refused> {
        let place = resource.project().map_or(Resource::Organization, Resource::Project);
        Ok(self.would(op, Action::ExplainPermissions, &place).await?
            && self.would(op, Action::ViewUsers, &Resource::Organization).await?)
    }
}
