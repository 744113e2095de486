//! From a form to Cedar text.

use std::fmt::Write as _;

use cedar_policy::Policy;

use crate::authz::bounded;

use super::fields;
use super::takes::is_unseen;
use super::{Clause, Condition, DEEPEST, Effect, Form, Group, Named, Scope, Test, What};

/// What is wrong, and where: a condition's path is its clause's place and then its place in each group, `0-2-1`; the
/// parts before the clauses are called `who`, `what` and `things`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where.
    pub at: String,
    /// What.
    pub wrong: Wrong,
}

/// What is wrong with a part of a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It is no address and no range of addresses.
    #[error("write an address or a range: `10.0.0.0/8`")]
    Address,
    /// Nothing was chosen, or nothing that there is.
    #[error("choose one")]
    Choose,
    /// They are no days of the week.
    #[error("choose one day or several")]
    Days,
    /// Groups lie in each other too deep.
    #[error("groups lie in each other at most {DEEPEST} deep")]
    Deep,
    /// A group without conditions.
    #[error("add a condition, or remove the group")]
    Empty,
    /// It is no instant.
    #[error("write an instant: `2026-12-31T18:00:00Z`")]
    Instant,
    /// Something must be written.
    #[error("fill this in")]
    Missing,
    /// It is no whole number.
    #[error("write a whole number")]
    Number,
    /// It is no slug.
    #[error("write the short name that stands in addresses: `production`")]
    Slug,
    /// It is no tag.
    #[error("write a tag: `team` or `team=payments`, with a lower-case name")]
    Tag,
    /// It is no Cedar expression.
    #[error("this is no condition in Cedar: {0}")]
    Text(String),
    /// It is no time of the day.
    #[error("write a time of the day: `09:30`")]
    Time,
    /// There is no such time zone.
    #[error("write a time zone by its name: `Europe/Berlin`")]
    Zone,
}

/// A line that is longer is broken.
const WIDE: usize = 96;

impl Form {
    /// The policy as Cedar text, or everything that is wrong with the form.
    pub fn to_text(&self) -> Result<String, Vec<Flaw>> {
        let mut writer = Writer { flaws: Vec::new() };
        let text = writer.policy(self);
        if writer.flaws.is_empty() { Ok(text) } else { Err(writer.flaws) }
    }
}

struct Writer {
    flaws: Vec<Flaw>,
}

impl Writer {
    fn wrong(&mut self, at: &str, wrong: Wrong) {
        self.flaws.push(Flaw { at: at.to_owned(), wrong });
    }

    fn policy(&mut self, form: &Form) -> String {
        let mut text = String::new();
        for (name, value) in &form.annotations {
            if !is_word(name) {
                continue;
            }
            let _ = match value {
                Some(value) => writeln!(text, "@{name}({})", literal(value)),
                None => writeln!(text, "@{name}"),
            };
        }
        text.push_str(match form.effect {
            Effect::Forbid => "forbid ",
            Effect::Permit => "permit ",
        });
        let who = self.scope("who", "principal", &form.who);
        let what = self.what(&form.what);
        let things = self.scope("things", "resource", &form.things);
        let head = format!("({who}, {what}, {things})");
        if head.len() <= WIDE {
            text.push_str(&head);
        } else {
            let _ = write!(text, "(\n    {who},\n    {what},\n    {things}\n)");
        }
        for (place, clause) in form.clauses.iter().enumerate() {
            self.clause(&mut text, &place.to_string(), clause);
        }
        text.push_str(";\n");
        text
    }

    fn scope(&mut self, at: &str, variable: &str, scope: &Scope) -> String {
        let kind = match scope {
            Scope::All => return variable.to_owned(),
            Scope::Equal(named) | Scope::In(named) => &named.kind,
            Scope::Is(kind) | Scope::IsIn(kind, _) => kind,
        };
        let whole = match scope {
            Scope::Equal(named) | Scope::In(named) | Scope::IsIn(_, named) => {
                is_name(&named.kind) && !named.id.is_empty()
            }
            Scope::All | Scope::Is(_) => true,
        };
        if !is_name(kind) || !whole {
            self.wrong(at, Wrong::Choose);
        }
        match scope {
            Scope::All => variable.to_owned(),
            Scope::Equal(named) => format!("{variable} == {}", entity(named)),
            Scope::In(named) => format!("{variable} in {}", entity(named)),
            Scope::Is(kind) => format!("{variable} is {kind}"),
            Scope::IsIn(kind, named) => format!("{variable} is {kind} in {}", entity(named)),
        }
    }

    fn what(&mut self, what: &What) -> String {
        let action = |name: &String| format!("Action::{}", literal(name));
        match what {
            What::All => "action".to_owned(),
            What::Equal(name) => format!("action == {}", action(name)),
            What::In(name) => format!("action in {}", action(name)),
            What::Listed(names) => {
                if names.is_empty() {
                    self.wrong("what", Wrong::Choose);
                }
                let line = names.iter().map(action).collect::<Vec<_>>();
                let inline = format!("action in [{}]", line.join(", "));
                if inline.len() <= WIDE {
                    inline
                } else {
                    format!("action in [\n        {}\n    ]", line.join(",\n        "))
                }
            }
        }
    }

    fn clause(&mut self, text: &mut String, at: &str, clause: &Clause) {
        let word = if clause.unless { "unless" } else { "when" };
        let body = self.group(at, &clause.group, 1);
        let line = body.join(joint(clause.group.any));
        if !line.contains('\n') && line.len().saturating_add(word.len()) < WIDE {
            let _ = write!(text, "\n{word} {{ {line} }}");
        } else {
            let body = body.join(broken(clause.group.any));
            let _ = write!(text, "\n{word} {{\n    {}\n}}", body.replace('\n', "\n    "));
        }
    }

    /// The parts of a group, each as it stands between its operators.
    fn group(&mut self, at: &str, group: &Group, depth: usize) -> Vec<String> {
        if group.of.is_empty() {
            self.wrong(at, Wrong::Empty);
        }
        if depth > DEEPEST {
            self.wrong(at, Wrong::Deep);
            return Vec::new();
        }
        let mut parts = Vec::new();
        for (place, condition) in group.of.iter().enumerate() {
            let at = format!("{at}-{place}");
            match condition {
                Condition::Group(inner) => parts.push(self.nested(&at, inner, depth)),
                Condition::Not(inner) => {
                    let nested = self.nested(&at, inner, depth);
                    parts.push(format!("!{nested}"));
                }
                // Below `||` a guard and its test belong together anyway: `&&` binds closer.
                Condition::Test(test) => parts.push(self.test(&at, test)),
                Condition::Text(text) => match canonical(text) {
                    Ok(text) => parts.push(format!("({text})")),
                    Err(why) => self.wrong(&at, Wrong::Text(why)),
                },
            }
        }
        parts
    }

    fn nested(&mut self, at: &str, group: &Group, depth: usize) -> String {
        let parts = self.group(at, group, depth.saturating_add(1));
        let line = parts.join(joint(group.any));
        if !line.contains('\n') && line.len() < WIDE.saturating_sub(20) {
            format!("({line})")
        } else {
            format!("(\n    {}\n)", parts.join(broken(group.any)).replace('\n', "\n    "))
        }
    }

    fn test(&mut self, at: &str, test: &Test) -> String {
        let field = fields::field(&test.field);
        let known = field.and_then(|field| Some((field, field.operator(&test.operator)?)));
        let text = match known {
            None => Err(Wrong::Choose),
            Some((field, operator)) => {
                operator.takes.filled(&test.value).map(|filled| operator.text(field, &filled))
            }
        };
        text.unwrap_or_else(|wrong| {
            self.wrong(at, wrong);
            String::new()
        })
    }
}

fn joint(any: bool) -> &'static str {
    if any { " || " } else { " && " }
}

fn broken(any: bool) -> &'static str {
    if any { " ||\n" } else { " &&\n" }
}

fn entity(named: &Named) -> String {
    format!("{}::{}", named.kind, literal(&named.id))
}

/// Text as a Cedar string.
pub(super) fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len().saturating_add(2));
    literal.push('"');
    for letter in text.chars() {
        escape(&mut literal, letter);
    }
    literal.push('"');
    literal
}

fn escape(literal: &mut String, letter: char) {
    match letter {
        '"' => literal.push_str("\\\""),
        '\\' => literal.push_str("\\\\"),
        '\n' => literal.push_str("\\n"),
        '\t' => literal.push_str("\\t"),
        '\r' => literal.push_str("\\r"),
        // Also what hides or turns around what is beside it.
        letter if letter.is_control() || is_unseen(letter) => {
            let _ = write!(literal, "\\u{{{:x}}}", u32::from(letter));
        }
        letter => literal.push(letter),
    }
}

/// The name of a type: words with `::` between them.
fn is_name(name: &str) -> bool {
    name.split("::").all(is_word)
}

fn is_word(word: &str) -> bool {
    word.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_')
        && word.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
}

const BEFORE: &str = "permit(principal, action, resource) when {";

/// One condition as Cedar writes it down itself, so that nothing in it reaches further than it should.
fn canonical(text: &str) -> Result<String, String> {
    bounded(text).map_err(|it| it.to_string())?;
    let policy = Policy::parse(None, format!("{BEFORE}\n{text}\n}};")).map_err(|it| it.to_string())?;
    let json = policy.to_json().map_err(|it| it.to_string())?;
    match json.get("conditions").and_then(serde_json::Value::as_array).map(Vec::as_slice) {
        Some([one]) if one.get("kind").and_then(|it| it.as_str()) == Some("when") => {
            one.get("body").and_then(expression).ok_or_else(|| "it cannot be written down".to_owned())
        }
        _ => Err("it is more than one condition".to_owned()),
    }
}

/// The text of an expression of Cedar's JSON.
pub(super) fn expression(body: &serde_json::Value) -> Option<String> {
    let all = serde_json::json!({ "op": "All" });
    let policy = serde_json::json!({
        "effect": "permit", "principal": all, "action": all, "resource": all,
        "conditions": [{ "kind": "when", "body": body }],
    });
    // What it prints is this JSON; `to_cedar` would print what Cedar makes of it, where `a > b` is `!(a <= b)`.
    let text = Policy::from_json(None, policy).ok()?.to_string();
    let (_, after) = text.split_once("when {")?;
    let (body, _) = after.rsplit_once('}')?;
    Some(body.trim().to_owned())
}
