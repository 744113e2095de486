//! Many at once, at one request.

use futures_util::future::join_all;

use super::*;
use crate::cast::both_engines;
use crate::people::tests::events;

#[tokio::test]
async fn of_many_who_answer_at_once_there_is_one_outcome() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let neighbour = house.neighbour().await;
        for round in 0..8_u64 {
            let id = scene.asks(&house).await;
            let mut answers = Vec::new();
            for who in [&mut scene.ada, &mut scene.ben, &mut scene.mia] {
                let op = who.op(&house);
                let started = house.domain.start_access_approval(&op, id).await.unwrap();
                answers.push((op, started.ceremony, got(&mut who.soft, &started.options)));
            }
            let on = |n: usize| if n.is_multiple_of(2) { &house } else { &neighbour };
            let approvals = answers.iter().enumerate().map(async |(n, (op, ceremony, answer))| {
                let done = on(n).domain.finish_access_approval(op, id, *ceremony, answer).await;
                matches!(done, Ok(Approved::Granted { .. }))
            });
            let no = Scene::fresh(&house, &scene.ben);
            let denies = async {
                let words = "no".repeat(3).parse().unwrap();
                round.is_multiple_of(2) && house.domain.deny_access(&no, id, words).await.is_ok()
            };
            let asker = scene.dev.op(&house);
            let withdraws = async {
                round.is_multiple_of(3) && neighbour.domain.withdraw_access_request(&asker, id).await.is_ok()
            };
            let edits = async {
                let _ = house.domain.edit_access_request(&asker, id, terms(45)).await;
            };
            let (granted, denied, withdrawn, ()) =
                futures_util::join!(join_all(approvals), denies, withdraws, edits);
            let granted = granted.into_iter().filter(|it| *it).count();
            let outcomes = granted + usize::from(denied) + usize::from(withdrawn);
            let now = state(&house, &scene, id).await;
            let expected = match now {
                AccessState::Pending => 0,
                AccessState::Active | AccessState::Denied | AccessState::Withdrawn => 1,
                other => panic!("{other}"),
            };
            assert_eq!(outcomes, expected, "{now}: {granted} {denied} {withdrawn}");
            assert_eq!(granted == 1, now == AccessState::Active);
            if now == AccessState::Active {
                let grant = grant(&house, &scene, id).await;
                house.domain.give_back_access(&scene.dev.op(&house), grant).await.unwrap();
            }
        }
        assert_eq!(
            events(&house, "access.grant", "allowed").await,
            events(&house, "access.give-back", "allowed").await
        );
    })
    .await;
}
