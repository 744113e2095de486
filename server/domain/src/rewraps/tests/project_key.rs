//! A project's key and the data keys under it: all read at any moment, whoever dies.

use std::collections::BTreeMap;

use keywarden_model::{ProjectKeyId, Role};
use keywarden_store::sql;

use super::Scene;
use crate::cast::both_engines;
use crate::project_keys::RotateProjectKeyError;
use crate::rewraps::run::BATCH;
use crate::rewraps::{State, SwitchRewrapError};
use crate::secrets::{Address, ReadSecretError, RotateDataKeyError};
use crate::{Fault, Op, Refused};

#[tokio::test]
async fn a_rotated_project_key_takes_every_data_key_along_and_goes() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let many = BATCH + 5;
        scene.fill(many).await;
        let before: Vec<_> = scene.under().await.into_keys().collect();
        let rewrap = scene.rotate().await;
        assert_eq!((rewrap.state, rewrap.total, rewrap.done), (State::Running, i64::from(many), 0));
        assert_eq!(rewrap.from_key, before[0].to_string());
        let again = scene.domain().rotate_project_key(&scene.alice.op(), scene.pay.id).await;
        assert!(matches!(again, Err(RotateProjectKeyError::UnderWay)), "{again:?}");

        // What is put now lies under the new key; what was there reads from under the old one.
        scene.put("fresh", "fresh").await;
        scene.all_read(3).await;
        assert_eq!(scene.under().await[&before[0]], i64::from(many));

        assert_eq!(scene.domain().rewrap_batch(&rewrap).await.unwrap(), Some(true));
        let half = scene.rewrap(rewrap.id).await;
        assert_eq!((half.state, half.done), (State::Running, i64::from(BATCH)));
        scene.all_read(many).await;
        scene.is_sound().await;

        assert_eq!(scene.domain().rewrap().await.unwrap(), 1);
        let end = scene.rewrap(rewrap.id).await;
        assert_eq!((end.state, end.done, end.skipped), (State::Done, i64::from(many), 0));
        let new: ProjectKeyId = end.to_key.parse().unwrap();
        assert_eq!(scene.under().await, BTreeMap::from([(new, i64::from(many) + 1)]), "the old key is gone");
        scene.all_read(many).await;
        assert_eq!(scene.read(scene.domain(), "fresh").await.unwrap(), "fresh");
        assert_eq!(scene.told("project-key.destroy").await.len(), 1);
        assert_eq!(scene.told("rewrap.proceed").await.len(), 2);
        assert_eq!(scene.told("rewrap.finish").await.len(), 1);
        scene.is_sound().await;
        assert_eq!(scene.domain().rewrap().await.unwrap(), 0, "there is nothing left to do");
        let view = scene.domain().project_key(&scene.alice.op(), scene.pay.id).await.unwrap();
        assert_eq!(view.in_service().map(|key| (key.id, key.uses)), Some((new, i64::from(many) + 1)));
    })
    .await;
}

#[tokio::test]
async fn two_nodes_and_many_readers_share_a_rewrap_and_nothing_is_done_twice() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let many = 3 * BATCH / 2;
        scene.fill(many).await;
        let rewrap = scene.rotate().await;
        let other = scene.house.neighbour().await;
        let readers = async {
            for n in 0..40 {
                for node in [scene.domain(), &other.domain] {
                    let path = format!("many/{}", n * 7 % many);
                    assert_eq!(scene.read(node, &path).await.unwrap(), path);
                }
            }
        };
        let writers = async {
            for n in 0..10 {
                scene.put(&format!("more/{n}"), "more").await;
            }
        };
        let (one, two, (), ()) = tokio::join!(
            Box::pin(scene.domain().rewrap()),
            Box::pin(other.domain.rewrap()),
            Box::pin(readers),
            Box::pin(writers)
        );
        let (one, two) = (one.unwrap(), two.unwrap());
        // Each may have looked while the other one was at it, and found its end.
        assert!(one + two >= 2, "{one} {two}");
        while scene.rewrap(rewrap.id).await.state == State::Running {
            scene.domain().rewrap().await.unwrap();
        }
        let end = scene.rewrap(rewrap.id).await;
        assert_eq!((end.done, end.skipped), (i64::from(many), 0));
        let moved: i64 = scene
            .told("rewrap.proceed")
            .await
            .iter()
            .map(|event| event["facts"]["rewrapped"].as_i64().unwrap())
            .sum();
        assert_eq!(moved, i64::from(many));
        scene.all_read(many).await;
        scene.is_sound().await;
    })
    .await;
}

#[tokio::test]
async fn puts_and_a_rotation_at_once_leave_every_value_under_a_key_that_is_there() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.fill(3).await;
        for round in 0..3 {
            let puts = futures_util::future::join_all((0..12).map(|n| {
                let (scene, path) = (&scene, format!("round/{round}/{n}"));
                async move { scene.put(&path, &path).await }
            }));
            let (_, rewrap) = tokio::join!(puts, scene.rotate());
            scene.domain().rewrap().await.unwrap();
            let end = scene.rewrap(rewrap.id).await;
            assert_eq!((end.state, end.done, end.skipped), (State::Done, end.total, 0));
            assert_eq!(scene.under().await.len(), 1, "one key is left");
            for n in 0..12 {
                let path = format!("round/{round}/{n}");
                assert_eq!(scene.read(scene.domain(), &path).await.unwrap(), path);
            }
        }
        scene.is_sound().await;
    })
    .await;
}

#[tokio::test]
async fn a_paused_rewrap_rests_and_a_resumed_one_ends() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.fill(3).await;
        let rewrap = scene.rotate().await;
        let (domain, alice) = (scene.domain(), &scene.alice);
        let resumed = domain.resume_rewrap(&alice.op(), rewrap.id).await;
        assert!(matches!(resumed, Err(SwitchRewrapError::Is(State::Running))), "{resumed:?}");
        domain.pause_rewrap(&alice.op(), rewrap.id).await.unwrap();
        assert_eq!(domain.rewrap().await.unwrap(), 0);
        assert_eq!(domain.rewrap_batch(&rewrap).await.unwrap(), None, "a node that read it before stops too");
        assert_eq!(scene.rewrap(rewrap.id).await.done, 0);
        scene.all_read(3).await;
        domain.resume_rewrap(&alice.op(), rewrap.id).await.unwrap();
        domain.rewrap().await.unwrap();
        assert_eq!(scene.rewrap(rewrap.id).await.state, State::Done);
        let over = domain.pause_rewrap(&alice.op(), rewrap.id).await;
        assert!(matches!(over, Err(SwitchRewrapError::Is(State::Done))), "{over:?}");
        assert_eq!(scene.told("rewrap.pause").await.len() + scene.told("rewrap.resume").await.len(), 2);
        scene.is_sound().await;
    })
    .await;
}

#[tokio::test]
async fn data_keys_that_were_swapped_stay_where_they_are_and_keep_their_key() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.fill(4).await;
        let rows = "SELECT v.id, v.wrapped_key FROM secret_versions v JOIN secrets s ON s.id = v.secret_id
                    WHERE s.path IN ('many/0', 'many/1') ORDER BY s.path";
        let mut conn = scene.house.store.read().await.unwrap();
        let pair: Vec<(String, Vec<u8>)> = sql(rows).all(&mut conn).await.unwrap();
        drop(conn);
        let set = |id: &str, key: &[u8]| {
            sql("UPDATE secret_versions SET wrapped_key = $1 WHERE id = $2").bind(key).bind(id)
        };
        scene.house.put(vec![set(&pair[0].0, &pair[1].1), set(&pair[1].0, &pair[0].1)]).await;
        let rewrap = scene.rotate().await;
        scene.domain().rewrap().await.unwrap();
        let end = scene.rewrap(rewrap.id).await;
        assert_eq!((end.state, end.done, end.skipped), (State::Done, 2, 2));
        let (old, new): (ProjectKeyId, ProjectKeyId) =
            (end.from_key.parse().unwrap(), end.to_key.parse().unwrap());
        assert_eq!(scene.under().await, BTreeMap::from([(old, 2), (new, 2)]), "the old key is kept");
        assert_eq!(scene.told("project-key.destroy").await.len(), 0);
        for path in ["many/0", "many/1"] {
            let read = scene.read(scene.domain(), path).await;
            assert!(
                matches!(read, Err(ReadSecretError::Refused(Refused::Fault(Fault::Damaged(_))))),
                "{read:?}"
            );
        }
        assert_eq!(scene.read(scene.domain(), "many/2").await.unwrap(), "many/2");

        // Put right by whoever has a copy, they read again, and the next rotation takes the rest along.
        scene.house.put(vec![set(&pair[0].0, &pair[0].1), set(&pair[1].0, &pair[1].1)]).await;
        scene.all_read(4).await;
    })
    .await;
}

#[tokio::test]
async fn a_destroyed_version_is_not_brought_back_by_a_rewrap() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("many/0", "one").await;
        scene.put("many/0", "two").await;
        let rewrap = scene.rotate().await;
        scene.domain().destroy_secret_version(&scene.alice.op(), id, 1).await.unwrap();
        scene.domain().rewrap().await.unwrap();
        let end = scene.rewrap(rewrap.id).await;
        assert_eq!((end.state, end.total, end.done), (State::Done, 2, 1));
        assert_eq!(scene.under().await.len(), 1);
        scene.is_sound().await;
    })
    .await;
}

#[tokio::test]
async fn who_may_not_rotate_is_refused_and_strangers_find_nothing() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("a", "x").await;
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let other = scene.house.project("other").await;
        let mallory = scene.house.person("Mallory", &[(Role::Manager, Some(other.id))]).await;
        let domain = scene.domain();
        let before = scene.house.rows().await;
        let refused = domain.rotate_project_key(&victor.op(), scene.pay.id).await.unwrap_err();
        assert!(matches!(refused, RotateProjectKeyError::Refused(Refused::Forbidden(_))), "{refused}");
        let refused = domain.rotate_project_key(&mallory.op(), scene.pay.id).await.unwrap_err();
        assert!(matches!(refused, RotateProjectKeyError::Refused(Refused::NotFound)), "{refused}");
        let refused = domain.rotate_project_key(&mallory.op(), other.id).await.unwrap_err();
        assert!(matches!(refused, RotateProjectKeyError::NoKey), "{refused}");
        let refused = domain.rotate_data_key(&victor.op(), id).await.unwrap_err();
        assert!(matches!(refused, RotateDataKeyError::Refused(Refused::Forbidden(_))), "{refused}");
        let refused = domain.rotate_data_key(&mallory.op(), id).await.unwrap_err();
        assert!(matches!(refused, RotateDataKeyError::Refused(Refused::NotFound)), "{refused}");
        let tired = scene.alice.without_step_up();
        let refused = domain.rotate_project_key(&tired.op(), scene.pay.id).await.unwrap_err();
        assert!(matches!(refused, RotateProjectKeyError::Refused(Refused::StepUp)), "{refused}");
        assert_eq!(scene.house.rows().await, before);

        let rewrap = scene.rotate().await;
        assert!(matches!(domain.find_rewrap(&mallory.op(), rewrap.id).await, Err(Refused::NotFound)));
        let paused = domain.pause_rewrap(&mallory.op(), rewrap.id).await;
        assert!(matches!(paused, Err(SwitchRewrapError::Refused(Refused::NotFound))), "{paused:?}");
        let paused = domain.pause_rewrap(&victor.op(), rewrap.id).await;
        assert!(matches!(paused, Err(SwitchRewrapError::Refused(Refused::Forbidden(_)))), "{paused:?}");
        assert!(matches!(domain.rewraps(&scene.alice.op()).await, Err(Refused::Forbidden(_))));
    })
    .await;
}

#[tokio::test]
async fn a_new_data_key_is_a_new_version_of_the_same_value() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("a", "hunter2").await;
        let domain = scene.domain();
        let seen = Op { seen: Some(99), ..scene.alice.op() };
        let stale = domain.rotate_data_key(&seen, id).await;
        assert!(matches!(stale, Err(RotateDataKeyError::Refused(Refused::Stale))), "{stale:?}");
        let op = scene.alice.op_once("data-key-once", &[b"rotate"]);
        let made = domain.rotate_data_key(&op, id).await.unwrap();
        assert_eq!(made.number, 2);
        let again = scene.alice.op_once("data-key-once", &[b"rotate"]);
        assert_eq!(domain.rotate_data_key(&again, id).await.unwrap(), made, "it is done once");
        assert_eq!(scene.read(domain, "a").await.unwrap(), "hunter2");
        let told = scene.told("secret.rotate-data-key").await;
        assert_eq!(told.len(), 1);
        assert!(!told[0].to_string().contains("hunter2"));
        let mut conn = scene.house.store.read().await.unwrap();
        let rows: Vec<(Vec<u8>, Vec<u8>)> =
            sql("SELECT wrapped_key, fingerprint FROM secret_versions ORDER BY number")
                .all(&mut conn)
                .await
                .unwrap();
        drop(conn);
        assert!(rows[0].0 != rows[1].0 && rows[0].1 == rows[1].1);
        domain.disable_secret_version(&scene.alice.op(), id, 2).await.unwrap();
        let shut = domain.rotate_data_key(&scene.alice.op(), id).await;
        assert!(matches!(shut, Err(RotateDataKeyError::NoCurrent)), "{shut:?}");
        domain.delete_secret(&scene.alice.op(), &Address::Id(id), None).await.unwrap();
        let deleted = domain.rotate_data_key(&scene.alice.op(), id).await;
        assert!(matches!(deleted, Err(RotateDataKeyError::Deleted)), "{deleted:?}");
        scene.is_sound().await;
    })
    .await;
}
