use std::time::Duration;

use chrono::TimeDelta;

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
