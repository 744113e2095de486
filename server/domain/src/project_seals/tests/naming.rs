//! A project names a seal, another one, or none: all of its keys go along, or none.

use keywarden_model::Role;
use keywarden_store::secrets::project_keys;

use super::{Scene, seal, sealed_by};
use crate::Refused;
use crate::cast::both_engines;
use crate::project_seals::NameSealError;
use crate::rewraps::State;

#[tokio::test]
async fn a_seal_is_changed_and_taken_away_with_every_generation_of_the_projects_keys() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "old", "one").await;
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        // A rotation under way: two keys, with something under each.
        let rotated = scene.domain().rotate_project_key(&scene.op(), scene.pay.id).await.unwrap();
        scene.put(&scene.pay, "new", "two").await;
        let both = async |scene: &Scene| {
            assert_eq!(scene.read(&scene.pay, "old").await.unwrap(), "one");
            assert_eq!(scene.read(&scene.pay, "new").await.unwrap(), "two");
            assert!(scene.is_sound().await.is_empty());
        };
        both(&scene).await;
        assert_eq!(scene.name(&scene.pay, Some("zeta")).await.unwrap(), 2);
        both(&scene).await;
        assert_eq!(scene.name(&scene.pay, Some("zeta")).await.unwrap(), 0, "it names that one already");
        scene.take_away("acme").await;
        scene.grace_passes();
        both(&scene).await;
        scene.bring_back("acme").await;
        assert_eq!(scene.name(&scene.pay, None).await.unwrap(), 2);
        scene.take_away("zeta").await;
        scene.grace_passes();
        both(&scene).await;
        let told = scene.told("project.name-seal").await;
        let seals: Vec<_> = told.iter().map(|it| it["changes"]["seal"].clone()).collect();
        assert_eq!(seals.len(), 3, "{told:#?}");
        while scene.domain().rewrap().await.unwrap() > 0 {}
        let rewrap = scene.domain().find_rewrap(&scene.op(), rotated.rewrap).await.unwrap();
        assert_eq!(rewrap.state, State::Done);
        both(&scene).await;
    })
    .await;
}

#[tokio::test]
async fn a_project_without_a_key_gets_one_under_its_seal() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        assert_eq!(scene.name(&scene.pay, Some("acme")).await.unwrap(), 1);
        scene.put(&scene.pay, "first", "one").await;
        assert_eq!(scene.read(&scene.pay, "first").await.unwrap(), "one");
        let keys = scene.domain().project_key(&scene.op(), scene.pay.id).await.unwrap().keys;
        assert_eq!(keys.len(), 1);
        assert_eq!(scene.told("project-key.generate").await.len(), 1);
        assert!(scene.is_sound().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_seal_that_is_away_is_not_named_and_nothing_of_the_project_changes() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "db/password", "hunter2").await;
        scene.take_away("zeta").await;
        let named = scene.name(&scene.pay, Some("zeta")).await;
        assert!(
            matches!(&named, Err(NameSealError::Refused(it)) if sealed_by(it) == Some("software:zeta")),
            "{named:?}"
        );
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        assert!(scene.domain().project_seal(&scene.op(), scene.pay.id).await.unwrap().own.is_none());
        assert!(scene.told("project.name-seal").await.is_empty());
        assert!(scene.is_sound().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_dies_before_the_commit_changed_nothing_and_asks_again() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "db/password", "hunter2").await;
        scene.domain().rotate_project_key(&scene.op(), scene.pay.id).await.unwrap();
        scene.put(&scene.pay, "db/user", "pay").await;
        // Cut off at every step that it takes: the seal may have wrapped by then, no key is stored.
        let id = seal("acme");
        for steps in 0..40 {
            let op = scene.op();
            let naming = Box::pin(scene.domain().name_project_seal(&op, scene.pay.id, Some(&id)));
            if polled(naming, steps).await {
                break;
            }
            let mut conn = scene.house.store.read().await.unwrap();
            let keys = project_keys::all_of_project(&mut conn, scene.pay.id).await.unwrap();
            drop(conn);
            assert_eq!(keys.len(), 2);
            assert!(scene.is_sound().await.is_empty(), "cut off after {steps}");
        }
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        assert_eq!(scene.read(&scene.pay, "db/user").await.unwrap(), "pay");
        assert!(scene.is_sound().await.is_empty());
    })
    .await;
}

/// Polls a future so many times and drops it; whether it ended.
async fn polled<T>(mut future: std::pin::Pin<Box<impl Future<Output = T>>>, times: u32) -> bool {
    for _ in 0..times {
        let once = std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_ready()));
        if once.await {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn who_may_not_choose_neither_names_a_seal_nor_sees_which_there_are() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let manager = scene.house.person("Mae", &[(Role::Manager, Some(scene.pay.id))]).await;
        let stranger = scene.house.person("Sam", &[]).await;
        let id = seal("acme");
        let named = scene.domain().name_project_seal(&manager.op(), scene.pay.id, Some(&id)).await;
        assert!(matches!(named, Err(NameSealError::Refused(Refused::Forbidden(_)))), "{named:?}");
        let view = scene.domain().project_seal(&manager.op(), scene.pay.id).await.unwrap();
        assert!(view.offered.is_empty() && !view.may_choose);
        for asked in [
            scene.domain().name_project_seal(&stranger.op(), scene.pay.id, Some(&id)).await.map(drop),
            scene.domain().name_project_seal(&manager.op(), scene.mail.id, None).await.map(drop),
        ] {
            assert!(matches!(asked, Err(NameSealError::Refused(Refused::NotFound))), "{asked:?}");
        }
        let unsigned = scene.alice.without_step_up().op();
        let named = scene.domain().name_project_seal(&unsigned, scene.pay.id, Some(&id)).await;
        assert!(matches!(named, Err(NameSealError::Refused(Refused::StepUp))), "{named:?}");
    })
    .await;
}
