//! Templates in the house: put, carried, compared, exported and imported, told of, and what is known of their references.

use keywarden_model::{Role, SecretKind};
use keywarden_vault::SecretBytes;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::{Address, As, NewValue, PutSecret, Scene, Which, of, template, value};
use crate::cast::both_engines;
use crate::keys::Place;
use crate::secrets::files::{FileFormat, Nested};
use crate::secrets::{
    Export, ImportFile, Look, Promotion, References, SecretChange, SecretWatch, TemplateError,
};

const TEXT: &str = "x:${pay/live/db/password}";

impl Scene {
    async fn references(&self, path: &str) -> References {
        let view = self.house.domain.secret(&self.alice.op(), &self.address(path)).await.unwrap();
        self.house.domain.secret_references(&self.alice.op(), view.secret.id).await.unwrap()
    }

    async fn is_template(&self, path: &str) -> bool {
        let view = self.house.domain.secret(&self.alice.op(), &self.address(path)).await.unwrap();
        view.versions[0].template
    }

    async fn put_template(&self, path: &str, text: &str) -> keywarden_model::SecretId {
        self.put_as(&self.alice.op(), path, template(text)).await.unwrap().id
    }
}

#[tokio::test]
async fn without_the_flag_bytes_come_back_as_they_were_put() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("db/password", "hunter2").await;
        let bytes = proptest::collection::vec(proptest::num::u8::ANY, 1..80);
        let text = "([a-z ]|\\$\\{|\\$\\$\\{|\\$\\{pay/live/db/password\\}|[$}{#/]){1,12}"
            .prop_map(String::into_bytes);
        let any = proptest::prop_oneof![bytes, text];
        let mut runner = TestRunner::deterministic();
        for _ in 0..40 {
            let bytes = any.new_tree(&mut runner).unwrap().current();
            let kind =
                if std::str::from_utf8(&bytes).is_ok() { SecretKind::Text } else { SecretKind::Binary };
            let put = PutSecret { value: value(kind, &bytes), ..of("x") };
            scene.put_as(&scene.alice.op(), "any", put).await.unwrap();
            for wanted in [As::Raw, As::Resolved] {
                let (address, which) = (scene.address("any"), Which::default());
                let op = scene.alice.op();
                let read = scene.house.domain.read_secret_as(&op, &address, &which, wanted).await.unwrap();
                assert_eq!(read.value.expose(), bytes, "{wanted:?}");
            }
        }
    })
    .await;
}

#[test]
fn what_is_no_template_is_not_made_one() {
    let made = |kind, bytes: &[u8]| value(kind, bytes).into_template().map(drop);
    assert_eq!(made(SecretKind::Binary, b"x"), Err(TemplateError::Binary));
    assert!(matches!(made(SecretKind::Text, b"${x}"), Err(TemplateError::Malformed { .. })));
    assert_eq!(made(SecretKind::Text, b"no references"), Ok(()));
    assert!(NewValue::new(SecretKind::Json, None, SecretBytes::copy_of(b"{\"a\": ${pay/live/a}}")).is_err());
}

#[tokio::test]
async fn a_template_stays_one_wherever_it_is_carried() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        scene.put("db/password", "hunter2").await;
        let path = "url".parse().unwrap();
        let test = Place::Environment(scene.pay.test);
        let there = domain.put_secret(&op(), &test, &path, template(TEXT)).await.unwrap().id;
        let promotion = |version| Promotion { to: scene.live(), version, expected: None };
        domain.promote_secret(&op(), there, promotion(1)).await.unwrap();
        assert_eq!(scene.text("url").await, "x:hunter2");
        domain.put_secret(&op(), &test, &path, of(TEXT)).await.unwrap();
        let beside = domain.secret_side_by_side(&op(), there).await.unwrap().1;
        assert!(
            beside.cells.iter().all(|cell| cell.same_as.is_empty()),
            "the same text is another value: {beside:?}"
        );
        domain.promote_secret(&op(), there, promotion(2)).await.unwrap();
        assert_eq!(scene.text("url").await, TEXT, "and back to a text");
        let id = scene.put_template("url", TEXT).await;
        domain.rotate_data_key(&op(), id).await.unwrap();
        assert_eq!(scene.text("url").await, "x:hunter2");
        assert_eq!(scene.references("url").await.to.len(), 1);
        let compared = domain.compare_secret_versions(&op(), id, 1, 4).await.unwrap();
        assert_eq!(compared.before.1.expose(), compared.after.1.expose(), "as they were put");
    })
    .await;
}

#[tokio::test]
async fn files_hold_templates_as_they_were_put_and_csv_says_which_they_are() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        scene.put("db/password", "hunter2").await;
        scene.put_template("url", TEXT).await;
        let out = async |format| {
            let export = Export { folder: None, format, reason: String::new() };
            domain.export_secrets(&op(), &scene.live(), &export).await.unwrap()
        };
        let env = out(FileFormat::Dotenv).await;
        assert!(env.file.expose().contains("URL='x:${pay/live/db/password}'"), "{}", env.file.expose());
        assert_eq!(env.templates.iter().map(ToString::to_string).collect::<Vec<_>>(), ["url"]);
        let csv = out(FileFormat::Csv).await;
        let file = |format, text: &str| ImportFile {
            folder: None,
            format,
            nested: Nested::Folders,
            file: SecretBytes::copy_of(text.as_bytes()),
        };
        let whole = file(FileFormat::Csv, csv.file.expose());
        let again = domain.import_secrets(&op(), &scene.live(), &whole, None).await.unwrap();
        assert_eq!(again.unchanged, 2);
        let test = Place::Environment(scene.pay.test);
        domain.import_secrets(&op(), &test, &whole, None).await.unwrap();
        let address = Address::Path { place: test, path: "url".parse().unwrap() };
        let read = domain.read_secret(&op(), &address, &Which::default()).await.unwrap();
        assert_eq!(read.value.expose(), b"x:hunter2");

        // A file that says nothing leaves it what it was; one that says otherwise is another value.
        let next = "path,value\nurl,y:${pay/live/db/password}\n";
        domain.import_secrets(&op(), &scene.live(), &file(FileFormat::Csv, next), None).await.unwrap();
        assert_eq!(scene.text("url").await, "y:hunter2");
        let plain = "path,value,template\nurl,y:${pay/live/db/password},false\n";
        let done =
            domain.import_secrets(&op(), &scene.live(), &file(FileFormat::Csv, plain), None).await.unwrap();
        assert_eq!((done.changed, scene.is_template("url").await), (1, false));
        let wrong = "path,value,template\nurl,${x},true\n";
        let preview =
            domain.preview_import(&op(), &scene.live(), &file(FileFormat::Csv, wrong)).await.unwrap();
        assert!(!preview.stands());
        let neither = file(FileFormat::Csv, "path,value,template\nurl,x,perhaps\n");
        assert!(domain.preview_import(&op(), &scene.live(), &neither).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn both_sides_of_a_secret_are_shown_to_who_may_see_them() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let other = scene.house.project("other").await;
        let olga = scene.house.person("Olga", &[(Role::Owner, None)]).await;
        let (theirs, path) = (Place::Environment(other.live), "p".parse().unwrap());
        let hidden =
            domain.put_secret(&olga.op(), &theirs, &path, template("${pay/live/a}")).await.unwrap().id;
        let a = scene.put("a", "one").await.id;
        let b = scene.put_template("b", "${pay/live/a}${pay/live/a}${other/live/p}${pay/live/none}").await;
        let to: Vec<_> = scene.references("b").await.to;
        let told: Vec<_> = to.iter().map(|it| (it.reference.to_string(), it.secret)).collect();
        let wanted = [("pay/live/a", Some(a)), ("other/live/p", None), ("pay/live/none", None)];
        assert_eq!(told, wanted.map(|(reference, id)| (reference.to_owned(), id)));
        let by = |found: References| found.by.into_iter().map(|it| it.id).collect::<Vec<_>>();
        assert_eq!(by(scene.references("a").await), [b], "who may not see the other is not told of it");
        assert_eq!(by(domain.secret_references(&olga.op(), a).await.unwrap()), [hidden, b]);
        let mallory = scene.house.person("Mallory", &[(Role::Reader, Some(other.id))]).await;
        let stranger = domain.secret_references(&mallory.op(), a).await;
        assert!(matches!(stranger, Err(crate::Refused::NotFound)), "{stranger:?}");

        scene.put("b", "plain").await;
        assert_eq!(by(scene.references("a").await), [b], "its previous version still does");
        assert!(scene.references("b").await.to.is_empty());
        domain.destroy_secret_version(&scene.alice.op(), b, 1).await.unwrap();
        assert!(by(scene.references("a").await).is_empty());
        assert_eq!(scene.house.rows().await["secret_references"], 1, "what is destroyed refers to nothing");
        domain.delete_secret(&scene.alice.op(), &scene.address("a"), None).await.unwrap();
        scene.put_template("c", "${pay/live/a}").await;
        assert!(scene.references("c").await.to[0].deleted);
    })
    .await;
}

#[tokio::test]
async fn who_watches_a_template_is_told_when_what_it_refers_to_changes() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let test = Place::Environment(scene.pay.test);
        let far = "far".parse().unwrap();
        domain.put_secret(&op(), &test, &far, of("one")).await.unwrap();
        domain
            .put_secret(&op(), &test, &"between".parse().unwrap(), template("${pay/test/far}"))
            .await
            .unwrap();
        let url = scene.put_template("url", "${pay/test/between}").await;
        scene.put("plain", "${pay/test/far}").await;
        let mut watch = SecretWatch::new(scene.live(), None, None);
        let look = async |watch: &mut SecretWatch| match domain.look_at_secrets(&op(), watch).await.unwrap() {
            Look::Changes(changes) => changes,
            Look::Resync => panic!("nothing was missed"),
        };
        assert!(look(&mut watch).await.is_empty());
        scene.house.clock.advance(std::time::Duration::from_secs(1));
        domain.put_secret(&op(), &test, &far, of("two")).await.unwrap();
        let told = look(&mut watch).await;
        let [SecretChange { id, action, version: Some(1), deleted: false, mark, .. }] = &*told else {
            panic!("{told:?}")
        };
        assert_eq!((*id, action.as_str()), (url, "secret.referred"));
        assert!(look(&mut watch).await.is_empty(), "once");
        let mut again = SecretWatch::new(scene.live(), None, Some(&mark.to_string()));
        let retold = look(&mut again).await;
        assert!(retold.iter().any(|it| it == &told[0]), "perhaps twice, and never not at all: {retold:?}");

        scene.house.clock.advance(std::time::Duration::from_secs(1));
        scene.put("url", "plain now").await;
        let told = look(&mut watch).await;
        assert_eq!(told.iter().map(|it| it.action.as_str()).collect::<Vec<_>>(), ["secret.put"]);
        scene.house.clock.advance(std::time::Duration::from_secs(1));
        domain.put_secret(&op(), &test, &far, of("three")).await.unwrap();
        assert!(look(&mut watch).await.is_empty(), "it refers to nothing any more");
    })
    .await;
}
