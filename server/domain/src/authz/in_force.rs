//! What people wrote and activated, as decisions need it: sliced by scope, action, place and holder, so that a decision asks
//! the few policies that could fit it.
//!
//! Three things hold by structure, whatever a text says. A project's policies are kept apart and asked only about what lies in
//! that project. Permits are not asked about changes of somebody who holds the role of owner. And the built-in policies are
//! asked besides, guards included: one forbid of any of them is a no.
//!
//! **Invariant:** sliced answers are those of all policies asked at once (`tests/sliced.rs`).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use cedar_policy::{EntityUid, Policy, PolicySet, Validator};
use keywarden_model::{PolicyEffect, PolicyId, ProjectId};
use keywarden_store::policies as rows;

use super::facts::Asks;
use super::written::{Checked, PolicyScope, check};
use super::{Action, Resource};
use crate::Fault;

/// A version that decides.
#[derive(Debug, Clone)]
pub(crate) struct Deciding {
    pub(crate) policy: PolicyId,
    pub(crate) number: i64,
    pub(crate) scope: PolicyScope,
    pub(crate) checked: Arc<Checked>,
}

impl Deciding {
    /// As decisions and events name it: `pol_…@3`.
    pub(crate) fn name(&self) -> String {
        format!("{}@{}", self.policy, self.number)
    }
}

/// Everything that decides besides the built-in policies.
#[derive(Default)]
pub struct InForce {
    /// How often what decides had changed.
    pub(crate) revision: i64,
    deciding: Vec<Deciding>,
    /// A stored version that cannot be asked any more: where it holds, and its name.
    unreadable: Vec<(PolicyScope, String)>,
    slices: HashMap<(PolicyScope, Action), Slice>,
    /// Projects that are told apart in lists by an action.
    named: HashMap<Action, BTreeSet<ProjectId>>,
    /// Actions over which the circumstances decide.
    moody: HashSet<Action>,
}

/// What is asked about one action.
#[derive(Default)]
pub(super) struct Slice {
    pub(super) permits: Side,
    pub(super) forbids: Side,
    /// What any of them looks at besides what every decision knows.
    pub(super) asks: Asks,
}

/// Policies of one effect, by the place that their heads name and then by whom they name: `None` is everywhere, and anybody.
#[derive(Default)]
pub(super) struct Side(HashMap<Option<EntityUid>, HashMap<Option<EntityUid>, PolicySet>>);

impl Side {
    fn add(&mut self, checked: &Checked, policy: Policy) -> Result<(), Fault> {
        let there = self.0.entry(checked.place()).or_default();
        let set = there.entry(checked.holder()).or_default();
        set.add(policy).map_err(|cause| Fault::Damaged(format!("policies: {cause}")))
    }

    /// The sets that can say something about whoever is or holds one of these, and what is or lies in one of those; `None`
    /// among either stands for what names nobody, or no place.
    pub(super) fn about<'a>(
        &'a self,
        holders: &'a [Option<EntityUid>],
        places: &'a [Option<EntityUid>],
    ) -> impl Iterator<Item = &'a PolicySet> {
        let there = places.iter().filter_map(|place| self.0.get(place));
        there.flat_map(move |there| holders.iter().filter_map(move |holder| there.get(holder)))
    }
}

impl InForce {
    /// Puts versions together.
    pub(crate) fn of(revision: i64, deciding: Vec<Deciding>) -> Result<Self, Fault> {
        let mut all = Self { revision, ..Self::default() };
        for one in &deciding {
            let Checked { effect, actions, projects, looks_at_context, .. } = &*one.checked;
            for action in actions {
                let slice = all.slices.entry((one.scope, *action)).or_default();
                let side = match effect {
                    PolicyEffect::Forbid => &mut slice.forbids,
                    PolicyEffect::Permit => &mut slice.permits,
                };
                side.add(&one.checked, one.checked.under(&one.name()))?;
                slice.asks.add(&one.checked.asks);
                let named = all.named.entry(*action).or_default();
                named.extend(projects.iter().copied());
                if let PolicyScope::Project(project) = one.scope {
                    named.insert(project);
                }
                if *looks_at_context {
                    all.moody.insert(*action);
                }
            }
        }
        all.deciding = deciding;
        Ok(all)
    }

    /// From what is stored; what `before` has read already is not read again. A text that this version cannot ask any more
    /// is no reason to answer nothing at all: see [`InForce::is_blind`].
    pub(crate) fn read(
        validator: &Validator,
        revision: i64,
        rows: Vec<rows::InForce>,
        before: &Self,
    ) -> Result<Self, Fault> {
        let known: HashMap<_, _> = before.deciding.iter().map(|it| ((it.policy, it.number), it)).collect();
        let (mut deciding, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            if let Some(known) = known.get(&(row.policy_id, row.number)) {
                deciding.push((*known).clone());
                continue;
            }
            let scope = scope(row.project_id.as_deref(), row.policy_id)?;
            match check(validator, scope, &row.text) {
                Ok(checked) => deciding.push(Deciding {
                    policy: row.policy_id,
                    number: row.number,
                    scope,
                    checked: Arc::new(checked),
                }),
                Err(errors) => {
                    let name = format!("{}@{}", row.policy_id, row.number);
                    let cause = errors.first().map(ToString::to_string).unwrap_or_default();
                    tracing::error!(policy = name, cause, "a policy in force cannot be asked");
                    // One that only allowed allows nothing.
                    if row.effect != PolicyEffect::Permit.as_str() {
                        unreadable.push((scope, name));
                    }
                }
            }
        }
        Ok(Self { unreadable, ..Self::of(revision, deciding)? })
    }

    /// The same with another version of one policy, or without it.
    pub(crate) fn with(&self, policy: PolicyId, version: Option<Deciding>) -> Result<Self, Fault> {
        let others = self.deciding.iter().filter(|it| it.policy != policy).cloned();
        let unreadable = self.unreadable.iter().filter(|(_, name)| !name.starts_with(&policy.to_string()));
        let unreadable = unreadable.cloned().collect();
        Ok(Self { unreadable, ..Self::of(self.revision, others.chain(version).collect())? })
    }

    /// The same with these versions, each in the place of its policy's.
    pub(crate) fn with_all(&self, versions: Vec<Deciding>) -> Result<Self, Fault> {
        let replaced: HashSet<_> = versions.iter().map(|it| it.policy).collect();
        let others = self.deciding.iter().filter(|it| !replaced.contains(&it.policy)).cloned();
        let is_replaced = |name: &String| replaced.iter().any(|it| name.starts_with(&it.to_string()));
        let unreadable = self.unreadable.iter().filter(|(_, name)| !is_replaced(name)).cloned().collect();
        Ok(Self { unreadable, ..Self::of(self.revision, others.chain(versions.iter().cloned()).collect())? })
    }

    /// The version of a policy that decides.
    pub(crate) fn version_of(&self, policy: PolicyId) -> Option<&Deciding> {
        self.deciding.iter().find(|it| it.policy == policy)
    }

    /// All versions that decide.
    pub(crate) fn deciding(&self) -> &[Deciding] {
        &self.deciding
    }

    /// The same with each version as `change` leaves it, or without it.
    pub(crate) fn altered(
        &self,
        change: impl Fn(&Deciding) -> Result<Option<Deciding>, Fault>,
    ) -> Result<Self, Fault> {
        let deciding = self.deciding.iter().filter_map(|it| change(it).transpose());
        let altered = Self::of(self.revision, deciding.collect::<Result<_, _>>()?)?;
        Ok(Self { unreadable: self.unreadable.clone(), ..altered })
    }

    /// Whether a forbid that cannot be asked any more might say no to this. Policies can be seen and disabled all the same,
    /// by whom the built-in ones let.
    pub(super) fn is_blind(&self, action: Action, project: Option<ProjectId>) -> Option<&str> {
        let mends = matches!(action, Action::DisablePolicy | Action::ViewPolicy | Action::ViewProject);
        let holds = |scope: &PolicyScope| match scope {
            PolicyScope::Organization => true,
            PolicyScope::Project(own) => Some(*own) == project,
        };
        let found = self.unreadable.iter().find(|(scope, _)| !mends && holds(scope));
        found.map(|(_, name)| name.as_str())
    }

    /// Projects in which answers hang on a version of their own that cannot be asked any more.
    pub(super) fn blind_projects(&self) -> impl Iterator<Item = ProjectId> {
        self.unreadable.iter().filter_map(|(scope, _)| match scope {
            PolicyScope::Organization => None,
            PolicyScope::Project(project) => Some(*project),
        })
    }

    /// The versions that are asked about an action, of the organization and of the thing's project, whoever asks.
    pub(super) fn speaking(
        &self,
        action: Action,
        project: Option<ProjectId>,
    ) -> impl Iterator<Item = &Deciding> {
        let holds = move |scope: PolicyScope| match scope {
            PolicyScope::Organization => true,
            PolicyScope::Project(own) => Some(own) == project,
        };
        self.deciding.iter().filter(move |it| holds(it.scope) && it.checked.actions.contains(&action))
    }

    /// What is asked about an action, of the organization and of the thing's project.
    pub(super) fn slices(&self, action: Action, project: Option<ProjectId>) -> impl Iterator<Item = &Slice> {
        let scopes = [Some(PolicyScope::Organization), project.map(PolicyScope::Project)];
        scopes.into_iter().flatten().filter_map(move |scope| self.slices.get(&(scope, action)))
    }

    /// All that its policies look at besides what every decision knows.
    pub(crate) fn asks(&self) -> Asks {
        let mut asks = Asks::default();
        self.deciding.iter().for_each(|one| asks.add(&one.checked.asks));
        asks
    }

    /// Whether a policy that is asked about this action looks at whether somebody said why.
    pub(crate) fn asks_why(&self, action: Action) -> bool {
        self.deciding.iter().any(|one| one.checked.asks.reason && one.checked.actions.contains(&action))
    }

    /// Whether a decision about this must read the thing's row first ([`super::Facts`]).
    pub(crate) fn asks_of(&self, action: Action, resource: &Resource) -> bool {
        self.slices(action, resource.project()).any(|slice| slice.asks.needs(resource))
    }

    /// The policies that read these tags of things in that project, or whose such a thing is; each with where it holds.
    pub(crate) fn readers_of<'a>(
        &'a self,
        project: ProjectId,
        tags: &'a BTreeSet<String>,
        owner: bool,
    ) -> impl Iterator<Item = (PolicyScope, PolicyId)> + 'a {
        let here = move |one: &&Deciding| match one.scope {
            PolicyScope::Organization => true,
            PolicyScope::Project(own) => own == project,
        };
        let reads = move |one: &&Deciding| {
            let asks = &one.checked.asks;
            (owner && asks.owner) || !asks.tags.is_disjoint(tags)
        };
        self.deciding.iter().filter(here).filter(reads).map(|one| (one.scope, one.policy))
    }

    /// Whether any policy, wherever it holds, asks whose a thing is.
    pub(crate) fn reads_owners(&self) -> bool {
        self.deciding.iter().any(|one| one.checked.asks.owner)
    }

    /// A version that cannot be asked any more, if there is one.
    pub(super) fn unreadable(&self) -> Option<&str> {
        self.unreadable.first().map(|(_, name)| name.as_str())
    }

    /// Projects that policies tell apart from others in lists by this action.
    pub(super) fn named(&self, action: Action) -> impl Iterator<Item = ProjectId> {
        self.named.get(&action).into_iter().flatten().copied()
    }

    /// Whether anything that people wrote decides over what is done to the organization.
    pub(crate) fn speaks_of(&self, action: Action) -> bool {
        self.slices(action, None).next().is_some() || self.is_blind(action, None).is_some()
    }

    /// Whether the same question may have another answer later, or from elsewhere, though nothing was changed.
    pub(crate) fn is_moody(&self, action: Action) -> bool {
        self.moody.contains(&action)
    }
}

/// From a stored project's id.
pub(crate) fn scope(project: Option<&str>, policy: PolicyId) -> Result<PolicyScope, Fault> {
    match project {
        None => Ok(PolicyScope::Organization),
        Some(id) => {
            let id = id.parse().map_err(|_| Fault::Damaged(format!("policies {policy}: project")))?;
            Ok(PolicyScope::Project(id))
        }
    }
}

impl fmt::Debug for InForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InForce")
            .field("revision", &self.revision)
            .field("deciding", &self.deciding.len())
            .finish_non_exhaustive()
    }
}
