//! What decides before and after a change, as two sets of policies for each request environment that the change can touch: a
//! type of principal, an action and a type of thing.

use std::collections::BTreeSet;
use std::str::FromStr;

use cedar_policy::{EntityTypeName, Policy, PolicySet, RequestEnv, Schema};
use keywarden_model::{PolicyId, ProjectId};
use serde_json::Value;

use super::possible::{Mentioned, guard};
use super::shape::Shape;
use super::whole::{is_asked, narrowed};
use super::{Action, InForce, PolicyScope, Rules};

/// Whom an example is looked for first.
const PEOPLE: &str = "Person";

/// A request environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touched {
    /// The type of whoever asks.
    pub(crate) principal: String,
    /// What is done.
    pub(crate) action: Action,
    /// The type of the thing that it is done to.
    pub(crate) resource: String,
}

/// The two sets, and what has to be known of them.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) environment: RequestEnv,
    pub(crate) before: PolicySet,
    pub(crate) after: PolicySet,
    /// What policies of either set write out.
    pub(crate) mentioned: Mentioned,
    /// Policies that may fail when they are asked, confined to questions that can be put. Cedar passes over one that fails, and
    /// here it is a no: the sets say what is decided if none of these ever fails.
    pub(crate) fallible: Vec<Policy>,
}

/// A change of one policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) policy: PolicyId,
    pub(crate) before: &'a InForce,
    pub(crate) after: &'a InForce,
}

impl<'a> Change<'a> {
    fn versions(&self) -> impl Iterator<Item = &'a super::Deciding> {
        [self.before.version_of(self.policy), self.after.version_of(self.policy)].into_iter().flatten()
    }

    /// The project that neither version can reach beyond. A policy stays in the scope that it was written for.
    fn home(&self) -> Option<ProjectId> {
        self.versions().find_map(|it| match it.scope {
            PolicyScope::Organization => None,
            PolicyScope::Project(project) => Some(project),
        })
    }

    /// Every environment of the schema that either version can say something about, in the order of the table of actions, people
    /// first. In all others both sets are the same.
    pub(crate) fn touches(&self, schema: &Schema) -> Vec<Touched> {
        let about = |action: &Action| self.versions().any(|it| it.checked.actions.contains(action));
        let touched = schema.request_envs().filter_map(|environment| {
            let action = Action::named(environment.action().id().unescaped()).filter(about)?;
            let (principal, resource) =
                (environment.principal().to_string(), environment.resource().to_string());
            Some(Touched { principal, action, resource })
        });
        let mut touched: Vec<_> = touched.collect();
        touched.sort_by_cached_key(|it| {
            let place = Action::ALL.iter().position(|action| *action == it.action);
            (place, it.resource.clone(), it.principal != PEOPLE, it.principal.clone())
        });
        touched
    }

    /// The attributes and tags that either version looks at, by their names.
    pub(crate) fn looks_at(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for condition in self.versions().flat_map(|it| &it.checked.conditions) {
            looked_at(condition, &mut found);
        }
        found
    }
}

fn looked_at(expression: &Value, found: &mut BTreeSet<String>) {
    match expression {
        Value::Array(items) => items.iter().for_each(|item| looked_at(item, found)),
        Value::Object(fields) => {
            for (operator, inner) in fields {
                let name = match operator.as_str() {
                    "." | "has" => inner.get("attr"),
                    "getTag" | "hasTag" => inner.get("right").and_then(|it| it.get("Value")),
                    "Value" => continue,
                    _ => None,
                };
                found.extend(name.and_then(Value::as_str).map(ToOwned::to_owned));
                looked_at(inner, found);
            }
        }
        _ => {}
    }
}

impl Rules {
    /// The two sets for one environment; or why they cannot be written down.
    pub(crate) fn compare(
        &self,
        shape: &Shape,
        change: &Change<'_>,
        touched: &Touched,
    ) -> Result<Comparison, String> {
        let (principal, action, resource) =
            (touched.principal.as_str(), touched.action, touched.resource.as_str());
        let home = change.home();
        let mut before = self.whole(change.before, action, home)?;
        let mut after = self.whole(change.after, action, home)?;
        let mut mentioned = Mentioned::default();
        for policy in before.policies().chain(after.policies()) {
            mentioned.add(&policy.to_json().map_err(|it| it.to_string())?);
        }
        let deciding = change.before.deciding().iter().chain(change.after.version_of(change.policy));
        let asked: Vec<_> = deciding.filter(|it| is_asked(it, action, home)).collect();
        for one in &asked {
            mentioned.add_zones(one, home);
        }
        let guard = guard(shape, principal, resource, &mentioned, home)?;
        for set in [&mut before, &mut after] {
            set.add(guard.clone()).map_err(|it| it.to_string())?;
        }
        let fallible = asked
            .into_iter()
            .filter(|it| it.checked.can_fail())
            .map(|it| confined(&narrowed(it, action)?, &guard))
            .collect::<Result<_, String>>()?;
        let kind = |name: &str| EntityTypeName::from_str(name).map_err(|it| it.to_string());
        let uid = format!(r#"Action::"{}""#, action.name())
            .parse()
            .map_err(|it: cedar_policy::ParseErrors| it.to_string())?;
        let environment = RequestEnv::new(kind(principal)?, uid, kind(resource)?);
        Ok(Comparison { environment, before, after, mentioned, fallible })
    }
}

/// A policy that is asked only about what the guard lets pass: its own conditions come after that.
fn confined(policy: &Policy, guard: &Policy) -> Result<Policy, String> {
    let json = policy.to_json().map_err(|it| it.to_string())?;
    let guarding = guard.to_json().map_err(|it| it.to_string())?;
    let body = guarding.pointer("/conditions/0/body").cloned().ok_or("the guard has no condition")?;
    let mut conditions = vec![serde_json::json!({ "kind": "when", "body": body })];
    conditions.extend(json.get("conditions").and_then(|it| it.as_array()).cloned().unwrap_or_default());
    let mut json = json;
    if let Some(own) = json.get_mut("conditions") {
        *own = conditions.into();
    }
    Policy::from_json(Some(policy.id().clone()), json).map_err(|it| it.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authz::whole::with;

    #[test]
    fn more_conditions_come_after_a_policys_own() {
        let policy = Policy::parse(None, "permit (principal, action, resource) when { context.recovering };");
        let more = with(&policy.unwrap(), "unless { context.weekday == 1 }").unwrap();
        let text = more.to_cedar().unwrap();
        assert!(text.find("recovering") < text.find("weekday"), "{text}");
    }
}
