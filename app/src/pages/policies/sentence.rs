//! A policy as a sentence: who can, or must never, do what to which things, when, unless.

use keywarden_domain::policy::form::{
    Clause, Condition, Effect, Form, Group, Scope, Takes, Test, What, field,
};
use leptos::prelude::*;

use super::{editor::zoned, names::Names};
use crate::text::Text;

/// The sentence, with the names of whom and what it speaks of.
pub(super) fn sentence(t: Text, form: &Form, names: &Names) -> AnyView {
    let verb = match form.effect {
        Effect::Forbid => {
            view! { <strong class="policy-never">{t.policies_must_never()}</strong> }.into_any()
        }
        Effect::Permit => view! { <strong class="policy-can">{t.policies_can()}</strong> }.into_any(),
    };
    let who = part(who(t, &form.who, names));
    let at = place(t, &form.what, &form.things, names);
    let clauses = form.clauses.iter().map(|it| clause(t, it, names)).collect_view();
    view! {
        <div class="policy-sentence">
            <p>{who} " " {verb} " " {what(t, &form.what)} " " {at}</p>
            {clauses}
        </div>
    }
    .into_any()
}

/// Words, or a name that somebody gave.
fn part((words, named): (String, bool)) -> AnyView {
    view! { <span class="policy-part" translate=named.then_some("no")>{words}</span> }.into_any()
}

fn who(t: Text, scope: &Scope, names: &Names) -> (String, bool) {
    match scope {
        Scope::All => (t.policies_anyone().to_owned(), false),
        Scope::Is(kind) => (t.policies_each(kind), false),
        Scope::Equal(it) | Scope::In(it) | Scope::IsIn(_, it) => (names.of(t, it), true),
    }
}

/// To which things it is done, or where: "anything" is done to things, the other verbs name what they are done to.
fn place(t: Text, what: &What, scope: &Scope, names: &Names) -> AnyView {
    let joint = match (what, scope) {
        (What::All, _) => t.policies_to(),
        (_, Scope::All) => return part((t.policies_anywhere().to_owned(), false)),
        (_, Scope::Equal(it) | Scope::In(it)) if ["Environment", "Project"].contains(&it.kind.as_str()) => {
            t.policies_in()
        }
        _ => t.policies_namely(),
    };
    view! { {joint} " " {part(things(t, scope, names))} }.into_any()
}

fn things(t: Text, scope: &Scope, names: &Names) -> (String, bool) {
    match scope {
        Scope::All => (t.policies_everything().to_owned(), false),
        Scope::Is(kind) => (t.policies_each(kind), false),
        Scope::Equal(it) | Scope::In(it) => (names.of(t, it), true),
        Scope::IsIn(kind, it) => (t.policies_each_in(&t.policies_each(kind), &names.of(t, it)), false),
    }
}

/// What it lets them do, as a list where there is more than one.
fn what(t: Text, what: &What) -> AnyView {
    let words = match what {
        What::All => vec![t.policies_anything().to_owned()],
        What::Equal(name) | What::In(name) => vec![t.action(name)],
        What::Listed(names) => names.iter().map(|name| t.action(name)).collect(),
    };
    let last = words.len().saturating_sub(1);
    let words = words.into_iter().enumerate().map(|(at, words)| {
        let between = (at > 0).then(|| if at == last { t.policies_or() } else { t.policies_comma() });
        view! { {between} <span class="policy-part">{words}</span> }
    });
    words.collect_view().into_any()
}

fn clause(t: Text, clause: &Clause, names: &Names) -> AnyView {
    let word = if clause.unless { t.policies_unless() } else { t.policies_when() };
    view! { <p><strong>{word}</strong>" "{head(t, &clause.group)}</p> {list(t, &clause.group, names)} }
        .into_any()
}

/// What counts of several; one alone needs no word.
fn head(t: Text, group: &Group) -> Option<&'static str> {
    (group.of.len() > 1).then(|| if group.any { t.policies_any_of() } else { t.policies_all_of() })
}

fn list(t: Text, group: &Group, names: &Names) -> AnyView {
    let items = group.of.iter().map(|it| view! { <li>{condition(t, it, names)}</li> }).collect_view();
    view! { <ul>{items}</ul> }.into_any()
}

fn condition(t: Text, condition: &Condition, names: &Names) -> AnyView {
    match condition {
        Condition::Group(group) => view! { {head(t, group)} {list(t, group, names)} }.into_any(),
        Condition::Not(group) => {
            let head = if group.any { t.policies_none_of() } else { t.policies_not_all_of() };
            view! { {head} {list(t, group, names)} }.into_any()
        }
        Condition::Test(it) => test(t, it, names),
        Condition::Text(text) => view! { <code translate="no">{text.clone()}</code> }.into_any(),
    }
}

fn test(t: Text, test: &Test, names: &Names) -> AnyView {
    let takes = field(&test.field).and_then(|field| field.operator(&test.operator)).map(|it| it.takes);
    let words = t.policies_test(&test.field, &test.operator);
    let value = match takes {
        None | Some(Takes::Nothing) => return words.into_any(),
        Some(Takes::Thing(kind)) => names.named(t, kind, &test.value),
        Some(Takes::Days) => t.policies_days(&test.value),
        Some(Takes::Number) => t.policies_seconds(&test.value),
        Some(Takes::Word(_)) => t.policies_method(&test.value).to_owned(),
        Some(Takes::ZonedDays) => {
            let (zone, days) = zoned(&test.value);
            t.policies_each_in(&t.policies_days(days), zone)
        }
        Some(Takes::ZonedTime) => {
            let (zone, time) = zoned(&test.value);
            t.policies_each_in(time, zone)
        }
        Some(Takes::Address | Takes::Instant | Takes::Slug | Takes::Tag | Takes::TagName | Takes::Time) => {
            test.value.clone()
        }
    };
    view! { {words} " " <span class="policy-part" translate="no">{value}</span> }.into_any()
}
