//! Effective permissions: who can do something to a thing, what somebody can do, what would be if.

pub(crate) mod held;
pub(crate) mod simulate;
pub(crate) mod who_can;

use keywarden_domain::{
    Action,
    authz::{CameTo, Considered, Part},
    permissions::{Enough, Path, Thing, WrittenPolicies},
    roles::Holder,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::query::Reading;

/// A way to a yes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PermissionPath {
    /// `role`, `team`, `itself` (the key's owner, one's own account, anybody signed in), or `together`: no part alone would do.
    #[schema(example = "role")]
    by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "manager")]
    role: Option<&'static str>,
    /// `organization` or `project`: where the role is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "project")]
    held_in: Option<&'static str>,
    /// The team by which it comes; absent for one's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "team_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    team: Option<String>,
    /// The policies that say so: built-in ones by their id, versions that people wrote as `pol_…@3`.
    #[schema(example = json!(["project-manager"]))]
    policies: Vec<String>,
}

impl From<Path> for PermissionPath {
    fn from(path: Path) -> Self {
        let (by, role, held_in) = match path.part {
            Part::Itself => ("itself", None, None),
            Part::OrganizationRole(role) => ("role", Some(role.as_str()), Some("organization")),
            Part::ProjectRole(role) => ("role", Some(role.as_str()), Some("project")),
            Part::Team(_) => ("team", None, None),
            Part::Together => ("together", None, None),
        };
        Self { by, role, held_in, team: path.team.map(|(id, _)| id.to_string()), policies: path.policies }
    }
}

/// A policy that speaks of the action and the thing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyConsidered {
    /// A built-in one's id, or `pol_…@3` for a version that people wrote.
    #[schema(example = "project-issuer")]
    policy: String,
    /// What people call it, if people wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Nobody purges")]
    name: Option<String>,
    /// `permit` or `forbid`.
    #[schema(example = "permit")]
    effect: &'static str,
    /// `applies`, `another-principal`, `conditions`, `failed`, or `over-owner`: it holds, and gives nothing over an owner.
    #[schema(example = "conditions")]
    came_to: &'static str,
    /// The conditions that do not hold, in Cedar.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["when { principal in resource.project.issuer }"]))]
    conditions: Vec<String>,
    /// What conditions ask for and is not there, where that made a difference: attributes and tags, in Cedar.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["context.address"]))]
    missing: Vec<String>,
}

impl PolicyConsidered {
    /// All of them, with what people call those that they wrote.
    pub(crate) fn all(considered: Vec<Considered>, written: &WrittenPolicies) -> Vec<Self> {
        considered.into_iter().map(|it| Self::of(it, written)).collect()
    }

    fn of(it: Considered, written: &WrittenPolicies) -> Self {
        let (came_to, conditions) = match it.came_to {
            CameTo::AnotherPrincipal => ("another-principal", Vec::new()),
            CameTo::Applies => ("applies", Vec::new()),
            CameTo::Conditions(conditions) => ("conditions", conditions),
            CameTo::Failed => ("failed", Vec::new()),
            CameTo::OverOwner => ("over-owner", Vec::new()),
        };
        let effect = if it.forbids { "forbid" } else { "permit" };
        let name = written.get(&it.policy).map(|it| it.name.clone());
        let missing = it.missing.iter().map(ToString::to_string).collect();
        Self { policy: it.policy, name, effect, came_to, conditions, missing }
    }
}

/// Of the roles that would be enough, the one that allows the least besides.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SmallestRole {
    #[schema(example = "issuer")]
    role: &'static str,
    /// Absent for a role of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "prj_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    project: Option<String>,
}

impl From<Enough> for SmallestRole {
    fn from(it: Enough) -> Self {
        Self { role: it.role.as_str(), project: it.project.map(|(id, _)| id.to_string()) }
    }
}

/// A thing, as decisions know it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecidedResource {
    /// Its id, or `organization`.
    #[schema(example = "env_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// `organization`, `project`, `environment`, `key`, `secret`, `team`, `user` or `workload`.
    #[schema(example = "environment")]
    kind: &'static str,
    #[schema(example = "Live")]
    name: String,
    /// The project that it lies in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "prj_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    project: Option<String>,
}

impl From<Thing> for DecidedResource {
    fn from(thing: Thing) -> Self {
        let (kind, id) = thing.resource.name();
        Self { id, kind, name: thing.name, project: thing.project.map(|(id, _)| id.to_string()) }
    }
}

/// Takes an action out of a query.
fn action(query: &mut Reading) -> Option<Action> {
    let text = query.text("action")?;
    let found = Action::named(&text);
    if found.is_none() {
        query.refuse("action", "this is no action: they are called like `key.issue`");
    }
    found
}

/// Takes a person or a workload out of a query.
fn principal(query: &mut Reading, name: &'static str) -> Option<Holder> {
    let text = query.text(name)?;
    let found = Holder::parse(&text).filter(|it| !matches!(it, Holder::Team(_)));
    if found.is_none() {
        query.refuse(name, "use the id of a person (`usr_…`) or a workload (`wkl_…`)");
    }
    found
}
