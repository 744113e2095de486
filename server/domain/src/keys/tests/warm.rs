//! What a node knows without ever having been asked.

use keywarden_model::{RevokeReason, VerifyCode};

use super::{Scene, away::ask, away::cut_off};
use crate::cast::both_engines;
use crate::keys::Overlap;

#[tokio::test]
async fn living_values_are_in_memory_before_anybody_asks_and_again_after_everything_was_forgotten() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let mut values = Vec::new(); // more than a page
        for number in 0..4 {
            values.push(scene.issue(&format!("Orders {number}")).await);
        }
        let bob = scene.bob.steps_up();
        let rotated = domain
            .rotate_key(&bob.op(), values[0].id, Overlap::For(chrono::TimeDelta::days(1)))
            .await
            .unwrap();
        let revoked = scene.issue("Refunds").await;
        domain.revoke_key(&bob.op(), revoked.id, RevokeReason::Superseded, "").await.unwrap();

        let node = scene.house.neighbour().await;
        assert_eq!(node.domain.warm_keys().await.unwrap(), 5);
        assert_eq!(node.domain.warm_keys().await.unwrap(), 0, "nothing was forgotten");
        ask(&scene, &node, values[0].value.expose()).await.unwrap(); // where the gateway may verify is known, too
        let held = cut_off(&node).await;
        let living = values.iter().map(|key| &key.value).chain([&rotated.value]);
        for value in living {
            assert_eq!(ask(&scene, &node, value.expose()).await.unwrap().code, VerifyCode::Valid);
        }
        assert!(
            ask(&scene, &node, revoked.value.expose()).await.is_err(),
            "of what is over nothing is known"
        );
        drop(held);

        node.domain.forget_everything();
        assert_eq!(node.domain.warm_keys().await.unwrap(), 5);
    })
    .await;
}
