use std::time::Duration;

use chrono::TimeDelta;

use keywarden_model::VerifyCode;
use keywarden_store::sql;

use super::Scene;
use crate::cast::both_engines;
use crate::keys::{DrainStanding, Overlap, Step};

#[tokio::test]
async fn the_board_tells_who_moved_who_still_uses_the_old_value_and_who_was_not_seen() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let old = scene.issue("Orders").await;
        let by = async |value: &keywarden_vault::SecretString, caller: &'static str| {
            scene.house.clock.advance(Duration::from_mins(1));
            assert!(
                scene.ask(value.expose(), |question| question.caller = Some(caller)).await.unwrap().valid()
            );
        };
        for caller in ["shop", "cron", "mail"] {
            by(&old.value, caller).await;
        }
        let bob = scene.bob.steps_up();
        let new = domain.rotate_key(&bob.op(), old.id, Overlap::For(TimeDelta::days(7))).await.unwrap();
        by(&old.value, "shop").await;
        by(&new.value, "shop").await;
        by(&new.value, "mail").await;
        by(&old.value, "mail").await;
        assert!(domain.flush_usage().await.unwrap() > 0);
        let board = domain.drain_board(&scene.bob.op(), old.id).await.unwrap();
        let [draining] = board.draining.as_slice() else { panic!("{board:?}") };
        let told: Vec<_> =
            draining.callers.iter().map(|it| (it.caller.agent.as_str(), it.standing, it.uses)).collect();
        assert_eq!(
            told,
            [
                ("mail", DrainStanding::Still, 2),
                ("cron", DrainStanding::Quiet, 1),
                ("shop", DrainStanding::Moved, 2),
            ]
        );
        assert!(draining.callers.iter().all(|it| it.caller.verifier_name == "gateway"));
        let breaks: Vec<_> = draining.would_break().map(|it| it.caller.agent.as_str()).collect();
        assert_eq!(breaks, ["mail", "cron"]);
        assert_eq!(board.current.len(), 2);
        let (from, until) = (scene.house.now() - TimeDelta::hours(23), scene.house.now());
        let hours = domain.key_usage(&scene.bob.op(), old.id, from, until, Step::Hour).await.unwrap();
        assert_eq!(hours.len(), 24);
        assert_eq!(hours.iter().map(|point| point.valid).sum::<u64>(), 7);
        let days = domain.key_usage(&scene.bob.op(), old.id, from, until, Step::Day).await.unwrap();
        assert_eq!(
            days.iter().map(|point| (point.valid, point.refused)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
            (7, 0)
        );
        let view = domain.key(&scene.bob.op(), old.id).await.unwrap();
        assert_eq!(view.key.last_used_at, Some(scene.house.now()));
    })
    .await;
}

#[tokio::test]
async fn callers_beyond_two_hundred_an_hour_are_summed_over_flushes_too() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let key = scene.issue("Orders").await;
        for n in 0..230_u8 {
            scene.ask(key.value.expose(), |question| question.ip = Some([10, 0, 0, n].into())).await.unwrap();
            if n == 100 {
                scene.house.domain.flush_usage().await.unwrap();
            }
        }
        scene.house.domain.flush_usage().await.unwrap();
        let board = scene.house.domain.drain_board(&scene.bob.op(), key.id).await.unwrap();
        let rest = board.current.iter().filter(|(caller, _)| caller.address.is_empty()).count();
        assert_eq!((board.current.len(), rest), (201, 1));
        let now = scene.house.now();
        let points =
            scene.house.domain.key_usage(&scene.bob.op(), key.id, now, now, Step::Hour).await.unwrap();
        assert_eq!(points.iter().map(|point| point.valid).sum::<u64>(), 230);
    })
    .await;
}

/// Several processes stand behind one name, and change over one by one.
#[tokio::test]
async fn a_caller_that_alternates_has_not_moved_before_it_left_the_old_value_alone_for_a_day() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let old = scene.issue("Orders").await;
        let bob = scene.bob.steps_up();
        scene.house.clock.advance(Duration::from_mins(1));
        let new = domain.rotate_key(&bob.op(), old.id, Overlap::For(TimeDelta::days(7))).await.unwrap();
        let standing = async |uses: &[&keywarden_vault::SecretString]| {
            for value in uses {
                scene.house.clock.advance(Duration::from_mins(1));
                assert_eq!(scene.verify(value).await, VerifyCode::Valid);
            }
            domain.flush_usage().await.unwrap();
            let board = domain.drain_board(&scene.bob.op(), old.id).await.unwrap();
            (board.draining[0].callers[0].standing, board.draining[0].would_break().count())
        };
        let both = [&old.value, &new.value];
        assert_eq!(standing(&both).await, (DrainStanding::Moved, 0), "once each: it changed over");
        assert_eq!(standing(&both).await, (DrainStanding::Still, 1));
        assert_eq!(standing(&[&new.value]).await, (DrainStanding::Still, 1));
        scene.house.clock.advance(Duration::from_hours(25));
        assert_eq!(standing(&[&new.value]).await, (DrainStanding::Moved, 0));
        assert_eq!(standing(&[&old.value]).await, (DrainStanding::Still, 1));
    })
    .await;
}

#[tokio::test]
async fn whoever_cannot_be_told_apart_has_not_moved_while_one_of_them_uses_the_old_value() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let old = scene.issue("Orders").await;
        scene.house.clock.advance(Duration::from_mins(1));
        let week = Overlap::For(TimeDelta::days(7));
        let new = domain.rotate_key(&scene.bob.op(), old.id, week).await.unwrap();
        for value in [&old.value, &new.value] {
            scene.house.clock.advance(Duration::from_mins(1));
            for n in 0..300_u16 {
                let [high, low] = n.to_be_bytes();
                let asked = scene.ask(value.expose(), |question| {
                    question.ip = Some([10, 0, high, low].into());
                    question.caller = None;
                });
                assert!(asked.await.unwrap().valid());
            }
            domain.flush_usage().await.unwrap();
        }
        let board = domain.drain_board(&scene.bob.op(), old.id).await.unwrap();
        assert_eq!(board.draining[0].callers.len(), 201);
        let rest = board.draining[0].would_break().find(|it| it.caller.address.is_empty()).unwrap();
        assert_eq!(rest.standing, DrainStanding::Still);
        assert!(rest.last_new.is_some(), "some of them use the new one");
    })
    .await;
}

#[tokio::test]
async fn many_callers_of_the_new_value_hide_none_of_the_old_one() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let old = scene.issue("Orders").await;
        scene.verify(&old.value).await;
        domain.flush_usage().await.unwrap();
        scene.house.clock.advance(Duration::from_hours(1));
        let week = Overlap::For(TimeDelta::days(7));
        domain.rotate_key(&scene.bob.steps_up().op(), old.id, week).await.unwrap();
        let board = async || domain.drain_board(&scene.bob.op(), old.id).await.unwrap();
        assert!(!board().await.more);
        let values = domain.key(&scene.bob.op(), old.id).await.unwrap().values;
        let now = scene.house.now();
        let used = |value| {
            sql("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5001)
                 INSERT INTO key_usage (value_id, hour, address, agent, workload_id, outcome, key_id, uses,
                                        first_at, last_at)
                 SELECT $1, $2, 'pod ' || i, '', 'w', 'valid', $3, 1, $4, $5 FROM n")
            .bind(value)
            .bind(now.timestamp() / 3_600)
            .bind(old.id)
            .bind(now)
            .bind(now)
        };
        scene.house.put(vec![used(values[0].id)]).await;
        let crowded = board().await;
        assert_eq!((crowded.current.len(), crowded.more), (5_000, true));
        let [draining] = crowded.draining.as_slice() else {
            panic!("{} are draining", crowded.draining.len())
        };
        assert_eq!((draining.would_break().count(), draining.more), (1, false));
        scene.house.put(vec![used(values[1].id)]).await;
        assert!(board().await.draining[0].more);
    })
    .await;
}
