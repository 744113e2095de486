//! Who asks, with the roles that count.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use keywarden_model::{ProjectId, Role, TeamId, UserId, WorkloadId};

use super::Action;

/// A principal and what it holds, its teams' roles included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Who.
    pub who: Who,
    /// Teams that the person is in.
    pub teams: Vec<TeamId>,
    /// Roles of the organization.
    pub organization: Vec<Role>,
    /// Roles in projects.
    pub projects: Vec<(ProjectId, Role)>,
    /// When the first of these roles ends, if one is held for a while: in that instant and after it this is not who they are.
    pub until: Option<DateTime<Utc>>,
    /// Those of the roles that are held for a while alone; `None` stands for the organization.
    pub lent: Vec<(Option<ProjectId>, Role)>,
}

/// Which kind of principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Nobody that policies know: nothing is allowed.
    Nobody,
    /// The operator's shell or a token made there.
    Operator(String),
    /// A person.
    Person(UserId),
    /// A machine identity.
    Workload(WorkloadId),
}

impl Principal {
    /// Somebody without any role.
    pub fn bare(who: Who) -> Self {
        Self {
            who,
            teams: Vec::new(),
            organization: Vec::new(),
            projects: Vec::new(),
            until: None,
            lent: Vec::new(),
        }
    }

    /// What counts of theirs for this action: what hands out authority is never decided by a role that is held for a while, for it
    /// would outlast that role.
    pub(super) fn counted(&self, action: Action) -> Cow<'_, Self> {
        if self.lent.is_empty() || !action.outlasts() {
            return Cow::Borrowed(self);
        }
        let stands = |project: Option<ProjectId>, role: Role| !self.lent.contains(&(project, role));
        let mut standing = self.clone();
        standing.organization.retain(|role| stands(None, *role));
        standing.projects.retain(|(project, role)| stands(Some(*project), *role));
        Cow::Owned(standing)
    }

    /// Whether they hold just this at that instant.
    pub(crate) fn is_of(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether one of the organization's roles is held: longer rules for sessions hang on it.
    pub fn is_privileged(&self) -> bool {
        !self.organization.is_empty()
    }
}
