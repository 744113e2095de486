//! What lies under a project's own seal: who reads it, and when nobody does.

use keywarden_store::secrets::project_keys;
use keywarden_store::sql;
use keywarden_vault::Seal;
use keywarden_vault::custody::Standing;
use keywarden_vault::seal::software::SoftwareSeal;

use super::{Scene, seal, sealed_by, unread};
use crate::cast::both_engines;
use crate::project_seals::{At, NameSealError};
use crate::secrets::{PutError, ReadSecretError};
use crate::{Fault, Refused};

#[tokio::test]
async fn a_project_reads_under_its_own_seal_alone_and_again_when_it_is_back() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "db/password", "hunter2").await;
        scene.put(&scene.mail, "smtp", "letter").await;
        assert_eq!(scene.name(&scene.pay, Some("acme")).await.unwrap(), 1);
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        scene.put(&scene.pay, "db/user", "pay").await;
        assert!(scene.is_sound().await.is_empty());

        scene.take_away("acme").await;
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2", "for the grace");
        scene.grace_passes();
        let read = scene.read(&scene.pay, "db/password").await;
        assert_eq!(unread(&read), Some("software:acme"), "{read:?}");
        let put = scene.try_put(&scene.pay, "db/password", "other").await;
        assert!(matches!(&put, Err(PutError::Refused(it)) if sealed_by(it).is_some()), "{put:?}");
        assert_eq!(scene.read(&scene.mail, "smtp").await.unwrap(), "letter", "others go on");
        let apart = scene.is_sound().await;
        assert!(
            apart.len() == 1 && apart[0].contains("2 values") && apart[0].contains("software:acme"),
            "{apart:?}"
        );
        let view = scene.domain().project_seal(&scene.op(), scene.pay.id).await.unwrap();
        assert!(matches!(view.own.unwrap().at, At::Away { .. }));

        scene.bring_back("acme").await;
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        scene.put(&scene.pay, "db/password", "other").await;
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "other");
        assert!(scene.is_sound().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn another_key_under_the_name_of_a_seal_is_told_at_once_and_wraps_nothing() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "db/password", "hunter2").await;
        scene.put(&scene.mail, "smtp", "letter").await;
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        scene.domain().observe_project_seals().await;
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        let at =
            async || scene.domain().project_seal(&scene.op(), scene.pay.id).await.unwrap().own.unwrap().at;
        assert_eq!(at().await, At::Present);

        std::fs::rename(scene.file("acme"), scene.file("hidden")).unwrap();
        let mut rng = scene.domain().env().fork();
        SoftwareSeal::at(scene.file("acme"), "acme").create_key(&mut rng).unwrap();
        for _ in 0..2 {
            scene.domain().observe_project_seals().await;
            let told = at().await;
            assert!(matches!(&told, At::Away { cause, .. } if cause.contains("another key")), "{told:?}");
        }
        let read = scene.read(&scene.pay, "db/password").await;
        assert_eq!(unread(&read), Some("software:acme"), "without a grace: {read:?}");
        assert_eq!(scene.read(&scene.mail, "smtp").await.unwrap(), "letter");
        let named = scene.name(&scene.mail, Some("acme")).await;
        assert!(matches!(&named, Err(NameSealError::Refused(it)) if sealed_by(it).is_some()), "{named:?}");

        std::fs::remove_file(scene.file("acme")).unwrap();
        scene.bring_back("acme").await;
        assert_eq!(at().await, At::Present);
        assert_eq!(scene.read(&scene.pay, "db/password").await.unwrap(), "hunter2");
        assert!(scene.is_sound().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_seal_whose_key_its_keeper_destroyed_opens_nothing_any_more_and_is_told_at_once() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "db/password", "hunter2").await;
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        let keeper = SoftwareSeal::at(scene.file("acme"), "acme");
        keeper.add_key(&mut scene.domain().env().fork()).unwrap();
        keeper.destroy_key(1).unwrap();
        // Another node, which holds nothing yet.
        let other = scene.house.neighbour_apart(&scene.seals).await;
        let read = scene.read_by(&other.domain, &scene.pay, "db/password").await;
        assert_eq!(unread(&read), Some("software:acme"), "{read:?}");
        let custody = other.keyring.custody();
        let standing = custody.of(&seal("acme")).unwrap().standing();
        assert!(matches!(standing, Standing::Away { .. }), "{standing:?}");
    })
    .await;
}

#[tokio::test]
async fn keys_that_were_swapped_between_two_projects_do_not_open() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        for at in [&scene.pay, &scene.mail] {
            scene.put(at, "value", "one").await;
            scene.name(at, Some("acme")).await.unwrap();
        }
        let mut conn = scene.house.store.read().await.unwrap();
        let pay = project_keys::all_of_project(&mut conn, scene.pay.id).await.unwrap().remove(0);
        let mail = project_keys::all_of_project(&mut conn, scene.mail.id).await.unwrap().remove(0);
        drop(conn);
        for (row, other) in [(pay.clone(), mail.clone()), (mail, pay)] {
            let swap =
                sql("UPDATE project_keys SET sealed = $1 WHERE id = $2").bind(&other.sealed).bind(row.id);
            scene.house.put(vec![swap]).await;
        }
        for at in [&scene.pay, &scene.mail] {
            let read = scene.read(at, "value").await;
            assert!(
                matches!(read, Err(ReadSecretError::Refused(Refused::Fault(Fault::Damaged(_))))),
                "{read:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_row_that_names_another_seal_than_wrapped_the_key_is_found() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put(&scene.pay, "value", "one").await;
        scene.name(&scene.pay, Some("acme")).await.unwrap();
        for table in ["UPDATE project_keys SET seal_id = $1", "UPDATE project_seals SET seal_id = $1"] {
            scene.house.put(vec![sql(table).bind("software:zeta")]).await;
        }
        let found = scene.domain().fsck(&scene.seals).await.unwrap().findings;
        assert!(
            found.iter().any(|it| it.check == "sealed-row" && it.thing.starts_with("project_keys")),
            "{found:?}"
        );
    })
    .await;
}
