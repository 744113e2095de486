use keywarden_model::{ProjectId, Role, SecretKind, TypedId};

use super::{
    About, Address, Expected, PutError, PutSecret, Scene, Which, expecting, label, labelled, of, value,
};
use crate::authz::Owner;
use crate::cast::both_engines;
use crate::secrets::{EditSecretError, MAX_VALUE, MOST_LABELS, ReadSecretError, SecretPatch};
use crate::{Refused, keys::Place};

#[tokio::test]
async fn every_kind_of_value_comes_back_byte_for_byte() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let all: Vec<u8> = (0..=255).cycle().take(MAX_VALUE).collect();
        let values: [(SecretKind, &[u8]); 4] = [
            (SecretKind::Binary, &all),
            (SecretKind::Binary, b"\0"),
            (SecretKind::Text, "\u{feff}p\u{e4}ss\r\n\0 \u{1f511}".as_bytes()),
            (SecretKind::Json, b" { \"b\" : 1.0e2 , \"a\" : \"\\u00e9\" }\n"),
        ];
        for (n, (kind, bytes)) in values.into_iter().enumerate() {
            let put = PutSecret { value: value(kind, bytes), ..of("x") };
            let done = scene.put_as(&scene.alice.op(), &format!("db/{n}"), put).await.unwrap();
            let revealed = scene.read(&format!("db/{n}"), Which::default()).await.unwrap();
            assert_eq!(revealed.value.expose(), bytes);
            assert_eq!((revealed.version.kind, revealed.version.id), (kind, done.version));
            assert_eq!(revealed.version.size, i64::try_from(bytes.len()).unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn each_put_makes_the_next_version_current_and_the_one_before_previous() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let first = scene.put("db/password", "one").await;
        assert_eq!(scene.labels(first.id).await, ["current=1"]);
        for (number, text) in [(2, "two"), (3, "three")] {
            let done = scene.put("db/password", text).await;
            assert_eq!((done.id, done.number), (first.id, number));
        }
        assert_eq!(scene.labels(first.id).await, ["current=3", "previous=2"]);
        let read = async |which| scene.read("db/password", which).await.unwrap().value.expose().to_vec();
        assert_eq!(read(Which::default()).await, b"three");
        assert_eq!(read(Which::Label(label("previous"))).await, b"two");
        assert_eq!(read(Which::Number(1)).await, b"one");
        for nothing in [Which::Number(4), Which::Number(0), Which::Number(-1), Which::Label(label("pending"))]
        {
            let none = scene.read("db/password", nothing).await;
            assert!(matches!(none, Err(ReadSecretError::Refused(Refused::NotFound))), "{none:?}");
        }
        let mut expected = vec!["secret.create", "secret.put", "secret.put"];
        expected.extend(["secret.read"; 3]);
        assert_eq!(scene.events(first.id).await, expected, "each reading is told, and nothing else");
    })
    .await;
}

#[tokio::test]
async fn what_is_only_pending_is_latest_for_nobody() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let done = scene.put_as(&scene.alice.op(), "api", labelled("next", "pending")).await.unwrap();
        let none = scene.read("api", Which::default()).await;
        assert!(matches!(none, Err(ReadSecretError::Refused(Refused::NotFound))), "{none:?}");
        assert_eq!(scene.labels(done.id).await, ["pending=1"]);
        scene.put("api", "in force").await;
        scene.put_as(&scene.alice.op(), "api", labelled("after", "pending")).await.unwrap();
        assert_eq!(scene.text("api").await, "in force");
        assert_eq!(scene.labels(done.id).await, ["current=2", "pending=3"]);
        domain.label_secret(&scene.alice.op(), done.id, None, &label("current"), 3).await.unwrap();
        domain.unlabel_secret(&scene.alice.op(), done.id, &label("pending")).await.unwrap();
        assert_eq!(scene.text("api").await, "after");
        assert_eq!(scene.labels(done.id).await, ["current=3", "previous=2"]);
    })
    .await;
}

#[tokio::test]
async fn a_put_is_done_only_on_what_it_expects() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let put = async |text: &str, expected| {
            scene.put_as(&scene.alice.op(), "db/password", expecting(text, expected)).await
        };
        for early in [Expected::Number(1), Expected::Version(keywarden_model::SecretVersionId::NIL)] {
            assert!(matches!(put("x", early).await, Err(PutError::Stale)), "{early:?}");
        }
        let first = put("one", Expected::Nothing).await.unwrap();
        for late in [Expected::Nothing, Expected::Number(0), Expected::Number(2)] {
            assert!(matches!(put("x", late).await, Err(PutError::Stale)), "{late:?}");
        }
        let second = put("two", Expected::Version(first.version)).await.unwrap();
        assert!(matches!(put("x", Expected::Version(first.version)).await, Err(PutError::Stale)));
        // A pending version changes nothing of what is current.
        scene.put_as(&scene.alice.op(), "db/password", labelled("later", "pending")).await.unwrap();
        put("four", Expected::Version(second.version)).await.unwrap();
        assert_eq!(put("five", Expected::Number(4)).await.unwrap().number, 5);
        assert_eq!(scene.text("db/password").await, "five");
    })
    .await;
}

#[tokio::test]
async fn a_path_in_another_spelling_is_no_second_secret() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let done = scene.put("db/password", "one").await;
        for twin in ["DB/password", "db/PassWord", "\u{ff44}b/password", "db/\u{1d429}assword"] {
            let second = scene.put_as(&scene.alice.op(), twin, of("two")).await;
            assert!(matches!(second, Err(PutError::Twin)), "{twin}: {second:?}");
            let read = scene.read(twin, Which::default()).await;
            assert!(matches!(read, Err(ReadSecretError::Refused(Refused::NotFound))), "{twin}: {read:?}");
        }
        // Elsewhere it is free.
        let place = Place::Environment(scene.pay.test);
        let path = "DB/password".parse().unwrap();
        let other = scene.house.domain.put_secret(&scene.alice.op(), &place, &path, of("two")).await.unwrap();
        assert_ne!(other.id, done.id);
        assert_eq!(scene.text("db/password").await, "one");
    })
    .await;
}

#[tokio::test]
async fn labels_are_moved_within_their_rules() {
    use crate::secrets::LabelError;
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let op = || scene.alice.op();
        let id = scene.put("a", "one").await.id;
        scene.put("a", "two").await;
        let point =
            async |name: &str, number| domain.label_secret(&op(), id, None, &label(name), number).await;
        point("blue", 1).await.unwrap();
        point("current", 1).await.unwrap();
        assert_eq!(scene.labels(id).await, ["blue=1", "current=1", "previous=2"]);
        assert!(matches!(point("previous", 1).await, Err(LabelError::Follows)));
        assert!(matches!(point("blue", 3).await, Err(LabelError::NoVersion)));
        for kept in ["current", "previous"] {
            let removed = domain.unlabel_secret(&op(), id, &label(kept)).await;
            assert!(matches!(removed, Err(LabelError::Follows)), "{kept}: {removed:?}");
        }
        domain.disable_secret_version(&op(), id, 2).await.unwrap();
        assert!(matches!(point("current", 2).await, Err(LabelError::NotEnabled(_))));
        point("blue", 2).await.unwrap();
        let seen = domain.secret(&op(), &crate::secrets::Address::Id(id)).await.unwrap().secret.row_version;
        domain.label_secret(&op(), id, Some(seen), &label("green"), 1).await.unwrap();
        let stale = domain.label_secret(&op(), id, Some(seen), &label("green"), 2).await;
        assert!(matches!(stale, Err(LabelError::Stale)), "{stale:?}");
        let wrong = scene.put_as(&op(), "a", labelled("x", "previous")).await;
        assert!(matches!(wrong, Err(PutError::Previous)), "{wrong:?}");
        for n in scene.labels(id).await.len()..MOST_LABELS {
            point(&format!("own-{n}"), 1).await.unwrap();
        }
        assert!(matches!(point("one-more", 1).await, Err(LabelError::TooMany)));
        let more = scene.put_as(&op(), "a", labelled("x", "one-more")).await;
        assert!(matches!(more, Err(PutError::TooManyLabels)), "{more:?}");
        point("own-7", 2).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn nothing_is_put_where_nothing_is() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let nowhere = keywarden_model::EnvironmentId::from_parts(scene.house.now(), 7);
        let slugs = |project: &str, environment: &str| Place::Slugs {
            project: project.parse().unwrap(),
            environment: environment.parse().unwrap(),
        };
        for place in [Place::Environment(nowhere), slugs("pay", "prod"), slugs("nowhere", "live")] {
            let path = "a".parse().unwrap();
            let put = scene.house.domain.put_secret(&scene.alice.op(), &place, &path, of("x")).await;
            assert!(matches!(put, Err(PutError::Refused(Refused::NotFound))), "{place:?}: {put:?}");
        }
        let path = "a".parse().unwrap();
        scene
            .house
            .domain
            .put_secret(&scene.alice.op(), &slugs("pay", "live"), &path, of("x"))
            .await
            .unwrap();
        let archive = keywarden_store::sql("UPDATE projects SET archived_at = 1 WHERE id = $1");
        scene.house.put(vec![archive.bind(scene.pay.id)]).await;
        for path in ["a", "b"] {
            let put = scene.put_as(&scene.alice.op(), path, of("y")).await;
            assert!(matches!(put, Err(PutError::Archived)), "{path}: {put:?}");
        }
        assert_eq!(scene.text("a").await, "x", "what is there stays readable");
        assert_ne!(scene.pay.id, ProjectId::NIL);
    })
    .await;
}

#[tokio::test]
async fn a_projects_key_is_made_once_counted_and_used_no_more_than_it_may_be() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        for n in 0..3 {
            scene.put(&format!("s{n}"), "x").await;
        }
        let mut conn = scene.house.store.read().await.unwrap();
        let keys: Vec<(String, i64)> =
            keywarden_store::sql("SELECT id, uses FROM project_keys").all(&mut conn).await.unwrap();
        drop(conn);
        let [(id, 3)] = keys.as_slice() else { panic!("{keys:?}") };
        assert_eq!(scene.events(id).await, ["project-key.generate"]);
        let spent = keywarden_store::sql("UPDATE project_keys SET uses = $1");
        scene.house.put(vec![spent.bind(keywarden_vault::MAX_SEALS - 1)]).await;
        scene.put("s0", "the last one").await;
        let over = scene.put_as(&scene.alice.op(), "s0", of("y")).await;
        assert!(matches!(over, Err(PutError::KeyExhausted)), "{over:?}");
        assert_eq!(scene.text("s0").await, "the last one");
    })
    .await;
}

#[tokio::test]
async fn what_a_secret_is_for_is_said_when_it_is_made_in_one_event() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let about = || About {
            description: "the shop's".parse().unwrap(),
            tags: keywarden_model::Tags::parse(["team=payments"]).unwrap(),
            owner: None,
        };
        let id =
            scene.put_as(&scene.alice.op(), "a", PutSecret { about: about(), ..of("x") }).await.unwrap().id;
        assert_eq!(scene.events(id).await, ["secret.create"]);
        let secret =
            async |id| scene.house.domain.secret(&scene.alice.op(), &Address::Id(id)).await.unwrap().secret;
        let made = secret(id).await;
        assert_eq!(
            (made.description.as_str(), made.tags.words(), made.owner, made.owner_name.as_str()),
            ("the shop's", vec!["team=payments".into()], Owner::Person(scene.alice.id), "Alice")
        );
        let again = scene.put_as(&scene.alice.op(), "a", PutSecret { about: about(), ..of("y") }).await;
        assert!(matches!(again, Err(PutError::About)), "what is there is edited: {again:?}");
        let taken = PutSecret { about: about(), ..expecting("y", Expected::Nothing) };
        let taken = scene.put_as(&scene.alice.op(), "a", taken).await;
        assert!(matches!(taken, Err(PutError::Stale)), "{taken:?}");
        let nobody = About { owner: Some(Owner::Person(keywarden_model::UserId::NIL)), ..About::default() };
        let unknown = scene.put_as(&scene.alice.op(), "b", PutSecret { about: nobody, ..of("y") }).await;
        assert!(matches!(unknown, Err(PutError::OwnerUnknown)), "{unknown:?}");
        let patch =
            SecretPatch { owner: Some(Owner::Team(keywarden_model::TeamId::NIL)), ..SecretPatch::default() };
        let unknown = scene.house.domain.edit_secret(&scene.alice.op(), id, None, patch).await;
        assert!(matches!(unknown, Err(EditSecretError::OwnerUnknown)), "{unknown:?}");

        // What a machine makes belongs to those who run the house.
        let deployer = scene.house.workload("deployer", Role::Manager, Some(scene.pay.id)).await;
        let by_machine = scene.put_as(&deployer.op(), "c", of("x")).await.unwrap().id;
        let made = secret(by_machine).await;
        assert!(matches!(made.owner, Owner::Team(_)) && made.owner_name == "Operators", "{made:?}");
        assert_eq!(
            secret(scene.put_as(&deployer.op(), "d", of("x")).await.unwrap().id).await.owner,
            made.owner
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_secrets_tags_say_is_sealed_beside_its_events() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let tags = |word: &str| keywarden_model::Tags::parse([word]).unwrap();
        let about = About { tags: tags("contact=Jane Doe"), ..About::default() };
        let made = scene.put_as(&scene.alice.op(), "a", PutSecret { about, ..of("x") }).await.unwrap().id;
        scene.house.clock.advance(std::time::Duration::from_secs(1));
        let patch = SecretPatch { tags: Some(tags("team=Jane's")), ..SecretPatch::default() };
        domain.edit_secret(&scene.alice.op(), made, None, patch).await.unwrap();
        let query = crate::audit::Query {
            resource: Some(made.to_string()),
            limit: 10,
            ..crate::audit::Query::default()
        };
        let told = domain.events(&scene.house.operator(Role::Owner), &query).await.unwrap().events;
        let [edited, created] = &told[..] else { panic!("{told:#?}") };
        assert_eq!(
            created.canonical["changes"]["tags"],
            serde_json::json!({ "from": [], "to": ["contact"] })
        );
        assert_eq!(
            edited.canonical["changes"]["tags"],
            serde_json::json!({ "from": ["contact"], "to": ["team"] })
        );
        for (event, before, after) in
            [(created, None, "contact=Jane Doe"), (edited, Some("contact=Jane Doe"), "team=Jane's")]
        {
            assert!(!event.canonical.to_string().contains("Jane"), "{}", event.canonical);
            let said = &event.personal[&scene.alice.id.to_string()];
            assert_eq!((said.get("tags_before").map(String::as_str), said["tags"].as_str()), (before, after));
        }
    })
    .await;
}
