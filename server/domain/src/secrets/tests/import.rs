use std::collections::BTreeMap;

use futures_util::future::join;
use keywarden_model::{Role, SecretKind};
use keywarden_vault::SecretBytes;

use super::{Scene, Which, of, value};
use crate::cast::{House, both_engines};
use crate::keys::Place;
use crate::secrets::files::{FileFormat, Nested};
use crate::secrets::{
    EntryOutcome, EntryRefusal, ImportError, ImportFile, ImportPreview, Imported, PutSecret, Seen, ValueError,
};
use crate::{Action, Op, Refused};

fn file(format: FileFormat, text: &str) -> ImportFile {
    let file = SecretBytes::copy_of(text.as_bytes());
    ImportFile { folder: None, format, nested: Nested::Folders, file }
}

fn env(text: &str) -> ImportFile {
    file(FileFormat::Dotenv, text)
}

fn within(folder: &str, file: ImportFile) -> ImportFile {
    ImportFile { folder: Some(folder.parse().unwrap()), ..file }
}

impl Scene {
    async fn preview(&self, op: &Op, file: &ImportFile) -> Result<ImportPreview, ImportError> {
        self.house.domain.preview_import(op, &self.live(), file).await
    }

    async fn import(&self, file: &ImportFile, seen: Option<&Seen>) -> Result<Imported, ImportError> {
        self.house.domain.import_secrets(&self.alice.op(), &self.live(), file, seen).await
    }

    /// `path outcome` of each entry.
    async fn looks(&self, file: &ImportFile) -> Vec<(String, EntryOutcome)> {
        let preview = self.preview(&self.alice.op(), file).await.unwrap();
        preview.entries.into_iter().map(|it| (it.path, it.outcome)).collect()
    }
}

const NEW_VALUE: EntryOutcome = EntryOutcome::Change { value: true, about: false };

fn counts(it: &Imported) -> (u32, u32, u32) {
    (it.created, it.changed, it.unchanged)
}

/// Rows, without what a look counts of itself.
async fn rows(house: &House) -> BTreeMap<&'static str, i64> {
    house.rows().await
}

#[tokio::test]
async fn a_file_is_looked_at_imported_and_nothing_the_second_time() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let known = scene.put("shop/PASSWORD", "old").await.id;
        scene.put("shop/SAME", "same").await;
        let file = within("shop", env("URL=postgres://db\nPASSWORD='new # one'\nSAME=same\n"));
        let before = rows(&scene.house).await;
        assert_eq!(
            scene.looks(&file).await,
            [
                ("shop/URL".into(), EntryOutcome::Create),
                ("shop/PASSWORD".into(), NEW_VALUE),
                ("shop/SAME".into(), EntryOutcome::Unchanged),
            ]
        );
        assert_eq!(rows(&scene.house).await, before, "a look writes nothing");
        let seen = Seen::Each(BTreeMap::from([
            ("shop/URL".into(), 0),
            ("shop/PASSWORD".into(), 1),
            ("shop/SAME".into(), 1),
        ]));
        let done = scene.import(&file, Some(&seen)).await.unwrap();
        assert_eq!(counts(&done), (1, 1, 1));
        let [url, password, same] = done.entries.as_slice() else { panic!("{done:?}") };
        assert_eq!((password.secret, password.current, same.current), (Some(known), 2, 1));
        for (path, text) in
            [("shop/URL", "postgres://db"), ("shop/PASSWORD", "new # one"), ("shop/SAME", "same")]
        {
            assert_eq!(scene.text(path).await, text);
        }
        assert_eq!(scene.labels(known).await, ["current=2", "previous=1"]);
        assert_eq!(scene.events(known).await, ["secret.create", "secret.put", "secret.read"]);
        assert_eq!(scene.events(url.secret.unwrap()).await, ["secret.create", "secret.read"]);
        assert_eq!(scene.events(scene.pay.live).await.iter().filter(|it| *it == "secret.import").count(), 1);
        let before = rows(&scene.house).await;
        assert_eq!(counts(&scene.import(&file, None).await.unwrap()), (0, 0, 3));
        assert_eq!(rows(&scene.house).await, before, "the second time nothing is written");
    })
    .await;
}

#[tokio::test]
async fn one_flaw_is_enough_to_import_nothing_and_every_one_is_told() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let gone = scene.put("gone", "x").await.id;
        let op = scene.alice.op();
        scene.house.domain.delete_secret(&op, &scene.address("gone"), None).await.unwrap();
        scene.put("Known", "x").await;
        let long = "x".repeat(64 * 1024 + 1);
        let text = format!(
            "path,value,tags,description\nfine,1,,\ngone,1,,\nknown,1,,\na//b,1,,\nTWIN,1,,\ntwin,1,,\nlong,{long},,\ntags,1,Team,\ntold,1,,\u{200b}\n"
        );
        let file = file(FileFormat::Csv, &text);
        let refusals: Vec<_> = scene
            .looks(&file)
            .await
            .into_iter()
            .filter_map(|(path, outcome)| match outcome {
                EntryOutcome::Refused(why) => Some((path, why)),
                _ => None,
            })
            .collect();
        let [deleted, twin, path, other, value, tags, description] = refusals.as_slice() else {
            panic!("{refusals:?}")
        };
        assert_eq!(deleted, &("gone".into(), EntryRefusal::Deleted));
        assert_eq!(twin, &("known".into(), EntryRefusal::Twin("Known".into())));
        assert!(path.0 == "a//b" && matches!(path.1, EntryRefusal::Path(_)), "{path:?}");
        assert_eq!(other, &("twin".into(), EntryRefusal::TwinEntry { line: 6 }));
        assert_eq!(value, &("long".into(), EntryRefusal::Value(ValueError::TooLong(64 * 1024))));
        assert!(matches!(tags.1, EntryRefusal::Tags(_)) && matches!(description.1, EntryRefusal::Description(_)));
        let before = rows(&scene.house).await;
        let refused = scene.import(&file, None).await;
        assert!(matches!(&refused, Err(ImportError::Entries(all)) if all.len() == 7), "{refused:?}");
        assert_eq!(rows(&scene.house).await, before);
        let nothing = scene.read("fine", Which::default()).await;
        assert!(nothing.is_err(), "the good one is not there either");
        assert_eq!(scene.events(gone).await, ["secret.create", "secret.delete"]);
        let broken = scene.import(&env("no value"), None).await;
        assert!(matches!(broken, Err(ImportError::File(_))), "{broken:?}");
    })
    .await;
}

#[tokio::test]
async fn what_changed_since_the_preview_is_refused_by_name() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("a", "1").await;
        let file = env("a=2\nb=2\n");
        let seen = |a, b| Seen::Each(BTreeMap::from([("a".to_owned(), a), ("b".to_owned(), b)]));
        let changed = async |seen: Seen| match scene.import(&file, Some(&seen)).await {
            Err(ImportError::Changed(paths)) => paths,
            other => panic!("{other:?}"),
        };
        scene.put("a", "meanwhile").await;
        assert_eq!(changed(seen(1, 0)).await, ["a"]);
        assert_eq!(changed(seen(2, 1)).await, ["b"]);
        assert_eq!(changed(Seen::InOrder(vec![1, 0])).await, ["a"]);
        assert_eq!(changed(Seen::InOrder(vec![])).await, ["a", "b"], "nothing seen is nothing known");
        scene.put("b", "meanwhile").await;
        assert_eq!(changed(seen(2, 0)).await, ["b"], "what was made meanwhile too");
        assert_eq!(scene.text("a").await, "meanwhile");
        assert_eq!(counts(&scene.import(&file, Some(&seen(2, 1))).await.unwrap()), (0, 2, 0));
    })
    .await;
}

#[tokio::test]
async fn an_import_sent_twice_is_done_once() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("a", "1").await;
        let (file, seen) = (env("a=2\nb=2\n"), Seen::InOrder(vec![1, 0]));
        for again in [false, true] {
            let op = scene.alice.op_once("import-0123456789", &[b"the same"]);
            let done = scene.house.domain.import_secrets(&op, &scene.live(), &file, Some(&seen)).await;
            let done = done.unwrap();
            assert_eq!((counts(&done), done.entries.is_empty()), ((1, 1, 0), again));
        }
        assert_eq!(scene.events(scene.pay.live).await.iter().filter(|it| *it == "secret.import").count(), 1);
        let op = scene.alice.op_once("import-0123456789", &[b"another"]);
        let other = scene.house.domain.import_secrets(&op, &scene.live(), &file, Some(&seen)).await;
        assert!(matches!(other, Err(ImportError::Refused(Refused::Replayed(_)))), "{other:?}");
    })
    .await;
}

#[tokio::test]
async fn an_import_asks_for_what_its_puts_would() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("known", "x").await;
        let file = env("known=y\nother=y\n");
        let other = scene.house.project("other").await;
        let mallory = scene.house.person("Mallory", &[(Role::Manager, Some(other.id))]).await;
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let reader = scene.house.workload("reader", Role::Reader, Some(scene.pay.id)).await;
        let before = rows(&scene.house).await;
        for file in [&file, &env("not a file")] {
            let told = scene.preview(&mallory.op(), file).await;
            assert!(matches!(told, Err(ImportError::Refused(Refused::NotFound))), "{told:?}");
        }
        for op in [victor.op(), reader.op()] {
            let told = scene.preview(&op, &file).await.unwrap();
            let whys: Vec<_> = told.entries.into_iter().map(|it| it.outcome).collect();
            let no = |action| EntryOutcome::Refused(EntryRefusal::Forbidden(action));
            assert_eq!(whys, [no(Action::PutSecret), no(Action::CreateSecret)]);
            let refused = scene.house.domain.import_secrets(&op, &scene.live(), &file, None).await;
            assert!(matches!(refused, Err(ImportError::Entries(_))), "{refused:?}");
        }
        let asleep = scene.alice.without_step_up();
        for told in [
            scene.preview(&asleep.op(), &file).await.map(drop),
            scene.house.domain.import_secrets(&asleep.op(), &scene.live(), &file, None).await.map(drop),
        ] {
            assert!(matches!(told, Err(ImportError::Refused(Refused::StepUp))), "{told:?}");
        }
        assert_eq!(rows(&scene.house).await, before);
        let nowhere =
            Place::Slugs { project: "pay".parse().unwrap(), environment: "nowhere".parse().unwrap() };
        let told = scene.house.domain.preview_import(&scene.alice.op(), &nowhere, &file).await;
        assert!(matches!(told, Err(ImportError::Refused(Refused::NotFound))), "{told:?}");
        let archive = keywarden_store::sql("UPDATE projects SET archived_at = 1 WHERE id = $1");
        scene.house.put(vec![archive.bind(scene.pay.id)]).await;
        let told = scene.import(&file, None).await;
        assert!(matches!(told, Err(ImportError::Archived)), "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn csv_says_what_a_secret_is_for_and_a_new_version_reads_as_the_one_before() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let json = PutSecret { value: value(SecretKind::Json, b"{}"), ..of("x") };
        scene.put_as(&scene.alice.op(), "json", json).await.unwrap();
        scene.put("told", "x").await;
        let text = "path,value,description,tags\njson,[1],,\ntold,x,of the shop,team=pay\nnew,{},the new one,\"a,b\"\n";
        let file = file(FileFormat::Csv, text);
        let about = EntryOutcome::Change { value: false, about: true };
        let looks = scene.looks(&file).await;
        assert_eq!(looks.into_iter().map(|it| it.1).collect::<Vec<_>>(), [NEW_VALUE, about, EntryOutcome::Create]);
        assert_eq!(counts(&scene.import(&file, None).await.unwrap()), (1, 2, 0));
        let view = |path| scene.address(path);
        let secret = async |path| scene.house.domain.secret(&scene.alice.op(), &view(path)).await.unwrap();
        let told = secret("told").await;
        assert_eq!((told.secret.description.as_str(), told.secret.last_version), ("of the shop", 1));
        assert_eq!(scene.events(told.secret.id).await, ["secret.create", "secret.edit"]);
        let new = secret("new").await;
        assert_eq!((new.secret.description.as_str(), new.secret.tags.words()), ("the new one", vec!["a".into(), "b".into()]));
        assert_eq!(secret("json").await.versions[0].kind, SecretKind::Json);
        assert_eq!(new.versions[0].kind, SecretKind::Text);
        // A value that is none of the kind before is a text.
        scene.import(&env("json=plain\n"), None).await.unwrap();
        assert_eq!(secret("json").await.versions[0].kind, SecretKind::Text);
        assert_eq!(counts(&scene.import(&file, None).await.unwrap()), (0, 1, 2), "only the value that went back");
    })
    .await;
}

#[tokio::test]
async fn a_value_that_nobody_reads_is_put_again() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("a", "1").await.id;
        scene.house.domain.disable_secret_version(&scene.alice.op(), id, 1).await.unwrap();
        assert_eq!(scene.looks(&env("a=1\n")).await[0].1, NEW_VALUE);
        scene.import(&env("a=1\n"), None).await.unwrap();
        assert_eq!(scene.text("a").await, "1");
        let pending = super::labelled("2", "pending");
        scene.put_as(&scene.alice.op(), "b", pending).await.unwrap();
        assert_eq!(scene.looks(&env("b=2\n")).await[0].1, NEW_VALUE, "pending is not in force");
        scene.import(&env("b=2\n"), Some(&Seen::InOrder(vec![0]))).await.unwrap();
        assert_eq!(scene.text("b").await, "2");
    })
    .await;
}

#[tokio::test]
async fn a_thousand_values_come_in_with_an_event_and_a_counted_key_for_each() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let text = (0..1_000).map(|n| format!("K{n}=v{n}")).collect::<Vec<_>>().join("\n");
        let done = scene.import(&within("bulk", env(&text)), None).await.unwrap();
        assert_eq!(counts(&done), (1_000, 0, 0));
        let mut conn = scene.house.store.read().await.unwrap();
        let uses: Vec<(i64,)> =
            keywarden_store::sql("SELECT uses FROM project_keys").all(&mut conn).await.unwrap();
        let events: Vec<(i64,)> =
            keywarden_store::sql("SELECT count(*) FROM events WHERE action = 'secret.create'")
                .all(&mut conn)
                .await
                .unwrap();
        drop(conn);
        assert_eq!((uses, events), (vec![(1_000,)], vec![(1_000,)]));
        assert_eq!(scene.text("bulk/K999").await, "v999");
        let spent = keywarden_store::sql("UPDATE project_keys SET uses = $1");
        scene.house.put(vec![spent.bind(keywarden_vault::MAX_SEALS - 1)]).await;
        let over = scene.import(&env("x=1\ny=1\n"), None).await;
        assert!(matches!(over, Err(ImportError::KeyExhausted)), "{over:?}");
        assert!(scene.read("x", Which::default()).await.is_err(), "and neither is there");
        scene.import(&env("x=1\n"), None).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn two_imports_at_once_leave_every_secret_with_one_value_of_one_file() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("K3", "old").await;
        let text = |value: &str| (0..20).map(|n| format!("K{n}={value}")).collect::<Vec<_>>().join("\n");
        let (one, two) = (env(&text("one")), env(&text("two")));
        let (first, second) = Box::pin(join(scene.import(&one, None), scene.import(&two, None))).await;
        let passing = |done: &Result<Imported, ImportError>| match done {
            Ok(_) => true,
            Err(ImportError::Refused(Refused::Fault(fault))) => fault.is_passing(),
            Err(_) => false,
        };
        assert!(
            passing(&first) && passing(&second) && (first.is_ok() || second.is_ok()),
            "{first:?} {second:?}"
        );
        let value = scene.text("K0").await;
        for n in 0..20 {
            assert_eq!(scene.text(&format!("K{n}")).await, value, "K{n}");
        }
        let seen = Seen::InOrder(vec![0; 20]);
        let three = within("fresh", env(&text("x")));
        let (first, second) =
            Box::pin(join(scene.import(&three, Some(&seen)), scene.import(&three, Some(&seen)))).await;
        assert_eq!([&first, &second].into_iter().filter(|it| it.is_ok()).count(), 1, "{first:?} {second:?}");
    })
    .await;
}

#[tokio::test]
async fn no_value_of_a_file_is_in_a_record_or_an_answer() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let file = file(FileFormat::Csv, "path,value,description\na,canary-7f3a,told\nb,canary-7f3a2,\n");
        let preview = scene.preview(&scene.alice.op(), &file).await.unwrap();
        let done = scene.import(&file, None).await.unwrap();
        assert!(!format!("{file:?} {preview:?} {done:?}").contains("canary"));
        let mut conn = scene.house.store.read().await.unwrap();
        let events: Vec<(Vec<u8>,)> =
            keywarden_store::sql("SELECT bytes FROM events").all(&mut conn).await.unwrap();
        let sealed: Vec<(Vec<u8>,)> =
            keywarden_store::sql("SELECT ciphertext FROM secret_versions").all(&mut conn).await.unwrap();
        let holds = |bytes: &[u8]| bytes.windows(6).any(|it| it == b"canary");
        assert!(events.iter().chain(&sealed).all(|(bytes,)| !holds(bytes)));
        assert_eq!(sealed.len(), 2);
    })
    .await;
}
