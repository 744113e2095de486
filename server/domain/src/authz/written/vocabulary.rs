//! What a text may speak of: only what every decision knows. A policy that looks at something that is not loaded would say
//! no where it means yes, or the other way round, and the schema alone does not see that.

use keywarden_model::{
    ApiKeyId, EnvironmentId, ProjectId, SecretId, Tags, TeamId, TypedId, UserId, WorkloadId,
};
use serde_json::Value;

use super::super::clock;

/// What is asked of the thing itself.
const OF_RESOURCE: &[&str] = &[
    "environment",
    "issuer",
    "label",
    "manager",
    "ownerPerson",
    "ownerTeam",
    "project",
    "reader",
    "slug",
    "verifier",
    "viewer",
];
/// What is asked of the thing's project.
const OF_PROJECT: &[&str] = &["issuer", "manager", "reader", "slug", "verifier", "viewer"];
/// What is asked of the environment that it lies in.
const OF_ENVIRONMENT: &[&str] = &["label", "slug"];
/// What a principal is `in`.
const HOLDERS: &[&str] = &["OrganizationRole", "Team"];
/// What a thing is `in`.
const PLACES: &[&str] = &["Environment", "Project"];

/// What it speaks of that no decision knows, in words.
pub(super) fn known(policy: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    for (head, allowed) in [("principal", HOLDERS), ("resource", PLACES)] {
        let Some(constraint) = policy.get(head) else { continue };
        let place = constraint.get("in").or_else(|| (text(constraint, "op") == "in").then_some(constraint));
        if let Some(place) = place {
            one_of(place.get("entity").unwrap_or(place), head, allowed, &mut errors);
        }
        if let Some(entity) = constraint.get("entity") {
            literal(entity, &mut errors);
        }
        if let Some(entity) = constraint.get("in").and_then(|it| it.get("entity")) {
            literal(entity, &mut errors);
        }
    }
    for condition in policy.get("conditions").and_then(Value::as_array).into_iter().flatten() {
        if let Some(body) = condition.get("body") {
            walk(body, &mut errors);
        }
    }
    errors.sort_unstable();
    errors.dedup();
    errors
}

/// Whether an expression mentions a variable anywhere.
pub(super) fn mentions(expression: &Value, variable: &str) -> bool {
    match expression {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            (name == "Var" && value.as_str() == Some(variable))
                || (name != "Value" && mentions(value, variable))
        }),
        Value::Array(items) => items.iter().any(|item| mentions(item, variable)),
        _ => false,
    }
}

/// Whether asking an expression may fail: what is computed may be more than there is room for.
pub(super) fn can_fail(expression: &Value) -> bool {
    const COMPUTING: &[&str] = &["*", "+", "-", "durationSince", "neg", "offset"];
    match expression {
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| COMPUTING.contains(&name.as_str()) || can_fail(value))
        }
        Value::Array(items) => items.iter().any(can_fail),
        _ => false,
    }
}

fn walk(expression: &Value, errors: &mut Vec<String>) {
    match expression {
        Value::Array(items) => items.iter().for_each(|item| walk(item, errors)),
        Value::Object(fields) => {
            for (operator, inner) in fields {
                match operator.as_str() {
                    "Value" => match inner.get("__entity") {
                        Some(entity) => literal(entity, errors),
                        None if inner.is_array() || inner.is_object() => {
                            errors.push("write this out: it cannot be looked at".to_owned());
                        }
                        None => {}
                    },
                    "Var" => {}
                    "." | "has" => access(inner, errors),
                    "getTag" | "hasTag" => tag(inner, errors),
                    "in" => membership(inner.get("left"), inner.get("right"), errors),
                    "is" if inner.get("in").is_some() => {
                        membership(inner.get("left"), inner.get("in"), errors);
                    }
                    _ => walk(inner, errors),
                }
            }
        }
        _ => {}
    }
}

/// Of an access to an attribute: whose, and which.
fn access(access: &Value, errors: &mut Vec<String>) {
    let (attribute, left) = (text(access, "attr"), access.get("left").unwrap_or(&Value::Null));
    let allowed = match (variable(left), left.get(".")) {
        (Some("context"), _) => return,
        (Some("resource"), _) => OF_RESOURCE.contains(&attribute),
        (None, Some(before)) if before.get("left").and_then(variable) == Some("resource") => {
            match text(before, "attr") {
                "environment" => OF_ENVIRONMENT.contains(&attribute),
                "project" => OF_PROJECT.contains(&attribute),
                _ => false,
            }
        }
        // What the clock shows somewhere.
        (None, None) if left.get("getTag").is_some_and(of_clock) => {
            walk(left, errors);
            return;
        }
        _ => false,
    };
    if !allowed {
        errors.push(format!(
            "`{attribute}` is not known here: ask for an attribute of `context` or of `resource`, for a role in \
             `resource.project`, or for the slug of `resource.environment`"
        ));
    }
}

/// Of a tag: of the thing, or of the clock, by its name written out: what is asked for must be known before it is asked.
fn tag(asked: &Value, errors: &mut Vec<String>) {
    let left = asked.get("left").unwrap_or(&Value::Null);
    let name = asked.get("right").and_then(|it| it.get("Value")).and_then(Value::as_str);
    let (of_resource, of_clock) = (variable(left) == Some("resource"), is_clock(left));
    match name {
        _ if !of_resource && !of_clock => {
            errors.push("tags are known of `resource` and of `context.clock` alone".to_owned());
        }
        None => errors.push("write the name of the tag out, in quotes".to_owned()),
        Some(name) if of_clock && clock::zone(name).is_none() => {
            errors.push(format!("`{name}` is no time zone: write one as `Europe/Berlin`"));
        }
        Some(name) if of_resource && !is_tag(name) => {
            errors
                .push(format!("no tag is called `{name}`: names have lower-case letters, digits and `._-`"));
        }
        Some(_) => {}
    }
}

/// Whether a tag could have this name.
fn is_tag(name: &str) -> bool {
    Tags::parse([name]).is_ok_and(|tags| tags.iter().eq([(name, "")]))
}

/// Whether this is `context.clock`.
pub(super) fn is_clock(expression: &Value) -> bool {
    expression
        .get(".")
        .is_some_and(|it| it.get("left").and_then(variable) == Some("context") && text(it, "attr") == "clock")
}

/// Whether a tag is asked of the clock.
fn of_clock(asked: &Value) -> bool {
    asked.get("left").is_some_and(is_clock)
}

fn membership(left: Option<&Value>, right: Option<&Value>, errors: &mut Vec<String>) {
    let (left, right) = (left.unwrap_or(&Value::Null), right.unwrap_or(&Value::Null));
    let allowed = match variable(left) {
        Some("principal") => HOLDERS,
        Some("resource") => PLACES,
        Some("action") => return,
        _ => {
            errors.push(
                "`in` is known of `principal`, `resource` and `action` alone: compare attributes with `==`"
                    .to_owned(),
            );
            return;
        }
    };
    let alone = std::slice::from_ref(right);
    for one in right.get("Set").and_then(Value::as_array).map_or(alone, Vec::as_slice) {
        match one.get("Value").and_then(|it| it.get("__entity")) {
            Some(entity) => {
                one_of(entity, variable(left).unwrap_or_default(), allowed, errors);
                literal(entity, errors);
            }
            // A role or team that the thing names.
            None if variable(left) == Some("principal") && one.get(".").is_some() => walk(one, errors),
            None => errors.push(format!("`in` is known of {} by their ids", allowed.join(" and "))),
        }
    }
}

fn one_of(entity: &Value, whose: &str, allowed: &[&str], errors: &mut Vec<String>) {
    let kind = text(entity, "type");
    if !allowed.contains(&kind) {
        errors.push(format!("`{whose} in` is known of {} alone, not of {kind}", allowed.join(" and ")));
    }
}

/// An entity by its name: one of ours, in the one spelling that its id has.
fn literal(entity: &Value, errors: &mut Vec<String>) {
    let (kind, id) = (text(entity, "type"), text(entity, "id"));
    let fine = match kind {
        "ApiKey" => is::<ApiKeyId>(id),
        "Environment" => is::<EnvironmentId>(id),
        "Person" => is::<UserId>(id),
        "Project" => is::<ProjectId>(id),
        "Secret" => is::<SecretId>(id),
        "Team" => is::<TeamId>(id),
        "Workload" => is::<WorkloadId>(id),
        "Organization" => id == "organization",
        // The schema has all of these by name.
        "Action" | "OrganizationRole" => true,
        _ => {
            errors.push(format!("{kind} cannot be named: ask for roles through `resource.project`"));
            return;
        }
    };
    if !fine {
        errors.push(format!("{kind} is named by its id, as `{kind}::\"…\"` with the whole of it"));
    }
}

fn is<I: TypedId + std::str::FromStr + PartialEq>(id: &str) -> bool {
    // The id of nothing stands for any other thing where lists are asked for.
    id.parse::<I>().is_ok_and(|it| it != I::from_parts(chrono::DateTime::UNIX_EPOCH, 0))
}

pub(super) fn variable(expression: &Value) -> Option<&str> {
    expression.get("Var").and_then(Value::as_str)
}

pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
