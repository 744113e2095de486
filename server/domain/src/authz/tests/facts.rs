//! What policies ask of things beyond their place: tags, owners, slugs; and what clocks show elsewhere.

use keywarden_model::Tags;

use super::written::in_force;
use super::*;
use crate::authz::clock;

fn one(text: &str) -> InForce {
    in_force(&[(PolicyScope::Organization, text.to_owned())])
}

fn when(action: &str, condition: &str) -> String {
    format!(r#"forbid (principal, action == Action::"{action}", resource) when {{ {condition} }};"#)
}

fn refused(text: &str) -> Vec<String> {
    let validator = super::written::validator();
    let errors = check(&validator, PolicyScope::Organization, text).expect_err(text);
    errors.into_iter().map(|it| it.says).collect()
}

fn may_at(set: &InForce, action: Action, target: &Target, circumstances: &Circumstances) -> bool {
    let owner = holding(Role::Owner, here());
    Rules::builtin().unwrap().decide_with(set, &owner, action, target, circumstances).allowed
}

fn may(set: &InForce, action: Action, target: &Target) -> bool {
    may_at(set, action, target, &quiet())
}

fn secret(facts: Facts) -> Target {
    thing_in(Action::ReadSecret, here()).with(facts)
}

fn tagged(words: &[&str]) -> Facts {
    Facts { tags: Tags::parse(words).unwrap(), ..Facts::default() }
}

// S-04: a tag's value is a value, whatever is in it, and no other that looks like it.
#[test]
fn a_tag_is_compared_letter_by_letter() {
    let set =
        one(&when("secret.read", r#"resource.hasTag("team") && resource.getTag("team") == "payments""#));
    let read = |words: &[&str]| may(&set, Action::ReadSecret, &secret(tagged(words)));
    assert!(!read(&["team=payments"]));
    for other in [
        &[][..],
        &["team"],
        &["team=Payments"],
        // The first two letters are Cyrillic ones.
        &["team=раyments"],
        &["team=payments\" || true || \""],
        &["team=\"payments\""],
        &["squad=payments"],
    ] {
        assert!(read(other), "{other:?}");
    }
    let quoted =
        one(&when("secret.read", r#"resource.hasTag("say") && resource.getTag("say") == "\"\\u{41}""#));
    assert!(!may(&quoted, Action::ReadSecret, &secret(tagged(&["say=\"\\u{41}"]))));
    assert!(may(&quoted, Action::ReadSecret, &secret(tagged(&["say=\"A"]))));
}

#[test]
fn what_was_not_read_is_a_no() {
    for condition in [
        r#"resource.hasTag("team")"#,
        r#"resource has environment && resource.environment.slug == "staging""#,
        r#"resource has project && resource.project.slug == "web""#,
        "resource has ownerTeam",
    ] {
        let set = one(&when("secret.read", condition));
        let bare = thing_in(Action::ReadSecret, here());
        assert!(!may(&set, Action::ReadSecret, &bare), "{condition}");
        assert!(set.asks_of(Action::ReadSecret, &bare.resource), "{condition}");
        let known = Facts { environment: "production".into(), project: "pay".into(), ..Facts::default() };
        assert!(may(&set, Action::ReadSecret, &secret(known)), "{condition}");
        assert!(may(&set, Action::PutSecret, &thing_in(Action::PutSecret, here())), "it is not asked");
    }
}

#[test]
fn nothing_is_read_that_no_policy_asks_for() {
    let set = one(&when("secret.put", r#"context.signInMethod == "token" && context.reasonGiven"#));
    let key_owner = one(&when("key.rotate", "resource has ownerPerson && resource.ownerPerson != principal"));
    let slugs =
        one(&when("secret.read", r#"resource has environment && resource.environment.slug == "live""#));
    for action in Action::ALL {
        let thing = thing_in(*action, here()).resource;
        assert!(!InForce::default().asks_of(*action, &thing));
        assert!(!set.asks_of(*action, &thing));
        assert!(!key_owner.asks_of(*action, &thing), "the owner of a key is known without reading");
        assert_eq!(slugs.asks_of(*action, &thing), *action == Action::ReadSecret);
    }
}

#[test]
fn environments_and_projects_are_known_by_their_slugs() {
    let condition = r#"resource has environment && resource.environment.slug == "production""#;
    let text = format!(
        r#"forbid (principal, action in [Action::"secret.put", Action::"key.rotate", Action::"key.issue"], resource)
           when {{ {condition} }};"#
    );
    let set = one(&text);
    for action in [Action::PutSecret, Action::RotateKey, Action::IssueKey] {
        let there = |slug: &str| {
            thing_in(action, here()).with(Facts { environment: slug.into(), ..Facts::default() })
        };
        assert!(!may(&set, action, &there("production")), "{}", action.name());
        assert!(may(&set, action, &there("staging")), "{}", action.name());
    }
    let set = one(&when("project.edit", r#"resource.slug == "pay""#));
    let project = |slug: &str| {
        thing_in(Action::EditProject, here()).with(Facts { project: slug.into(), ..Facts::default() })
    };
    assert!(!may(&set, Action::EditProject, &project("pay")));
    assert!(may(&set, Action::EditProject, &project("web")));
}

#[test]
fn a_secrets_owner_is_asked_for() {
    let set = one(&when("secret.read", "!(resource has ownerPerson && resource.ownerPerson == principal)"));
    let of = |owner| secret(Facts { owner, ..Facts::default() });
    assert!(may(&set, Action::ReadSecret, &of(Some(Owner::Person(id(1))))));
    assert!(!may(&set, Action::ReadSecret, &of(Some(Owner::Person(id(2))))));
    assert!(!may(&set, Action::ReadSecret, &of(Some(Owner::Team(id(1))))));
}

#[test]
fn a_reason_that_was_given_is_known() {
    let set = one(&when("secret.put", "!context.reasonGiven"));
    let put = thing_in(Action::PutSecret, here());
    assert!(!may_at(&set, Action::PutSecret, &put, &Circumstances::of(&op(None))));
    let said = Op { reason: Some("incident 7".parse().unwrap()), ..op(None) };
    assert!(may_at(&set, Action::PutSecret, &put, &Circumstances::of(&said)));
}

// Clocks in Berlin are put forward on 28 March 2027 at 01:00 UTC, and back on 31 October at 01:00 UTC.
#[test]
fn office_hours_follow_summer_time() {
    let office = r#"!(context.clock.hasTag("Europe/Berlin")
        && context.clock.getTag("Europe/Berlin").time >= duration("9h")
        && context.clock.getTag("Europe/Berlin").time < duration("17h")
        && [1, 2, 3, 4, 5].contains(context.clock.getTag("Europe/Berlin").weekday))"#;
    let set = one(&when("secret.put", office));
    let put = thing_in(Action::PutSecret, here());
    let open = |at: &str| {
        let now = DateTime::parse_from_rfc3339(at).unwrap().to_utc();
        may_at(&set, Action::PutSecret, &put, &Circumstances { now, ..quiet() })
    };
    for (at, is_open) in [
        ("2027-03-26T07:59:59.999Z", false),
        ("2027-03-26T08:00:00Z", true),
        ("2027-03-26T15:59:59.999Z", true),
        ("2027-03-26T16:00:00Z", false),
        // A Sunday.
        ("2027-03-28T10:00:00Z", false),
        ("2027-03-29T06:59:59Z", false),
        ("2027-03-29T07:00:00Z", true),
        ("2027-03-29T15:00:00Z", false),
        ("2027-10-29T07:00:00Z", true),
        ("2027-11-01T07:00:00Z", false),
        ("2027-11-01T08:00:00Z", true),
        // Saturday there, and Friday still in UTC.
        ("2027-10-29T22:30:00Z", false),
    ] {
        assert_eq!(open(at), is_open, "{at}");
    }
}

#[test]
fn the_wall_shows_no_time_that_is_left_out_and_some_twice() {
    let berlin = clock::zone("Europe/Berlin").unwrap();
    let wall = |at: &str| clock::wall(berlin, DateTime::parse_from_rfc3339(at).unwrap().to_utc());
    let hour = 3_600_000;
    assert_eq!(wall("2027-03-28T00:59:59.999Z"), (7, 2 * hour - 1));
    assert_eq!(wall("2027-03-28T01:00:00Z"), (7, 3 * hour));
    assert_eq!(wall("2027-10-31T00:30:00Z"), (7, 2 * hour + hour / 2));
    assert_eq!(wall("2027-10-31T01:30:00Z"), (7, 2 * hour + hour / 2));
    assert_eq!(wall("2027-10-31T23:00:00Z"), (1, 0));
    // Half hours and quarters count, and days begin elsewhere.
    let kathmandu = clock::zone("Asia/Kathmandu").unwrap();
    let now = DateTime::parse_from_rfc3339("2027-10-31T18:15:00Z").unwrap().to_utc();
    assert_eq!(clock::wall(kathmandu, now), (1, 0));
}

#[test]
fn zones_have_one_spelling_and_are_all_known() {
    assert!(clock::zones().count() > 400);
    assert!(clock::zones().all(|name| clock::zone(name).is_some()));
    for wrong in ["europe/berlin", "Europe/Berlin ", "CEST", "Moon/Sea", "", "+02:00"] {
        assert!(clock::zone(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn texts_that_ask_for_what_is_not_known_are_refused_in_words() {
    for (text, says) in [
        (when("secret.read", "resource.hasTag(context.signInMethod)"), "write the name of the tag out"),
        (when("secret.read", r#"resource.hasTag("Team")"#), "no tag is called `Team`"),
        (when("secret.read", r#"resource.hasTag("team=payments")"#), "no tag is called"),
        (when("secret.read", r#"resource.getTag("team") == "payments""#), "team"),
        (when("secret.read", r#"context.clock.hasTag("Moon/Sea")"#), "is no time zone"),
        (
            when("secret.read", r#"context.clock.hasTag("UTC") && context.clock.getTag("UTC").hour == 1"#),
            "hour",
        ),
        (when("secret.read", "resource.environment.project == resource.project"), "`project` is not known"),
        (when("secret.read", r#"context.clock == Clock::"now""#), "Clock cannot be named"),
        // Lists are made by these (S-06).
        (when("secret.view", r#"resource.hasTag("team")"#), "which lists are made by"),
        (
            when("key.view", r#"resource has environment && resource.environment.slug == "production""#),
            "which lists are made by",
        ),
    ] {
        let told = refused(&text);
        assert!(told.iter().any(|it| it.contains(says)), "{text}: {told:?}");
    }
    // The clock is the same for all that lies anywhere: lists can follow it.
    one(&when("secret.view", r#"context.clock.hasTag("UTC") && context.clock.getTag("UTC").weekday == 7"#));
}
