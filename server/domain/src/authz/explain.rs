//! What decisions hang on. All of it is asked of the policies in force, built in or written by people: no rule is written down
//! a second time. What each policy came to is in [`super::considered`].

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use cedar_policy::{EntityUid, EvalResult, Policy};
use keywarden_model::{ProjectId, Role, RoleScope, TeamId, UserId};

use super::principal::Who;
use super::reach::specimen;
use super::{
    Action, Circumstances, Decision, InForce, NOBODY, NOWHERE, PolicyScope, Principal, Resource, Rules,
    Target, entities,
};
use crate::Fault;

/// The built-in policies and what people wrote, as they are asked together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Explainer<'a> {
    pub(super) rules: &'a Rules,
    pub(super) in_force: &'a InForce,
}

/// The entities that policies name, and the projects that have policies of their own.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    entities: Arc<HashSet<EntityUid>>,
    projects: BTreeSet<ProjectId>,
}

/// The entities that a principal can be compared with in decisions about one thing: those that policies name, and those
/// that the thing brings with it.
#[derive(Debug)]
pub(crate) struct Mentioned {
    named: Named,
    brought: HashSet<EntityUid>,
}

/// All of somebody that a decision about one thing can hang on. Principals who are equal in it get one answer. Whatever else
/// [`entities::gather`] comes to tell of a principal belongs in here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Likeness {
    kind: &'static str,
    itself: Option<EntityUid>,
    holds: Vec<EntityUid>,
}

/// Something that is enough for a yes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// What.
    pub part: Part,
    /// The policies that it fits.
    pub policies: Vec<String>,
}

/// A part of what somebody is and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Who it is: the owner of a key, the person themselves, anybody signed in, or somebody whom a policy names.
    Itself,
    /// A role of the organization.
    OrganizationRole(Role),
    /// A role in the thing's project.
    ProjectRole(Role),
    /// Being in a team.
    Team(TeamId),
    /// Several of these together, and none alone.
    Together,
}

impl<'a> Explainer<'a> {
    /// Of these policies.
    pub(crate) fn of(rules: &'a Rules, in_force: &'a InForce) -> Self {
        Self { rules, in_force }
    }

    /// As every use-case asks.
    pub(crate) fn decide(
        &self,
        principal: &Principal,
        action: Action,
        target: &Target,
        circumstances: &Circumstances,
    ) -> Decision {
        self.rules.decide_with(self.in_force, principal, action, target, circumstances)
    }

    /// Whether a decision about this must know what the thing's row says ([`super::Facts`]).
    pub(crate) fn asks_of(&self, action: Action, resource: &Resource) -> bool {
        self.in_force.asks_of(action, resource)
    }

    /// Whether any policy asks what projects or environments are called in addresses.
    pub(crate) fn asks_of_slugs(&self) -> bool {
        self.in_force.deciding().iter().any(|it| it.checked.asks.slugs)
    }

    /// What policies name.
    pub(crate) fn named(&self) -> Named {
        let built_in = self.rules.policies().policies().flat_map(Policy::entity_literals);
        let written = self.in_force.deciding().iter();
        let projects = written.clone().filter_map(|it| match it.scope {
            PolicyScope::Organization => None,
            PolicyScope::Project(project) => Some(project),
        });
        let mut projects: BTreeSet<_> = projects.collect();
        let entities: HashSet<_> =
            built_in.chain(written.flat_map(|it| it.checked.policy.entity_literals())).collect();
        let literal = entities.iter().filter(|uid| *uid.type_name() == self.rules.types().project);
        projects.extend(literal.filter_map(|uid| uid.id().unescaped().parse::<ProjectId>().ok()));
        Named { entities: Arc::new(entities), projects }
    }

    /// What a principal can be compared with in decisions about this.
    pub(crate) fn mentioned(
        &self,
        named: &Named,
        action: Action,
        target: &Target,
    ) -> Result<Mentioned, Fault> {
        let mut brought = HashSet::new();
        let nobody = Principal::bare(Who::Nobody);
        let entities = entities::gather(self.rules.types(), &nobody, action, target)
            .map_err(|cause| Fault::Unexpected(format!("entities: {cause}")))?;
        for entity in entities.iter() {
            brought.insert(entity.uid());
            for value in entity.attrs().filter_map(|(_, value)| value.ok()) {
                note(&value, &mut brought);
            }
        }
        Ok(Mentioned { named: named.clone(), brought })
    }

    /// All of the principal that can matter to decisions about the target. What is taken apart here is all that a principal has:
    /// something new must be looked at before this compiles again.
    pub(crate) fn likeness(&self, principal: &Principal, target: &Target, among: &Mentioned) -> Likeness {
        let Principal { who, teams: _, organization: _, projects: _, until: _, lent: _ } = principal;
        let kind = match who {
            Who::Nobody => "nobody",
            Who::Operator(_) => "operator",
            Who::Person(_) => "person",
            Who::Workload(_) => "workload",
        };
        let types = self.rules.types();
        let itself = entities::principal_uid(types, who).filter(|uid| among.has(uid));
        let holds: BTreeSet<_> = entities::held(types, principal, target.resource.project())
            .filter(|uid| among.has(uid))
            .collect();
        Likeness { kind, itself, holds: holds.into_iter().collect() }
    }

    /// Each part of what the principal is and holds that would do by itself; none where the answer is no.
    pub(crate) fn grounds(
        &self,
        principal: &Principal,
        action: Action,
        target: &Target,
        circumstances: &Circumstances,
        among: &Mentioned,
    ) -> Vec<Ground> {
        let whole = self.decide(principal, action, target, circumstances);
        if !whole.allowed {
            return Vec::new();
        }
        // Of somebody who is the thing themselves, it tells a role that they would be left without.
        let itself = entities::principal_uid(self.rules.types(), &principal.who)
            == Some(entities::resource_uid(self.rules.types(), &target.resource));
        let target = &Target { owner: target.owner && !itself, ..target.clone() };
        let with = |part: Part| {
            let mut alone = Principal::bare(principal.who.clone());
            match (part, target.resource.project()) {
                (Part::OrganizationRole(role), _) => alone.organization.push(role),
                (Part::ProjectRole(role), Some(project)) => alone.projects.push((project, role)),
                (Part::Team(team), _) => alone.teams.push(team),
                (Part::Itself | Part::ProjectRole(_) | Part::Together, _) => {}
            }
            let decision = self.decide(&alone, action, target, circumstances);
            if decision.allowed { decision.policies } else { Vec::new() }
        };
        let anyway = with(Part::Itself);
        let mut grounds = Vec::new();
        for part in self.parts(principal, target.resource.project(), among) {
            let mut policies = with(part);
            policies.retain(|it| !anyway.contains(it));
            if !policies.is_empty() {
                grounds.push(Ground { part, policies });
            }
        }
        if !anyway.is_empty() {
            grounds.push(Ground { part: Part::Itself, policies: anyway });
        } else if grounds.is_empty() {
            grounds.push(Ground { part: Part::Together, policies: whole.policies });
        }
        grounds
    }

    /// What of the principal can matter, each once.
    fn parts(&self, principal: &Principal, here: Option<ProjectId>, among: &Mentioned) -> BTreeSet<Part> {
        let organization = principal.organization.iter().map(|role| Part::OrganizationRole(*role));
        let projects = principal.projects.iter().filter(|(project, _)| Some(*project) == here);
        let projects = projects.map(|(_, role)| Part::ProjectRole(*role));
        let types = self.rules.types();
        let teams = principal.teams.iter().filter(|team| among.has(&types.uid(&types.team, team)));
        organization.chain(projects).chain(teams.map(|team| Part::Team(*team))).collect()
    }

    /// Of the roles that the principal may be given, the one that would turn the answer into a yes and grants the fewest
    /// actions besides; with the project that it is held in.
    pub(crate) fn smallest_role(
        &self,
        principal: &Principal,
        action: Action,
        target: &Target,
        circumstances: &Circumstances,
        may_hold: impl Fn(Role, Option<ProjectId>) -> bool,
    ) -> Option<(Role, Option<ProjectId>)> {
        let places = Role::ALL.iter().filter_map(|role| match role.scope() {
            RoleScope::Organization => Some((*role, None)),
            RoleScope::Project => target.resource.project().map(|project| (*role, Some(project))),
        });
        let enough = places.filter(|(role, project)| {
            may_hold(*role, *project) && {
                let with = holding(principal.clone(), *role, *project);
                self.decide(&with, action, target, circumstances).allowed
            }
        });
        enough.min_by_key(|(role, _)| self.breadth(*role))
    }

    /// How many actions a role allows, somewhere, by the built-in policies alone.
    fn breadth(&self, role: Role) -> usize {
        let somebody = Principal::bare(Who::Person(UserId::NIL));
        let somebody = holding(somebody, role, (role.scope() == RoleScope::Project).then_some(NOWHERE));
        let may = |action: &&Action| {
            let target = Target::thing(specimen(**action, NOWHERE, NOBODY));
            self.rules.decide(&somebody, **action, &target, false).allowed
        };
        Action::ALL.iter().filter(may).count()
    }
}

impl Named {
    /// The projects that policies tell apart from others.
    pub(crate) fn projects(&self) -> &BTreeSet<ProjectId> {
        &self.projects
    }
}

impl Mentioned {
    fn has(&self, uid: &EntityUid) -> bool {
        self.named.entities.contains(uid) || self.brought.contains(uid)
    }
}

/// Notes every entity in a value.
fn note(value: &EvalResult, uids: &mut HashSet<EntityUid>) {
    match value {
        EvalResult::EntityUid(uid) => {
            uids.insert(uid.clone());
        }
        EvalResult::Set(set) => set.iter().for_each(|it| note(it, uids)),
        EvalResult::Record(record) => record.iter().for_each(|(_, it)| note(it, uids)),
        _ => {}
    }
}

fn holding(mut principal: Principal, role: Role, project: Option<ProjectId>) -> Principal {
    match project {
        None => principal.organization.push(role),
        Some(project) => principal.projects.push((project, role)),
    }
    principal
}
