//! Forms and texts, to and fro.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

use super::read::one;
use super::*;

/// Makes forms by chance, of names that try to be something else. Those that speak of things as they are, and may decide, are
/// drawn by `authz/tests/drawn.rs`.
pub(crate) struct Corpus(pub(crate) ChaCha20Rng);

impl Corpus {
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0.random_range(0..most)
    }

    pub(crate) fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let place = self.below(list.len());
        &list[place]
    }

    fn word(&mut self) -> String {
        let words =
            ["a", "pay", "x y", "ü–ß", "say \"hi\"", "back\\slash", "per*cent", "1", "}; //", "\u{202e}x"];
        (*self.of(&words)).to_owned()
    }

    fn named(&mut self) -> Named {
        let kind = *self.of(&["Person", "Team", "Project", "Secret", "Workload"]);
        Named { kind: kind.to_owned(), id: self.word() }
    }

    fn scope(&mut self) -> Scope {
        match self.below(5) {
            0 => Scope::All,
            1 => Scope::Equal(self.named()),
            2 => Scope::In(self.named()),
            3 => Scope::Is(self.named().kind),
            _ => Scope::IsIn(self.named().kind, self.named()),
        }
    }

    fn what(&mut self) -> What {
        match self.below(4) {
            0 => What::All,
            1 => What::Equal(self.word()),
            2 => What::In(self.word()),
            _ => What::Listed((0..=self.below(4)).map(|_| self.word()).collect()),
        }
    }

    pub(crate) fn value(&mut self, takes: Takes) -> String {
        let values: &[&str] = match takes {
            Takes::Address => &["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "0.0.0.0/0"],
            Takes::Days => &["1 2 3 4 5", "7", "1 3 5", "1 2 3 4 5 6 7"],
            Takes::Instant => &["2026-12-31T18:00:00Z", "2027-01-01T00:00:00.250Z"],
            Takes::Nothing => &[""],
            Takes::Number => &["0", "7", "300", "9223372036854775807"],
            Takes::Slug => &["production", "a-1"],
            Takes::Tag => {
                &["team", "team=payments", "data=ü “x” \\ y", "say=\"hi\"); permit(principal", "a=b=c"]
            }
            Takes::TagName => &["team", "a.b-c_d"],
            Takes::Thing(_) => return self.word(),
            Takes::Time => &["00:00", "09:30", "08:00", "23:59", "00:05"],
            Takes::Word(words) => words,
            Takes::ZonedDays => &["Europe/Berlin 1 2 3", "UTC 7"],
            Takes::ZonedTime => &["America/New_York 09:30", "Asia/Kolkata 00:00"],
        };
        (*self.of(values)).to_owned()
    }

    fn test(&mut self) -> Test {
        let field = self.of(fields());
        let operator = self.of(field.operators);
        let value = self.value(operator.takes);
        Test { field: field.name.to_owned(), operator: operator.name.to_owned(), value }
    }

    fn text(&mut self) -> String {
        let texts = [
            "principal == resource",
            "context.recovering == false && 1 > -(2)",
            "if principal has project then true else resource has name.first",
            "[1, 2].containsAll([2]) || {\"a b\": 1, c: \"*\"}.c like \"\\*x*\"",
            "resource is Secret in Project::\"a\\\"b\"",
            "ip(\"10.0.0.1\").isLoopback() // a word about it",
            "!(!(principal in [Team::\"a\", Team::\"b\"]))",
            "resource[\"odd name\"] != decimal(\"1.2\").lessThan(decimal(\"2.3\"))",
        ];
        (*self.of(&texts)).to_owned()
    }

    fn group(&mut self, depth: usize) -> Group {
        let of = (0..=self.below(3))
            .map(|_| match self.below(if depth < DEEPEST { 7 } else { 5 }) {
                0..=3 => Condition::Test(self.test()),
                4 => Condition::Text(self.text()),
                5 => Condition::Not(self.group(depth + 1)),
                _ => Condition::Group(self.group(depth + 1)),
            })
            .collect();
        Group { any: self.0.random(), of }
    }

    fn form(&mut self) -> Form {
        let annotations = match self.below(3) {
            0 => [("id".to_owned(), Some(self.word())), ("bare".to_owned(), None)].into(),
            _ => BTreeMap::new(),
        };
        Form {
            annotations,
            effect: *self.of(&[Effect::Forbid, Effect::Permit]),
            who: self.scope(),
            what: self.what(),
            things: self.scope(),
            clauses: (0..self.below(4))
                .map(|_| Clause { unless: self.0.random(), group: self.group(1) })
                .collect(),
        }
    }
}

fn corpus(forms: usize, seed: u64) {
    let mut corpus = Corpus(ChaCha20Rng::seed_from_u64(seed));
    let (mut asked, mut left) = (0_usize, forms);
    while left > 0 {
        let form = corpus.form();
        let text = form.to_text().unwrap_or_else(|flaws| panic!("{flaws:?} in {form:?}"));
        // Some are longer than a policy may be.
        if crate::authz::bounded(&text).is_err() {
            continue;
        }
        left -= 1;
        let read = Form::read(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        let again = read.to_text().unwrap();
        assert_eq!(one(&text).unwrap(), one(&again).unwrap(), "{text}\n{again}");
        // What was read is written as it is, and read as the same.
        assert_eq!(Form::read(&again).unwrap(), read, "{again}");
        asked += read.clauses.len();
    }
    assert!(asked > forms, "the forms of this corpus have too few conditions: {asked}");
}

#[test]
fn what_a_form_says_its_text_says_and_the_other_way_round() {
    corpus(3_000, 1);
}

#[test]
#[ignore = "the same for ten thousand"]
fn ten_thousand_forms_go_to_text_and_back() {
    corpus(10_000, 2);
}

#[test]
fn every_comparison_is_recognized_as_itself() {
    let mut corpus = Corpus(ChaCha20Rng::seed_from_u64(3));
    for field in fields() {
        for operator in field.operators {
            let value = match operator.takes {
                Takes::Thing(_) => "pay".to_owned(),
                takes => corpus.value(takes),
            };
            let test = Test { field: field.name.to_owned(), operator: operator.name.to_owned(), value };
            let group = Group { any: false, of: vec![Condition::Test(test)] };
            let form = Form { clauses: vec![Clause { unless: false, group }], ..Form::default() };
            assert_eq!(Form::read(&form.to_text().unwrap()).as_ref(), Ok(&form));
        }
    }
}

#[test]
fn values_that_are_written_otherwise_stay_as_they_are() {
    for text in [
        "context.now.toTime() < duration(\"90m\")",
        "[5, 1].contains(context.weekday)",
        "context.now < datetime(\"2026-12-31\")",
        "context.signInMethod == \"moon\"",
        "resource.hasTag(\"Team\")",
    ] {
        let form = Form::read(&format!("permit (principal, action, resource) when {{ {text} }};")).unwrap();
        assert_eq!(form.clauses[0].group.of, [Condition::Text(text.to_owned())]);
    }
}

#[test]
fn what_the_form_cannot_show_is_said_and_nothing_is_made_of_it() {
    let read = |text: &str| Form::read(text).unwrap_err();
    assert_eq!(read("permit(principal, action,"), NotShown::Unreadable);
    assert_eq!(
        read("permit(principal, action, resource); forbid(principal, action, resource);"),
        NotShown::Many(2)
    );
    assert_eq!(read(""), NotShown::Many(0));
    assert_eq!(read("permit(principal == ?principal, action, resource);"), NotShown::Template);
}

#[test]
fn a_condition_that_no_comparison_says_stays_as_its_own_text() {
    let form = Form::read(
        "forbid (principal, action, resource) when { principal has name && 1 + 2 > 2 } unless { true };",
    )
    .unwrap();
    let of = &form.clauses[0].group.of;
    assert_eq!(of, &[Condition::Text("principal has name".into()), Condition::Text("(1 + 2) > 2".into())]);
}

#[test]
fn text_of_a_condition_reaches_no_further_than_its_place() {
    for text in [
        "true }; permit(principal, action, resource) when { true",
        "true } unless { false",
        "(",
        "",
        "?principal == resource",
    ] {
        let group = Group { any: false, of: vec![Condition::Text(text.to_owned())] };
        let form = Form { clauses: vec![Clause { unless: false, group }], ..Form::default() };
        let flaws = form.to_text().unwrap_err();
        assert!(matches!(flaws.as_slice(), [Flaw { at, wrong: Wrong::Text(_) }] if at == "0-0"), "{flaws:?}");
    }
}

#[test]
fn names_reach_no_further_than_their_place() {
    let evil = "x\"); permit(principal, action, resource); //";
    let named = Named { kind: "Team".into(), id: evil.into() };
    let form = Form {
        annotations: [("id".to_owned(), Some(evil.to_owned()))].into(),
        who: Scope::In(named.clone()),
        what: What::Listed(vec![evil.to_owned(), format!("{evil}]")]),
        things: Scope::Equal(named),
        ..Form::default()
    };
    assert_eq!(Form::read(&form.to_text().unwrap()), Ok(form));
    let kind = Form { who: Scope::Is("Team, action, resource); //".into()), ..Form::default() };
    assert_eq!(kind.to_text(), Err(vec![Flaw { at: "who".into(), wrong: Wrong::Choose }]));
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    let bad = |field: &str, operator: &str, value: &str| {
        let test = Test { field: field.into(), operator: operator.into(), value: value.into() };
        let inner = Group { any: true, of: vec![Condition::Test(test)] };
        let group = Group { any: false, of: vec![Condition::Not(Group::default()), Condition::Group(inner)] };
        Form { clauses: vec![Clause { unless: true, group }], ..Form::default() }.to_text().unwrap_err()
    };
    let empty = Flaw { at: "0-0".into(), wrong: Wrong::Empty };
    for (field, operator, value, wrong) in [
        ("moon", "is", "full", Wrong::Choose),
        ("time", "in-range", "x", Wrong::Choose),
        ("who", "in-team", " ", Wrong::Missing),
        ("address", "in-range", "10.0.0.0/33", Wrong::Address),
        ("address", "in-range", "10.0.0.0/08", Wrong::Address),
        ("address", "in-range", "office", Wrong::Address),
        ("moment", "from", "2026-12-31", Wrong::Instant),
        ("passkey-age", "less", "-1", Wrong::Number),
        ("passkey-age", "less", "soon", Wrong::Number),
        ("sign-in", "is", "moon", Wrong::Choose),
        ("time", "before", "24:00", Wrong::Time),
        ("time", "before", "9:00", Wrong::Time),
        ("weekday", "on", "0", Wrong::Days),
        ("weekday", "on", "2 1", Wrong::Days),
        ("local-weekday", "on", "Europe/Berlin 2 1", Wrong::Days),
        ("local-weekday", "on", "europe/berlin 1", Wrong::Zone),
        ("local-time", "from", "Moon/Sea 09:30", Wrong::Zone),
        ("local-time", "from", "Europe/Berlin", Wrong::Time),
        ("local-time", "from", "09:30", Wrong::Zone),
        ("environment", "is", "Prod uction", Wrong::Slug),
        ("tag", "is", "Team=payments", Wrong::Tag),
        ("tag", "is", "team=a\u{202e}b", Wrong::Tag),
        ("tag-name", "has", "team=payments", Wrong::Tag),
    ] {
        assert_eq!(bad(field, operator, value), [empty.clone(), Flaw { at: "0-1-0".into(), wrong }]);
    }
}

#[test]
fn groups_that_lie_too_deep_are_refused_as_a_form_and_shown_as_text() {
    let mut text = "principal has name".to_owned();
    for depth in 0..DEEPEST + 4 {
        text = if depth % 2 == 0 { format!("(true || ({text}))") } else { format!("(true && ({text}))") };
    }
    let text = format!("permit (principal, action, resource) when {{ {text} }};");
    let form = Form::read(&text).unwrap();
    assert_eq!(one(&form.to_text().unwrap()), one(&text));
}

#[test]
fn a_tag_reaches_no_further_than_its_place() {
    for value in [
        "\"); permit(principal, action, resource); //",
        "\\",
        "\\\" || true || \"",
        "x\" } unless { true",
        "раymеnts",
        "pay\u{301}ments",
    ] {
        let test = Test { field: "tag".into(), operator: "is".into(), value: format!("team={value}") };
        let group = Group { any: false, of: vec![Condition::Test(test)] };
        let form = Form { clauses: vec![Clause { unless: false, group }], ..Form::default() };
        let text = match form.to_text() {
            Ok(text) => text,
            Err(flaws) => {
                // No tag has this value: there is nothing to compare.
                assert!(format!("team={value}").parse::<keywarden_model::tag::Tag>().is_err());
                assert_eq!(flaws, [Flaw { at: "0-0".into(), wrong: Wrong::Tag }]);
                continue;
            }
        };
        let json = one(&text).unwrap();
        let compared = json.pointer("/conditions/0/body/&&/right/==/right/Value").unwrap();
        assert_eq!(compared, &serde_json::Value::from(value), "{text}");
        assert_eq!(json.pointer("/conditions").unwrap().as_array().unwrap().len(), 1);
        assert_eq!(Form::read(&text), Ok(form), "{text}");
    }
}
