//! What something is done to, with the facts that policies ask for.

use keywarden_model::{ApiKeyId, EnvironmentId, ProjectId, SecretId, TeamId, UserId, WorkloadId};

use super::Action;

/// A thing, with the facts of its own row. They are read before the question is put: whoever changes the row checks
/// in the same transaction that they still hold (its project and owner, or the row's version).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// An API key.
    ApiKey {
        /// Which.
        id: ApiKeyId,
        /// Its project.
        project: ProjectId,
        /// Its environment.
        environment: EnvironmentId,
        /// Whose it is.
        owner: Owner,
    },
    /// An environment.
    Environment {
        /// Which.
        id: EnvironmentId,
        /// Its project.
        project: ProjectId,
    },
    /// The organization.
    Organization,
    /// A person.
    Person(UserId),
    /// A project.
    Project(ProjectId),
    /// A secret. Policies and statements go by the same id: a path is turned into it once, before the question.
    Secret {
        /// Which.
        id: SecretId,
        /// Its project.
        project: ProjectId,
        /// Its environment.
        environment: EnvironmentId,
    },
    /// A team.
    Team(TeamId),
    /// A machine identity.
    Workload {
        /// Which.
        id: WorkloadId,
        /// Its project, if it belongs to one.
        project: Option<ProjectId>,
    },
}

/// Whose a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A person's.
    Person(UserId),
    /// A team's.
    Team(TeamId),
}

impl Owner {
    /// From its stored id.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().map(Self::Person).or_else(|_| text.parse().map(Self::Team)).ok()
    }

    /// Whether it is a team.
    pub fn is_team(self) -> bool {
        matches!(self, Self::Team(_))
    }

    /// `person` or `team`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Team(_) => "team",
        }
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Team(id) => id.fmt(f),
        }
    }
}

/// Nobody holds a role in it: the id of no project.
pub(crate) const NOWHERE: ProjectId = ProjectId::NIL;
/// Nobody is it.
pub(crate) const NOBODY: Owner = Owner::Person(UserId::NIL);

impl Resource {
    /// An API key that was not found. To ask about it takes as long as about somebody else's, and gets the same answer.
    pub(crate) fn no_key(id: ApiKeyId) -> Self {
        Self::ApiKey { id, project: NOWHERE, environment: EnvironmentId::NIL, owner: NOBODY }
    }

    /// A secret that was not found, as [`Resource::no_key`].
    pub(crate) fn no_secret(id: SecretId) -> Self {
        Self::Secret { id, project: NOWHERE, environment: EnvironmentId::NIL }
    }

    /// Whether it was not found.
    pub(crate) fn lies_nowhere(&self) -> bool {
        self.project() == Some(NOWHERE)
    }

    /// The project it belongs to, or is.
    pub fn project(&self) -> Option<ProjectId> {
        match self {
            Self::ApiKey { project, .. }
            | Self::Environment { project, .. }
            | Self::Project(project)
            | Self::Secret { project, .. } => Some(*project),
            Self::Workload { project, .. } => *project,
            Self::Organization | Self::Person(_) | Self::Team(_) => None,
        }
    }

    /// The word for its kind, and its id.
    pub fn name(&self) -> (&'static str, String) {
        match self {
            Self::ApiKey { id, .. } => ("key", id.to_string()),
            Self::Environment { id, .. } => ("environment", id.to_string()),
            Self::Organization => ("organization", "organization".into()),
            Self::Person(id) => ("user", id.to_string()),
            Self::Project(id) => ("project", id.to_string()),
            Self::Secret { id, .. } => ("secret", id.to_string()),
            Self::Team(id) => ("team", id.to_string()),
            Self::Workload { id, .. } => ("workload", id.to_string()),
        }
    }

    /// Its Cedar type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::ApiKey { .. } => "ApiKey",
            Self::Environment { .. } => "Environment",
            Self::Organization => "Organization",
            Self::Person(_) => "Person",
            Self::Project(_) => "Project",
            Self::Secret { .. } => "Secret",
            Self::Team(_) => "Team",
            Self::Workload { .. } => "Workload",
        }
    }

    /// What one must be able to do for the thing to be known at all; `None` where existence is no secret.
    pub(super) fn sight(&self) -> Option<(Action, Self)> {
        match self {
            Self::ApiKey { .. } => Some((Action::ViewKey, *self)),
            Self::Environment { project, .. } => Some((Action::ViewProject, Self::Project(*project))),
            Self::Organization => None,
            Self::Person(_) => Some((Action::ViewUsers, Self::Organization)),
            Self::Project(_) => Some((Action::ViewProject, *self)),
            Self::Secret { .. } => Some((Action::ViewSecret, *self)),
            Self::Team(_) => Some((Action::ViewTeams, Self::Organization)),
            Self::Workload { .. } => Some((Action::ViewWorkload, *self)),
        }
    }
}
