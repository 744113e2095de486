//! What may decide goes to a form and back: the same policy, as Cedar's JSON has it, and the same answers.

use std::collections::BTreeSet;

use cedar_policy::Policy;
use serde_json::Value;

use super::drawn::Drawn;
use super::written::{in_force, validator};
use super::*;
use crate::policy::form::{Condition, Form, Group, NotShown, Test, fields, same};

fn json(text: &str) -> Value {
    Policy::parse(None, text).unwrap_or_else(|why| panic!("{why}: {text}")).to_json().unwrap()
}

/// What conditions stay Cedar text in a form, wherever they stand.
fn texts(group: &Group) -> Vec<&str> {
    let inside = group.of.iter().map(|it| match it {
        Condition::Group(inner) | Condition::Not(inner) => texts(inner),
        Condition::Text(text) => vec![text.as_str()],
        Condition::Test(_) => Vec::new(),
    });
    inside.flatten().collect()
}

/// The comparisons of a form, wherever they stand.
fn tests(form: &Form) -> Vec<Test> {
    fn of(group: &Group, found: &mut Vec<Test>) {
        for condition in &group.of {
            match condition {
                Condition::Group(inner) | Condition::Not(inner) => of(inner, found),
                Condition::Test(test) => found.push(test.clone()),
                Condition::Text(_) => {}
            }
        }
    }
    let mut found = Vec::new();
    form.clauses.iter().for_each(|clause| of(&clause.group, &mut found));
    found
}

/// Draws forms, and looks at each on its way to text, into Cedar, and back. Most may decide, some may not: a draft is edited
/// all the same.
fn round_trips(policies: usize, seed: u64) {
    let mut drawn = Drawn::new(seed);
    let (mut left, mut kept) = (policies, 0_usize);
    let mut met = BTreeSet::new();
    while left > 0 {
        let (_, form) = drawn.form();
        let text = form.to_text().unwrap_or_else(|flaws| panic!("{flaws:?} in {form:?}"));
        if crate::authz::bounded(&text).is_err() {
            continue;
        }
        left -= 1;
        let read = Form::read(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        // What the form wrote as a comparison is read as that comparison, with what was filled in.
        let mut back = tests(&read);
        for test in tests(&form) {
            let place = back.iter().position(|it| *it == test);
            back.swap_remove(place.unwrap_or_else(|| panic!("{test:?} is not read from {text}")));
            met.insert((test.field, test.operator));
        }
        let again = read.to_text().unwrap();
        assert_eq!(json(&again), json(&text), "{text}\n{again}");
        assert!(same(&text, &again), "{text}\n{again}");
        // Once written by the form, a text stays as it is, byte for byte.
        assert_eq!(Form::read(&again).unwrap().to_text().unwrap(), again, "{text}");
        kept += read.clauses.iter().map(|it| texts(&it.group).len()).sum::<usize>();
    }
    let all = fields().iter().flat_map(|field| field.operators.iter().map(|it| (field.name, it.name)));
    let missing: Vec<_> =
        all.filter(|(field, how)| !met.contains(&((*field).into(), (*how).into()))).collect();
    assert!(missing.is_empty(), "never met: {missing:?}");
    assert!(kept > policies / 2, "only {kept} conditions were such as no comparison says");
}

#[test]
fn policies_go_to_a_form_and_back() {
    round_trips(1_500, 11);
}

#[test]
#[ignore = "the same for ten thousand"]
fn ten_thousand_policies_go_to_a_form_and_back() {
    round_trips(10_000, 12);
}

#[test]
fn what_went_to_a_form_and_back_answers_as_before() {
    let (mut drawn, validator, rules) = (Drawn::new(13), validator(), Rules::builtin().unwrap());
    let (mut asked, mut fits) = (0, 0);
    for _ in 0..60 {
        let (scope, _, text, checked) = drawn.policy(&validator);
        let again = Form::read(&text).unwrap().to_text().unwrap();
        let (before, after) = (in_force(&[(scope, text.clone())]), in_force(&[(scope, again)]));
        for n in 1..=4_i64 {
            let mut principal = Principal::bare(Who::Person(drawn.one("Person")));
            principal.teams.push(drawn.one("Team"));
            give(&mut principal, *drawn.of(&Role::ALL), drawn.one("Project"));
            let moment = Circumstances {
                now: now() + TimeDelta::days(n),
                address: Some([192, 0, 2, 7].into()).filter(|_| n % 2 == 0),
                passkey_age: Some(n * 100),
                ..quiet()
            };
            for action in &checked.actions {
                let facts = if n % 2 == 0 { known() } else { Facts::default() };
                let target = thing_in(*action, drawn.one("Project")).with(facts);
                let one = rules.decide_with(&before, &principal, *action, &target, &moment);
                let other = rules.decide_with(&after, &principal, *action, &target, &moment);
                assert_eq!(one, other, "{text}");
                asked += 1;
                fits += usize::from(one.policies.iter().any(|it| it.contains('@')));
            }
        }
    }
    assert!(asked > 500 && fits > 20, "{fits} of {asked} were decided by what people wrote");
}

/// What people write by hand, in no layout of ours: the form says the same, or says what it cannot show, and the text itself
/// is nobody's to change.
#[test]
fn texts_written_by_hand_are_shown_as_they_are_or_not_at_all() {
    let around = |condition: &str| format!("forbid(principal,action,resource)when{{{condition}}};// why");
    for condition in [
        "context.weekday==6||context.weekday==7",
        "context.weekday > 5 // the weekend\n && !context.recovering",
        "context has address && !context.address.isInRange(ip(\"192.0.2.0/24\"))",
        "if context.recovering then true else context.now < datetime(\"2027-01-01\")",
        "1 + 1 == 2 && ([1, 2, 3].contains(context.weekday))",
        "((((context.weekday == 1))))",
        "principal in Team::\"caf\\u{e9}\" || principal in Team::\"cafe\\u{301}\"",
        "principal == Person::\"\\u{202e}olga\"",
    ] {
        let text = around(condition);
        let form = Form::read(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        assert_eq!(json(&form.to_text().unwrap()), json(&text), "{text}");
    }
    // Nothing is made of these, and it is said what is in the way.
    for (text, why) in [
        ("permit (principal == ?principal, action, resource);", NotShown::Template),
        ("permit (principal, action, resource); permit (principal, action, resource);", NotShown::Many(2)),
        ("// nothing yet", NotShown::Many(0)),
        ("permit (principal, action, resource) when { context. };", NotShown::Unreadable),
        ("permit (principal, action, resource) when { \"open };", NotShown::Unreadable),
        ("permit (principal in Team::\"a\u{200b}\", action, resource);", NotShown::Unreadable),
    ] {
        assert_eq!(Form::read(text), Err(why), "{text}");
    }
}

/// Two texts that only look alike are two.
#[test]
fn twins_in_a_text_are_not_taken_for_each_other() {
    let of = |team: &str| format!("forbid (principal in Team::\"{team}\", action, resource);");
    for (one, other) in [
        ("caf\u{e9}", "cafe\u{301}"),
        ("team", "Team"),
        ("team", "\u{ff54}eam"),
        ("team", "te\u{430}m"),
        ("team", "team\\u{200b}"),
        ("team", "team "),
    ] {
        let (one, other) = (of(one), of(other));
        assert!(!same(&one, &other), "{one} {other}");
        for text in [&one, &other] {
            let form = Form::read(text).unwrap();
            assert_eq!(json(&form.to_text().unwrap()), json(text));
            // None of them is somebody's id, so that none decides.
            assert!(check(&validator(), PolicyScope::Organization, text).is_err(), "{text}");
        }
    }
}
