use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{KeyState, Role, VerifyCode};
use keywarden_vault::SecretString;
use sha2::{Digest, Sha256};

use super::Scene;
use crate::cast::both_engines;
use crate::keys::{ExtendError, ImportError, ImportKey, ImportedValue, KeyQuery, Overlap};

const HELD: &str = "sk-Legacy-4f9a1c77e2";

fn import(scene: &Scene, name: &str, value: ImportedValue) -> ImportKey {
    ImportKey { key: scene.new_key(name), value, last_day: scene.house.now() + TimeDelta::days(30) }
}

fn value(text: &str) -> ImportedValue {
    ImportedValue::Value(SecretString::new(text.to_owned()))
}

#[tokio::test]
async fn callers_keep_their_values_until_the_last_day_and_leave_for_a_value_of_ours() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        // Asked for before it is taken in: that must not be remembered.
        assert_eq!(scene.ask(HELD, |_| {}).await.unwrap().code, VerifyCode::NotFound);
        let id = domain.import_key(&scene.bob.op(), import(&scene, "Old", value(HELD))).await.unwrap();
        let verdict = scene.ask(HELD, |_| {}).await.unwrap();
        assert_eq!((verdict.code, verdict.key().unwrap().id), (VerifyCode::Valid, id));
        let digest = hex::encode(Sha256::digest(b"another-held-value-0123"));
        let by_digest = import(&scene, "Digest", ImportedValue::Sha256(digest));
        domain.import_key(&scene.bob.op(), by_digest).await.unwrap();
        assert_eq!(scene.ask("another-held-value-0123", |_| {}).await.unwrap().code, VerifyCode::Valid);
        let new = domain.rotate_key(&scene.bob.op(), id, Overlap::For(TimeDelta::days(60))).await.unwrap();
        assert!(new.value.expose().starts_with("kwk_live_"));
        let verdict = scene.ask(HELD, |_| {}).await.unwrap();
        assert!(verdict.superseded);
        assert_eq!(verdict.expires_at, Some(scene.house.now() + TimeDelta::days(30)), "its last day stays");
        scene.house.clock.advance(Duration::from_hours(30 * 24));
        assert_eq!(scene.ask(HELD, |_| {}).await.unwrap().code, VerifyCode::Expired);
        assert_eq!(scene.verify(&new.value).await, VerifyCode::Valid);
    })
    .await;
}

#[tokio::test]
async fn a_value_whose_last_day_is_over_gives_its_place_to_a_new_one_like_any_other() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let id = domain.import_key(&scene.bob.op(), import(&scene, "Old", value(HELD))).await.unwrap();
        scene.house.clock.advance(Duration::from_hours(31 * 24));
        let ended = scene.house.now() - TimeDelta::days(1);
        let bob = scene.bob.steps_up();
        let new = domain.rotate_key(&bob.op(), id, Overlap::For(TimeDelta::days(7))).await.unwrap();
        let values = domain.key(&bob.op(), id).await.unwrap().values;
        let current: Vec<_> = values.iter().filter(|value| value.superseded_at.is_none()).collect();
        assert_eq!((current.len(), &current[0].public_id), (1, &new.public_id));
        let old = values.iter().find(|value| value.imported).unwrap();
        assert_eq!(old.stops_at, Some(ended), "an end that is past does not come back");
        assert_eq!(scene.ask(HELD, |_| {}).await.unwrap().code, VerifyCode::Expired);
        assert_eq!(scene.verify(&new.value).await, VerifyCode::Valid);
    })
    .await;
}

#[tokio::test]
async fn what_can_be_guessed_is_known_or_is_ours_is_not_taken_in() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let ours = scene.issue("Ours").await;
        for weak in ["short", "aaaaaaaaaaaaaaaaaaaaaaaa", "with blanks in between 123"] {
            let refused = domain.import_key(&scene.bob.op(), import(&scene, "Weak", value(weak))).await;
            assert!(matches!(refused, Err(ImportError::Weak)), "{weak}: {refused:?}");
        }
        let refused =
            domain.import_key(&scene.bob.op(), import(&scene, "X", value(ours.value.expose()))).await;
        assert!(matches!(refused, Err(ImportError::Ours)), "{refused:?}");
        let refused =
            domain.import_key(&scene.bob.op(), import(&scene, "X", ImportedValue::Sha256("12".into()))).await;
        assert!(matches!(refused, Err(ImportError::Malformed)), "{refused:?}");
        domain.import_key(&scene.bob.op(), import(&scene, "First", value(HELD))).await.unwrap();
        let twice = domain.import_key(&scene.bob.op(), import(&scene, "Second", value(HELD))).await;
        assert!(matches!(twice, Err(ImportError::Known)), "{twice:?}");
        let mut late = import(&scene, "Late", value("yet-another-value-42"));
        late.last_day = scene.house.now();
        let late = domain.import_key(&scene.bob.op(), late).await;
        assert!(matches!(late, Err(ImportError::LastDay)), "{late:?}");
    })
    .await;
}

/// Whose values have all ended verifies nobody, and is said to.
#[tokio::test]
async fn a_key_whose_last_day_is_over_is_not_said_to_be_active() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let bob = scene.bob.steps_up();
        let id = domain.import_key(&bob.op(), import(&scene, "Old", value(HELD))).await.unwrap();
        let view = domain.key(&bob.op(), id).await.unwrap();
        assert!(view.may.extend && !view.may.stop_old);
        let sooner = scene.house.now() + TimeDelta::days(10);
        domain.extend_key_overlap(&bob.op(), id, view.values[0].id, sooner).await.unwrap();
        scene.house.clock.advance(Duration::from_hours(10 * 24));
        assert_eq!(scene.ask(HELD, |_| {}).await.unwrap().code, VerifyCode::Expired);
        let found = async |state| {
            let query = KeyQuery { state: Some(state), limit: 10, ..KeyQuery::default() };
            let page = domain.keys(&scene.bob.op(), &query).await.unwrap();
            page.keys.iter().map(|line| (line.key.id, line.state)).collect::<Vec<_>>()
        };
        assert!(found(KeyState::Active).await.is_empty());
        assert_eq!(found(KeyState::Deactivated).await, [(id, KeyState::Deactivated)]);
        assert_eq!(domain.key(&scene.bob.op(), id).await.unwrap().state, KeyState::Deactivated);
        let bob = scene.bob.steps_up();
        let late = scene.house.now() + TimeDelta::days(1);
        let again = domain.extend_key_overlap(&bob.op(), id, view.values[0].id, late).await;
        assert!(matches!(again, Err(ExtendError::Stopped)), "{again:?}");
        domain.rotate_key(&bob.op(), id, Overlap::Default).await.unwrap();
        assert_eq!(found(KeyState::Active).await, [(id, KeyState::Active)]);
        assert!(found(KeyState::Deactivated).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_project_in_which_every_value_has_ended_can_be_archived() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        domain.import_key(&scene.bob.op(), import(&scene, "Old", value(HELD))).await.unwrap();
        let owner = scene.house.person("Olga", &[(Role::Owner, None)]).await;
        domain.deactivate_workload(&owner.op(), scene.gateway.id).await.unwrap();
        let archive = async || domain.archive_project(&owner.steps_up().op(), scene.pay.id).await;
        assert!(archive().await.is_err(), "its value works");
        scene.house.clock.advance(Duration::from_hours(31 * 24));
        archive().await.unwrap();
    })
    .await;
}
