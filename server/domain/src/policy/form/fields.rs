//! What conditions compare, and how: one row for each field, one for each way to compare.
//!
//! A comparison is known by the Cedar text that it is written as. To recognize one, that text is parsed once with marks
//! where its values belong; so reading and writing cannot know different texts.

use std::net::IpAddr;
use std::sync::LazyLock;

use cedar_policy::Policy;
use serde_json::Value;

use super::write::literal;
use super::{Test, Wrong};

/// What a comparison asks to be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// An address or a range of them.
    Address,
    /// Days of the week, Monday is 1: `1 2 3`.
    Days,
    /// An instant.
    Instant,
    /// Nothing.
    Nothing,
    /// A whole number.
    Number,
    /// The id of a thing of this kind.
    Thing(&'static str),
    /// A time of the day: `09:30`.
    Time,
    /// One of these words.
    Word(&'static [&'static str]),
}

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

/// A way to compare. In its text `{f}` is the field and `{v}` the value.
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
        "time",
        "context.now.toTime()",
        None,
        &[op("from", Takes::Time, "{f} >= duration({v})"), op("before", Takes::Time, "{f} < duration({v})")],
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
    /// The Cedar text with the value as it stands there. Places are looked for in the row's own text alone.
    pub(super) fn text(&self, field: &Field, value: &str) -> String {
        let mut text = field.guard.map(|guard| format!("{guard} && ")).unwrap_or_default();
        let mut rest = self.text;
        while let Some((before, after)) = rest.split_once('{') {
            let (place, beyond) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(before);
            text.push_str(if place == "f" { field.path } else { value });
            rest = beyond;
        }
        text.push_str(rest);
        text
    }
}

/// What stands for a value in a text that is parsed to be recognized.
const MARK: &str = "?value";
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
                Takes::Nothing => String::new(),
                Takes::Number => NUMBER.to_string(),
                Takes::Days => format!("[{NUMBER}]"),
                _ => format!("\"{MARK}\""),
            };
            let parts = parsed(&operator.text(field, &value));
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
    body.map(|body| super::read::spine(body, "&&").into_iter().cloned().collect()).unwrap_or_default()
}

/// The comparison that these parts of an `&&` begin with, and how many of them it takes.
pub(super) fn recognize(parts: &[&Value]) -> Option<(Test, usize)> {
    KNOWN.iter().find_map(|known| {
        let here = parts.get(..known.parts.len())?;
        let mut value = None;
        let fits = known.parts.iter().zip(here).all(|(pattern, json)| fits(pattern, json, &mut value));
        if !fits {
            return None;
        }
        let value = known.operator.takes.shown(value.unwrap_or_default())?;
        let (field, operator) = (known.field.name.to_owned(), known.operator.name.to_owned());
        Some((Test { field, operator, value }, known.parts.len()))
    })
}

/// Whether the JSON is what the pattern says, but for the value in the marked place; what is there is taken.
fn fits(pattern: &Value, json: &Value, value: &mut Option<String>) -> bool {
    match (pattern, json) {
        (Value::String(mark), Value::String(text)) if mark == MARK => value.replace(text.clone()).is_none(),
        (Value::Number(mark), Value::Number(number)) if mark.as_i64() == Some(NUMBER) => {
            value.replace(number.to_string()).is_none()
        }
        (Value::Array(marks), Value::Array(list)) if is_days(marks) => {
            let days: Option<Vec<_>> =
                list.iter().map(|it| it.get("Value")?.as_i64().map(|day| day.to_string())).collect();
            days.is_some_and(|days| value.replace(days.join(" ")).is_none())
        }
        (Value::Array(marks), Value::Array(list)) => {
            marks.len() == list.len() && marks.iter().zip(list).all(|(mark, it)| fits(mark, it, value))
        }
        (Value::Object(marks), Value::Object(map)) => {
            marks.len() == map.len()
                && marks.iter().all(|(name, mark)| map.get(name).is_some_and(|it| fits(mark, it, value)))
        }
        (pattern, json) => pattern == json,
    }
}

fn is_days(marks: &[Value]) -> bool {
    matches!(marks, [one] if one.get("Value").and_then(Value::as_i64) == Some(NUMBER))
}

impl Takes {
    /// What a form shows for a value of Cedar's, if it gives the same value back.
    fn shown(self, value: String) -> Option<String> {
        let shown = match self {
            Self::Time => time_of(&value)?,
            _ => value.clone(),
        };
        let plain = shown == shown.trim() && !shown.chars().any(|it| it.is_control() || is_unseen(it));
        let back = self.literal(&shown).ok()?;
        let same = match self {
            Self::Nothing | Self::Number => back == value,
            Self::Days => back == format!("[{}]", value.replace(' ', ", ")),
            _ => back == literal(&value),
        };
        (plain && same).then_some(shown)
    }

    /// A value as it stands in Cedar text.
    pub(super) fn literal(self, value: &str) -> Result<String, Wrong> {
        let value = value.trim();
        if value.is_empty() && self != Self::Nothing {
            return Err(Wrong::Missing);
        }
        match self {
            Self::Address => is_address(value).then(|| literal(value)).ok_or(Wrong::Address),
            Self::Days => days(value).ok_or(Wrong::Days),
            Self::Instant => is_instant(value).then(|| literal(value)).ok_or(Wrong::Instant),
            Self::Nothing => Ok(String::new()),
            Self::Number => match value.parse::<i64>() {
                Ok(number) if number >= 0 => Ok(number.to_string()),
                _ => Err(Wrong::Number),
            },
            Self::Thing(_) => Ok(literal(value)),
            Self::Time => duration_of(value).map(|it| literal(&it)).ok_or(Wrong::Time),
            Self::Word(words) => words.contains(&value).then(|| literal(value)).ok_or(Wrong::Choose),
        }
    }
}

/// `1 2 3` as a set, each day once and in their order.
fn days(text: &str) -> Option<String> {
    let days: Option<Vec<u8>> = text.split(' ').map(|it| it.parse().ok()).collect();
    let days = days?;
    let fit = days.is_sorted_by(|one, next| one < next) && days.iter().all(|day| (1..=7).contains(day));
    let words: Vec<_> = days.iter().map(ToString::to_string).collect();
    fit.then(|| format!("[{}]", words.join(", ")))
}

/// `09:30` as a length of time since midnight: `9h30m`.
fn duration_of(text: &str) -> Option<String> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    let fit = hour < 24 && minute < 60;
    let minutes = if minute == 0 { String::new() } else { format!("{minute}m") };
    fit.then(|| format!("{hour}h{minutes}"))
}

/// The other way round; `None` for every other way to write it.
fn time_of(duration: &str) -> Option<String> {
    let (hour, rest) = duration.split_once('h')?;
    let minute = if rest.is_empty() { "0" } else { rest.strip_suffix('m')? };
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    let time = format!("{hour:02}:{minute:02}");
    (duration_of(&time)? == duration).then_some(time)
}

/// An address, or a range of them.
fn is_address(text: &str) -> bool {
    let (base, length) = text.split_once('/').map_or((text, None), |(base, length)| (base, Some(length)));
    let Ok(base) = base.parse::<IpAddr>() else { return false };
    let most = if base.is_ipv4() { 32 } else { 128 };
    length.is_none_or(|it| it.parse::<u8>().is_ok_and(|bits| bits <= most && bits.to_string() == it))
}

/// An instant in UTC as Cedar writes it.
pub(super) fn is_instant(text: &str) -> bool {
    let shape =
        matches!(text.len(), 20 | 24) && text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z');
    shape && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

/// What cannot be seen, or turns around what is beside it.
pub(super) fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
