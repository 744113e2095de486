use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{KeyState, RevokeReason, Role, VerifyCode};

use super::{Scene, events_of};
use crate::cast::both_engines;
use crate::keys::{ExtendError, KeyValue, Leak, MOST_VALUES, Overlap, RotateError, StopError};

#[tokio::test]
async fn an_old_value_works_until_its_overlap_ends_and_not_an_instant_longer() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let old = scene.issue("Orders").await;
        let new =
            domain.rotate_key(&scene.bob.op(), old.id, Overlap::For(TimeDelta::hours(1))).await.unwrap();
        assert_eq!(new.id, old.id);
        let verdict = scene.ask(old.value.expose(), |_| {}).await.unwrap();
        assert!(verdict.valid() && verdict.superseded);
        assert_eq!(verdict.expires_at, Some(scene.house.now() + TimeDelta::hours(1)));
        scene.house.clock.advance(Duration::from_secs(3_599));
        assert_eq!(scene.verify(&old.value).await, VerifyCode::Valid);
        scene.house.clock.advance(Duration::from_secs(1));
        assert_eq!(scene.verify(&old.value).await, VerifyCode::Expired);
        assert_eq!(scene.verify(&new.value).await, VerifyCode::Valid);
        let view = domain.key(&scene.bob.op(), old.id).await.unwrap();
        let states: Vec<_> = view.values.iter().map(|value| value.state).collect();
        assert_eq!(states, [KeyState::Active, KeyState::Deactivated]);
        assert_eq!(events_of(&scene.house, old.id).await, ["key.issue", "key.rotate"]);
    })
    .await;
}

#[tokio::test]
async fn without_overlap_the_old_value_stops_at_once_and_no_overlap_outlives_the_key() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let now = scene.house.now();
        let mut new = scene.new_key("Short");
        new.expires_at = Some(now + TimeDelta::hours(2));
        let first = domain.issue_key(&scene.bob.op(), new).await.unwrap();
        let second = domain.rotate_key(&scene.bob.op(), first.id, Overlap::Default).await.unwrap();
        let verdict = scene.ask(first.value.expose(), |_| {}).await.unwrap();
        assert_eq!(verdict.expires_at, Some(now + TimeDelta::hours(2)));
        let zero = Overlap::For(TimeDelta::zero());
        let third = domain.rotate_key(&scene.bob.op(), first.id, zero).await.unwrap();
        assert_eq!(scene.verify(&second.value).await, VerifyCode::Expired);
        assert_eq!(scene.verify(&first.value).await, VerifyCode::Valid);
        assert_eq!(scene.verify(&third.value).await, VerifyCode::Valid);
        let long = domain.rotate_key(&scene.bob.op(), first.id, Overlap::For(TimeDelta::days(91))).await;
        assert!(matches!(long, Err(RotateError::OverlapTooLong)), "{long:?}");
        let past = Overlap::Until(now - TimeDelta::seconds(1));
        let past = domain.rotate_key(&scene.bob.op(), first.id, past).await;
        assert!(matches!(past, Err(RotateError::OverlapIsOver)), "{past:?}");
        scene.house.clock.advance(Duration::from_hours(2));
        let over = domain.rotate_key(&scene.bob.steps_up().op(), first.id, Overlap::Default).await;
        assert!(matches!(over, Err(RotateError::Expired)), "{over:?}");
    })
    .await;
}

#[tokio::test]
async fn a_key_has_five_working_values_at_most() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let key = scene.issue("Orders").await;
        for _ in 1..MOST_VALUES {
            domain.rotate_key(&scene.bob.op(), key.id, Overlap::Default).await.unwrap();
        }
        let one_more = domain.rotate_key(&scene.bob.op(), key.id, Overlap::Default).await;
        assert!(matches!(one_more, Err(RotateError::TooManyValues)), "{one_more:?}");
    })
    .await;
}

#[tokio::test]
async fn an_overlap_can_be_extended_or_cut_and_a_stopped_value_stays_stopped() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let old = scene.issue("Orders").await;
        let new =
            domain.rotate_key(&scene.bob.op(), old.id, Overlap::For(TimeDelta::hours(1))).await.unwrap();
        let view = domain.key(&scene.bob.op(), old.id).await.unwrap();
        assert!(view.may.extend && view.may.stop_old && view.may.rotate && !view.may.resume);
        let (current, old_value) = (view.values[0].id, view.values[1].id);
        let later = scene.house.now() + TimeDelta::hours(5);
        let wrong = domain.extend_key_overlap(&scene.bob.op(), old.id, current, later).await;
        assert!(matches!(wrong, Err(ExtendError::Current)), "{wrong:?}");
        domain.extend_key_overlap(&scene.bob.op(), old.id, old_value, later).await.unwrap();
        scene.house.clock.advance(Duration::from_hours(2));
        assert_eq!(scene.verify(&old.value).await, VerifyCode::Valid);
        let bob = scene.bob.steps_up();
        domain.stop_old_value(&bob.op(), old.id, old_value, None).await.unwrap();
        assert_eq!(scene.verify(&old.value).await, VerifyCode::Expired);
        assert_eq!(scene.verify(&new.value).await, VerifyCode::Valid);
        let late = domain.extend_key_overlap(&bob.op(), old.id, old_value, later).await;
        assert!(matches!(late, Err(ExtendError::Stopped)), "{late:?}");
        let current = domain.stop_old_value(&bob.op(), old.id, current, None).await;
        assert!(matches!(current, Err(StopError::Current)), "{current:?}");
    })
    .await;
}

#[tokio::test]
async fn a_suspended_key_hides_no_end_so_a_stopped_value_neither_counts_nor_comes_back() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let old = scene.issue("Orders").await;
        let bob = &scene.bob;
        let hour = Overlap::For(TimeDelta::hours(1));
        for _ in 1..MOST_VALUES {
            scene.house.clock.advance(Duration::from_secs(1));
            domain.rotate_key(&bob.op(), old.id, hour).await.unwrap();
        }
        let view = domain.key(&bob.op(), old.id).await.unwrap();
        let (first, second) = (view.values[4].id, view.values[3].id);
        domain.stop_old_value(&bob.op(), old.id, first, None).await.unwrap();
        domain.suspend_key(&bob.op(), old.id, "pause").await.unwrap();
        let tomorrow = scene.house.now() + TimeDelta::days(1);
        let again = domain.extend_key_overlap(&bob.op(), old.id, first, tomorrow).await;
        assert!(matches!(again, Err(ExtendError::Stopped)), "{again:?}");
        let twice = domain.stop_old_value(&bob.op(), old.id, first, None).await;
        assert!(matches!(twice, Err(StopError::Stopped)), "{twice:?}");
        // What had not ended goes on.
        domain.extend_key_overlap(&bob.op(), old.id, second, tomorrow).await.unwrap();
        scene.house.clock.advance(Duration::from_hours(2));
        let bob = bob.steps_up();
        let view = domain.key(&bob.op(), old.id).await.unwrap();
        let living: Vec<_> = view.values.iter().map(KeyValue::is_living).collect();
        assert_eq!(living, [true, false, false, true, false]);
        assert!(view.may.rotate && view.may.extend && view.may.stop_old);
        let draining = domain.drain_board(&bob.op(), old.id).await.unwrap().draining;
        assert_eq!(draining.iter().map(|it| it.value.id).collect::<Vec<_>>(), [second]);
        let Leak::Found { value, .. } = domain.look_up_leak(&bob.op(), old.value.expose()).await.unwrap()
        else {
            panic!("not found")
        };
        assert!(!value.is_living());
        let new = domain.rotate_key(&bob.op(), old.id, hour).await.unwrap();
        domain.resume_key(&bob.op(), old.id).await.unwrap();
        assert_eq!(scene.verify(&old.value).await, VerifyCode::Expired);
        assert_eq!(scene.verify(&new.value).await, VerifyCode::Valid);
    })
    .await;
}

#[tokio::test]
async fn an_old_value_that_leaked_is_compromised_alone_and_long_after_its_end_destroyed() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let old = scene.issue("Orders").await;
        let new =
            domain.rotate_key(&scene.bob.op(), old.id, Overlap::For(TimeDelta::hours(1))).await.unwrap();
        let view = domain.key(&scene.bob.op(), old.id).await.unwrap();
        let leaked = Some(RevokeReason::KeyCompromise);
        domain.stop_old_value(&scene.bob.op(), old.id, view.values[1].id, leaked).await.unwrap();
        assert_eq!(scene.verify(&old.value).await, VerifyCode::Revoked);
        assert_eq!(scene.verify(&new.value).await, VerifyCode::Valid);
        let states = async || {
            let view = domain.key(&scene.house.operator(Role::Owner), old.id).await.unwrap();
            view.values.iter().map(|value| value.state).collect::<Vec<_>>()
        };
        assert_eq!(states().await, [KeyState::Active, KeyState::Compromised]);

        let destroy =
            async || domain.destroy_ended_values(&domain.system_op("destroy-values")).await.unwrap();
        scene.house.clock.advance(Duration::from_hours(400 * 24));
        assert_eq!(destroy().await, 0, "not before its day is over");
        assert_eq!(scene.verify(&old.value).await, VerifyCode::Revoked);
        scene.house.clock.advance(Duration::from_secs(1));
        assert_eq!(destroy().await, 1);
        assert_eq!(destroy().await, 0, "once");
        assert_eq!(states().await[1], KeyState::Destroyed);
        // No node knows it any more, nor can one learn it again.
        assert_eq!(scene.verify(&old.value).await, VerifyCode::NotFound);
        let neighbour = scene.house.neighbour().await;
        let told = super::away::ask(&scene, &neighbour, old.value.expose()).await.unwrap();
        assert_eq!(told.code, VerifyCode::NotFound);
        assert_eq!(
            events_of(&scene.house, old.id).await,
            ["key.destroy-value", "key.issue", "key.rotate", "key.stop-old-value"]
        );
        let found = domain.fsck(&[]).await.unwrap().findings;
        let destroyed = view.values[1].id.to_string();
        let of_values: Vec<_> = found.iter().filter(|it| it.thing == destroyed).collect();
        assert!(of_values.is_empty(), "{of_values:?}");
    })
    .await;
}
