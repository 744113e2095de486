//! Policies that may decide, drawn by chance: every form that a head has, every group of actions, every comparison that the
//! form knows (a row that is added there is drawn here) and what no comparison says, also what fails when it is asked.
//!
//! They speak of a small world, so that they often fit: people, teams and the like are numbered from 1 to [`most`].

use cedar_policy::Validator;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::policy::form::tests::Corpus;
use crate::policy::form::{Clause, Condition, Effect, Form, Group, Named, Scope, Takes, Test, What, fields};

/// How many there are of a kind.
pub(super) fn most(kind: &str) -> u128 {
    match kind {
        "ApiKey" | "Secret" => 8,
        "Environment" | "Person" => 6,
        "Project" | "Team" | "Workload" => 3,
        other => panic!("how many of {other}?"),
    }
}

/// What fails when it is asked, on most days or for some.
const FAILING: &[&str] = &[
    "context.weekday * 9223372036854775807 > 1",
    "9223372036854775807 + context.weekday > 1",
    "context has passkeyAge && context.passkeyAge * 9223372036854775807 >= 0",
];

/// What no comparison of the form says; `{Kind}` is the id of one of them. Add what decisions come to know of.
const TEXTS: &[&str] = &[
    "context.weekday > 5",
    "context.weekday - 3 > 0 || context.recovering",
    "context.now.toDate() == datetime(\"2027-01-15\") || context.weekday == 3",
    "context.now.offset(duration(\"12h\")) > datetime(\"2027-01-17T00:00:00Z\")",
    "context has address && context.address.isIpv6()",
    "context.signInMethod like \"*s*\"",
    "if context.recovering then false else context.weekday < 6",
    "principal in [Team::\"{Team}\", Team::\"{Team}\"]",
    "principal is Person in Team::\"{Team}\"",
    "principal == Workload::\"{Workload}\" || principal == Person::\"{Person}\"",
    "resource has project && principal in resource.project.viewer",
    "resource has project && !(principal in resource.project.manager)",
    "resource has project && [Project::\"{Project}\", Project::\"{Project}\"].contains(resource.project)",
    "resource has ownerPerson && resource.ownerPerson == principal",
    "resource has ownerTeam && principal in resource.ownerTeam",
    "resource has environment && resource.environment == Environment::\"{Environment}\"",
    "resource in [Environment::\"{Environment}\", Environment::\"{Environment}\"]",
    "resource is Secret && resource in Project::\"{Project}\"",
    "principal is Person && resource is Person && principal == resource",
    "action in [Action::\"as-issuer\", Action::\"reading\"]",
    "!(action == Action::\"key.rotate\")",
    "resource.hasTag(\"team\") && resource.getTag(\"team\") like \"pay*\"",
    "resource.hasTag(\"team\") && resource.hasTag(\"data\")",
    "!(resource.hasTag(\"a.b-c_d\"))",
    "resource has environment && resource.environment.label == \"live\"",
    "resource has project && resource.project.slug like \"project-*\"",
    "context.clock.hasTag(\"Europe/Berlin\") && context.clock.getTag(\"Europe/Berlin\").time > duration(\"12h\")",
    "context.clock.hasTag(\"Asia/Kolkata\") && context.clock.getTag(\"Asia/Kolkata\").weekday == 6",
    "!context.reasonGiven",
];

/// What may stand for whom, and for what, in a head.
const WHO: [&str; 3] = ["Operator", "Person", "Workload"];
const THINGS: [&str; 7] = ["ApiKey", "Environment", "Person", "Project", "Secret", "Team", "Workload"];

/// Draws.
pub(super) struct Drawn(pub(super) Corpus);

impl Drawn {
    pub(super) fn new(seed: u64) -> Self {
        Self(Corpus(ChaCha20Rng::seed_from_u64(seed)))
    }

    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0.below(most)
    }

    pub(super) fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        self.0.of(list)
    }

    /// Whether something happens that happens once in so many times.
    pub(super) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of those of a kind.
    pub(super) fn one<I: TypedId>(&mut self, kind: &str) -> I {
        id(self.0.0.random_range(1..=most(kind)))
    }

    /// The id that policies know one of a kind by.
    fn name(&mut self, kind: &str) -> String {
        match kind {
            "ApiKey" => self.one::<keywarden_model::ApiKeyId>(kind).to_string(),
            "Environment" => self.one::<keywarden_model::EnvironmentId>(kind).to_string(),
            "OrganizationRole" => (*self.of(&["admin", "auditor", "owner"])).to_owned(),
            "Person" => self.one::<keywarden_model::UserId>(kind).to_string(),
            "Project" => self.one::<ProjectId>(kind).to_string(),
            "Secret" => self.one::<keywarden_model::SecretId>(kind).to_string(),
            "Team" => self.one::<keywarden_model::TeamId>(kind).to_string(),
            "Workload" => self.one::<keywarden_model::WorkloadId>(kind).to_string(),
            other => panic!("who is a {other}?"),
        }
    }

    fn named(&mut self, kinds: &[&str]) -> Named {
        let kind = (*self.of(kinds)).to_owned();
        Named { id: self.name(&kind), kind }
    }

    fn who(&mut self) -> Scope {
        match self.below(8) {
            0..=2 => Scope::All,
            3 => Scope::Is((*self.of(&WHO)).to_owned()),
            4 => Scope::Equal(self.named(&["Person", "Workload"])),
            5 | 6 => Scope::In(self.named(&["OrganizationRole", "Team"])),
            _ => Scope::IsIn("Person".to_owned(), self.named(&["OrganizationRole", "Team"])),
        }
    }

    fn things(&mut self) -> Scope {
        match self.below(10) {
            0..=3 => Scope::All,
            4 => Scope::Is((*self.of(&THINGS)).to_owned()),
            5 => Scope::Equal(self.named(&THINGS)),
            6..=8 => Scope::In(self.named(&["Environment", "Project"])),
            _ => {
                let kind = (*self.of(&["ApiKey", "Environment", "Secret", "Workload"])).to_owned();
                Scope::IsIn(kind, self.named(&["Environment", "Project"]))
            }
        }
    }

    /// Of actions that such a policy may be about; groups are drawn as they are.
    fn what(&mut self, effect: Effect, of_projects: bool) -> What {
        // What lists are made by is seldom refused a place, a time or a condition.
        let listed = self.one_in(3);
        let fits = |action: &&Action| {
            (effect == Effect::Forbid || action.is_grantable())
                && (!of_projects || action.is_of_projects())
                && (listed || !action.is_listed())
        };
        let pool: Vec<_> = Action::ALL.iter().filter(fits).collect();
        match self.below(8) {
            0 | 1 => What::In((*self.of(&Action::all_groups().collect::<Vec<_>>())).to_owned()),
            2 if effect == Effect::Forbid => What::All,
            2 => What::Equal(self.of(&pool).name().to_owned()),
            3 => What::Listed(vec![(*self.of(&["as-issuer", "as-key-owner", "as-reader"])).to_owned()]),
            _ => What::Listed((0..=self.below(6)).map(|_| self.of(&pool).name().to_owned()).collect()),
        }
    }

    fn test(&mut self) -> Test {
        let field = self.0.of(fields());
        let operator = self.0.of(field.operators);
        let value = match operator.takes {
            Takes::Thing(kind) => self.name(kind),
            takes => self.0.value(takes),
        };
        Test { field: field.name.to_owned(), operator: operator.name.to_owned(), value }
    }

    fn text(&mut self) -> String {
        let texts = if self.one_in(6) { FAILING } else { TEXTS };
        let (mut rest, mut text) = (*self.of(texts), String::new());
        while let Some((before, after)) = rest.split_once('{') {
            let (kind, beyond) = after.split_once('}').unwrap();
            text.push_str(before);
            text.push_str(&self.name(kind));
            rest = beyond;
        }
        text + rest
    }

    fn group(&mut self, depth: usize) -> Group {
        let of = (0..=self.below(2))
            .map(|_| match self.below(if depth < 3 { 6 } else { 4 }) {
                0 | 1 => Condition::Test(self.test()),
                2 | 3 => Condition::Text(self.text()),
                4 => Condition::Not(self.group(depth + 1)),
                _ => Condition::Group(self.group(depth + 1)),
            })
            .collect();
        Group { any: self.one_in(2), of }
    }

    /// Where it is to hold, and a form of it; it may be refused all the same.
    pub(super) fn form(&mut self) -> (PolicyScope, Form) {
        let scope = if self.one_in(4) {
            PolicyScope::Project(self.one("Project"))
        } else {
            PolicyScope::Organization
        };
        let effect = if self.one_in(2) { Effect::Forbid } else { Effect::Permit };
        let what = self.what(effect, scope != PolicyScope::Organization);
        // Groups are of actions that lists are made by, too: most of what a place or a thing decides over is refused there.
        let group = matches!(what, What::In(_));
        let things = if group && !self.one_in(4) { Scope::All } else { self.things() };
        let conditions = match what {
            // What forbids everything everywhere leaves little to be told apart.
            What::All => 1 + self.below(2),
            What::In(_) if self.one_in(2) => 0,
            What::Equal(_) | What::In(_) | What::Listed(_) => self.below(3),
        };
        let clauses =
            (0..conditions).map(|_| Clause { unless: self.one_in(3), group: self.group(1) }).collect();
        let annotations = std::collections::BTreeMap::new();
        (scope, Form { annotations, effect, who: self.who(), what, things, clauses })
    }

    /// One that may decide.
    pub(super) fn policy(&mut self, validator: &Validator) -> (PolicyScope, Form, String, Checked) {
        for _ in 0..10_000 {
            let (scope, form) = self.form();
            let text = form.to_text().unwrap_or_else(|flaws| panic!("{flaws:?} in {form:?}"));
            if let Ok(checked) = check(validator, scope, &text) {
                return (scope, form, text, checked);
            }
        }
        panic!("ten thousand forms, and none of them may decide");
    }
}

/// The proof is worth as much as what is drawn: every kind of head, every group and every comparison comes to decide.
#[test]
fn everything_that_a_policy_can_say_is_drawn() {
    let (mut drawn, validator) = (Drawn::new(5), written::validator());
    let mut seen = std::collections::BTreeSet::new();
    let mut note = |word: String| seen.insert(word);
    for _ in 0..1_200 {
        let (scope, form, ..) = drawn.policy(&validator);
        let head = |scope: &Scope| match scope {
            Scope::All => "all",
            Scope::Equal(_) => "equal",
            Scope::In(_) => "in",
            Scope::Is(_) => "is",
            Scope::IsIn(..) => "is-in",
        };
        let place = if scope == PolicyScope::Organization { "organization" } else { "project" };
        let effect = if form.effect == Effect::Forbid { "forbid" } else { "permit" };
        note(format!("{effect} {place}"));
        note(format!("who {}", head(&form.who)));
        note(format!("things {}", head(&form.things)));
        match &form.what {
            What::All => note("what all".into()),
            What::Equal(_) => note("what equal".into()),
            What::In(group) => note(format!("group {group}")),
            What::Listed(_) => note("what listed".into()),
        };
        for (field, sort) in fields().iter().flat_map(|it| it.operators.iter().map(move |op| (it, op))) {
            let same = |it: &Condition| matches!(it, Condition::Test(it) if it.field == field.name && it.operator == sort.name);
            if form.clauses.iter().any(|it| holds(&it.group, &same)) {
                note(format!("test {} {}", field.name, sort.name));
            }
        }
        for (place, condition) in TEXTS.iter().enumerate() {
            let begins = condition.split_once('{').map_or(*condition, |(before, _)| before);
            let same = |it: &Condition| matches!(it, Condition::Text(text) if text.starts_with(begins));
            if form.clauses.iter().any(|it| holds(&it.group, &same)) {
                note(format!("text {place}"));
            }
        }
    }
    let heads = ["all", "equal", "in", "is", "is-in"];
    let expected = (heads.iter().flat_map(|it| [format!("who {it}"), format!("things {it}")]))
        .chain(["all", "equal", "listed"].map(|it| format!("what {it}")))
        .chain(
            ["forbid", "permit"]
                .iter()
                .flat_map(|it| ["organization", "project"].map(|place| format!("{it} {place}"))),
        )
        .chain(Action::all_groups().map(|it| format!("group {it}")))
        .chain(fields().iter().flat_map(|field| {
            field.operators.iter().map(|sort| format!("test {} {}", field.name, sort.name))
        }));
    let missing: Vec<_> = expected.filter(|it| !seen.contains(it)).collect();
    assert!(missing.is_empty(), "never drawn: {missing:#?}");
    let texts = seen.iter().filter(|it| it.starts_with("text ")).count();
    assert!(texts * 4 > TEXTS.len() * 3, "only {texts} of {}: {seen:?}", TEXTS.len());
}

fn holds(group: &Group, same: &dyn Fn(&Condition) -> bool) -> bool {
    group.of.iter().any(|it| match it {
        Condition::Group(inner) | Condition::Not(inner) => holds(inner, same),
        Condition::Test(_) | Condition::Text(_) => same(it),
    })
}
