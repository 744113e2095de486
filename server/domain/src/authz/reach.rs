//! Where somebody may do something: the scope of lists.
//!
//! A list has no action of its own, so that it never shows more than looking at things one by one would (S-06): its
//! scope is where viewing is allowed, asked of the same policies.

use keywarden_model::{ApiKeyId, EnvironmentId, ProjectId, SecretId, UserId, WorkloadId};

use super::action::Kind;
use super::principal::Who;
use super::{Action, Circumstances, InForce, NOBODY, NOWHERE, Owner, Principal, Resource, Rules, Target};

/// Where something may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everywhere.
    All,
    /// To what lies in these projects, and to what these own anywhere; perhaps to nothing.
    Part {
        /// Sorted.
        projects: Vec<ProjectId>,
        /// The caller or teams of theirs. Only keys have owners.
        owners: Vec<Owner>,
    },
}

impl Rules {
    /// Asks about a project in which nobody holds a role, about each one in which the caller does or that a policy names,
    /// and about what the caller owns. That tells of everything, since policies over a listed action say the same of all
    /// that lies in one project ([`super::written`]).
    pub(crate) fn reach_with(
        &self,
        in_force: &InForce,
        principal: &Principal,
        action: Action,
        circumstances: &Circumstances,
    ) -> Reach {
        let may = |project, owner| {
            let target = Target::thing(specimen(action, project, owner));
            self.decide_with(in_force, principal, action, &target, circumstances).allowed
        };
        if may(NOWHERE, NOBODY) {
            return Reach::All;
        }
        let held = principal.projects.iter().map(|(project, _)| *project);
        let mut projects: Vec<_> = held.chain(in_force.named(action)).collect();
        projects.sort_unstable();
        projects.dedup();
        projects.retain(|project| may(*project, NOBODY));
        let mut owners = owners(principal, action);
        owners.retain(|owner| may(NOWHERE, *owner));
        Reach::Part { projects, owners }
    }
}

impl Reach {
    /// Whether it covers what lies in this project and is nobody's own. Nothing covers what was not found.
    pub fn covers(&self, project: ProjectId) -> bool {
        match self {
            Self::All => project != NOWHERE,
            Self::Part { projects, .. } => projects.binary_search(&project).is_ok(),
        }
    }
}

fn owners(principal: &Principal, action: Action) -> Vec<Owner> {
    if action.kind() != Kind::ApiKey {
        return Vec::new();
    }
    let person = match principal.who {
        Who::Person(id) => Some(Owner::Person(id)),
        Who::Nobody | Who::Operator(_) | Who::Workload(_) => None,
    };
    person.into_iter().chain(principal.teams.iter().copied().map(Owner::Team)).collect()
}

/// Something that the action could be done to, there, of that owner.
pub(crate) fn specimen(action: Action, project: ProjectId, owner: Owner) -> Resource {
    match action.kind() {
        Kind::ApiKey => {
            Resource::ApiKey { id: ApiKeyId::NIL, project, environment: EnvironmentId::NIL, owner }
        }
        Kind::Environment => Resource::Environment { id: EnvironmentId::NIL, project },
        Kind::Organization => Resource::Organization,
        Kind::Person => Resource::Person(UserId::NIL),
        Kind::Project | Kind::Scope => Resource::Project(project),
        Kind::Secret => Resource::Secret { id: SecretId::NIL, project, environment: EnvironmentId::NIL },
        Kind::Team => Resource::Team(keywarden_model::TeamId::NIL),
        Kind::Workload => Resource::Workload { id: WorkloadId::NIL, project: Some(project) },
    }
}
