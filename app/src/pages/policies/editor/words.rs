//! What the browser's side of the editor says, and the words that it completes.

use keywarden_domain::{Action, authz};

use super::super::names::Names;
use crate::{
    islands::{TwoSidesWords, two_sides::Word},
    text::Text,
};

/// Of the language itself.
const KEYWORDS: [&str; 20] = [
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
    "toTime()",
    "datetime(\"\")",
    "duration(\"\")",
];

/// What it says of the two sides.
pub(super) fn live(t: Text) -> TwoSidesWords {
    TwoSidesWords {
        same: t.policies_live_same().to_owned(),
        unfinished: t.policies_live_unfinished().to_owned(),
        unreadable: t.policies_live_unreadable().to_owned(),
        text: t.policies_live_text().to_owned(),
        apart: t.policies_live_apart().to_owned(),
        failed: t.policies_live_failed().to_owned(),
        offers: t.policies_live_offers().to_owned(),
    }
}

/// The language's words, the schema's, and what there is that the author may see.
pub(super) fn vocabulary(t: Text, names: &Names) -> Vec<Word> {
    let word = |text: String, means: String| Word { text, means };
    let keywords = KEYWORDS.iter().map(|it| word((*it).to_owned(), String::new()));
    let schema = authz::words().unwrap_or_default().into_iter().map(|it| match it {
        authz::Word::Action(name) => {
            let means = Action::named(&name).map_or_else(String::new, |_| t.action(&name));
            word(entity("Action", &name), means)
        }
        authz::Word::Context(name, kind) => word(format!("context.{name}"), kind),
        authz::Word::Named(kind, name) => {
            let means = t.policies_named(&t.policies_one_of(&kind), &names.named(t, &kind, &name));
            word(entity(&kind, &name), means)
        }
        authz::Word::Of(of, name, kind) => {
            let of = t.policies_live_of(&t.policies_one_of(&of), &kind);
            word(format!("resource.{name}"), of)
        }
        authz::Word::Type(kind) => {
            let means = t.policies_one_of(&kind);
            word(kind, means)
        }
    });
    let there = names
        .each_thing()
        .map(|(kind, id, name)| word(entity(kind, id), t.policies_named(&t.policies_one_of(kind), name)));
    keywords.chain(schema).chain(there).collect()
}

/// As Cedar names a thing. Ids have nothing in them that would end the string.
fn entity(kind: &str, id: &str) -> String {
    format!("{kind}::\"{id}\"")
}
