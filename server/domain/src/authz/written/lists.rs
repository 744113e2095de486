//! What a policy about a listed action may look at. A list is asked for by project ([`Action::is_listed`]): it shows what
//! looking one by one would show only if every such policy says the same of all that lies in one project (S-06).
//!
//! So a permit may be confined to projects in its head, and a forbid holds for all things; who asks, and when, and from
//! where, is open to both. Actions that no list is made by may look at environments, owners and single things.

use std::collections::BTreeSet;

use cedar_policy::{Effect, EntityUid, Policy, ResourceConstraint};
use keywarden_model::ProjectId;
use serde_json::Value;

use super::super::action::Kind;
use super::vocabulary::{can_fail, mentions};
use super::{Action, PolicyScope};

/// What a list could not follow, in words.
pub(super) fn follows(scope: PolicyScope, policy: &Policy, json: &Value, actions: &[Action]) -> Vec<String> {
    let listed: Vec<_> = actions.iter().filter(|it| it.is_listed()).collect();
    let Some(first) = listed.first() else { return Vec::new() };
    let name = first.name();
    let permits = policy.effect() == Effect::Permit;
    let mut errors = Vec::new();
    let conditions = json.get("conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if conditions.iter().any(|it| mentions(it, "resource")) {
        errors.push(format!(
            "conditions on `resource` cannot decide over `{name}`, which lists are made by: write a policy of its own for \
             the other actions"
        ));
    }
    if conditions.iter().any(can_fail) {
        errors.push(format!(
            "leave out sums and products for `{name}`, which lists are made by: they can fail"
        ));
    }
    let place = match policy.resource_constraint() {
        ResourceConstraint::Any => None,
        ResourceConstraint::Is(_) if listed.iter().all(|it| it.kind() != Kind::Scope) => None,
        ResourceConstraint::Is(_) => {
            errors.push(format!(
                "leave out the kind of thing for `{name}`: it is of the organization and of projects"
            ));
            None
        }
        ResourceConstraint::In(uid) | ResourceConstraint::Eq(uid) | ResourceConstraint::IsIn(_, uid) => {
            Some(uid)
        }
    };
    if permits && place.as_ref().is_some_and(|uid| project(uid).is_none()) {
        errors.push(format!(
            "`{name}`, which lists are made by, is allowed in a project as a whole: name a project, or write a policy of \
             its own for the other actions"
        ));
    }
    if !permits && (place.is_some() || scope != PolicyScope::Organization) {
        errors.push(format!(
            "`{name}`, which lists are made by, is forbidden for all things or for none: leave out the place, or write a \
             policy of its own for the other actions"
        ));
    }
    errors
}

/// The projects that the head names.
pub(super) fn projects(policy: &Policy) -> BTreeSet<ProjectId> {
    match policy.resource_constraint() {
        ResourceConstraint::In(uid) | ResourceConstraint::Eq(uid) | ResourceConstraint::IsIn(_, uid) => {
            project(&uid).into_iter().collect()
        }
        ResourceConstraint::Any | ResourceConstraint::Is(_) => BTreeSet::new(),
    }
}

fn project(uid: &EntityUid) -> Option<ProjectId> {
    let named = uid.type_name().to_string() == "Project";
    named.then(|| uid.id().unescaped().parse().ok()).flatten()
}
