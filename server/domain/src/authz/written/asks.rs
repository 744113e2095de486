//! What a text looks at that is read for it alone: see [`Asks`].

use serde_json::Value;

use super::Asks;
use super::vocabulary::{is_clock, text, variable};

/// Of all conditions of a text that [`super::vocabulary`] let pass.
pub(super) fn of(conditions: &[Value]) -> Asks {
    let mut asks = Asks::default();
    for condition in conditions {
        walk(condition, &mut asks);
    }
    asks
}

fn walk(expression: &Value, asks: &mut Asks) {
    match expression {
        Value::Array(items) => items.iter().for_each(|item| walk(item, asks)),
        Value::Object(fields) => {
            for (operator, inner) in fields {
                match operator.as_str() {
                    "hasTag" | "getTag" => tag(inner, asks),
                    "." | "has" => attribute(text(inner, "attr"), asks),
                    "Value" => continue,
                    _ => {}
                }
                walk(inner, asks);
            }
        }
        _ => {}
    }
}

fn tag(inner: &Value, asks: &mut Asks) {
    let left = inner.get("left").unwrap_or(&Value::Null);
    let name = inner.get("right").and_then(|it| it.get("Value")).and_then(Value::as_str);
    let Some(name) = name else { return };
    if variable(left) == Some("resource") {
        asks.tags.insert(name.to_owned());
    } else if is_clock(left) {
        asks.zones.insert(name.to_owned());
    }
}

fn attribute(name: &str, asks: &mut Asks) {
    match name {
        "label" | "slug" => asks.slugs = true,
        "ownerPerson" | "ownerTeam" => asks.owner = true,
        "reasonGiven" => asks.reason = true,
        _ => {}
    }
}
