//! Single fields of a JSON object: one is read and told by its name, some are changed and the rest is kept.

use keywarden_model::{Role, SecretKind};
use keywarden_vault::{SecretBytes, SecretString};

use super::{Address, As, NewValue, PutSecret, Scene, Validity, Which, label, of, value};
use crate::audit::{Event, Query};
use crate::cast::both_engines;
use crate::secrets::{
    EditFields, EditFieldsError, FieldChange, FieldSort, FieldWrong, Put, PutError, ReadFields,
    ReadSecretError,
};
use crate::{Op, Refused};

const CONFIG: &str = r#"{"user": "app", "port": 5432, "tls": {"ca": "\u00e9"}, "password": "hunter2"}"#;

fn json(text: &str) -> PutSecret {
    PutSecret { value: value(SecretKind::Json, text.as_bytes()), ..of("x") }
}

/// Changes of a version; `None` removes, and a `+` before the name adds.
fn edit(version: i64, changes: &[(&str, Option<&str>)]) -> EditFields {
    let secret = |text: &str| SecretString::new(text.to_owned());
    let changes = changes.iter().map(|(name, text)| match (name.strip_prefix('+'), text) {
        (Some(name), text) => (secret(name), FieldChange::Add(secret(text.unwrap_or_default()))),
        (None, Some(text)) => (secret(name), FieldChange::Write(secret(text))),
        (None, None) => (secret(name), FieldChange::Remove),
    });
    EditFields { version, changes: changes.collect(), label: None, validity: Validity::default() }
}

impl Scene {
    async fn config(&self, text: &str) -> Put {
        self.put_as(&self.alice.op(), "db/config", json(text)).await.unwrap()
    }

    async fn fields(&self, op: &Op, field: Option<&str>) -> Result<ReadFields, ReadSecretError> {
        let domain = &self.house.domain;
        let secret = domain.secret(&self.alice.op(), &self.address("db/config")).await.unwrap().secret;
        domain.read_secret_fields(op, secret.id, secret.last_version, field, As::Resolved).await
    }

    async fn edit(&self, op: &Op, edit: EditFields) -> Result<Put, EditFieldsError> {
        let domain = &self.house.domain;
        let id = domain.secret(&self.alice.op(), &self.address("db/config")).await.unwrap().secret.id;
        domain.edit_secret_fields(op, id, edit).await
    }

    /// What was told of the secret by this action, the newest first.
    async fn events_of(&self, put: &Put, action: &str) -> Vec<Event> {
        let query = Query {
            action: Some(action.into()),
            resource: Some(put.id.to_string()),
            limit: 10,
            ..Query::default()
        };
        self.house.domain.events(&self.alice.op(), &query).await.unwrap().events
    }

    /// A field of an event that is told of Alice.
    fn of_alice(&self, event: &Event, field: &str) -> Option<String> {
        event.personal.get(&self.alice.id.to_string())?.get(field).cloned()
    }
}

fn listed(read: &ReadFields) -> Vec<(&str, FieldSort)> {
    read.fields.as_ref().unwrap().iter().map(|it| (it.name.expose(), it.sort)).collect()
}

#[tokio::test]
async fn a_field_is_read_by_itself_and_the_record_says_which() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let put = scene.config(CONFIG).await;
        let op = scene.alice.op();
        let names = scene.fields(&op, None).await.unwrap();
        let sorts = [FieldSort::Text, FieldSort::Number, FieldSort::Object, FieldSort::Text];
        let wanted: Vec<_> = ["user", "port", "tls", "password"].into_iter().zip(sorts).collect();
        assert_eq!(listed(&names), wanted);
        assert!(names.found.is_none());
        let event = scene.events_of(&put, "secret.read").await.remove(0);
        assert_eq!(event.canonical["facts"]["part"], "names");
        assert!(scene.of_alice(&event, "field").is_none());

        scene.house.clock.advance(std::time::Duration::from_secs(1));
        let one = scene.fields(&scene.alice.op(), Some("password")).await.unwrap();
        assert_eq!(one.found.as_ref().map(SecretBytes::expose), Some(&b"hunter2"[..]));
        assert_eq!(listed(&one), wanted);
        let event = scene.events_of(&put, "secret.read").await.remove(0);
        assert_eq!(event.canonical["facts"]["part"], "field");
        assert_eq!(event.canonical["facts"]["version"], 1);
        assert_eq!(scene.of_alice(&event, "field").as_deref(), Some("password"));
        assert!(!event.canonical.to_string().contains("password"), "a name is part of the value");

        let none = scene.fields(&scene.alice.op(), Some("nothing")).await.unwrap();
        assert!(none.found.is_none(), "and the asking is told all the same");
        assert_eq!(scene.events_of(&put, "secret.read").await.len(), 3);
        scene.config("[1]").await;
        assert!(scene.fields(&scene.alice.op(), None).await.unwrap().fields.is_none());

        let viewer = scene.house.person("Vera", &[(Role::Viewer, Some(scene.pay.id))]).await;
        for op in [viewer.op(), scene.alice.without_step_up().op()] {
            let refused = scene.fields(&op, Some("user")).await;
            assert!(
                matches!(refused, Err(ReadSecretError::Refused(Refused::Forbidden(_) | Refused::StepUp))),
                "{refused:?}"
            );
        }
        let mallory = scene.house.person("Mallory", &[]).await;
        let stranger = scene.fields(&mallory.op(), Some("user")).await;
        assert!(matches!(stranger, Err(ReadSecretError::Refused(Refused::NotFound))), "{stranger:?}");
        assert_eq!(scene.events_of(&put, "secret.read").await.len(), 4, "nothing was read");
    })
    .await;
}

#[tokio::test]
async fn fields_are_changed_and_the_others_are_kept_as_they_are_written() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let put = scene.config(CONFIG).await;
        let changes =
            [("password", Some("n\"w")), ("port", Some(" 5433 ")), ("user", None), ("+host", Some("db"))];
        let made = scene.edit(&scene.alice.op(), edit(1, &changes)).await.unwrap();
        assert_eq!((made.id, made.number), (put.id, 2));
        let text = scene.text("db/config").await;
        assert_eq!(text, r#"{"port":5433,"tls":{"ca": "\u00e9"},"password":"n\"w","host":"db"}"#);
        let read = scene.read("db/config", Which::default()).await.unwrap();
        assert_eq!((read.version.kind, read.version.template), (SecretKind::Json, false));
        let event = scene.events_of(&put, "secret.put").await.remove(0);
        assert_eq!(event.canonical["facts"]["edited_version"], 1);
        assert_eq!(scene.of_alice(&event, "fields_written").as_deref(), Some("password, port, host"));
        assert_eq!(scene.of_alice(&event, "fields_removed").as_deref(), Some("user"));
        assert!(!event.canonical.to_string().contains("n\\\"w"), "{}", event.canonical);

        let stale = scene.edit(&scene.alice.op(), edit(1, &[("host", None)])).await;
        assert!(matches!(stale, Err(EditFieldsError::Put(PutError::Stale))), "{stale:?}");
        let pending = EditFields { label: Some(label("pending")), ..edit(2, &[("host", None)]) };
        assert_eq!(scene.edit(&scene.alice.op(), pending).await.unwrap().number, 3);
        assert_eq!(scene.text("db/config").await, text, "it is read by nobody yet");
        let again = scene.edit(&scene.alice.op(), edit(2, &[("host", Some("db2"))])).await.unwrap();
        assert_eq!(again.number, 4, "2 is current still");
    })
    .await;
}

#[tokio::test]
async fn a_change_that_cannot_be_made_makes_no_version() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let put = scene.config(CONFIG).await;
        let before = scene.house.rows().await;
        let try_ = async |changes: &[(&str, Option<&str>)]| {
            scene.edit(&scene.alice.op(), edit(1, changes)).await.map(drop)
        };
        for (changes, expected) in [
            (vec![("user", Some("b")), ("port", Some("many"))], (1, FieldWrong::NotJson)),
            (vec![("tls", Some("{"))], (0, FieldWrong::NotJson)),
            (vec![("host", None)], (0, FieldWrong::NotThere)),
            (vec![("host", Some("db"))], (0, FieldWrong::NotThere)),
            (vec![("port", Some("1")), ("+user", Some("b"))], (1, FieldWrong::Known)),
            (vec![("+tls", Some("b"))], (0, FieldWrong::Known)),
        ] {
            let Err(EditFieldsError::Field { at, wrong }) = try_(&changes).await else {
                panic!("{changes:?}")
            };
            assert_eq!((at, wrong), expected, "{changes:?}");
        }
        assert!(matches!(try_(&[]).await, Err(EditFieldsError::Nothing)));
        let long = "x".repeat(crate::secrets::MAX_VALUE);
        assert!(matches!(try_(&[("user", Some(&long))]).await, Err(EditFieldsError::Value(_))));
        let previous = EditFields { label: Some(label("previous")), ..edit(1, &[("user", None)]) };
        let previous = scene.edit(&scene.alice.op(), previous).await;
        assert!(matches!(previous, Err(EditFieldsError::Put(PutError::Previous))), "{previous:?}");

        let viewer = scene.house.person("Vera", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let reader = scene.house.workload("reader", Role::Reader, Some(scene.pay.id)).await;
        for op in [viewer.op(), reader.op()] {
            let refused = scene.edit(&op, edit(1, &[("user", Some("b"))])).await;
            assert!(matches!(refused, Err(EditFieldsError::Refused(Refused::Forbidden(_)))), "{refused:?}");
        }
        let asleep = scene.edit(&scene.alice.without_step_up().op(), edit(1, &[("user", Some("b"))])).await;
        assert!(
            matches!(asleep, Err(EditFieldsError::Refused(Refused::StepUp))),
            "a value is opened: {asleep:?}"
        );
        assert_eq!(scene.house.rows().await["secret_versions"], before["secret_versions"]);

        scene.house.domain.disable_secret_version(&scene.alice.op(), put.id, 1).await.unwrap();
        let shut = try_(&[("user", Some("b"))]).await;
        assert!(
            matches!(shut, Err(EditFieldsError::Unread(ReadSecretError::Shut { number: 1, .. }))),
            "{shut:?}"
        );
        scene.config("[1]").await;
        let list = scene.edit(&scene.alice.op(), edit(2, &[("user", Some("b"))])).await;
        assert!(matches!(list, Err(EditFieldsError::NoObject)), "{list:?}");
        scene.put("db/config", CONFIG).await;
        let text = scene.edit(&scene.alice.op(), edit(3, &[("user", Some("b"))])).await;
        assert!(
            matches!(text, Err(EditFieldsError::NoObject)),
            "it is text, whatever it looks like: {text:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn fields_of_a_template_are_read_with_what_they_refer_to_and_changed_as_they_are_written() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("db/password", "hun\"ter2").await;
        let text = r#"{"url": "app:${pay/live/db/password}@db", "plain": "$${x}"}"#;
        let template: NewValue = value(SecretKind::Json, text.as_bytes()).into_template().unwrap();
        let put = PutSecret { value: template, ..of("x") };
        let put = scene.put_as(&scene.alice.op(), "db/config", put).await.unwrap();
        let found = async |wanted| {
            let domain = &scene.house.domain;
            let read =
                domain.read_secret_fields(&scene.alice.op(), put.id, 1, Some("url"), wanted).await.unwrap();
            String::from_utf8(read.found.unwrap().expose().to_vec()).unwrap()
        };
        assert_eq!(found(As::Resolved).await, "app:hun\"ter2@db");
        assert_eq!(found(As::Raw).await, "app:${pay/live/db/password}@db");

        let wrong = scene.edit(&scene.alice.op(), edit(1, &[("url", Some("a${pay/live"))])).await;
        assert!(
            matches!(wrong, Err(EditFieldsError::Field { at: 0, wrong: FieldWrong::Template(_) })),
            "{wrong:?}"
        );
        scene.edit(&scene.alice.op(), edit(1, &[("url", Some("b:${pay/live/db/password}"))])).await.unwrap();
        let read: serde_json::Value = serde_json::from_str(&scene.text("db/config").await).unwrap();
        assert_eq!(read, serde_json::json!({ "url": "b:hun\"ter2", "plain": "${x}" }));
        let view = scene.house.domain.secret(&scene.alice.op(), &Address::Id(put.id)).await.unwrap();
        assert!(view.versions.iter().all(|it| it.template), "it stays one");
    })
    .await;
}
