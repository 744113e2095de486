//! What each policy that speaks of a question came to: asked of that policy alone, clause by clause.

use std::collections::BTreeSet;
use std::fmt;

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
    /// What its conditions ask for and is not there, where that made a difference: of one that permits and does not hold,
    /// and of one that forbids and does.
    pub missing: Vec<Missing>,
}

/// Something that a condition asks for and that is not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// An attribute, by its path: `context.address`.
    Attribute(String),
    /// A tag of the thing, by its name.
    Tag(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(path) => f.write_str(path),
            Self::Tag(name) => write!(f, "resource.getTag({name:?})"),
        }
    }
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
            considered.push(Considered { policy, forbids: true, came_to, missing: Vec::new() });
        }
        let asked = self.rules.question_to(self.in_force, principal, action, target, circumstances);
        let Ok(Some((request, entities))) = asked else { return considered };
        let question = Question { of: self, request, entities };
        let mut add = |policy: &Policy, name: String, counts: bool| {
            let forbids = policy.effect() == Effect::Forbid;
            let (came_to, missing) = match question.put(policy) {
                None => return,
                Some((CameTo::Applies, _)) if !counts => (CameTo::OverOwner, Vec::new()),
                // It is not asked, so that it makes no difference that it cannot be.
                Some((CameTo::Failed, _)) if !counts => return,
                Some(told) => told,
            };
            if !forbids || matches!(came_to, CameTo::Applies | CameTo::Failed) {
                considered.push(Considered { policy: name, forbids, came_to, missing });
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
    /// What the policy comes to, and what it asks for that is not there; `None` where it speaks of something else.
    fn put(&self, policy: &Policy) -> Option<(CameTo, Vec<Missing>)> {
        let failed = || (CameTo::Failed, Vec::new());
        let Ok(text) = policy.to_json() else { return Some(failed()) };
        let clauses = text.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default();
        let bare = changed(&text, &[("effect", json!("permit")), ("conditions", json!([]))]);
        match self.holds(changed(&bare, &[("principal", json!({ "op": "All" }))])) {
            None => return Some(failed()),
            Some(false) => return None,
            Some(true) => {}
        }
        if self.holds(bare.clone()) != Some(true) {
            return Some((CameTo::AnotherPrincipal, Vec::new()));
        }
        let (mut failing, mut broken) = (Vec::new(), false);
        for clause in &clauses {
            match self.holds(changed(&bare, &[("conditions", json!([clause]))])) {
                Some(true) => {}
                // Conditions are asked in order, and one that does not hold hides what fails after it.
                _ if broken => {}
                Some(false) => failing.push(clause),
                None => broken = failing.is_empty(),
            }
        }
        let forbids = policy.effect() == Effect::Forbid;
        let mut missing = BTreeSet::new();
        let came_to = match (failing.is_empty(), broken) {
            (_, true) => return Some(failed()),
            (true, false) => CameTo::Applies,
            (false, false) => CameTo::Conditions(failing.iter().map(|clause| in_cedar(clause)).collect()),
        };
        let blamed = match (forbids, &came_to) {
            (true, CameTo::Applies) => clauses.iter().collect(),
            (true, _) => Vec::new(),
            (false, _) => failing,
        };
        for clause in blamed {
            let when = clause.get("kind").and_then(Value::as_str) == Some("when");
            let body = clause.get("body").unwrap_or(&Value::Null);
            self.missing(&bare, body, when != forbids, &mut missing);
        }
        Some((came_to, missing.into_iter().collect()))
    }

    /// Notes what an expression asks whether it is there and is not, where the answer to the question would rather be a yes
    /// if it were: `wanted` says whether it would if the whole expression held.
    fn missing(&self, bare: &Value, expression: &Value, wanted: bool, missing: &mut BTreeSet<Missing>) {
        for (operator, inner) in expression.as_object().into_iter().flatten() {
            let part = |name: &str| inner.get(name).unwrap_or(&Value::Null);
            match operator.as_str() {
                "!" => self.missing(bare, part("arg"), !wanted, missing),
                "&&" | "||" => {
                    self.missing(bare, part("left"), wanted, missing);
                    self.missing(bare, part("right"), wanted, missing);
                }
                "if-then-else" => {
                    self.missing(bare, part("then"), wanted, missing);
                    self.missing(bare, part("else"), wanted, missing);
                }
                "has" | "hasTag" if wanted => {
                    let alone = json!([{ "kind": "when", "body": expression }]);
                    // What cannot be asked by itself is within something else that is not there.
                    if self.holds(changed(bare, &[("conditions", alone)])) == Some(false) {
                        missing.extend(named(operator, inner));
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether the policy, and no other, says yes; `None` if it cannot be evaluated.
    fn holds(&self, policy: Value) -> Option<bool> {
        let policy = Policy::from_json(None, policy).ok()?;
        let alone = PolicySet::from_policies([policy]).ok()?;
        let answer = self.of.rules.put(&alone, &self.request, &self.entities).ok()?;
        Some(matches!(answer, Answer::Allowed(_)))
    }
}

/// What a `has` asks for.
fn named(operator: &str, asked: &Value) -> Option<Missing> {
    if operator == "hasTag" {
        let name = asked.get("right")?.get("Value")?.as_str()?;
        return Some(Missing::Tag(name.to_owned()));
    }
    Some(Missing::Attribute(path(asked)?))
}

/// An attribute as it is written: `resource.project.slug`.
fn path(asked: &Value) -> Option<String> {
    let (left, name) = (asked.get("left")?, asked.get("attr")?.as_str()?);
    let before = match left.get("Var") {
        Some(variable) => variable.as_str()?.to_owned(),
        None => path(left.get(".")?)?,
    };
    Some(format!("{before}.{name}"))
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
