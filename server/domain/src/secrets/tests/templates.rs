//! Templates: what is read for a reference, by whom, and what is told of it.

use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{Role, SecretKind};

use super::{
    Address, As, PutSecret, ReadSecretError, Revealed, Scene, Validity, Which, labelled, of, template, value,
};
use crate::cast::both_engines;
use crate::keys::Place;
use crate::secrets::{MAX_VALUE, Outside, Unresolved};
use crate::{Op, Refused};

impl Scene {
    async fn as_template(&self, path: &str, text: &str) -> keywarden_model::SecretId {
        self.put_as(&self.alice.op(), path, template(text)).await.unwrap().id
    }

    async fn asked_for(&self, op: &Op, path: &str, wanted: As) -> Result<Revealed, ReadSecretError> {
        self.house.domain.read_secret_as(op, &self.address(path), &Which::default(), wanted).await
    }

    /// Why a reference of the template is not resolved, to Alice, and which.
    async fn not_resolved(&self, path: &str) -> (String, Unresolved) {
        unresolved(self.read(path, Which::default()).await)
    }
}

fn unresolved(read: Result<Revealed, ReadSecretError>) -> (String, Unresolved) {
    match read {
        Err(ReadSecretError::Unresolved { reference, why }) => (reference, why),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_template_is_read_with_what_it_refers_to_and_each_reading_is_told() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let password = scene.put("db/password", "hun\"ter2").await.id;
        let json = PutSecret { value: value(SecretKind::Json, br#"{"user": "app", "port": 5432}"#), ..of("x") };
        let config = scene.put_as(&scene.alice.op(), "db/config", json).await.unwrap().id;
        let text = "postgres://${pay/live/db/config#user}:${pay/live/db/password}@db:${pay/live/db/config#port}/$${x}";
        let url = scene.as_template("db/url", text).await;
        assert_eq!(scene.text("db/url").await, "postgres://app:hun\"ter2@db:5432/${x}");
        assert_eq!(scene.events(password).await, ["secret.create", "secret.read"]);
        assert_eq!(scene.events(config).await, ["secret.create", "secret.read", "secret.read"], "each reference");
        assert_eq!(scene.events(url).await, ["secret.create", "secret.read"]);

        let raw = scene.asked_for(&scene.alice.op(), "db/url", As::Raw).await.unwrap();
        assert_eq!(raw.value.expose(), text.as_bytes());
        assert_eq!(scene.events(password).await.len(), 2, "raw is a reading of itself alone");
        assert_eq!(scene.events(url).await.len(), 3);

        let whole = value(SecretKind::Json, br#"{"url": "${pay/live/db/url}", "c": "${pay/live/db/config}"}"#);
        let whole = PutSecret { value: whole.into_template().unwrap(), ..of("x") };
        scene.put_as(&scene.alice.op(), "app/json", whole).await.unwrap();
        let read: serde_json::Value = serde_json::from_str(&scene.text("app/json").await).unwrap();
        assert_eq!(read["url"], "postgres://app:hun\"ter2@db:5432/${x}", "through one that refers on");
        assert_eq!(read["c"], r#"{"user": "app", "port": 5432}"#);

        scene.put_as(&scene.alice.op(), "db/password", labelled("later", "pending")).await.unwrap();
        assert!(scene.text("db/url").await.contains("hun\"ter2"), "what is pending is read by nobody");
        scene.put("db/password", "next").await;
        assert_eq!(scene.text("db/url").await, "postgres://app:next@db:5432/${x}");
        scene.put("db/url", "plain ${pay/live/db/password}").await;
        assert_eq!(scene.text("db/url").await, "plain ${pay/live/db/password}");
        let first = scene.read("db/url", Which::Number(1)).await.unwrap();
        assert_eq!(first.value.expose(), b"postgres://app:next@db:5432/${x}");
    })
    .await;
}

#[tokio::test]
async fn a_reader_reads_through_a_template_what_they_may_read_themselves() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let other = scene.house.project("other").await;
        let owner = scene.house.person("Olga", &[(Role::Owner, None)]).await;
        let path = "db/password".parse().unwrap();
        let place = Place::Environment(other.live);
        let there = scene.house.domain.put_secret(&owner.op(), &place, &path, of("theirs")).await.unwrap().id;
        scene.as_template("url", "x:${other/live/db/password}").await;
        scene.as_template("nowhere", "x:${other/live/db/passwort}").await;
        let rows = scene.house.rows().await;
        let reader = scene.house.workload("reader", Role::Reader, Some(scene.pay.id)).await;
        for op in [scene.alice.op(), reader.op()] {
            let hidden = unresolved(scene.asked_for(&op, "url", As::Resolved).await);
            let absent = unresolved(scene.asked_for(&op, "nowhere", As::Resolved).await);
            assert_eq!(hidden, ("other/live/db/password".into(), Unresolved::Missing));
            assert_eq!(absent, ("other/live/db/passwort".into(), Unresolved::Missing), "the same answer");
        }
        let roles = [(Role::Reader, Some(scene.pay.id)), (Role::Viewer, Some(other.id))];
        let victor = scene.house.person("Victor", &roles).await;
        let seen = unresolved(scene.asked_for(&victor.op(), "url", As::Resolved).await);
        assert_eq!(seen, ("other/live/db/password".into(), Unresolved::Forbidden));
        let (address, which) = (scene.address("url"), Which::default());
        let domain = &scene.house.domain;
        let meant = domain.secret_tag_meant(&victor.op(), &address, &which, As::Resolved).await;
        assert_eq!(meant.unwrap(), None);
        assert_eq!(scene.events(there).await, ["secret.create"], "nothing was read");
        assert_eq!(scene.house.rows().await["events"], rows["events"], "of the template neither");
        assert!(scene.asked_for(&victor.op(), "url", As::Raw).await.is_ok());

        let roles = [(Role::Reader, Some(scene.pay.id)), (Role::Reader, Some(other.id))];
        let both = scene.house.person("Beth", &roles).await;
        let read = scene.asked_for(&both.op(), "url", As::Resolved).await.unwrap();
        assert_eq!(read.value.expose(), b"x:theirs");
        assert_eq!(scene.events(there).await, ["secret.create", "secret.read"]);
        let asleep = scene.asked_for(&both.without_step_up().op(), "url", As::Resolved).await;
        assert!(matches!(asleep, Err(ReadSecretError::Refused(Refused::StepUp))), "{asleep:?}");
        let mallory = scene.house.person("Mallory", &[(Role::Reader, Some(other.id))]).await;
        let stranger = scene.asked_for(&mallory.op(), "url", As::Resolved).await;
        assert!(matches!(stranger, Err(ReadSecretError::Refused(Refused::NotFound))), "{stranger:?}");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_by_itself_is_not_read_through_a_template() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let put = async |path: &str, put: PutSecret| scene.put_as(&op(), path, put).await.unwrap().id;
        let hour = TimeDelta::hours(1);
        put("binary", PutSecret { value: value(SecretKind::Binary, b"\xff"), ..of("x") }).await;
        put("pending", labelled("x", "pending")).await;
        let later = Validity::new(Some(scene.house.now() + hour), None).unwrap();
        put("later", PutSecret { validity: later, ..of("x") }).await;
        let until = Validity::new(None, Some(scene.house.now() + hour)).unwrap();
        put("brief", PutSecret { validity: until, ..of("x") }).await;
        let disabled = put("disabled", of("x")).await;
        domain.disable_secret_version(&op(), disabled, 1).await.unwrap();
        put("deleted", of("x")).await;
        domain.delete_secret(&op(), &scene.address("deleted"), None).await.unwrap();
        put("text", of("{\"a\": [1]} ")).await;
        put("prose", of("no JSON")).await;
        put("long", of(&"x".repeat(MAX_VALUE))).await;
        for (reference, wanted) in [
            ("binary", Unresolved::Binary),
            ("pending", Unresolved::NoCurrent),
            ("later", Unresolved::Outside { number: 1, outside: Outside::NotYet(scene.house.now() + hour) }),
            ("disabled", Unresolved::Shut { number: 1, state: keywarden_model::VersionState::Disabled }),
            ("deleted", Unresolved::Deleted),
            ("DELETED", Unresolved::Missing),
            ("text#a", Unresolved::NoField),
            ("text#b", Unresolved::NoField),
            ("prose#a", Unresolved::NotJson),
        ] {
            scene.as_template("t", &format!("x${{pay/live/{reference}}}")).await;
            assert_eq!(
                scene.not_resolved("t").await,
                (format!("pay/live/{reference}"), wanted),
                "{reference}"
            );
        }
        scene.as_template("t", "${pay/live/brief}").await;
        assert_eq!(scene.text("t").await, "x");
        scene.house.clock.advance(Duration::from_hours(1));
        let alice = scene.alice.steps_up();
        let (_, why) = unresolved(scene.asked_for(&alice.op(), "t", As::Resolved).await);
        assert!(matches!(why, Unresolved::Outside { outside: Outside::Expired(_), .. }), "{why}");
        scene.put_as(&alice.op(), "t", template("${pay/live/long}")).await.unwrap();
        let read = scene.asked_for(&alice.op(), "t", As::Resolved).await.unwrap();
        assert_eq!(read.value.expose().len(), MAX_VALUE);
        scene.put_as(&alice.op(), "t", template("${pay/live/long}x")).await.unwrap();
        let too_long = unresolved(scene.asked_for(&alice.op(), "t", As::Resolved).await);
        assert_eq!(too_long, ("pay/live/long".into(), Unresolved::TooLong(MAX_VALUE)));
    })
    .await;
}

#[tokio::test]
async fn a_circle_is_named_and_a_chain_has_an_end() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.as_template("me", "${pay/live/me}").await;
        let me = || vec!["pay/live/me".to_owned(); 2];
        assert_eq!(scene.not_resolved("me").await, ("pay/live/me".into(), Unresolved::Cycle(me())));
        for (from, to) in [("a", "b"), ("b", "c"), ("c", "b")] {
            scene.as_template(from, &format!("${{pay/live/{to}}}")).await;
        }
        let names = |all: &[&str]| all.iter().map(|it| format!("pay/live/{it}")).collect::<Vec<_>>();
        let (reference, why) = scene.not_resolved("a").await;
        assert_eq!((reference.as_str(), why), ("pay/live/b", Unresolved::Cycle(names(&["b", "c", "b"]))));
        scene.put("me", "plain").await;
        let first = scene.read("me", Which::Number(1)).await.unwrap();
        assert_eq!(first.value.expose(), b"plain", "an older version may refer to the current one");

        scene.put("n0", "end").await;
        for n in 1..=6 {
            scene.as_template(&format!("n{n}"), &format!("{n}${{pay/live/n{}}}", n - 1)).await;
        }
        assert_eq!(scene.text("n5").await, "54321end");
        assert_eq!(scene.not_resolved("n6").await, ("pay/live/n0".into(), Unresolved::Deep));

        scene.as_template("ten", &"${pay/live/n0}".repeat(10)).await;
        scene.as_template("many", &"${pay/live/ten}".repeat(4)).await;
        assert_eq!(scene.text("many").await, "end".repeat(40));
        scene.as_template("many", &"${pay/live/ten}".repeat(5)).await;
        assert_eq!(scene.not_resolved("many").await, ("pay/live/n0".into(), Unresolved::TooMany));
    })
    .await;
}

#[tokio::test]
async fn what_a_value_is_known_by_changes_with_all_that_is_in_it() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        scene.put("c", "one").await;
        scene.as_template("b", "${pay/live/c}").await;
        let id = scene.as_template("a", "${pay/live/b}").await;
        let meant = async |wanted| {
            let (address, which) = (scene.address("a"), Which::default());
            domain.secret_tag_meant(&scene.alice.op(), &address, &which, wanted).await.unwrap()
        };
        let before = meant(As::Resolved).await.unwrap();
        let read = scene.read("a", Which::default()).await.unwrap();
        assert_eq!(read.tag(), before);
        let raw = meant(As::Raw).await.unwrap();
        assert_eq!(raw.to_string(), read.version.id.to_string());
        assert!(before.to_string().starts_with(&format!("{raw}.")), "{before}");
        scene.put("c", "two").await;
        let after = meant(As::Resolved).await.unwrap();
        assert_ne!(after, before);
        assert_eq!(meant(As::Raw).await.unwrap(), raw);
        assert_eq!(scene.read("a", Which::default()).await.unwrap().tag(), after);
        domain.delete_secret(&scene.alice.op(), &scene.address("c"), None).await.unwrap();
        assert_eq!(meant(As::Resolved).await, None, "a read would say why");
        assert_eq!(scene.events(id).await, ["secret.create", "secret.read", "secret.read"]);
    })
    .await;
}

#[tokio::test]
async fn whoever_loses_a_right_between_two_readings_reads_no_more() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let other = scene.house.project("other").await;
        let olga = scene.house.person("Olga", &[(Role::Owner, None)]).await;
        let (place, path) = (Place::Environment(other.live), "p".parse().unwrap());
        scene.house.domain.put_secret(&olga.op(), &place, &path, of("theirs")).await.unwrap();
        scene.as_template("a", "${other/live/p}").await;
        let roles = [(Role::Reader, Some(scene.pay.id)), (Role::Reader, Some(other.id))];
        let rita = scene.house.person("Rita", &roles).await;
        assert!(scene.asked_for(&rita.op(), "a", As::Resolved).await.is_ok());
        let gone =
            keywarden_store::sql("DELETE FROM role_bindings WHERE principal_id = $1 AND project_id = $2")
                .bind(rita.id)
                .bind(other.id);
        scene.house.put(vec![gone]).await;
        let lost = unresolved(scene.asked_for(&rita.op(), "a", As::Resolved).await);
        assert_eq!(lost, ("other/live/p".into(), Unresolved::Missing));
        let address = Address::Path { place, path };
        let itself = scene.house.domain.read_secret(&rita.op(), &address, &Which::default()).await;
        assert!(matches!(itself, Err(ReadSecretError::Refused(Refused::NotFound))), "{itself:?}");
    })
    .await;
}
