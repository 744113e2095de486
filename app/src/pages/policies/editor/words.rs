//! What the browser's side of the editor says, and the words that it completes.

use keywarden_domain::{Action, authz};

use super::super::names::Names;
use crate::text::Text;

/// Of the language itself.
const KEYWORDS: [&str; 22] = [
    "permit",
    "forbid",
    "principal",
    "action",
    "resource",
    "context",
    "when",
    "unless",
    "has",
    "like",
    "then",
    "else",
    "true",
    "false",
    "isInRange(ip(\"\"))",
    "contains()",
    "containsAny([])",
    "hasTag(\"\")",
    "getTag(\"\")",
    "toTime()",
    "datetime(\"\")",
    "duration(\"\")",
];

/// What it says of the two sides: a line for each of their states.
pub(super) fn says(t: Text) -> String {
    lines([
        ("same".to_owned(), t.policies_live_same().to_owned()),
        ("unfinished".to_owned(), t.policies_live_unfinished().to_owned()),
        ("unreadable".to_owned(), t.policies_live_unreadable().to_owned()),
        ("text".to_owned(), t.policies_live_text().to_owned()),
        ("apart".to_owned(), t.policies_live_apart().to_owned()),
        ("failed".to_owned(), t.policies_live_failed().to_owned()),
    ])
}

/// The language's words, the schema's, and what there is that the author may see: a line for each, with what it means.
pub(super) fn vocabulary(t: Text, names: &Names) -> String {
    let keywords = KEYWORDS.iter().map(|it| ((*it).to_owned(), String::new()));
    let schema = authz::words().unwrap_or_default().into_iter().map(|it| match it {
        authz::Word::Action(name) => {
            let means = Action::named(&name).map_or_else(String::new, |_| t.action(&name));
            (entity("Action", &name), means)
        }
        authz::Word::Context(name, kind) => (format!("context.{name}"), kind),
        authz::Word::Named(kind, name) => {
            let means = t.policies_named(&t.policies_one_of(&kind), &names.named(t, &kind, &name));
            (entity(&kind, &name), means)
        }
        authz::Word::Of(of, name, kind) => {
            let of = t.policies_live_of(&t.policies_one_of(&of), &kind);
            (format!("resource.{name}"), of)
        }
        authz::Word::Type(kind) => {
            let means = t.policies_one_of(&kind);
            (kind, means)
        }
    });
    let there = names.each_thing();
    let there =
        there.map(|(kind, id, name)| (entity(kind, id), t.policies_named(&t.policies_one_of(kind), name)));
    lines(keywords.chain(schema).chain(there))
}

/// Each a line, with a tab between its parts; names have neither in them.
fn lines(parts: impl IntoIterator<Item = (String, String)>) -> String {
    let mut lines = String::new();
    for (one, other) in parts {
        lines.extend([&one, "\t", &other, "\n"]);
    }
    lines
}

/// As Cedar names a thing. Ids have nothing in them that would end the string.
fn entity(kind: &str, id: &str) -> String {
    format!("{kind}::\"{id}\"")
}
