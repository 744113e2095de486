//! What decisions hang on, and what each policy came to. All of it is asked of the policies in force, whichever they are: no
//! rule is written down a second time.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use cedar_policy::{Effect, EntityUid, EvalResult, Policy, PolicySet};
use keywarden_model::{ProjectId, Role, RoleScope, TeamId, UserId};
use serde_json::{Value, json};

use super::principal::Who;
use super::reach::specimen;
use super::{Action, NOBODY, NOWHERE, Principal, Rules, Target, entities};
use crate::Fault;

/// The entities that policies name.
#[derive(Debug, Clone)]
pub(crate) struct Named(Arc<HashSet<EntityUid>>);

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
    /// Who it is: the owner of a key, the person themselves, anybody signed in.
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

/// A policy that speaks of the action and the thing, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// Its id.
    pub policy: String,
    /// It forbids.
    pub forbids: bool,
    /// What it came to.
    pub came_to: CameTo,
}

/// What a policy came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameTo {
    /// It holds.
    Applies,
    /// It is for others than who asked.
    AnotherPrincipal,
    /// These of its conditions do not hold, as Cedar writes them.
    Conditions(Vec<String>),
    /// It could not be evaluated, which is a no.
    Failed,
}

impl Rules {
    /// What policies name.
    pub(crate) fn named(&self) -> Named {
        Named(Arc::new(self.policies().policies().flat_map(Policy::entity_literals).collect()))
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
        let entities = entities::gather(self.types(), &nobody, action, target)
            .map_err(|cause| Fault::Unexpected(format!("entities: {cause}")))?;
        for entity in entities.iter() {
            brought.insert(entity.uid());
            for value in entity.attrs().filter_map(|(_, value)| value.ok()) {
                note(&value, &mut brought);
            }
        }
        Ok(Mentioned { named: named.clone(), brought })
    }

    /// The projects that policies name.
    pub(crate) fn named_projects(&self, named: &Named) -> Vec<ProjectId> {
        let projects = named.0.iter().filter(|uid| *uid.type_name() == self.types().project);
        projects.filter_map(|uid| uid.id().unescaped().parse().ok()).collect()
    }

    /// All of the principal that can matter to decisions about the target.
    pub(crate) fn likeness(&self, principal: &Principal, target: &Target, among: &Mentioned) -> Likeness {
        let kind = match principal.who {
            Who::Nobody => "nobody",
            Who::Operator(_) => "operator",
            Who::Person(_) => "person",
            Who::Workload(_) => "workload",
        };
        let itself = entities::principal_uid(self.types(), &principal.who).filter(|uid| among.has(uid));
        let holds: BTreeSet<_> = entities::held(self.types(), principal, target.resource.project())
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
        among: &Mentioned,
    ) -> Vec<Ground> {
        let whole = self.decide(principal, action, target, false);
        if !whole.allowed {
            return Vec::new();
        }
        let with = |part: Part| {
            let mut alone = Principal::bare(principal.who.clone());
            match (part, target.resource.project()) {
                (Part::OrganizationRole(role), _) => alone.organization.push(role),
                (Part::ProjectRole(role), Some(project)) => alone.projects.push((project, role)),
                (Part::Team(team), _) => alone.teams.push(team),
                (Part::Itself | Part::ProjectRole(_) | Part::Together, _) => {}
            }
            let decision = self.decide(&alone, action, target, false);
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
        let types = self.types();
        let teams = principal.teams.iter().filter(|team| among.has(&types.uid(&types.team, team)));
        organization.chain(projects).chain(teams.map(|team| Part::Team(*team))).collect()
    }

    /// The policies that speak of this action and thing, and what each came to. Those that forbid are named only where they
    /// hold: the others changed nothing.
    pub(crate) fn considered(
        &self,
        principal: &Principal,
        action: Action,
        target: &Target,
        recovering: bool,
    ) -> Vec<Considered> {
        let holds = |policy: Value| self.holds_alone(policy, principal, action, target, recovering);
        let mut considered = Vec::new();
        for policy in self.policies().policies() {
            let forbids = policy.effect() == Effect::Forbid;
            let mut add = |came_to: CameTo| {
                if !forbids || matches!(came_to, CameTo::Applies | CameTo::Failed) {
                    considered.push(Considered { policy: policy.id().to_string(), forbids, came_to });
                }
            };
            let Ok(text) = policy.to_json() else {
                add(CameTo::Failed);
                continue;
            };
            let clauses = text.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default();
            let bare = changed(&text, &[("effect", json!("permit")), ("conditions", json!([]))]);
            match holds(changed(&bare, &[("principal", json!({ "op": "All" }))])) {
                None => {
                    add(CameTo::Failed);
                    continue;
                }
                Some(false) => continue,
                Some(true) => {}
            }
            if holds(bare.clone()) != Some(true) {
                add(CameTo::AnotherPrincipal);
                continue;
            }
            let mut failing = Vec::new();
            let mut broken = false;
            for clause in clauses {
                match holds(changed(&bare, &[("conditions", json!([clause]))])) {
                    Some(true) => {}
                    Some(false) => failing.push(in_cedar(&clause)),
                    None => broken = true,
                }
            }
            add(match (failing.is_empty(), broken) {
                (_, true) => CameTo::Failed,
                (true, false) => CameTo::Applies,
                (false, false) => CameTo::Conditions(failing),
            });
        }
        considered.sort_by(|a, b| (!a.forbids, &a.policy).cmp(&(!b.forbids, &b.policy)));
        considered
    }

    /// Whether the policy, and no other, says yes; `None` if it cannot be evaluated.
    fn holds_alone(
        &self,
        policy: Value,
        principal: &Principal,
        action: Action,
        target: &Target,
        recovering: bool,
    ) -> Option<bool> {
        let policy = Policy::from_json(None, policy).ok()?;
        let alone = PolicySet::from_policies([policy]).ok()?;
        self.ask(&alone, principal, action, target, recovering).map(|(allowed, _)| allowed).ok()
    }

    /// Of the roles that the principal may be given, the one that would turn the answer into a yes and grants the fewest
    /// actions besides; with the project that it is held in.
    pub(crate) fn smallest_role(
        &self,
        principal: &Principal,
        action: Action,
        target: &Target,
        recovering: bool,
        may_hold: impl Fn(Role, Option<ProjectId>) -> bool,
    ) -> Option<(Role, Option<ProjectId>)> {
        let places = Role::ALL.iter().filter_map(|role| match role.scope() {
            RoleScope::Organization => Some((*role, None)),
            RoleScope::Project => target.resource.project().map(|project| (*role, Some(project))),
        });
        let enough = places.filter(|(role, project)| {
            may_hold(*role, *project) && {
                let with = holding(principal.clone(), *role, *project);
                self.decide(&with, action, target, recovering).allowed
            }
        });
        enough.min_by_key(|(role, _)| self.breadth(*role))
    }

    /// How many actions a role allows, somewhere.
    fn breadth(&self, role: Role) -> usize {
        let somebody = Principal::bare(Who::Person(UserId::NIL));
        let somebody = holding(somebody, role, (role.scope() == RoleScope::Project).then_some(NOWHERE));
        let may = |action: &&Action| {
            let target = Target::thing(specimen(**action, NOWHERE, NOBODY));
            self.decide(&somebody, **action, &target, false).allowed
        };
        Action::ALL.iter().filter(may).count()
    }
}

impl Mentioned {
    fn has(&self, uid: &EntityUid) -> bool {
        self.named.0.contains(uid) || self.brought.contains(uid)
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

fn changed(policy: &Value, parts: &[(&str, Value)]) -> Value {
    let mut policy = policy.clone();
    if let Some(members) = policy.as_object_mut() {
        for (name, part) in parts {
            members.insert((*name).to_owned(), part.clone());
        }
    }
    policy
}

/// A condition as Cedar writes it, on one line.
fn in_cedar(clause: &Value) -> String {
    let all = json!({ "op": "All" });
    let policy = json!({
        "effect": "permit", "principal": all, "action": all, "resource": all, "conditions": [clause],
    });
    let policy = Policy::from_json(None, policy).ok();
    let text = policy.map(|policy| policy.to_string()).unwrap_or_default();
    let words = text.split_once(')').map_or(text.as_str(), |(_, rest)| rest).trim().trim_end_matches(';');
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
