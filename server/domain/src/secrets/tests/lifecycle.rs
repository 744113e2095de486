use std::time::Duration;

use keywarden_model::{Role, VersionState};
use keywarden_store::{count::number, sql};

use super::{Address, As, Expected, PutError, ReadSecretError, Scene, Which, label, of};
use crate::cast::both_engines;
use crate::environments::{KeepSecretsError, Retention};
use crate::secrets::{
    DeleteSecretError, DestroyVersionError, EditSecretError, LabelError, PurgeSecretError,
    RestoreSecretError, SecretPatch, SwitchVersionError,
};
use crate::{Fault, Refused};

pub(super) const DAY: Duration = Duration::from_hours(24);
pub(super) const ALMOST_A_DAY: Duration = Duration::from_secs(86_399);

pub(super) async fn keep(scene: &Scene, days: i64, protection: bool) -> Result<(), KeepSecretsError> {
    let domain = &scene.house.domain;
    let alice = scene.alice.steps_up();
    let live = domain.environment(&alice.op(), scene.pay.id, "live").await.unwrap();
    let retention = Retention::new(days, protection).unwrap();
    domain.keep_secrets(&alice.op(), scene.pay.live, retention, live.row_version).await
}

async fn purge(scene: &Scene) -> u64 {
    let op = scene.house.domain.system_op("purge-secrets");
    scene.house.domain.purge_secrets(&op).await.unwrap()
}

/// How many versions still have anything of a value.
async fn kept(scene: &Scene) -> i64 {
    let text = "SELECT count(*) AS number FROM secret_versions
                WHERE wrapped_key IS NOT NULL OR ciphertext IS NOT NULL OR fingerprint IS NOT NULL
                   OR project_key_id IS NOT NULL";
    number(sql(text), &mut scene.house.store.read().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_disabled_version_is_not_read_until_it_is_enabled() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let id = scene.put("a", "one").await.id;
        domain.disable_secret_version(&op(), id, 1).await.unwrap();
        let read = scene.read("a", Which::default()).await;
        assert!(
            matches!(read, Err(ReadSecretError::Shut { number: 1, state: VersionState::Disabled })),
            "{read:?}"
        );
        let (which, wanted) = (Which::default(), As::Resolved);
        let meant = domain.secret_tag_meant(&op(), &scene.address("a"), &which, wanted).await;
        assert_eq!(meant.unwrap(), None, "what the caller has is not said to be good");
        let again = domain.disable_secret_version(&op(), id, 1).await;
        assert!(matches!(again, Err(SwitchVersionError::Is(VersionState::Disabled))), "{again:?}");
        domain.enable_secret_version(&op(), id, 1).await.unwrap();
        assert_eq!(scene.text("a").await, "one");
        let none = domain.enable_secret_version(&op(), id, 2).await;
        assert!(matches!(none, Err(SwitchVersionError::Refused(Refused::NotFound))), "{none:?}");
    })
    .await;
}

#[tokio::test]
async fn a_destroyed_version_leaves_nothing_of_its_value() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let id = scene.put("a", "one").await.id;
        scene.put("a", "two").await;
        domain.label_secret(&op(), id, None, &label("blue"), 1).await.unwrap();
        let current = domain.destroy_secret_version(&op(), id, 2).await;
        assert!(matches!(current, Err(DestroyVersionError::Current)), "{current:?}");
        assert_eq!(kept(&scene).await, 2);
        domain.destroy_secret_version(&op(), id, 1).await.unwrap();
        assert_eq!(kept(&scene).await, 1);
        assert_eq!(scene.labels(id).await, ["current=2"], "its labels went with it");
        let read = scene.read("a", Which::Number(1)).await;
        assert!(
            matches!(read, Err(ReadSecretError::Shut { state: VersionState::Destroyed, .. })),
            "{read:?}"
        );
        let again = domain.destroy_secret_version(&op(), id, 1).await;
        assert!(matches!(again, Err(DestroyVersionError::Already)), "{again:?}");
        let enabled = domain.enable_secret_version(&op(), id, 1).await;
        assert!(matches!(enabled, Err(SwitchVersionError::Is(VersionState::Destroyed))), "{enabled:?}");
        let labelled = domain.label_secret(&op(), id, None, &label("blue"), 1).await;
        assert!(matches!(labelled, Err(LabelError::Destroyed)), "{labelled:?}");
        assert_eq!(scene.text("a").await, "two");
    })
    .await;
}

#[tokio::test]
async fn of_a_deleted_secret_the_current_version_too_is_destroyed_at_once() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let id = scene.put("a", "one").await.id;
        scene.put("a", "two").await;
        domain.delete_secret(&op(), &Address::Id(id), None).await.unwrap();
        domain.destroy_secret_version(&op(), id, 2).await.unwrap();
        assert_eq!(kept(&scene).await, 1);
        assert_eq!(scene.labels(id).await, ["previous=1"], "nothing takes the place of `current`");
        let again = domain.destroy_secret_version(&op(), id, 2).await;
        assert!(matches!(again, Err(DestroyVersionError::Already)), "{again:?}");
        domain.restore_secret(&op(), id).await.unwrap();
        let read = scene.read("a", Which::default()).await;
        assert!(matches!(read, Err(ReadSecretError::Refused(Refused::NotFound))), "{read:?}");
        let revealed = scene.read("a", Which::Number(1)).await.unwrap();
        assert_eq!(revealed.value.expose(), b"one", "what was not destroyed is back");
        assert_eq!(scene.put("a", "three").await.number, 3);
        assert_eq!(scene.text("a").await, "three");
    })
    .await;
}

#[tokio::test]
async fn a_deleted_secret_is_destroyed_before_its_window_is_over_where_nothing_protects_it() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let id = scene.put("a", "one").await.id;
        scene.put("a", "two").await;
        let early = domain.purge_secret(&op(), id).await;
        assert!(matches!(early, Err(PurgeSecretError::NotDeleted)), "{early:?}");
        domain.delete_secret(&op(), &Address::Id(id), None).await.unwrap();
        let vera = scene.house.person("Vera", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let refused = domain.purge_secret(&vera.op(), id).await;
        assert!(matches!(refused, Err(PurgeSecretError::Refused(Refused::Forbidden(_)))), "{refused:?}");
        assert_eq!(kept(&scene).await, 2);
        domain.purge_secret(&op(), id).await.unwrap();
        assert_eq!(kept(&scene).await, 0);
        let again = domain.purge_secret(&op(), id).await;
        assert!(matches!(again, Err(PurgeSecretError::Refused(Refused::NotFound))), "{again:?}");
        let back = domain.restore_secret(&op(), id).await;
        assert!(matches!(back, Err(RestoreSecretError::Refused(Refused::NotFound))), "{back:?}");
        assert_eq!(
            scene.events(id).await,
            ["create", "delete", "purge", "put"].map(|it| format!("secret.{it}"))
        );
        let anew = scene.put("a", "three").await;
        assert!(anew.id != id && anew.number == 1, "its path is free");

        keep(&scene, 14, true).await.unwrap();
        domain.delete_secret(&op(), &Address::Id(anew.id), None).await.unwrap();
        let protected = domain.purge_secret(&op(), anew.id).await;
        assert!(matches!(protected, Err(PurgeSecretError::Protected)), "{protected:?}");
        assert_eq!(kept(&scene).await, 1);
        scene.house.clock.advance(DAY * 31);
        assert_eq!(purge(&scene).await, 1, "the first one went before");
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_can_be_restored_as_it_was_until_its_window_is_over() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let id = scene.put("a/b", "one").await.id;
        scene.put("a/b", "two").await;
        let address = scene.address("a/b");
        let wrong = domain.delete_secret(&scene.alice.op(), &address, Some(Expected::Number(1))).await;
        assert!(matches!(wrong, Err(DeleteSecretError::Stale)), "{wrong:?}");
        let deletion =
            domain.delete_secret(&scene.alice.op(), &address, Some(Expected::Number(2))).await.unwrap();
        assert_eq!(deletion.purge_at, scene.house.now() + DAY * 30);
        let read = scene.read("a/b", Which::default()).await;
        assert!(matches!(read, Err(ReadSecretError::Refused(Refused::NotFound))), "{read:?}");
        let put = scene.put_as(&scene.alice.op(), "a/b", of("x")).await;
        assert!(matches!(put, Err(PutError::Deleted)), "its path stays taken: {put:?}");
        let edit = domain.edit_secret(&scene.alice.op(), id, None, SecretPatch::default()).await;
        assert!(matches!(edit, Err(EditSecretError::Deleted)), "{edit:?}");
        let again = domain.delete_secret(&scene.alice.op(), &address, None).await;
        assert!(matches!(again, Err(DeleteSecretError::Already)), "{again:?}");
        let view = domain.secret(&scene.alice.op(), &address).await.unwrap();
        assert!(view.versions.iter().all(|version| version.state == VersionState::SoftDeleted));

        scene.house.clock.advance(DAY * 29 + ALMOST_A_DAY);
        assert_eq!(purge(&scene).await, 0);
        let alice = scene.alice.steps_up();
        domain.restore_secret(&alice.op(), id).await.unwrap();
        let twice = domain.restore_secret(&alice.op(), id).await;
        assert!(matches!(twice, Err(RestoreSecretError::NotDeleted)), "{twice:?}");
        let read = domain.read_secret(&alice.op(), &address, &Which::Number(1)).await.unwrap();
        assert_eq!(read.value.expose(), b"one");

        domain.delete_secret(&alice.op(), &address, None).await.unwrap();
        scene.house.clock.advance(DAY * 30);
        let alice = scene.alice.steps_up();
        let late = domain.restore_secret(&alice.op(), id).await;
        assert!(matches!(late, Err(RestoreSecretError::Refused(Refused::NotFound))), "{late:?}");
        assert_eq!((purge(&scene).await, purge(&scene).await), (1, 0), "once");
        assert_eq!(kept(&scene).await, 0);
        let gone = domain.secret(&alice.op(), &Address::Id(id)).await;
        assert!(matches!(gone, Err(Refused::NotFound)), "{gone:?}");
        let anew = scene.put_as(&alice.op(), "a/b", of("three")).await.unwrap();
        assert!(anew.id != id && anew.number == 1, "its path is free");
        assert_eq!(
            scene.events(id).await,
            ["create", "delete", "delete", "purge", "put", "read", "restore"]
                .map(|it| format!("secret.{it}"))
        );
    })
    .await;
}

#[tokio::test]
async fn under_purge_protection_nothing_is_destroyed_before_its_time() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let id = scene.put("a", "one").await.id;
        scene.put("a", "two").await;
        keep(&scene, 14, true).await.unwrap();
        for (days, protection) in [(14, false), (13, true), (90, false)] {
            let weaker = keep(&scene, days, protection).await;
            assert!(matches!(weaker, Err(KeepSecretsError::Protected)), "{days} {protection}: {weaker:?}");
        }
        keep(&scene, 21, true).await.unwrap();
        let destroyed = domain.destroy_secret_version(&scene.alice.op(), id, 1).await;
        assert!(matches!(destroyed, Err(DestroyVersionError::Protected)), "{destroyed:?}");
        domain.delete_secret(&scene.alice.op(), &Address::Id(id), None).await.unwrap();
        for number in [1, 2] {
            let destroyed = domain.destroy_secret_version(&scene.alice.op(), id, number).await;
            assert!(matches!(destroyed, Err(DestroyVersionError::Protected)), "{number}: {destroyed:?}");
        }
        scene.house.clock.advance(DAY * 20 + ALMOST_A_DAY);
        assert_eq!(purge(&scene).await, 0);
        assert_eq!(kept(&scene).await, 2);
        scene.house.clock.advance(Duration::from_secs(1));
        assert_eq!(purge(&scene).await, 1);
        assert_eq!(kept(&scene).await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_edit_counts_only_from_the_version_that_was_read() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let id = scene.put("a", "one").await.id;
        let seen = domain.secret(&op(), &Address::Id(id)).await.unwrap().secret.row_version;
        let patch = SecretPatch {
            description: Some("the shop's".parse().unwrap()),
            tags: Some(keywarden_model::Tags::parse(["team=payments"]).unwrap()),
            owner: None,
        };
        domain.edit_secret(&op(), id, Some(seen), patch.clone()).await.unwrap();
        let stale = domain.edit_secret(&op(), id, Some(seen), patch).await;
        assert!(matches!(stale, Err(EditSecretError::Stale)), "{stale:?}");
        let secret = domain.secret(&op(), &Address::Id(id)).await.unwrap().secret;
        assert_eq!(
            (secret.description.as_str(), secret.tags.words()),
            ("the shop's", vec!["team=payments".into()])
        );
    })
    .await;
}

#[tokio::test]
async fn a_purge_that_finds_damage_says_so() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("a", "one").await.id;
        scene.house.domain.delete_secret(&scene.alice.op(), &Address::Id(id), None).await.unwrap();
        scene.house.put(vec![sql("UPDATE secrets SET tags = '{', purge_at = 1")]).await;
        let op = scene.house.domain.system_op("purge-secrets");
        let purged = scene.house.domain.purge_secrets(&op).await;
        assert!(matches!(purged, Err(Fault::Damaged(_))), "{purged:?}");
        assert_eq!(kept(&scene).await, 1);
    })
    .await;
}
