//! From Cedar text to a form.

use std::collections::BTreeMap;
use std::str::FromStr;

use cedar_policy::PolicySet;
use serde_json::Value;

use crate::authz::bounded;

use super::fields;
use super::write::expression;
use super::{Clause, Condition, DEEPEST, Effect, Form, Group, Named, Scope, What};

/// Why a text is shown as text alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotShown {
    /// The form would say something else.
    #[error("the form cannot say exactly this")]
    Differs,
    /// There is not exactly one policy.
    #[error("the form shows one policy, and there are {0}")]
    Many(usize),
    /// A part of it.
    #[error("the form cannot show this part: `{0}`")]
    Part(String),
    /// A policy with a gap to fill.
    #[error("the form cannot show a policy with `?principal` or `?resource` in it")]
    Template,
    /// It is no Cedar.
    #[error("this is no policy in Cedar yet")]
    Unreadable,
}

impl Form {
    /// The form of a policy.
    pub fn read(text: &str) -> Result<Self, NotShown> {
        bounded(text).map_err(|_| NotShown::Unreadable)?;
        let json = one(text)?;
        let form = policy(&json)?;
        let again = form.to_text().map_err(|_| NotShown::Differs)?;
        if one(&again)? == json { Ok(form) } else { Err(NotShown::Differs) }
    }
}

/// Whether two texts say the same policy, in whatever layout.
pub fn same(one_text: &str, other: &str) -> bool {
    let read = |text: &str| bounded(text).ok().and_then(|()| one(text).ok());
    read(one_text).is_some_and(|json| read(other) == Some(json))
}

/// The one policy of a text, as Cedar's JSON.
pub(super) fn one(text: &str) -> Result<Value, NotShown> {
    let set = PolicySet::from_str(text).map_err(|_| NotShown::Unreadable)?;
    if set.templates().next().is_some() {
        return Err(NotShown::Template);
    }
    let mut policies = set.policies();
    let (Some(policy), None) = (policies.next(), policies.next()) else {
        return Err(NotShown::Many(set.policies().count()));
    };
    policy.to_json().map_err(|_| NotShown::Unreadable)
}

fn policy(json: &Value) -> Result<Form, NotShown> {
    let effect = match text(json, "effect") {
        Some("forbid") => Effect::Forbid,
        Some("permit") => Effect::Permit,
        _ => return Err(NotShown::Unreadable),
    };
    let conditions = json.get("conditions").and_then(Value::as_array).map(Vec::as_slice);
    let clauses = conditions.unwrap_or_default().iter().map(clause).collect::<Result<_, _>>()?;
    Ok(Form {
        annotations: annotations(json),
        effect,
        who: scope(json, "principal")?,
        what: what(json)?,
        things: scope(json, "resource")?,
        clauses,
    })
}

fn annotations(json: &Value) -> BTreeMap<String, Option<String>> {
    let named = json.get("annotations").and_then(Value::as_object);
    let named = named.into_iter().flatten();
    named.map(|(name, value)| (name.clone(), value.as_str().map(str::to_owned))).collect()
}

fn text<'a>(json: &'a Value, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Value::as_str)
}

fn named(json: &Value) -> Option<Named> {
    let json = json.get("__entity").unwrap_or(json);
    Some(Named { kind: text(json, "type")?.to_owned(), id: text(json, "id")?.to_owned() })
}

fn scope(json: &Value, variable: &str) -> Result<Scope, NotShown> {
    let unreadable = || NotShown::Part(variable.to_owned());
    let scope = json.get(variable).ok_or_else(unreadable)?;
    let entity = || scope.get("entity").and_then(named).ok_or_else(unreadable);
    match text(scope, "op") {
        Some("All") => Ok(Scope::All),
        Some("==") => entity().map(Scope::Equal),
        Some("in") => entity().map(Scope::In),
        Some("is") => {
            let kind = text(scope, "entity_type").ok_or_else(unreadable)?.to_owned();
            match scope.get("in") {
                None => Ok(Scope::Is(kind)),
                Some(within) => {
                    let within = within.get("entity").and_then(named).ok_or_else(unreadable)?;
                    Ok(Scope::IsIn(kind, within))
                }
            }
        }
        _ => Err(unreadable()),
    }
}

fn what(json: &Value) -> Result<What, NotShown> {
    let unreadable = || NotShown::Part("action".to_owned());
    let scope = json.get("action").ok_or_else(unreadable)?;
    let action = |json: &Value| {
        let named = named(json).filter(|it| it.kind == "Action")?;
        Some(named.id)
    };
    let entity = || scope.get("entity").and_then(action).ok_or_else(unreadable);
    match text(scope, "op") {
        Some("All") => Ok(What::All),
        Some("==") => entity().map(What::Equal),
        Some("in") => match scope.get("entities").and_then(Value::as_array) {
            None => entity().map(What::In),
            Some(list) => {
                let list: Option<Vec<_>> = list.iter().map(action).collect();
                list.map(What::Listed).ok_or_else(unreadable)
            }
        },
        _ => Err(unreadable()),
    }
}

fn clause(json: &Value) -> Result<Clause, NotShown> {
    let body = json.get("body").ok_or(NotShown::Unreadable)?;
    Ok(Clause { unless: text(json, "kind") == Some("unless"), group: grouped(body, 1)? })
}

/// A group of what lies between the operators; of one condition where there are none.
fn grouped(json: &Value, depth: usize) -> Result<Group, NotShown> {
    match joined(json) {
        Some((parts, any)) => group(&parts, any, depth),
        None => group(&[json], false, depth),
    }
}

/// What lies between the operators, if there are any.
fn joined(json: &Value) -> Option<(Vec<&Value>, bool)> {
    let either = [("&&", false), ("||", true)].into_iter();
    either.filter(|(it, _)| json.get(it).is_some()).map(|(it, any)| (spine(json, it), any)).next()
}

fn group(parts: &[&Value], any: bool, depth: usize) -> Result<Group, NotShown> {
    let mut of = Vec::new();
    let mut rest = parts;
    while let [first, after @ ..] = rest {
        // A guard and the test that needs it are one condition: `a has b && a.b == c`.
        if !any && let Some((test, taken)) = fields::recognize(rest) {
            of.push(Condition::Test(test));
            rest = rest.get(taken..).unwrap_or_default();
            continue;
        }
        of.push(condition(first, any, depth.saturating_add(1))?);
        rest = after;
    }
    Ok(Group { any, of })
}

/// One part of a group of this kind.
fn condition(json: &Value, any: bool, depth: usize) -> Result<Condition, NotShown> {
    let inside = joined(json);
    // In brackets among others that must all hold, a guard and its test are a group of their own.
    if any || inside.as_ref().is_none_or(|(_, any)| *any) {
        let parts = spine(json, "&&");
        if let Some((test, taken)) = fields::recognize(&parts)
            && taken == parts.len()
        {
            return Ok(Condition::Test(test));
        }
    }
    if depth <= DEEPEST {
        if let Some((parts, any)) = inside {
            return group(&parts, any, depth).map(Condition::Group);
        }
        if let Some(inner) = json.get("!").and_then(|it| it.get("arg")) {
            return grouped(inner, depth).map(Condition::Not);
        }
    }
    expression(json).map(Condition::Text).ok_or_else(|| NotShown::Part(json.to_string()))
}

/// What stands between the operators of `a && b && c`, which Cedar reads as `(a && b) && c`.
pub(super) fn spine<'a>(json: &'a Value, operator: &str) -> Vec<&'a Value> {
    let mut parts = Vec::new();
    let mut rest = json;
    while let Some(sides) = rest.get(operator) {
        let (Some(left), Some(right)) = (sides.get("left"), sides.get("right")) else { break };
        parts.push(right);
        rest = left;
    }
    parts.push(rest);
    parts.reverse();
    parts
}
