//! No way round: each way that a thing comes to be or changes, one person with a machine, and rules that cannot be read.

use keywarden_model::{SecretPath, Tags};
use keywarden_vault::SecretString;

use super::*;
use crate::keys::{ExtendError, ImportError as ImportKeyError, ImportKey, ImportedValue, Overlap};
use crate::secrets::files::{FileFormat, Nested};
use crate::secrets::{ImportError, ImportFile, Later, PromoteError, Promotion, Return};

fn rule(breach: &Breach) -> Option<StandardRule> {
    breach.demand.rule()
}

#[tokio::test]
async fn a_secret_is_held_by_whichever_door_it_comes() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        let (test, live) = (Place::Environment(pay.test), Place::Environment(pay.live));
        in_force(
            &house,
            &olga,
            r#"{"environments":["live"],"secret_names":"[a-z]+/[a-z]+","tags":["cost"]}"#,
        )
        .await;

        // Where it does not hold anything goes; carried to where it does, that is refused.
        let path: SecretPath = "Password".parse().unwrap();
        let value = || NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(b"hunter2")).unwrap();
        let new = |tags: &[&str]| PutSecret {
            value: value(),
            label: None,
            expected: None,
            validity: Validity::default(),
            about: About { tags: Tags::parse(tags).unwrap(), ..About::default() },
        };
        let there = house.domain.put_secret(&olga.op(), &test, &path, new(&[])).await.unwrap().id;
        let to = Promotion { to: live.clone(), version: 1, expected: None };
        let carried = house.domain.promote_secret(&olga.op(), there, to).await;
        let Err(PromoteError::Put(PutError::Standard(breach))) = carried else { panic!("{carried:?}") };
        assert_eq!(rule(&breach), Some(StandardRule::SecretName));

        // A file's as well, and with one of its values none is written.
        let file = |text: &str| ImportFile {
            folder: Some("db".parse().unwrap()),
            format: FileFormat::Dotenv,
            nested: Nested::Folders,
            file: SecretBytes::copy_of(text.as_bytes()),
        };
        let import =
            async |text: &str| house.domain.import_secrets(&olga.op(), &live, &file(text), None).await;
        let refused = import("good=1\nBAD=2\n").await;
        let Err(ImportError::Standard(which, breach)) = refused else { panic!("{refused:?}") };
        assert!(["db/good", "db/BAD"].contains(&which.as_str()), "{which}: {breach}");
        let none = house.domain.secret(&olga.op(), &Address::Path { place: live.clone(), path }).await;
        assert!(matches!(none, Err(Refused::NotFound)), "{none:?}");
        let good: SecretPath = "db/password".parse().unwrap();
        house.domain.put_secret(&olga.op(), &live, &good, new(&["cost=12"])).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_was_there_comes_back_and_is_told_of() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        let live = Place::Environment(pay.live);
        for path in ["Password", "Token"] {
            put(&house, &olga, &pay, path).await.unwrap();
        }
        let at = house.now();
        house.clock.advance(Duration::from_secs(1));
        let address = |path: &str| Address::Path { place: live.clone(), path: path.parse().unwrap() };
        let restored = house.domain.secret(&olga.op(), &address("Password")).await.unwrap().secret.id;
        for path in ["Password", "Token"] {
            house.domain.delete_secret(&olga.op(), &address(path), None).await.unwrap();
        }
        let standard = in_force(&house, &olga, r#"{"secret_names":"[a-z]+/[a-z]+"}"#).await;
        let secrets = async || house.domain.standard_tally(&olga.op(), standard, 1).await.unwrap().secrets;
        assert_eq!(secrets().await, 0);
        house.domain.restore_secret(&olga.op(), restored).await.unwrap();
        assert_eq!(secrets().await, 1);
        let back = Return { folder: None, at, later: Later::Leave, seen: None };
        house.domain.return_secrets(&olga.op(), &live, &back).await.unwrap();
        assert_eq!(secrets().await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_taken_in_is_held_as_one_that_is_made() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        in_force(&house, &olga, r#"{"key_names":"pay-.*","key_lifetime_days":30}"#).await;
        let import = async |name: &str, days: Option<i64>| {
            let key = NewKey {
                expires_at: days.map(|days| house.now() + TimeDelta::days(days)),
                ..NewKey::named(Place::Environment(pay.live), name.parse().unwrap())
            };
            let value = format!("a-long-value-of-{name}-0123456789");
            let value = ImportedValue::Value(SecretString::new(value));
            let import = ImportKey { key, value, last_day: house.now() + TimeDelta::days(7) };
            house.domain.import_key(&olga.op(), import).await
        };
        for (name, days, expected) in
            [("Books", None, StandardRule::KeyName), ("pay-books", Some(31), StandardRule::KeyLifetime)]
        {
            let refused = import(name, days).await;
            let Err(ImportKeyError::Terms(TermError::Standard(breach))) = refused else {
                panic!("{name}: {refused:?}")
            };
            assert_eq!(rule(&breach), Some(expected));
        }
        let id = import("pay-books", None).await.unwrap();
        let key = house.domain.key(&olga.op(), id).await.unwrap().key;
        assert_eq!(key.expires_at, Some(key.created_at + TimeDelta::days(30)));
    })
    .await;
}

#[tokio::test]
async fn no_value_outlives_the_life_of_keys_by_more_time_for_its_callers() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        in_force(&house, &olga, r#"{"key_lifetime_days":7}"#).await;
        let made = house.now();
        let id = issued(&house, &olga, &pay, "Orders").await.unwrap().id;
        house.clock.advance(Duration::from_hours(24));
        let olga = olga.steps_up();
        let hour = Overlap::For(TimeDelta::hours(1));
        house.domain.rotate_key(&olga.op(), id, hour).await.unwrap();
        let old = house.domain.key(&olga.op(), id).await.unwrap().values[1].id;
        let lives = KeyPatch { expires_at: Some(Some(made + TimeDelta::days(8))), ..KeyPatch::default() };
        house.domain.edit_key(&olga.op(), id, None, lives).await.unwrap();
        let until =
            async |end: TimeDelta| house.domain.extend_key_overlap(&olga.op(), id, old, made + end).await;
        until(TimeDelta::days(7)).await.unwrap();
        let refused = until(TimeDelta::days(7) + TimeDelta::hours(1)).await;
        let Err(ExtendError::Standard(breach)) = refused else { panic!("{refused:?}") };
        assert_eq!(rule(&breach), Some(StandardRule::KeyLifetime));
        until(TimeDelta::days(2)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_person_and_their_machine_are_one_person() {
    both_engines(async |house| {
        let (olga, otto) = (owner(&house, "Olga").await, owner(&house, "Otto").await);
        let domain = &house.domain;
        let shell = || house.operator(Role::Owner);
        domain.require_policy_review(&olga.op(), true).await.unwrap();
        let new = NewStandard {
            scope: PolicyScope::Organization,
            name: "By the shell".parse().unwrap(),
            rules: rules(r#"{"team_owner":true}"#),
            note: Description::default(),
        };
        let id = domain.draft_standard(&shell(), new).await.unwrap();
        domain.submit_standard(&shell(), id, 1, 1).await.unwrap();
        let by_machine = domain.approve_standard(&shell(), id, 1, 2).await;
        assert!(by_machine.is_err(), "{by_machine:?}");
        domain.approve_standard(&olga.op(), id, 1, 2).await.unwrap();
        for by in [olga.op(), shell()] {
            let alone = domain.activate_standard(&by, id, 1, 3).await;
            assert!(matches!(alone, Err(ChangeStandardError::NeedsApproval)), "{alone:?}");
        }
        activated(&house, &otto, id, 1).await.unwrap();

        let end = async |by: crate::Op| {
            let row_version = seen(&house, &olga, id).await;
            domain.end_standard(&by, id, row_version).await.unwrap();
            domain.standard(&olga.op(), id).await.unwrap()
        };
        assert!(end(shell()).await.active().is_some());
        let asked = end(olga.op()).await;
        assert!(asked.active().is_some(), "one person and a machine");
        assert_eq!(asked.standard.ending_by, Some(olga.id.to_string()));
        assert!(end(otto.op()).await.active().is_none());
    })
    .await;
}

#[tokio::test]
async fn rules_that_cannot_be_read_refuse_and_say_so_until_they_end() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        let id = issued(&house, &olga, &pay, "Checkout").await.unwrap().id;
        let standard = in_force(&house, &olga, r#"{"key_names":".*","environments":["test"]}"#).await;
        let newer = keywarden_store::sql(
            r#"UPDATE standard_versions SET rules = '{"colour":"red"}' WHERE standard_id = $1 AND number = 1"#,
        );
        house.put(vec![newer.bind(standard)]).await;

        let refused = issued(&house, &olga, &pay, "Books").await;
        let Err(IssueError::Terms(TermError::Standard(breach))) = refused else { panic!("{refused:?}") };
        assert_eq!((&breach.demand, breach.standard), (&Demand::Unreadable, standard));
        assert!(breach.to_string().contains("`Ours`"), "{breach}");
        let put = put(&house, &olga, &pay, "db/password").await;
        assert!(matches!(put, Err(PutError::Standard(_))), "{put:?}");
        let edit = async |patch: KeyPatch| house.domain.edit_key(&olga.op(), id, None, patch).await;
        let renamed = edit(KeyPatch { name: Some("Orders".parse().unwrap()), ..KeyPatch::default() }).await;
        assert!(matches!(renamed, Err(EditKeyError::Terms(TermError::Standard(_)))), "{renamed:?}");
        // What no standard looks at may change, and whatever takes something away goes on.
        let words = KeyPatch { description: Some("what for".parse().unwrap()), ..KeyPatch::default() };
        edit(words).await.unwrap();
        house.domain.suspend_key(&olga.op(), id, "pause").await.unwrap();

        // Everybody sees it: at the thing, at the environment, at the standard.
        let view = house.domain.key(&olga.op(), id).await.unwrap();
        let breaks = house.domain.breaches_of_key(&olga.op(), &view.key, view.key.created_at).await.unwrap();
        assert_eq!(breaks, [breach]);
        let holding = house.domain.standards_in_force(&olga.op(), pay.id, "live", "live").await.unwrap();
        assert!(holding.iter().any(|it| it.standard == standard && it.rules.is_none()), "{holding:?}");
        let shown = house.domain.standard(&olga.op(), standard).await.unwrap();
        assert!(shown.versions.iter().all(|it| it.rules.is_none()), "{shown:?}");
        let found = house.domain.fsck(&[]).await.unwrap().findings;
        assert!(found.iter().any(|it| it.check == "standard-unreadable"), "{found:?}");

        // Another version takes its place; the one that cannot be read does not come back.
        let new = RedraftStandard {
            rules: rules(r#"{"key_names":".*"}"#),
            note: Description::default(),
            row_version: shown.standard.row_version,
        };
        house.domain.redraft_standard(&olga.op(), standard, new).await.unwrap();
        activated(&house, &olga, standard, 2).await.unwrap();
        issued(&house, &olga, &pay, "Books").await.unwrap();
        let row_version = seen(&house, &olga, standard).await;
        let back = house.domain.roll_back_standard(&olga.op(), standard, 1, row_version).await;
        assert!(matches!(back, Err(ChangeStandardError::Unreadable)), "{back:?}");
    })
    .await;
}

#[tokio::test]
async fn one_that_cannot_be_read_can_be_ended() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        let standard = in_force(&house, &olga, r#"{"team_owner":true}"#).await;
        let torn = keywarden_store::sql("UPDATE standard_versions SET rules = '{' WHERE standard_id = $1");
        house.put(vec![torn.bind(standard)]).await;
        let row_version = seen(&house, &olga, standard).await;
        house.domain.end_standard(&olga.op(), standard, row_version).await.unwrap();
        issued(&house, &olga, &pay, "Books").await.unwrap();
    })
    .await;
}
