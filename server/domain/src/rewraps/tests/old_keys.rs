//! An old key of the HSM goes by itself, a while after nothing needs it any more.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_store::sql;
use keywarden_vault::{KeyNumber, SealError, SealId};

use super::{Scene, node};
use crate::cast::both_engines;
use crate::system::RotateSealError;
use crate::system::records::{Records, wrap_row};
use crate::{Domain, Settings};

const DAY: u64 = 24 * 60 * 60;

impl Scene {
    fn seal(&self) -> SealId {
        self.seals[0].describe().id.clone()
    }

    fn in_hsm(&self) -> Vec<KeyNumber> {
        self.seals[0].keys().unwrap()
    }

    fn pass(&self, days: u64) {
        self.house.clock.advance(Duration::from_secs(days * DAY));
    }

    /// What the clock does once a day.
    async fn ends(&self) -> u64 {
        ends(self.domain()).await
    }

    async fn rotate_hsm(&self) -> KeyNumber {
        self.domain().rotate_seal_key(&self.owner(), &self.seal()).await.unwrap().number
    }

    /// Which keys are shown to go by themselves, and when.
    async fn shown(&self) -> BTreeMap<KeyNumber, DateTime<Utc>> {
        self.domain().seal_keys(&self.owner()).await.unwrap().remove(0).ends
    }
}

async fn ends(domain: &Domain) -> u64 {
    domain.destroy_old_seal_keys(&domain.system_op("destroy-old-seal-keys")).await.unwrap()
}

#[tokio::test]
async fn an_old_key_stays_for_thirty_days_and_then_goes_with_an_event_of_its_own() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let rotated_at = scene.house.now();
        let rotated = scene.domain().rotate_seal_key(&scene.owner(), &scene.seal()).await.unwrap();
        assert_eq!(scene.shown().await, BTreeMap::from([(1, rotated_at + TimeDelta::days(30))]));
        assert_eq!(scene.ends().await, 0);
        scene.house.clock.advance(Duration::from_secs(30 * DAY - 1));
        assert_eq!((scene.ends().await, scene.in_hsm()), (0, vec![1, 2]));

        scene.house.clock.advance(Duration::from_secs(1));
        let other = node(&scene).await;
        assert_eq!((scene.ends().await, scene.in_hsm()), (1, vec![2]));
        assert_eq!((ends(&other).await, scene.ends().await), (0, 0), "once, whichever node");
        let told = scene.told("seal.destroy-key").await;
        assert_eq!(told.len(), 1, "{told:#?}");
        assert_eq!(told[0]["facts"]["key"], 1, "{told:#?}");
        assert_eq!(told[0]["facts"]["rewrap"], rotated.rewrap.to_string());
        assert_eq!(told[0]["actor"]["kind"], "system", "{told:#?}");
        // Whoever starts now finds all that it needs, and so does a node that lost its memory.
        node(&scene).await;
        other.unseal(&scene.seals).await.unwrap();
        scene.is_sound().await;
    })
    .await;
}

#[tokio::test]
async fn each_old_key_has_its_own_day_and_one_that_is_in_use_or_newest_stays() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        assert_eq!(scene.rotate_hsm().await, 2);
        let copy = {
            let mut conn = scene.house.store.read().await.unwrap();
            Records::load(&mut conn).await.unwrap().wraps
        };
        scene.pass(20);
        assert_eq!(scene.rotate_hsm().await, 3);
        scene.pass(11);
        assert_eq!((scene.ends().await, scene.in_hsm()), (1, vec![2, 3]));

        // Somebody puts a copy back from between the rotations: its wraps are by the second key.
        let rows = copy.iter().map(wrap_row).map(|it| {
            sql("UPDATE keyring_wraps SET wrapped = $3 WHERE key_id = $1 AND seal_id = $2")
                .bind(it.key_id)
                .bind(it.seal_id)
                .bind(it.wrapped)
        });
        scene.house.put(rows.collect()).await;
        scene.pass(400);
        assert!(scene.shown().await.is_empty());
        assert_eq!((scene.ends().await, scene.in_hsm()), (0, vec![2, 3]), "it is in use");
        node(&scene).await;

        // The third one, which wraps nothing now, is taken again; the second one's time begins anew.
        assert_eq!(scene.rotate_hsm().await, 3);
        scene.pass(29);
        assert_eq!((scene.ends().await, scene.in_hsm()), (0, vec![2, 3]));
        scene.pass(1);
        assert_eq!((scene.ends().await, scene.in_hsm()), (1, vec![3]));
        node(&scene).await;
    })
    .await;
}

#[tokio::test]
async fn a_seal_that_lost_its_newest_key_gets_no_other_of_that_number() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        assert_eq!(scene.rotate_hsm().await, 2);
        let file = scene.house.folder().join("stored.key");
        let whole = std::fs::read_to_string(&file).unwrap();
        let older = whole.lines().next().unwrap();
        std::fs::write(&file, format!("{older}\n")).unwrap();
        assert_eq!(scene.in_hsm(), [1]);
        let refused = scene.domain().rotate_seal_key(&scene.owner(), &scene.seal()).await;
        assert!(
            matches!(refused, Err(RotateSealError::Seal(SealError::KeyGone { number: 2, .. }))),
            "{refused:?}"
        );
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{older}\n"));
        std::fs::write(&file, whole).unwrap();
        assert_eq!(scene.rotate_hsm().await, 3);
        node(&scene).await;
    })
    .await;
}

#[tokio::test]
async fn a_seal_that_is_away_keeps_its_keys_until_it_is_back_and_what_nobody_rotated_is_left() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.seals[0].add_key(&mut scene.domain().env().fork()).unwrap();
        scene.seals[0].add_key(&mut scene.domain().env().fork()).unwrap();
        assert_eq!(scene.rotate_hsm().await, 3);
        scene.pass(31);
        let (file, aside) = (scene.house.folder().join("stored.key"), scene.house.folder().join("aside.key"));
        std::fs::rename(&file, &aside).unwrap();
        assert_eq!(scene.ends().await, 0);
        assert!(scene.told("seal.destroy-key").await.is_empty(), "nothing is told that was not tried");
        std::fs::rename(&aside, &file).unwrap();
        assert_eq!((scene.ends().await, scene.in_hsm()), (1, vec![2, 3]), "the second one replaced nothing");
        assert!(scene.shown().await.is_empty());
        scene.domain().destroy_seal_key(&scene.owner(), &scene.seal(), 2).await.unwrap();
        assert_eq!(scene.in_hsm(), [3]);
    })
    .await;
}

#[tokio::test]
async fn where_the_operator_keeps_old_keys_none_goes_by_itself() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let settings = Settings { old_seal_keys: None, ..scene.domain().settings().clone() };
        let (store, keyring) = (scene.house.store.clone(), scene.domain().keyring().clone());
        let keeps = Domain::new(store, keyring, scene.domain().env().clone(), settings).unwrap();
        assert_eq!(scene.rotate_hsm().await, 2);
        scene.pass(4_000);
        assert_eq!((ends(&keeps).await, scene.in_hsm()), (0, vec![1, 2]));
        assert!(keeps.seal_keys(&scene.owner()).await.unwrap().remove(0).ends.is_empty());
    })
    .await;
}

/// They tell of the keys of the house that was backed up, which may be on the same token.
#[tokio::test]
async fn rotations_from_before_a_restore_end_nothing() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        assert_eq!(scene.rotate_hsm().await, 2);
        scene.pass(1);
        let restored = sql("INSERT INTO restores (id, made_at, digest, restored_at, accepted_at)
                            VALUES ('rst_1', $1, 'digest', $1, $1)");
        scene.house.put(vec![restored.bind(scene.house.now())]).await;
        scene.pass(40);
        assert_eq!((scene.ends().await, scene.in_hsm()), (0, vec![1, 2]));
        assert!(scene.shown().await.is_empty());
        assert_eq!(scene.rotate_hsm().await, 3);
        scene.pass(30);
        assert_eq!((scene.ends().await, scene.in_hsm()), (1, vec![1, 3]), "of its own it knows");
    })
    .await;
}
