//! What conditions compare, and how: one row for each field, one for each way to compare.
//!
//! A comparison is known by the Cedar text that it is written as. To recognize one, that text is parsed once with marks
//! where its values belong; so reading and writing cannot know different texts.

use std::sync::LazyLock;

use cedar_policy::Policy;
use serde_json::Value;

use super::takes::{Filled, Found, Takes};
use super::{Test, read};

/// Something that a condition can look at.
#[derive(Debug)]
pub struct Field {
    /// Its name in forms.
    pub name: &'static str,
    /// How it can be compared.
    pub operators: &'static [Operator],
    path: &'static str,
    /// What must be so before it can be asked.
    guard: Option<&'static str>,
}

/// A way to compare. In its text `{f}` is the field, `{v}` the value and `{n}` what names it: a tag's name, or a time zone.
#[derive(Debug)]
pub struct Operator {
    /// Its name in forms.
    pub name: &'static str,
    /// What it asks to be filled in.
    pub takes: Takes,
    text: &'static str,
}

/// How people and machines sign in, as the schema has it.
const METHODS: &[&str] = &["passkey", "recovery", "shell", "token"];

/// Everything that a condition can look at, in the order in which a form offers it.
const FIELDS: &[Field] = &[
    of(
        "address",
        "context.address",
        Some("context has address"),
        &[op("in-range", Takes::Address, "{f}.isInRange(ip({v}))")],
    ),
    of("weekday", "context.weekday", None, &[op("on", Takes::Days, "{v}.contains({f})")]),
    of(
        "local-weekday",
        "context.clock.getTag({n}).weekday",
        Some("context.clock.hasTag({n})"),
        &[op("on", Takes::ZonedDays, "{v}.contains({f})")],
    ),
    of(
        "time",
        "context.now.toTime()",
        None,
        &[op("from", Takes::Time, "{f} >= duration({v})"), op("before", Takes::Time, "{f} < duration({v})")],
    ),
    of(
        "local-time",
        "context.clock.getTag({n}).time",
        Some("context.clock.hasTag({n})"),
        &[
            op("from", Takes::ZonedTime, "{f} >= duration({v})"),
            op("before", Takes::ZonedTime, "{f} < duration({v})"),
        ],
    ),
    of(
        "moment",
        "context.now",
        None,
        &[
            op("from", Takes::Instant, "{f} >= datetime({v})"),
            op("before", Takes::Instant, "{f} < datetime({v})"),
        ],
    ),
    of(
        "passkey-age",
        "context.passkeyAge",
        Some("context has passkeyAge"),
        &[op("less", Takes::Number, "{f} < {v}"), op("at-least", Takes::Number, "{f} >= {v}")],
    ),
    of(
        "sign-in",
        "context.signInMethod",
        None,
        &[op("is", Takes::Word(METHODS), "{f} == {v}"), op("is-not", Takes::Word(METHODS), "{f} != {v}")],
    ),
    of("reason", "context.reasonGiven", None, &[op("given", Takes::Nothing, "{f}")]),
    of(
        "who",
        "principal",
        None,
        &[
            op("person", Takes::Nothing, "{f} is Person"),
            op("workload", Takes::Nothing, "{f} is Workload"),
            op("is", Takes::Thing("Person"), "{f} == Person::{v}"),
            op("is-workload", Takes::Thing("Workload"), "{f} == Workload::{v}"),
            op("in-team", Takes::Thing("Team"), "{f} in Team::{v}"),
            op("has-role", Takes::Thing("OrganizationRole"), "{f} in OrganizationRole::{v}"),
        ],
    ),
    of(
        "owner-person",
        "resource.ownerPerson",
        Some("resource has ownerPerson"),
        &[
            op("self", Takes::Nothing, "{f} == principal"),
            op("is", Takes::Thing("Person"), "{f} == Person::{v}"),
        ],
    ),
    of(
        "owner-team",
        "resource.ownerTeam",
        Some("resource has ownerTeam"),
        &[op("self", Takes::Nothing, "principal in {f}"), op("is", Takes::Thing("Team"), "{f} == Team::{v}")],
    ),
    of(
        "thing",
        "resource",
        None,
        &[
            op("in-project", Takes::Thing("Project"), "{f} in Project::{v}"),
            op("in-environment", Takes::Thing("Environment"), "{f} in Environment::{v}"),
            op("secret", Takes::Nothing, "{f} is Secret"),
            op("key", Takes::Nothing, "{f} is ApiKey"),
        ],
    ),
    of("tag", "resource.getTag({n})", Some("resource.hasTag({n})"), &[op("is", Takes::Tag, "{f} == {v}")]),
    of("tag-name", "resource", None, &[op("has", Takes::TagName, "{f}.hasTag({n})")]),
    of(
        "environment",
        "resource.environment.slug",
        Some("resource has environment"),
        &[op("is", Takes::Slug, "{f} == {v}"), op("is-not", Takes::Slug, "{f} != {v}")],
    ),
    of(
        "project",
        "resource.project.slug",
        Some("resource has project"),
        &[op("is", Takes::Slug, "{f} == {v}"), op("is-not", Takes::Slug, "{f} != {v}")],
    ),
];

const fn op(name: &'static str, takes: Takes, text: &'static str) -> Operator {
    Operator { name, takes, text }
}

const fn of(
    name: &'static str,
    path: &'static str,
    guard: Option<&'static str>,
    operators: &'static [Operator],
) -> Field {
    Field { name, operators, path, guard }
}

/// All fields, in the order in which a form offers them.
pub fn fields() -> &'static [Field] {
    FIELDS
}

/// The field of this name.
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|it| it.name == name)
}

impl Field {
    /// The way of comparing with this name.
    pub fn operator(&self, name: &str) -> Option<&'static Operator> {
        self.operators.iter().find(|it| it.name == name)
    }
}

impl Operator {
    /// The Cedar text with the literals as they stand there. Places are looked for in the rows' own texts alone.
    pub(super) fn text(&self, field: &Field, filled: &Filled) -> String {
        let mut text = String::new();
        if let Some(guard) = field.guard {
            fill(&mut text, guard, field, filled);
            text.push_str(" && ");
        }
        fill(&mut text, self.text, field, filled);
        text
    }
}

fn fill(text: &mut String, row: &'static str, field: &Field, filled: &Filled) {
    let mut rest = row;
    while let Some((before, after)) = rest.split_once('{') {
        let (place, beyond) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(before);
        match place {
            // There is no `{f}` in a field's own path.
            "f" => fill(text, field.path, field, filled),
            "n" => text.push_str(&filled.name),
            _ => text.push_str(&filled.value),
        }
        rest = beyond;
    }
    text.push_str(rest);
}

/// What stands for a value in a text that is parsed to be recognized, and for what names it.
const MARK: &str = "?value";
const NAME: &str = "?name";
const NUMBER: i64 = 4_170_000_000_000_000_017;

struct Known {
    field: &'static Field,
    operator: &'static Operator,
    parts: Vec<Value>,
}

/// Longer ones first: one may begin with another.
static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let mut known = Vec::new();
    for field in FIELDS {
        for operator in field.operators {
            let value = match operator.takes {
                Takes::Nothing | Takes::TagName => String::new(),
                Takes::Number => NUMBER.to_string(),
                Takes::Days | Takes::ZonedDays => format!("[{NUMBER}]"),
                _ => format!("\"{MARK}\""),
            };
            let filled = Filled { name: format!("\"{NAME}\""), value };
            let parts = parsed(&operator.text(field, &filled));
            if !parts.is_empty() {
                known.push(Known { field, operator, parts });
            }
        }
    }
    known.sort_by_key(|it| std::cmp::Reverse(it.parts.len()));
    known
});

/// What stands between the operators of a condition that must hold as a whole.
fn parsed(text: &str) -> Vec<Value> {
    let text = format!("permit(principal, action, resource) when {{ {text} }};");
    let json = Policy::parse(None, text).ok().and_then(|it| it.to_json().ok());
    let body = json.as_ref().and_then(|it| it.pointer("/conditions/0/body"));
    body.map(|body| read::spine(body, "&&").into_iter().cloned().collect()).unwrap_or_default()
}

/// The comparison that these parts of an `&&` begin with, and how many of them it takes.
pub(super) fn recognize(parts: &[&Value]) -> Option<(Test, usize)> {
    KNOWN.iter().find_map(|known| {
        let here = parts.get(..known.parts.len())?;
        let mut found = Found::default();
        let fits = known.parts.iter().zip(here).all(|(pattern, json)| fits(pattern, json, &mut found));
        if !fits {
            return None;
        }
        let value = known.operator.takes.shown(found)?;
        let (field, operator) = (known.field.name.to_owned(), known.operator.name.to_owned());
        Some((Test { field, operator, value }, known.parts.len()))
    })
}

/// Whether the JSON is what the pattern says, but for what is in the marked places; that is taken. A name may stand in several, and
/// is the same in all of them.
fn fits(pattern: &Value, json: &Value, found: &mut Found) -> bool {
    match (pattern, json) {
        (Value::String(mark), Value::String(text)) if mark == NAME => {
            found.name.get_or_insert_with(|| text.clone()) == text
        }
        (Value::String(mark), Value::String(text)) if mark == MARK => {
            found.value.replace(text.clone()).is_none()
        }
        (Value::Number(mark), Value::Number(number)) if mark.as_i64() == Some(NUMBER) => {
            found.value.replace(number.to_string()).is_none()
        }
        (Value::Array(marks), Value::Array(list)) if is_days(marks) => {
            let days: Option<Vec<_>> =
                list.iter().map(|it| it.get("Value")?.as_i64().map(|day| day.to_string())).collect();
            days.is_some_and(|days| found.value.replace(days.join(" ")).is_none())
        }
        (Value::Array(marks), Value::Array(list)) => {
            marks.len() == list.len() && marks.iter().zip(list).all(|(mark, it)| fits(mark, it, found))
        }
        (Value::Object(marks), Value::Object(map)) => {
            marks.len() == map.len()
                && marks.iter().all(|(name, mark)| map.get(name).is_some_and(|it| fits(mark, it, found)))
        }
        (pattern, json) => pattern == json,
    }
}

fn is_days(marks: &[Value]) -> bool {
    matches!(marks, [one] if one.get("Value").and_then(Value::as_i64) == Some(NUMBER))
}
