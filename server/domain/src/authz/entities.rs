//! The few entities that one decision needs.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entities, Entity, EntityUid, RestrictedExpression};
use keywarden_model::{EnvironmentId, ProjectId, Role};

use super::principal::Who;
use super::rules::Types;
use super::{Action, Facts, Owner, Principal, Resource, Target};

type Cause = Box<dyn std::error::Error>;

pub(super) fn principal_uid(types: &Types, who: &Who) -> Option<EntityUid> {
    Some(match who {
        Who::Nobody => return None,
        Who::Operator(id) => types.uid(&types.operator, id),
        Who::Person(id) => types.uid(&types.person, id),
        Who::Workload(id) => types.uid(&types.workload, id),
    })
}

pub(super) fn resource_uid(types: &Types, resource: &Resource) -> EntityUid {
    match resource {
        Resource::ApiKey { id, .. } => types.uid(&types.api_key, id),
        Resource::Environment { id, .. } => types.uid(&types.environment, id),
        Resource::Organization => types.uid(&types.organization, "organization"),
        Resource::Person(id) => types.uid(&types.person, id),
        Resource::Project(id) => types.uid(&types.project, id),
        Resource::Secret { id, .. } => types.uid(&types.secret, id),
        Resource::Team(id) => types.uid(&types.team, id),
        Resource::Workload { id, .. } => types.uid(&types.workload, id),
    }
}

/// The principal, the action, the resource, its environment and its project; nothing else is looked at by a policy. What was not
/// read of the resource ([`Target::facts`]) is left out.
pub(super) fn gather(
    types: &Types,
    principal: &Principal,
    action: Action,
    target: &Target,
) -> Result<Entities, Cause> {
    let mut entities = Vec::with_capacity(4);
    let uid = resource_uid(types, &target.resource);
    let mut attributes = attributes(types, target);
    let facts = target.facts.as_ref();
    let mut parents: HashSet<_> = target.owner.then(|| role(types, Role::Owner)).into_iter().collect();
    parents.extend(lies_in(types, &target.resource));
    if let Some(who) = principal_uid(types, &principal.who) {
        let held = held(types, principal, target.resource.project());
        if who == uid {
            // Somebody acts on themselves: one entity, with what is known of either.
            parents.extend(held);
        } else {
            entities.push(Entity::new_no_attrs(who, held.collect()));
        }
    }
    let groups = action.groups().map(|group| types.uid(&types.action, group)).collect();
    entities.push(Entity::new_no_attrs(types.uid(&types.action, action.name()), groups));
    if let Some(project) = target.resource.project() {
        let slug = facts.map(|it| ("slug".to_owned(), words(&it.project)));
        let roles = roles_of(types, project).chain(slug);
        if target.resource == Resource::Project(project) {
            attributes.extend(roles);
        } else {
            let project = types.uid(&types.project, project);
            entities.push(Entity::new(project, roles.collect(), HashSet::new())?);
        }
    }
    if let (Some(facts), Some(project), Some(environment)) =
        (facts, target.resource.project(), environment(&target.resource))
    {
        let project = types.uid(&types.project, project);
        let attributes = of_environment(types, environment, facts)
            .chain([("project".to_owned(), RestrictedExpression::new_entity_uid(project.clone()))]);
        let itself = types.uid(&types.environment, environment);
        entities.push(Entity::new(itself, attributes.collect(), HashSet::from([project]))?);
    }
    let tags = facts.into_iter().flat_map(|it| it.tags.iter());
    let tags = tags.map(|(name, value)| (name.to_owned(), words(value)));
    entities.push(Entity::new_with_tags(uid, attributes, parents, tags)?);
    Ok(Entities::from_entities(entities, None)?)
}

/// The thing itself and what it lies in: which places a policy's head can name.
pub(super) fn places(types: &Types, resource: &Resource) -> impl Iterator<Item = EntityUid> {
    std::iter::once(resource_uid(types, resource)).chain(lies_in(types, resource))
}

/// What the thing lies in.
fn lies_in(types: &Types, resource: &Resource) -> impl Iterator<Item = EntityUid> {
    let environment = environment(resource);
    let project = resource.project().filter(|project| *resource != Resource::Project(*project));
    let environment = environment.map(|id| types.uid(&types.environment, id));
    environment.into_iter().chain(project.map(|id| types.uid(&types.project, id)))
}

/// The environment that it lies in.
fn environment(resource: &Resource) -> Option<EnvironmentId> {
    match resource {
        Resource::ApiKey { environment, .. } | Resource::Secret { environment, .. } => Some(*environment),
        _ => None,
    }
}

/// What is asked of an environment by name.
fn of_environment(
    types: &Types,
    id: EnvironmentId,
    facts: &Facts,
) -> impl Iterator<Item = (String, RestrictedExpression)> {
    let itself = RestrictedExpression::new_entity_uid(types.uid(&types.environment, id));
    [("environment", itself), ("slug", words(&facts.environment)), ("label", words(&facts.label))]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
}

/// What somebody wrote, as a value: it is never read as Cedar (S-04).
fn words(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn role(types: &Types, role: Role) -> EntityUid {
    types.uid(&types.organization_role, role)
}

/// A role in a project is an entity of its own, named by the project's id.
fn project_role(types: &Types, project: ProjectId, role: Role) -> EntityUid {
    types.uid(&types.project_role, format_args!("{project}/{role}"))
}

/// The principal itself, its teams and its roles of the organization: whom a policy's head can name.
pub(super) fn holders(types: &Types, principal: &Principal) -> impl Iterator<Item = EntityUid> {
    principal_uid(types, &principal.who).into_iter().chain(held(types, principal, None))
}

/// What the principal holds that can matter here. Roles in other projects cannot: a policy names a project's role only
/// as an attribute of the resource's project. People may hold hundreds.
pub(super) fn held(
    types: &Types,
    principal: &Principal,
    here: Option<ProjectId>,
) -> impl Iterator<Item = EntityUid> {
    let teams = principal.teams.iter().map(|team| types.uid(&types.team, team));
    let organization = principal.organization.iter().map(|it| role(types, *it));
    let projects = principal.projects.iter().filter(move |(project, _)| Some(*project) == here);
    let projects = projects.map(|(project, role)| project_role(types, *project, *role));
    teams.chain(organization).chain(projects)
}

fn roles_of(types: &Types, project: ProjectId) -> impl Iterator<Item = (String, RestrictedExpression)> {
    let itself = RestrictedExpression::new_entity_uid(types.uid(&types.project, project));
    [Role::Issuer, Role::Manager, Role::Reader, Role::Verifier, Role::Viewer]
        .into_iter()
        .map(move |role| {
            let uid = project_role(types, project, role);
            (role.as_str().to_owned(), RestrictedExpression::new_entity_uid(uid))
        })
        .chain([("project".to_owned(), itself)])
}

fn attributes(types: &Types, target: &Target) -> HashMap<String, RestrictedExpression> {
    let mut attributes = HashMap::new();
    if let Some(project) = target.resource.project() {
        let uid = types.uid(&types.project, project);
        attributes.insert("project".to_owned(), RestrictedExpression::new_entity_uid(uid));
    }
    match &target.resource {
        Resource::ApiKey { environment, owner, .. } => {
            let uid = types.uid(&types.environment, environment);
            attributes.insert("environment".to_owned(), RestrictedExpression::new_entity_uid(uid));
            attributes.extend([owned(types, *owner)]);
        }
        Resource::Secret { environment, .. } => {
            let uid = types.uid(&types.environment, environment);
            attributes.insert("environment".to_owned(), RestrictedExpression::new_entity_uid(uid));
            let owner = target.facts.as_ref().and_then(|it| it.owner);
            attributes.extend(owner.map(|owner| owned(types, owner)));
        }
        Resource::Environment { id, .. } => {
            let itself = types.uid(&types.environment, id);
            attributes.insert("environment".to_owned(), RestrictedExpression::new_entity_uid(itself));
            if let Some(facts) = &target.facts {
                attributes.extend(of_environment(types, *id, facts));
            }
        }
        Resource::Workload { .. } => {
            attributes.insert("confined".to_owned(), RestrictedExpression::new_bool(target.confined));
        }
        Resource::Organization | Resource::Person(_) | Resource::Project(_) | Resource::Team(_) => {}
    }
    attributes
}

fn owned(types: &Types, owner: Owner) -> (String, RestrictedExpression) {
    let (name, uid) = match owner {
        Owner::Person(id) => ("ownerPerson", types.uid(&types.person, id)),
        Owner::Team(id) => ("ownerTeam", types.uid(&types.team, id)),
    };
    (name.to_owned(), RestrictedExpression::new_entity_uid(uid))
}
