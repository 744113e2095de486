//! The editor's fields as a form, and the form's parts as values of fields.
//!
//! A condition's fields are named by its place: `c0-2-1_value` is the value of the second condition in the third of
//! the first clause. What says nothing is kept as nothing: the form says what is wrong with it when it is written down.

use keywarden_domain::{
    Action,
    policy::form::{Clause, Condition, DEEPEST, Effect, Form, Group, Named, Scope, Test, What},
};

use crate::form::Fields;

/// Conditions of one form; whoever needs more writes text.
pub(super) const MOST: usize = 60;

/// The name of a field of the condition at this place.
pub(super) fn name(at: &str, part: &str) -> String {
    format!("c{at}_{part}")
}

/// All of it.
pub(super) fn form(fields: &Fields) -> Form {
    let mut left = MOST;
    Form {
        annotations: annotations(fields),
        effect: if fields.text("effect") == "permit" { Effect::Permit } else { Effect::Forbid },
        who: scope(fields.text("who")),
        what: what(fields),
        things: scope(fields.text("things")),
        clauses: (0..MOST)
            .map(|place| place.to_string())
            .take_while(|at| fields.ticked(&name(at, "word")))
            .map(|at| Clause {
                unless: fields.text(&name(&at, "word")) == "unless",
                group: group(fields, &at, 1, &mut left),
            })
            .collect(),
    }
}

fn annotations(fields: &Fields) -> std::collections::BTreeMap<String, Option<String>> {
    fields
        .many("annotations[]")
        .filter_map(|line| match line.split_once('=') {
            Some((name, value)) => Some((name.to_owned(), Some(value.to_owned()))),
            None if line.is_empty() => None,
            None => Some((line.to_owned(), None)),
        })
        .collect()
}

/// An annotation as it is carried along.
pub(super) fn annotation(name: &str, value: Option<&str>) -> String {
    value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}"))
}

fn group(fields: &Fields, at: &str, depth: usize, left: &mut usize) -> Group {
    let any = matches!(fields.text(&name(at, "kind")), "any" | "none");
    let mut of = Vec::new();
    if depth > DEEPEST {
        return Group { any, of };
    }
    for place in 0..MOST {
        let at = format!("{at}-{place}");
        let kind = fields.text(&name(&at, "kind"));
        if kind.is_empty() || *left == 0 {
            break;
        }
        *left = left.saturating_sub(1);
        of.push(match kind {
            "test" => Condition::Test(test(fields, &at)),
            "text" => Condition::Text(fields.text(&name(&at, "value")).to_owned()),
            "none" | "not" => Condition::Not(group(fields, &at, depth.saturating_add(1), left)),
            _ => Condition::Group(group(fields, &at, depth.saturating_add(1), left)),
        });
    }
    Group { any, of }
}

fn test(fields: &Fields, at: &str) -> Test {
    let (field, operator) = fields.text(&name(at, "what")).split_once(':').unwrap_or_default();
    Test { field: field.to_owned(), operator: operator.to_owned(), value: value(fields, at) }
}

/// What was typed, or the days that were ticked; after the time zone where one is asked for.
fn value(fields: &Fields, at: &str) -> String {
    let (zone, days): (_, Vec<&str>) = (name(at, "zone"), fields.many(&days(at)).collect());
    let value = if days.is_empty() { fields.text(&name(at, "value")).to_owned() } else { days.join(" ") };
    if fields.ticked(&zone) { format!("{} {value}", fields.text(&zone)) } else { value }
}

/// A time zone, and what is asked of it there.
pub(in super::super) fn zoned(value: &str) -> (&str, &str) {
    value.split_once(' ').unwrap_or((value, ""))
}

/// The boxes of a condition's days.
pub(super) fn days(at: &str) -> String {
    format!("{}[]", name(at, "days"))
}

/// A condition with nothing filled in, by the word that stands for it in a group's select.
pub(super) fn fresh(word: &str) -> Option<Condition> {
    Some(match word {
        "all" => Condition::Group(Group::default()),
        "any" => Condition::Group(Group { any: true, of: Vec::new() }),
        "none" => Condition::Not(Group { any: true, of: Vec::new() }),
        "text" => Condition::Text(String::new()),
        word => {
            let (field, operator) = word.split_once(':')?;
            Condition::Test(Test {
                field: field.to_owned(),
                operator: operator.to_owned(),
                ..Test::default()
            })
        }
    })
}

/// What kind of group it is.
pub(super) fn kind(group: &Group, not: bool) -> &'static str {
    match (group.any, not) {
        (false, false) => "all",
        (true, false) => "any",
        (false, true) => "not",
        (true, true) => "none",
    }
}

/// A scope as the value of a select; nothing for one that nobody has filled in.
pub(super) fn scope_value(scope: &Scope) -> String {
    match scope {
        Scope::Equal(it) | Scope::In(it) | Scope::IsIn(_, it) if it.id.is_empty() => String::new(),
        Scope::Is(kind) if kind.is_empty() => String::new(),
        Scope::All => "all".to_owned(),
        Scope::Equal(Named { kind, id }) => format!("one:{kind}:{id}"),
        Scope::In(Named { kind, id }) => format!("in:{kind}:{id}"),
        Scope::Is(kind) => format!("is:{kind}"),
        Scope::IsIn(kind, within) => format!("each:{kind}:{}:{}", within.kind, within.id),
    }
}

/// The scope of a select's value; of none that it offers, one that says nothing.
fn scope(value: &str) -> Scope {
    let nothing = || Scope::Is(String::new());
    let (how, rest) = value.split_once(':').unwrap_or((value, ""));
    let named = |text: &str| {
        let (kind, id) = parts(text)?;
        Some(Named { kind: kind.to_owned(), id: id.to_owned() })
    };
    match how {
        "all" => Scope::All,
        "one" => named(rest).map_or_else(nothing, Scope::Equal),
        "in" => named(rest).map_or_else(nothing, Scope::In),
        "is" => Scope::Is(rest.to_owned()),
        "each" => {
            let each =
                parts(rest).and_then(|(kind, within)| Some(Scope::IsIn(kind.to_owned(), named(within)?)));
            each.unwrap_or_else(nothing)
        }
        _ => nothing(),
    }
}

/// A type's name may have `::` in it, and ids may have anything.
fn parts(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = from.saturating_add(rest.find(':')?);
        match text.get(at..)?.strip_prefix("::") {
            Some(_) => from = at.saturating_add(2),
            None => return Some((text.get(..at)?, text.get(at.saturating_add(1)..)?)),
        }
    }
}

/// What is ticked, in the order in which it stood before; what is new comes last.
fn what(fields: &Fields) -> What {
    let before: Vec<&str> = fields.text("what_before").split('\n').collect();
    let place = |name: &str| before.iter().position(|it| *it == name).unwrap_or(before.len());
    let mut names: Vec<&str> = fields.starting("what-").collect();
    names.sort_by_key(|name| place(name));
    let listed = fields.text("what_listed") == "1";
    match names.as_slice() {
        [] => What::All,
        [one] if !listed => match one.strip_prefix("group:") {
            Some(group) => What::In(group.to_owned()),
            None => What::Equal((*one).to_owned()),
        },
        several => What::Listed(
            several.iter().map(|it| it.strip_prefix("group:").unwrap_or(it).to_owned()).collect(),
        ),
    }
}

/// The names that are ticked, as the boxes are called.
pub(super) fn ticked(what: &What) -> Vec<String> {
    let group = |name: &String| format!("group:{name}");
    match what {
        What::All => Vec::new(),
        What::Equal(one) => vec![one.clone()],
        What::In(name) => vec![group(name)],
        What::Listed(names) => {
            let is_action = |name: &str| Action::named(name).is_some();
            names.iter().map(|name| if is_action(name) { name.clone() } else { group(name) }).collect()
        }
    }
}
