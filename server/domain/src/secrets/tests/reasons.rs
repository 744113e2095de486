//! Where an environment asks why its values are read, nothing gives one away without it: to people, machines or links.

use keywarden_model::{Reason, Role};

use super::{Address, As, ReadSecretError, Scene, Which, template};
use crate::Op;
use crate::cast::both_engines;
use crate::environments::{EditEnvironment, Terms};
use crate::keys::Place;
use crate::secrets::files::FileFormat;
use crate::secrets::{Export, ExportError, NewShare, PromoteError, Promotion, ShareError, ShareLife};

fn because(op: Op) -> Op {
    Op { reason: Some("INC-7: the shop is down".parse::<Reason>().unwrap()), ..op }
}

impl Scene {
    async fn asks(&self, reads_need_reason: bool) {
        let domain = &self.house.domain;
        let before = domain.environment(&self.alice.op(), self.pay.id, "live").await.unwrap();
        let name = before.name.parse().unwrap();
        let terms = Terms::new(before.max_lifetime_seconds, Some(before.overlap_seconds)).unwrap();
        let edit = EditEnvironment { name, terms, reads_need_reason, row_version: before.row_version };
        domain.edit_environment(&self.alice.op(), before.id, edit).await.unwrap();
    }
}

#[tokio::test]
async fn no_value_leaves_without_a_reason_where_one_is_asked_for() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", "one").await.id;
        scene.put("db/password", "two").await;
        scene.asks(true).await;
        let domain = &scene.house.domain;
        let deployer = scene.house.workload("deployer", Role::Reader, Some(scene.pay.id)).await;
        let owner = scene.house.person("Olga", &[(Role::Owner, None)]).await;
        let before = scene.house.rows().await;
        let address = Address::Id(id);
        for op in [scene.alice.op(), deployer.op(), owner.op(), scene.house.operator(Role::Owner)] {
            let read = domain.read_secret(&op, &address, &Which::default()).await;
            assert!(matches!(read, Err(ReadSecretError::NoReason)), "{:?}: {read:?}", op.actor);
        }
        let compared = domain.compare_secret_versions(&scene.alice.op(), id, 1, 2).await;
        assert!(matches!(compared, Err(ReadSecretError::NoReason)), "{compared:?}");
        let export = Export { folder: None, format: FileFormat::Json, reason: String::new() };
        let exported = domain.export_secrets(&scene.alice.op(), &scene.live(), &export).await;
        assert!(matches!(exported, Err(ExportError::NoReason)), "{exported:?}");
        let to = || Promotion { to: Place::Environment(scene.pay.test), version: 2, expected: None };
        let promoted = domain.promote_secret(&scene.alice.op(), id, to()).await;
        assert!(
            matches!(promoted, Err(PromoteError::NoReason)),
            "a value is not carried out either: {promoted:?}"
        );
        let new = NewShare { version: 2, recipient: None, life: ShareLife::Day };
        let shared = domain.share_secret(&scene.alice.op(), id, new).await;
        assert!(matches!(shared, Err(ShareError::Unread(ReadSecretError::NoReason))), "{shared:?}");
        assert_eq!(scene.house.rows().await, before, "and nothing is told as done");
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let refused = domain.read_secret(&victor.op(), &address, &Which::default()).await;
        assert!(
            matches!(refused, Err(ReadSecretError::Refused(_))),
            "who may not read is not asked: {refused:?}"
        );

        let read = domain.read_secret(&because(deployer.op()), &address, &Which::default()).await.unwrap();
        assert_eq!(read.value.expose(), b"two");
        domain.compare_secret_versions(&because(scene.alice.op()), id, 1, 2).await.unwrap();
        domain.export_secrets(&because(scene.alice.op()), &scene.live(), &export).await.unwrap();
        domain.promote_secret(&because(scene.alice.op()), id, to()).await.unwrap();
        let made = domain.share_secret(&because(scene.alice.op()), id, new).await.unwrap();
        let passphrase = keywarden_vault::SecretString::new(made.passphrase().unwrap().to_owned());
        let value = made.url().rsplit('/').next().unwrap();
        let nobody = scene.house.op(crate::Actor::Nobody);
        let opened = domain.open_share(&nobody, value, Some(&passphrase)).await.unwrap();
        assert_eq!(opened.value.expose(), b"two", "its maker said why");
        scene.asks(false).await;
        scene.read("db/password", Which::default()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_template_is_not_resolved_without_the_reason_that_what_it_refers_to_asks_for() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let password = scene.put("db/password", "hunter2").await.id;
        let (place, path) = (Place::Environment(scene.pay.test), "url".parse().unwrap());
        let put = template("app:${pay/live/db/password}@db");
        let url = domain.put_secret(&scene.alice.op(), &place, &path, put).await.unwrap().id;
        scene.asks(true).await;
        let (address, which) = (Address::Id(url), Which::default());
        let before = scene.house.rows().await;
        let read = domain.read_secret(&scene.alice.op(), &address, &which).await;
        assert!(matches!(read, Err(ReadSecretError::NoReason)), "the reference is read, too: {read:?}");
        assert_eq!(scene.house.rows().await, before, "and nothing is told as done");
        let raw = domain.read_secret_as(&scene.alice.op(), &address, &which, As::Raw).await.unwrap();
        assert_eq!(raw.value.expose(), b"app:${pay/live/db/password}@db", "nothing else is read for that");

        let read = domain.read_secret(&because(scene.alice.op()), &address, &which).await.unwrap();
        assert_eq!(read.value.expose(), b"app:hunter2@db");
        let query = crate::audit::Query {
            action: Some("secret.read".into()),
            resource: Some(password.to_string()),
            limit: 10,
            ..Default::default()
        };
        let events = domain.events(&scene.alice.op(), &query).await.unwrap().events;
        let said = events[0].personal.get(&scene.alice.id.to_string()).unwrap().get("reason").unwrap();
        assert_eq!(said, "INC-7: the shop is down", "one reason counts for all that is read");

        scene.put_as(&scene.alice.op(), "here", template("${pay/live/db/password}")).await.unwrap();
        let raw = domain.read_secret_as(&scene.alice.op(), &scene.address("here"), &which, As::Raw).await;
        assert!(
            matches!(raw, Err(ReadSecretError::NoReason)),
            "a template is asked for like a value: {raw:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn the_reason_stands_in_the_record_of_the_reading_and_is_told_of_the_reader() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", "one").await.id;
        scene.asks(true).await;
        let domain = &scene.house.domain;
        domain.read_secret(&because(scene.alice.op()), &Address::Id(id), &Which::default()).await.unwrap();
        let query = crate::audit::Query {
            action: Some("secret.read".into()),
            resource: Some(id.to_string()),
            limit: 10,
            ..Default::default()
        };
        let events = domain.events(&scene.alice.op(), &query).await.unwrap().events;
        assert_eq!(events.len(), 1);
        let said = events[0].personal.get(&scene.alice.id.to_string()).unwrap().get("reason").unwrap();
        assert_eq!(said, "INC-7: the shop is down");
        let edits =
            crate::audit::Query { action: Some("environment.edit".into()), limit: 10, ..Default::default() };
        let edits = domain.events(&scene.alice.op(), &edits).await.unwrap().events;
        assert_eq!(edits.len(), 1, "that it asks from now on is on record");
    })
    .await;
}
