use keywarden_model::{Alias, Dialect, Role};

use super::{Address, As, PutError, ReadSecretError, Scene, Which, label, of};
use crate::cast::both_engines;
use crate::secrets::{SecretPatch, SecretQuery};
use crate::{Op, Refused};

/// Everything that can be asked of a secret, each with its answer.
async fn ask_everything(
    scene: &Scene,
    op: impl Fn() -> Op,
    address: &Address,
) -> Vec<(&'static str, Refused)> {
    let domain = &scene.house.domain;
    let view = domain.secret(&scene.alice.op(), &scene.address("db/password")).await.unwrap();
    let id = view.secret.id;
    let mut answers = Vec::new();
    let mut note = |what, refused: Option<Refused>| answers.extend(refused.map(|refused| (what, refused)));
    let read = domain.read_secret(&op(), address, &Which::default()).await;
    note(
        "read",
        read.err().map(|error| match error {
            ReadSecretError::Refused(refused) => refused,
            other => panic!("{other}"),
        }),
    );
    note("meant", domain.secret_tag_meant(&op(), address, &Which::default(), As::Resolved).await.err());
    note("show", domain.secret(&op(), address).await.err());
    note(
        "put",
        scene.put_as(&op(), "db/password", of("x")).await.err().map(|error| match error {
            PutError::Refused(refused) => refused,
            other => panic!("{other}"),
        }),
    );
    macro_rules! refused {
        ($what:literal, $asked:expr, $error:ident) => {
            note(
                $what,
                $asked.await.err().map(|error| match error {
                    crate::secrets::$error::Refused(refused) => refused,
                    other => panic!("{other}"),
                }),
            )
        };
    }
    refused!("edit", domain.edit_secret(&op(), id, None, SecretPatch::default()), EditSecretError);
    refused!("label", domain.label_secret(&op(), id, None, &label("blue"), 1), LabelError);
    refused!("unlabel", domain.unlabel_secret(&op(), id, &label("current")), LabelError);
    let alias = Alias::new(Dialect::Aws, "db-password").unwrap();
    refused!("alias", domain.alias_secret(&op(), id, None, &alias), AliasSecretError);
    refused!("unalias", domain.unalias_secret(&op(), id, None, Dialect::Aws), AliasSecretError);
    refused!("disable", domain.disable_secret_version(&op(), id, 1), SwitchVersionError);
    refused!("enable", domain.enable_secret_version(&op(), id, 1), SwitchVersionError);
    refused!("delete version", domain.delete_secret_version(&op(), id, 1), DeleteVersionError);
    refused!("restore version", domain.restore_secret_version(&op(), id, 1), RestoreVersionError);
    refused!("destroy", domain.destroy_secret_version(&op(), id, 1), DestroyVersionError);
    refused!("delete", domain.delete_secret(&op(), address, None), DeleteSecretError);
    refused!("restore", domain.restore_secret(&op(), id), RestoreSecretError);
    answers
}

#[tokio::test]
async fn whoever_has_no_business_in_the_project_finds_nothing() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let put = scene.put("db/password", "hunter2").await;
        let other = scene.house.project("other").await;
        let mallory = scene.house.person("Mallory", &[(Role::Manager, Some(other.id))]).await;
        let robot = scene.house.workload("robot", Role::Manager, Some(other.id)).await;
        let gateway = scene.house.workload("gateway", Role::Verifier, Some(scene.pay.id)).await;
        let before = scene.house.rows().await;
        for address in [scene.address("db/password"), Address::Id(put.id)] {
            for answers in [
                ask_everything(&scene, || mallory.op(), &address).await,
                ask_everything(&scene, || robot.op(), &address).await,
                ask_everything(&scene, || gateway.op(), &address).await,
            ] {
                assert_eq!(answers.len(), 16, "{answers:?}");
                for (what, refused) in answers {
                    assert!(matches!(refused, Refused::NotFound), "{what}: {refused:?}");
                }
            }
        }
        for op in [mallory.op(), robot.op(), gateway.op()] {
            let query = SecretQuery { limit: 200, ..SecretQuery::default() };
            assert!(scene.house.domain.secrets(&op, &query).await.unwrap().secrets.is_empty());
        }
        assert_eq!(scene.house.rows().await, before, "and leaves nothing");
    })
    .await;
}

#[tokio::test]
async fn a_viewer_sees_everything_but_the_value() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("db/password", "hunter2").await;
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let auditor = scene.house.person("Audrey", &[(Role::Auditor, None)]).await;
        let before = scene.house.rows().await;
        let address = scene.address("db/password");
        for player in [&victor, &auditor] {
            let answers = ask_everything(&scene, || player.op(), &address).await;
            assert!(answers.iter().all(|(what, _)| *what != "show"), "{answers:?}");
            assert_eq!(answers.len(), 15);
            for (what, refused) in answers {
                assert!(matches!(refused, Refused::Forbidden(_)), "{what}: {refused:?}");
            }
        }
        assert_eq!(scene.house.rows().await, before);
        let made = scene.put_as(&victor.op(), "db/other", of("x")).await;
        assert!(matches!(made, Err(PutError::Refused(Refused::Forbidden(_)))), "{made:?}");
    })
    .await;
}

#[tokio::test]
async fn a_person_shows_a_passkey_to_read_and_a_machine_its_token() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", "hunter2").await.id;
        let address = scene.address("db/password");
        let domain = &scene.house.domain;
        let asleep = scene.alice.without_step_up();
        let read = domain.read_secret(&asleep.op(), &address, &Which::default()).await;
        assert!(matches!(read, Err(ReadSecretError::Refused(Refused::StepUp))), "{read:?}");
        let still = domain.secret_tag_meant(&asleep.op(), &address, &Which::default(), As::Resolved).await;
        assert!(matches!(still, Err(Refused::StepUp)), "{still:?}");
        assert!(domain.secret(&asleep.op(), &address).await.is_ok(), "to look takes none");
        let deployer = scene.house.workload("deployer", Role::Manager, Some(scene.pay.id)).await;
        let read = domain.read_secret(&deployer.op(), &address, &Which::default()).await.unwrap();
        assert_eq!(read.value.expose(), b"hunter2");
        let which = Which::default();
        let meant = domain.secret_tag_meant(&deployer.op(), &address, &which, As::Resolved).await.unwrap();
        assert_eq!(meant, Some(read.tag()));
        assert_eq!(scene.events(id).await, ["secret.create", "secret.read"], "a comparison tells nothing");
    })
    .await;
}

#[tokio::test]
async fn a_sealed_keyring_gives_and_takes_nothing() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("db/password", "hunter2").await;
        let before = scene.house.rows().await;
        scene.house.keyring.zeroize();
        let read = scene.read("db/password", Which::default()).await;
        assert!(matches!(read, Err(ReadSecretError::Refused(Refused::Fault(_)))), "{read:?}");
        let put = scene.put_as(&scene.alice.op(), "db/password", of("x")).await;
        assert!(matches!(put, Err(PutError::Refused(Refused::Fault(_)))), "{put:?}");
        assert_eq!(scene.house.rows().await, before);
    })
    .await;
}
