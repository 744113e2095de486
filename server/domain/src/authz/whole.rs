//! What decides over an action as one set of Cedar policies, for whoever reasons about all questions at once.
//!
//! [`Rules::decide_with`] keeps some things by the way in which it asks: a project's policies are asked about what lies there
//! alone, permits never about changes of somebody who is an owner, nor about what [`Action::is_grantable`] keeps back. Here the
//! same is written into the policies.
//!
//! **Invariant:** where no policy fails, the answer of this set is the answer of [`Rules::decide_with`]
//! (`tests/comparison.rs`).

use cedar_policy::{Policy, PolicySet};
use keywarden_model::{PolicyEffect, ProjectId};
use serde_json::Value;

use super::in_force::Deciding;
use super::{Action, InForce, PolicyScope, Rules};

/// Policies that are put together at most: a solver is asked about no more.
const AT_MOST: usize = 300;

impl Rules {
    /// Everything that decides over an action: the built-in policies and what people wrote. Where `home` is named, what other
    /// projects wrote for themselves is left out. An error says why there is no such set.
    pub(super) fn whole(
        &self,
        in_force: &InForce,
        action: Action,
        home: Option<ProjectId>,
    ) -> Result<PolicySet, String> {
        if let Some(name) = in_force.unreadable() {
            return Err(format!("`{name}` cannot be asked any more"));
        }
        let mut all = self.policies().clone();
        let asked = in_force.deciding().iter().filter(|it| is_asked(it, action, home));
        for (number, one) in asked.enumerate() {
            if number >= AT_MOST {
                let name = action.name();
                return Err(format!("more than {AT_MOST} policies decide over `{name}`"));
            }
            all.add(narrowed(one, action)?).map_err(|it| it.to_string())?;
        }
        Ok(all)
    }
}

/// Whether a version may be asked about such a question at all.
pub(super) fn is_asked(one: &Deciding, action: Action, home: Option<ProjectId>) -> bool {
    let near = match (one.scope, home) {
        (PolicyScope::Project(project), Some(home)) => project == home,
        (PolicyScope::Organization, _) | (PolicyScope::Project(_), None) => true,
    };
    let gives = one.checked.effect == PolicyEffect::Forbid || action.is_grantable();
    near && gives && one.checked.actions.contains(&action)
}

/// A version, with what it is never asked about written into it.
pub(super) fn narrowed(one: &Deciding, action: Action) -> Result<Policy, String> {
    let mut clauses = Vec::new();
    if let PolicyScope::Project(project) = one.scope {
        clauses
            .push(format!(r#"when {{ resource has project && resource.project == Project::"{project}" }}"#));
    }
    if one.checked.effect == PolicyEffect::Permit && !action.is_read() {
        clauses.push(r#"unless { resource in OrganizationRole::"owner" }"#.to_owned());
    }
    with(&one.checked.under(&one.name()), &clauses.join(" "))
}

/// A policy with more conditions, which are asked after its own.
pub(super) fn with(policy: &Policy, clauses: &str) -> Result<Policy, String> {
    let mut json = policy.to_json().map_err(|it| it.to_string())?;
    let more = Policy::parse(None, format!("permit (principal, action, resource) {clauses};"))
        .map_err(|it| it.to_string())?
        .to_json()
        .map_err(|it| it.to_string())?;
    if let (Some(conditions), Some(more)) = (
        json.get_mut("conditions").and_then(Value::as_array_mut),
        more.get("conditions").and_then(Value::as_array),
    ) {
        conditions.extend(more.iter().cloned());
    }
    Policy::from_json(Some(policy.id().clone()), json).map_err(|it| it.to_string())
}
