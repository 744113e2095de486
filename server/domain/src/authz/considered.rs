//! What each policy that speaks of a question came to: asked of that policy alone, clause by clause.

use cedar_policy::{Effect, Entities, Policy, PolicySet, Request};
use serde_json::{Value, json};

use super::explain::Explainer;
use super::rules::Answer;
use super::{Action, Circumstances, Principal, Target};

/// A policy that speaks of the action and the thing, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// Its id: a built-in one's, or `pol_…@3` for a version that people wrote.
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
    /// It holds, and does not count: what people write gives nothing over an owner.
    OverOwner,
}

impl Explainer<'_> {
    /// The policies that speak of this action and thing, and what each came to. Those that forbid are named only where they
    /// hold: the others changed nothing.
    pub(crate) fn considered(
        &self,
        principal: &Principal,
        action: Action,
        target: &Target,
        circumstances: &Circumstances,
    ) -> Vec<Considered> {
        let project = target.resource.project();
        let mut considered = Vec::new();
        if let Some(name) = self.in_force.is_blind(action, project) {
            let (policy, came_to) = (name.to_owned(), CameTo::Failed);
            considered.push(Considered { policy, forbids: true, came_to });
        }
        let asked = self.rules.question_to(self.in_force, principal, action, target, circumstances);
        let Ok(Some((request, entities))) = asked else { return considered };
        let question = Question { of: self, request, entities };
        let mut add = |policy: &Policy, name: String, counts: bool| {
            let forbids = policy.effect() == Effect::Forbid;
            let came_to = match question.put(policy) {
                None => return,
                Some(CameTo::Applies) if !counts => CameTo::OverOwner,
                // It is not asked, so that it makes no difference that it cannot be.
                Some(CameTo::Failed) if !counts => return,
                Some(came_to) => came_to,
            };
            if !forbids || matches!(came_to, CameTo::Applies | CameTo::Failed) {
                considered.push(Considered { policy: name, forbids, came_to });
            }
        };
        for policy in self.rules.policies().policies() {
            add(policy, policy.id().to_string(), true);
        }
        let over_owners = target.owner && !action.is_read();
        for version in self.in_force.speaking(action, project) {
            let permits = version.checked.policy.effect() == Effect::Permit;
            if permits && !action.is_grantable() {
                continue;
            }
            add(&version.checked.policy, version.name(), !(permits && over_owners));
        }
        considered.sort_by(|a, b| (!a.forbids, &a.policy).cmp(&(!b.forbids, &b.policy)));
        considered
    }
}

/// One question, for many policies.
struct Question<'a> {
    of: &'a Explainer<'a>,
    request: Request,
    entities: Entities,
}

impl Question<'_> {
    /// What the policy comes to; `None` where it speaks of something else.
    fn put(&self, policy: &Policy) -> Option<CameTo> {
        let Ok(text) = policy.to_json() else { return Some(CameTo::Failed) };
        let clauses = text.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default();
        let bare = changed(&text, &[("effect", json!("permit")), ("conditions", json!([]))]);
        match self.holds(changed(&bare, &[("principal", json!({ "op": "All" }))])) {
            None => return Some(CameTo::Failed),
            Some(false) => return None,
            Some(true) => {}
        }
        if self.holds(bare.clone()) != Some(true) {
            return Some(CameTo::AnotherPrincipal);
        }
        let (mut failing, mut broken) = (Vec::new(), false);
        for clause in clauses {
            match self.holds(changed(&bare, &[("conditions", json!([clause]))])) {
                Some(true) => {}
                // Conditions are asked in order, and one that does not hold hides what fails after it.
                _ if broken => {}
                Some(false) => failing.push(in_cedar(&clause)),
                None => broken = failing.is_empty(),
            }
        }
        Some(match (failing.is_empty(), broken) {
            (_, true) => CameTo::Failed,
            (true, false) => CameTo::Applies,
            (false, false) => CameTo::Conditions(failing),
        })
    }

    /// Whether the policy, and no other, says yes; `None` if it cannot be evaluated.
    fn holds(&self, policy: Value) -> Option<bool> {
        let policy = Policy::from_json(None, policy).ok()?;
        let alone = PolicySet::from_policies([policy]).ok()?;
        let answer = self.of.rules.put(&alone, &self.request, &self.entities).ok()?;
        Some(matches!(answer, Answer::Allowed(_)))
    }
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
