//! While the database is away: what memory may answer and for how long, and that no use is lost meanwhile.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{RevokeReason, Role, Scopes, VerifyCode};
use keywarden_store::{Conn, StoreError, WriteError, sql};
use tokio::sync::{Notify, oneshot};

use super::Scene;
use crate::cast::{Engine, House, both_engines};
use crate::keys::{Question, Route, Step, Verdict};
use crate::{Fault, Refused};

/// What `node` says of a value to the gateway.
pub(super) async fn ask(scene: &Scene, node: &House, presented: &str) -> Result<Verdict, Refused> {
    let none = Scopes::default();
    let question =
        Question { presented, scopes: &none, ip: None, caller: Some("shop/1"), route: Route::Verify };
    node.domain.verify_key(&scene.gateway.op(), &question).await
}

/// Holds every connection that a node can read with, so that it waits for one in vain.
pub(super) async fn cut_off(node: &House) -> Vec<Conn> {
    let mut held = Vec::new();
    while let Ok(conn) = node.store.read().await {
        held.push(conn);
    }
    held
}

fn is_away<T: std::fmt::Debug>(answer: Result<T, Refused>) {
    assert!(
        matches!(&answer, Err(Refused::Fault(fault)) if matches!(fault, Fault::Store(StoreError::Unavailable(_)))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_node_that_was_told_to_be_patient_answers_from_memory_and_says_as_of_when() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let patient = |settings: &mut crate::Settings| settings.verify_max_staleness = Duration::from_mins(1);
        let node = scene.house.neighbour_with(patient).await;
        let (known, unknown) = (scene.issue("Known").await, scene.issue("Unknown").await);
        let first = ask(&scene, &node, known.value.expose()).await.unwrap();
        assert_eq!((first.code, first.as_of), (VerifyCode::Valid, None));
        let knew = scene.house.now();
        scene.house.clock.advance(Duration::from_secs(40));
        let held = cut_off(&node).await;

        let stale = ask(&scene, &node, known.value.expose()).await.unwrap();
        assert_eq!((stale.code, stale.as_of), (VerifyCode::Valid, Some(knew)));
        // What is not in memory is not guessed at: no answer is not a no.
        is_away(ask(&scene, &node, unknown.value.expose()).await);
        scene.house.clock.advance(Duration::from_secs(20));
        assert_eq!(ask(&scene, &node, known.value.expose()).await.unwrap().as_of, Some(knew));
        scene.house.clock.advance(Duration::from_micros(1));
        is_away(ask(&scene, &node, known.value.expose()).await);

        drop(held);
        scene.house.clock.advance(Duration::from_secs(1));
        let back = ask(&scene, &node, unknown.value.expose()).await.unwrap();
        assert_eq!((back.code, back.as_of), (VerifyCode::Valid, None));
    })
    .await;
}

#[tokio::test]
async fn a_node_on_the_defaults_answers_nothing_once_its_knowledge_is_a_second_old() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let node = scene.house.neighbour().await;
        let key = scene.issue("Known").await;
        ask(&scene, &node, key.value.expose()).await.unwrap();
        scene.house.clock.advance(Duration::from_millis(999));
        let held = cut_off(&node).await;
        assert_eq!(ask(&scene, &node, key.value.expose()).await.unwrap().code, VerifyCode::Valid);
        scene.house.clock.advance(Duration::from_millis(1));
        is_away(ask(&scene, &node, key.value.expose()).await);
        drop(held);
    })
    .await;
}

/// On SQLite, whose writer has a connection of its own.
#[tokio::test]
async fn what_was_written_is_answered_even_if_nothing_can_be_read_afterwards() {
    let scene = Scene::set(House::new(Engine::Sqlite).await).await;
    let shell = || scene.house.operator(Role::Admin);
    let token =
        async || scene.house.domain.operator_token(&shell(), Role::Admin, TimeDelta::minutes(5)).await;
    token().await.unwrap();
    let held = cut_off(&scene.house).await;
    let shown = token().await.unwrap();
    drop(held);
    assert!(scene.house.domain.authenticate_token(shown.expose()).await.is_ok());
}

/// Keeps all others from writing uses until it is told that it may go.
async fn hold_writes(house: &House, go: &Arc<Notify>, holding: oneshot::Sender<()>) {
    let (engine, go) = (house.store.engine(), Arc::clone(go));
    let mut holding = Some(holding);
    let held = house.store.write_silently("a test holds a lock", move |tx| {
        let (go, holding) = (Arc::clone(&go), holding.take());
        Box::pin(async move {
            // On SQLite whoever writes holds off everybody.
            if engine == Engine::Postgres {
                sql("LOCK TABLE key_usage IN ACCESS EXCLUSIVE MODE").execute(tx).await?;
            }
            holding.map(|holding| holding.send(()));
            go.notified().await;
            Ok::<_, StoreError>(())
        })
    });
    held.await.map_err(|error: WriteError<StoreError>| error.to_string()).unwrap();
}

#[tokio::test]
async fn uses_that_cannot_be_written_wait_for_the_next_flush() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let key = scene.issue("Orders").await;
        let used = async || {
            let now = scene.house.now();
            let hour = domain.key_usage(&scene.bob.op(), key.id, now, now, Step::Hour).await.unwrap();
            hour.iter().map(|point| point.valid).sum::<u64>()
        };
        let neighbour = scene.house.neighbour().await;
        let (go, (holding, held)) = (Arc::new(Notify::new()), oneshot::channel());
        let uses = async {
            held.await.unwrap();
            for _ in 0..2 {
                scene.verify(&key.value).await;
                let away = domain.flush_usage().await.unwrap_err();
                assert!(away.is_passing(), "{away}");
            }
            go.notify_one();
        };
        tokio::join!(hold_writes(&neighbour, &go, holding), uses);
        scene.verify(&key.value).await;
        assert_eq!(domain.flush_usage().await.unwrap(), 1, "one caller, one row");
        assert_eq!(used().await, 3);
        assert_eq!(domain.flush_usage().await.unwrap(), 0);
        assert_eq!(used().await, 3);
        let board = domain.drain_board(&scene.bob.op(), key.id).await.unwrap();
        assert_eq!(board.current.len(), 1);
        let seen = domain.key(&scene.bob.op(), key.id).await.unwrap().key.last_used_at.unwrap();
        assert_eq!(seen, scene.house.now());
    })
    .await;
}

#[tokio::test]
async fn a_row_that_is_refused_holds_up_no_other() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (first, second) = (scene.issue("First").await, scene.issue("Second").await);
        // A rule of the database's own that one of the two rows breaks.
        let never = match scene.house.store.engine() {
            Engine::Postgres => {
                "ALTER TABLE key_usage ADD CONSTRAINT never CHECK (agent <> 'shop/1' OR outcome <> 'revoked')"
            }
            Engine::Sqlite => {
                "CREATE TRIGGER never BEFORE INSERT ON key_usage WHEN NEW.outcome = 'revoked'
                 BEGIN SELECT RAISE(ABORT, 'never'); END"
            }
        };
        let altered = scene.house.store.write_silently("a test makes a rule", move |tx| {
            Box::pin(async move { sql(never).execute(tx).await })
        });
        altered.await.map_err(|error: WriteError<StoreError>| error.to_string()).unwrap();
        scene.verify(&second.value).await;
        let domain = &scene.house.domain;
        domain.revoke_key(&scene.bob.op(), first.id, RevokeReason::Superseded, "").await.unwrap();
        assert_eq!(scene.verify(&first.value).await, VerifyCode::Revoked);
        domain.flush_usage().await.unwrap();
        assert_eq!(domain.flush_usage().await.unwrap(), 0, "it is not tried for ever");
        let seen = domain.key(&scene.bob.op(), second.id).await.unwrap().key.last_used_at;
        assert_eq!(seen, Some(scene.house.now()));
    })
    .await;
}
