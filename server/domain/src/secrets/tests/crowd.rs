use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::{Expected, Put, PutError, Scene, Which, expecting, of};
use crate::cast::both_engines;
use crate::secrets::Address;
use crate::{Op, Refused};

/// Puts until the answer is more than "not now": on a machine that is busy elsewhere the database may fall silent.
async fn insist(scene: &Scene, op: &Op, text: &str) -> Put {
    for _ in 0..20 {
        match scene.put_as(op, "crowded/place", of(text)).await {
            Err(PutError::Refused(Refused::Fault(fault))) if fault.is_passing() => {}
            other => return other.unwrap(),
        }
    }
    panic!("the database does not answer");
}

#[tokio::test]
async fn a_hundred_writers_make_versions_without_a_gap_and_one_current() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        // The first of them makes the project's key and the secret too.
        let ops: Vec<_> = (0..100).map(|n| (scene.alice.op(), format!("writer {n}"))).collect();
        let done = join_all(ops.iter().map(|(op, text)| insist(&scene, op, text))).await;
        let ids: BTreeSet<_> = done.iter().map(|put| put.id).collect();
        assert_eq!(ids.len(), 1, "one secret");
        let numbers: BTreeSet<_> = done.iter().map(|put| put.number).collect();
        assert_eq!(numbers.len(), 100, "each its own: {numbers:?}");
        let view = scene.house.domain.secret(&scene.alice.op(), &Address::Id(done[0].id)).await.unwrap();
        let last = view.secret.last_version;
        let there: Vec<_> = view.versions.iter().map(|version| version.number).rev().collect();
        assert_eq!(there, (1..=last).collect::<Vec<_>>());
        assert!(numbers.iter().all(|number| there.contains(number)));
        assert!(view.versions.iter().all(|version| version.promoted_at.is_some()));
        assert_eq!(
            scene.labels(done[0].id).await,
            [format!("current={last}"), format!("previous={}", last - 1)]
        );
        for (put, (_, text)) in done.iter().zip(&ops) {
            let read = scene.read("crowded/place", Which::Number(put.number)).await.unwrap();
            assert_eq!(read.value.expose(), text.as_bytes());
        }
    })
    .await;
}

#[tokio::test]
async fn of_many_who_expect_the_same_one_is_served() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let ops: Vec<_> = (0..100).map(|_| scene.alice.op()).collect();
        for expected in [Expected::Nothing, Expected::Number(1)] {
            let puts = ops.iter().map(|op| scene.put_as(op, "contended", expecting("x", expected)));
            let done = join_all(puts).await;
            assert_eq!(done.iter().filter(|put| put.is_ok()).count(), 1, "{expected:?}");
            let mut others = done.iter().filter_map(|put| put.as_ref().err());
            let refused = |error: &PutError| match error {
                PutError::Stale => true,
                PutError::Refused(Refused::Fault(fault)) => fault.is_passing(),
                _ => false,
            };
            assert!(others.all(refused), "{expected:?}: {done:?}");
        }
    })
    .await;
}
