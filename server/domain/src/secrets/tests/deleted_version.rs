use keywarden_model::{Role, VersionState};
use keywarden_store::{count::number, sql};

use super::lifecycle::{ALMOST_A_DAY, DAY, keep};
use super::{Address, ReadSecretError, Scene, Which, label};
use crate::Refused;
use crate::cast::both_engines;
use crate::secrets::{
    DeleteVersionError, DestroyVersionError, LabelError, RestoreVersionError, SwitchVersionError,
};

async fn purge(scene: &Scene) -> u64 {
    let op = scene.house.domain.system_op("purge-secrets");
    scene.house.domain.purge_secret_versions(&op).await.unwrap()
}

async fn state(scene: &Scene, at: &Address, number: i64) -> VersionState {
    let view = scene.house.domain.secret(&scene.alice.op(), at).await.unwrap();
    view.versions.iter().find(|it| it.number == number).unwrap().state
}

#[tokio::test]
async fn a_deleted_version_is_not_read_keeps_its_labels_and_comes_back_as_it_was() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let id = scene.put("a", "one").await.id;
        scene.put("a", "two").await;
        domain.label_secret(&op(), id, None, &label("blue"), 1).await.unwrap();
        let current = domain.delete_secret_version(&op(), id, 2).await;
        assert!(matches!(current, Err(DeleteVersionError::Current)), "{current:?}");
        let none = domain.delete_secret_version(&op(), id, 9).await;
        assert!(matches!(none, Err(DeleteVersionError::Refused(Refused::NotFound))), "{none:?}");

        let deletion = domain.delete_secret_version(&op(), id, 1).await.unwrap();
        assert_eq!(deletion.purge_at, scene.house.now() + DAY * 30);
        for which in [Which::Number(1), Which::Label(label("blue")), Which::Label(label("previous"))] {
            let read = scene.read("a", which).await;
            assert!(
                matches!(read, Err(ReadSecretError::Shut { number: 1, state: VersionState::SoftDeleted })),
                "{read:?}"
            );
        }
        let compared = domain.compare_secret_versions(&op(), id, 1, 2).await;
        assert!(matches!(compared, Err(ReadSecretError::Shut { number: 1, .. })), "{compared:?}");
        assert_eq!(scene.labels(id).await, ["blue=1", "current=2", "previous=1"], "no label moves by itself");
        assert_eq!(scene.text("a").await, "two");

        let again = domain.delete_secret_version(&op(), id, 1).await;
        assert!(matches!(again, Err(DeleteVersionError::Is(VersionState::SoftDeleted))), "{again:?}");
        let enabled = domain.enable_secret_version(&op(), id, 1).await;
        assert!(matches!(enabled, Err(SwitchVersionError::Is(VersionState::SoftDeleted))), "{enabled:?}");
        for name in ["green", "current"] {
            let labelled = domain.label_secret(&op(), id, None, &label(name), 1).await;
            assert!(matches!(labelled, Err(LabelError::VersionDeleted)), "{name}: {labelled:?}");
        }
        domain.restore_secret_version(&op(), id, 1).await.unwrap();
        let read = scene.read("a", Which::Label(label("blue"))).await.unwrap();
        assert_eq!(read.value.expose(), b"one");
        let twice = domain.restore_secret_version(&op(), id, 1).await;
        assert!(matches!(twice, Err(RestoreVersionError::Is(VersionState::Enabled))), "{twice:?}");

        domain.disable_secret_version(&op(), id, 1).await.unwrap();
        domain.delete_secret_version(&op(), id, 1).await.unwrap();
        domain.restore_secret_version(&op(), id, 1).await.unwrap();
        assert_eq!(state(&scene, &Address::Id(id), 1).await, VersionState::Disabled, "as it was");
        let told = scene.events(id).await;
        let count = |action: &str| told.iter().filter(|it| *it == action).count();
        assert_eq!((count("secret.delete-version"), count("secret.restore-version")), (2, 2));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_version_is_purged_once_when_its_window_is_over_and_not_before() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let id = scene.put("a", "one").await.id;
        scene.put("a", "two").await;
        keep(&scene, 14, true).await.unwrap();
        domain.delete_secret_version(&scene.alice.op(), id, 1).await.unwrap();
        let destroyed = domain.destroy_secret_version(&scene.alice.op(), id, 1).await;
        assert!(matches!(destroyed, Err(DestroyVersionError::Protected)), "{destroyed:?}");
        // A longer window is for what is deleted from now on.
        keep(&scene, 21, true).await.unwrap();
        scene.house.clock.advance(DAY * 13 + ALMOST_A_DAY);
        assert_eq!(purge(&scene).await, 0);
        scene.house.clock.advance(std::time::Duration::from_secs(1));
        let alice = scene.alice.steps_up();
        let late = domain.restore_secret_version(&alice.op(), id, 1).await;
        assert!(matches!(late, Err(RestoreVersionError::Refused(Refused::NotFound))), "{late:?}");
        assert_eq!((purge(&scene).await, purge(&scene).await), (1, 0), "once");
        assert_eq!(state(&scene, &Address::Id(id), 1).await, VersionState::Destroyed);
        assert_eq!(scene.labels(id).await, ["current=2"], "its labels went with it");
        let text = "SELECT count(*) AS number FROM secret_versions
                    WHERE wrapped_key IS NOT NULL OR ciphertext IS NOT NULL OR fingerprint IS NOT NULL";
        let kept = number(sql(text), &mut scene.house.store.read().await.unwrap()).await.unwrap();
        assert_eq!(kept, 1);
        let read = domain.read_secret(&alice.op(), &Address::Id(id), &Which::default()).await.unwrap();
        assert_eq!(read.value.expose(), b"two");
        assert!(scene.events(id).await.contains(&"secret.purge-version".into()));
    })
    .await;
}

#[tokio::test]
async fn a_secret_that_is_deleted_and_restored_brings_its_deleted_version_back_as_deleted() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let id = scene.put("a", "one").await.id;
        scene.put("a", "two").await;
        domain.delete_secret_version(&op(), id, 1).await.unwrap();
        domain.delete_secret(&op(), &Address::Id(id), None).await.unwrap();
        let restored = domain.restore_secret_version(&op(), id, 1).await;
        assert!(matches!(restored, Err(RestoreVersionError::Deleted)), "{restored:?}");
        let deleted = domain.delete_secret_version(&op(), id, 2).await;
        assert!(matches!(deleted, Err(DeleteVersionError::Deleted)), "{deleted:?}");
        domain.restore_secret(&op(), id).await.unwrap();
        assert_eq!(state(&scene, &Address::Id(id), 1).await, VersionState::SoftDeleted);
        assert_eq!(scene.text("a").await, "two");
        // The secret's own end takes all of it, and nothing is left for the version's.
        domain.delete_secret(&op(), &Address::Id(id), None).await.unwrap();
        scene.house.clock.advance(DAY * 30);
        let job = domain.system_op("purge-secrets");
        assert_eq!(domain.purge_secrets(&job).await.unwrap(), 1);
        assert_eq!(purge(&scene).await, 0);
    })
    .await;
}

#[tokio::test]
async fn of_two_who_delete_a_version_at_once_one_does_and_who_only_looks_may_not() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let id = scene.put("a", "one").await.id;
        scene.put("a", "two").await;
        let vera = scene.house.person("Vera", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let refused = domain.delete_secret_version(&vera.op(), id, 1).await;
        assert!(matches!(refused, Err(DeleteVersionError::Refused(Refused::Forbidden(_)))), "{refused:?}");
        let unsigned = scene.alice.without_step_up();
        let asked = domain.delete_secret_version(&unsigned.op(), id, 1).await;
        assert!(matches!(asked, Err(DeleteVersionError::Refused(Refused::StepUp))), "{asked:?}");
        let (one, other) = (scene.alice.op(), scene.alice.op());
        let (one, other) = tokio::join!(
            domain.delete_secret_version(&one, id, 1),
            domain.delete_secret_version(&other, id, 1)
        );
        let done = [&one, &other].into_iter().filter(|it| it.is_ok()).count();
        assert_eq!(done, 1, "{one:?} {other:?}");
        let told = scene.events(id).await;
        assert_eq!(told.iter().filter(|it| *it == "secret.delete-version").count(), 1);
    })
    .await;
}
