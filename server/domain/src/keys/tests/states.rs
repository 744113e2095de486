//! The states of values under verbs drawn at random (NIST SP 800-57 Part 1 Rev. 5, section 7).

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::KeyState::{
    self, Active, Compromised, Deactivated, Destroyed, PreActivation, Suspended,
};
use keywarden_model::{KeyValueId, RevokeReason};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

use super::Scene;
use crate::cast::both_engines;
use crate::keys::{KeyPatch, KeyView, Overlap};

/// What may follow what. Beside the standard's own: a key can be suspended, resumed and revoked before it begins, and a
/// suspension hides an end that has come.
fn follows(before: KeyState, after: KeyState) -> bool {
    let next: &[KeyState] = match before {
        PreActivation => &[Active, Suspended, Deactivated, Compromised, Destroyed],
        Active => &[Suspended, Deactivated, Compromised],
        Suspended => &[PreActivation, Active, Deactivated, Compromised],
        Deactivated => &[Suspended, Compromised, Destroyed],
        Compromised => &[Destroyed],
        Destroyed => &[],
    };
    before == after || next.contains(&after)
}

/// Does something to the key, or lets time pass. What is refused is refused.
async fn step(scene: &Scene, view: &KeyView, rng: &mut ChaCha20Rng) {
    let domain = &scene.house.domain;
    let (bob, id, now) = (scene.bob.steps_up().op(), view.key.id, scene.house.now());
    let some = TimeDelta::hours(rng.random_range(1..48));
    let value = view.values[rng.random_range(0..view.values.len())].id;
    let reason = if rng.random_bool(0.5) { RevokeReason::KeyCompromise } else { RevokeReason::Superseded };
    match rng.random_range(0..100) {
        0..20 => drop(domain.rotate_key(&bob, id, Overlap::For(some)).await),
        20..30 => drop(domain.suspend_key(&bob, id, "").await),
        30..42 => drop(domain.resume_key(&bob, id).await),
        42..52 => drop(domain.extend_key_overlap(&bob, id, value, now + some).await),
        52..58 => drop(domain.stop_old_value(&bob, id, value, None).await),
        58..68 => drop(domain.stop_old_value(&bob, id, value, Some(reason)).await),
        68..76 => {
            let patch = KeyPatch { expires_at: Some(Some(now + some)), ..KeyPatch::default() };
            drop(domain.edit_key(&bob, id, None, patch).await);
        }
        76..80 => {
            let patch = KeyPatch { not_before: Some(Some(now + some)), ..KeyPatch::default() };
            drop(domain.edit_key(&bob, id, None, patch).await);
        }
        80..82 => drop(domain.revoke_key(&bob, id, reason, "").await),
        _ => {}
    }
    if rng.random_bool(0.5) {
        scene.house.clock.advance(Duration::from_mins(rng.random_range(1..1_500)));
    }
}

#[tokio::test]
async fn whatever_is_done_states_follow_the_standard_and_an_end_is_an_end() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let mut rng = ChaCha20Rng::seed_from_u64(800_057);
        let mut seen = BTreeMap::<(String, String), u32>::new();
        for n in 0..12 {
            let mut new = scene.new_key(&format!("Key {n}"));
            let now = scene.house.now();
            new.not_before = (n % 3 == 0).then(|| now + TimeDelta::hours(12));
            new.expires_at = (n % 2 == 0).then(|| now + TimeDelta::days(3));
            let id = scene.house.domain.issue_key(&scene.bob.steps_up().op(), new).await.unwrap().id;
            let look = async || scene.house.domain.key(&scene.bob.steps_up().op(), id).await.unwrap();
            let mut before = BTreeMap::<KeyValueId, KeyState>::new();
            let mut ended = Vec::<KeyValueId>::new();
            for _ in 0..25 {
                let view = look().await;
                for value in &view.values {
                    if let Some(before) = before.insert(value.id, value.state) {
                        assert!(follows(before, value.state), "{before:?} to {:?}: {view:?}", value.state);
                        *seen.entry((format!("{before:?}"), format!("{:?}", value.state))).or_default() += 1;
                    }
                    let is_over = matches!(value.state, Deactivated | Compromised | Destroyed);
                    if ended.contains(&value.id) {
                        assert!(is_over || value.state == Suspended, "it came back: {view:?}");
                    } else if is_over {
                        ended.push(value.id);
                    }
                }
                step(&scene, &view, &mut rng).await;
            }
        }
        // The walk goes through what it is to prove.
        for (before, after) in [
            (PreActivation, Active),
            (Active, Suspended),
            (Suspended, Active),
            (Active, Deactivated),
            (Deactivated, Compromised),
        ] {
            assert!(
                seen.contains_key(&(format!("{before:?}"), format!("{after:?}"))),
                "{before:?}: {seen:?}"
            );
        }
    })
    .await;
}
