//! Each a way to get access without those who may give it (issue 5, 4).

use super::*;
use crate::cast::both_engines;
use crate::passkeys::PasskeyError;
use crate::passkeys::soft::SoftAuthenticator;
use crate::people::tests::{events, json, made, named};
use crate::roles::Holder;

fn passkey(refused: Result<impl std::fmt::Debug, AccessError>) -> PasskeyError {
    match refused {
        Err(AccessError::Ceremony(CeremonyError::Passkey(why))) => why,
        other => panic!("{other:?}"),
    }
}

fn gone(refused: &Result<Approved, AccessError>) -> bool {
    matches!(refused, Err(AccessError::Ceremony(CeremonyError::Gone)))
}

#[tokio::test]
async fn an_assertion_serves_once_and_for_its_own_request() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        scene.takes(&house, 2).await;
        let (one, other) = (scene.asks(&house).await, scene.asks(&house).await);
        let op = scene.mia.op(&house);
        let started = house.domain.start_access_approval(&op, one).await.unwrap();
        let answer = got(&mut scene.mia.soft, &started.options);
        // For another request: the ceremony is spent, and nothing is signed.
        let elsewhere = house.domain.finish_access_approval(&op, other, started.ceremony, &answer).await;
        assert!(gone(&elsewhere), "{elsewhere:?}");
        let late = house.domain.finish_access_approval(&op, one, started.ceremony, &answer).await;
        assert!(gone(&late), "{late:?}");

        // Under another request's ceremony: another challenge.
        let started = house.domain.start_access_approval(&op, other).await.unwrap();
        let swapped = house.domain.finish_access_approval(&op, other, started.ceremony, &answer).await;
        assert_eq!(passkey(swapped), PasskeyError::AnotherChallenge);
        assert_eq!(events(&house, "access.approve", "refused").await, 1);

        // Signed once, and the same again.
        let started = house.domain.start_access_approval(&op, one).await.unwrap();
        let answer = got(&mut scene.mia.soft, &started.options);
        let signed = house.domain.finish_access_approval(&op, one, started.ceremony, &answer).await.unwrap();
        assert_eq!(signed, Approved::Waits { have: 1, need: 2 });
        let replayed = house.domain.finish_access_approval(&op, one, started.ceremony, &answer).await;
        assert!(gone(&replayed), "{replayed:?}");
        assert_eq!(state(&house, &scene, one).await, AccessState::Pending);
        assert_eq!(events(&house, "access.approve", "allowed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_changed_between_page_and_signature_is_not_signed() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let id = scene.asks(&house).await;
        let op = scene.mia.op(&house);
        let started = house.domain.start_access_approval(&op, id).await.unwrap();
        let answer = got(&mut scene.mia.soft, &started.options);
        house.domain.edit_access_request(&scene.dev.op(&house), id, terms(480)).await.unwrap();
        let signed = house.domain.finish_access_approval(&op, id, started.ceremony, &answer).await;
        assert_eq!(passkey(signed), PasskeyError::ContentChanged);
        assert!(!manages(&house, &scene.dev, &scene).await);
    })
    .await;
}

#[tokio::test]
async fn whatever_changes_what_is_asked_for_voids_what_was_signed() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        scene.takes(&house, 2).await;
        let id = scene.asks(&house).await;
        signs(&house, &mut scene.mia, id).await.unwrap();
        house.domain.edit_access_request(&scene.dev.op(&house), id, terms(120)).await.unwrap();
        // The other wording has its own quorum.
        let signed = signs(&house, &mut scene.ben, id).await.unwrap();
        assert_eq!(signed, Approved::Waits { have: 1, need: 2 });
        let shown = house.domain.access_request(&scene.ben.op(&house), id).await.unwrap();
        assert_eq!(shown.approvals.iter().map(|it| it.counts).collect::<Vec<_>>(), [false, true]);
        let granted = signs(&house, &mut scene.mia, id).await.unwrap();
        assert!(matches!(granted, Approved::Granted { .. }), "{granted:?}");

        // So has what was signed under another rule.
        let id = scene.asks(&house).await;
        signs(&house, &mut scene.mia, id).await.unwrap();
        scene.takes(&house, 2).await;
        let signed = signs(&house, &mut scene.ben, id).await.unwrap();
        assert_eq!(signed, Approved::Waits { have: 1, need: 2 });
        // Whoever signed under that one may sign again, and is told so.
        let shown = house.domain.access_request(&scene.mia.op(&house), id).await.unwrap();
        assert_eq!(shown.may.approve, Some(Ok(())));
        let granted = signs(&house, &mut scene.mia, id).await.unwrap();
        assert!(matches!(granted, Approved::Granted { .. }), "{granted:?}");
        let shown = house.domain.access_request(&scene.ben.op(&house), id).await.unwrap();
        let names: Vec<_> = shown.approvals.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["Ben", "Mia"], "each once");
    })
    .await;
}

#[tokio::test]
async fn whoever_may_approve_no_more_counts_no_more() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        scene.takes(&house, 2).await;
        let id = scene.asks(&house).await;
        signs(&house, &mut scene.mia, id).await.unwrap();
        // Between the first signature and the last, Mia's role is taken.
        let role =
            house.domain.roles_of(&scene.ada.op(&house), Holder::Person(scene.mia.person.id)).await.unwrap();
        house.domain.revoke_role(&Scene::fresh(&house, &scene.ada), role[0].id).await.unwrap();
        let signed = signs(&house, &mut scene.ben, id).await.unwrap();
        assert_eq!(signed, Approved::Waits { have: 1, need: 2 });
        assert!(!manages(&house, &scene.dev, &scene).await);
        let granted = signs(&house, &mut scene.ada, id).await.unwrap();
        assert!(matches!(granted, Approved::Granted { .. }), "{granted:?}");
    })
    .await;
}

#[tokio::test]
async fn what_a_passkey_signed_that_was_taken_away_counts_no_more() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        scene.takes(&house, 2).await;
        let id = scene.asks(&house).await;
        signs(&house, &mut scene.mia, id).await.unwrap();
        let gone = keywarden_store::sql("DELETE FROM passkeys WHERE user_id = $1").bind(scene.mia.person.id);
        house.put(vec![gone]).await;
        let signed = signs(&house, &mut scene.ben, id).await.unwrap();
        assert_eq!(signed, Approved::Waits { have: 1, need: 2 });
        let shown = house.domain.access_request(&scene.ben.op(&house), id).await.unwrap();
        assert_eq!(shown.approvals.iter().map(|it| it.counts).collect::<Vec<_>>(), [false, true]);
    })
    .await;
}

#[tokio::test]
async fn one_person_with_two_passkeys_is_one_person() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        scene.takes(&house, 2).await;
        let mut second = SoftAuthenticator::new(77);
        let op = Scene::fresh(&house, &scene.mia);
        let started = house.domain.start_add_passkey(&op, &named("Second")).await.unwrap();
        let answer = made(&mut second, &started.options);
        house.domain.finish_add_passkey(&op, started.ceremony, &answer, &named("Second")).await.unwrap();
        house.clock.advance(Duration::from_hours(25));
        let id = scene.asks(&house).await;
        signs(&house, &mut scene.mia, id).await.unwrap();
        let mut same =
            Somebody { soft: second, person: scene.mia.person.clone(), key: scene.mia.key.clone() };
        assert_eq!(life(signs(&house, &mut same, id).await), LifeError::AlreadySigned);
        let inbox = house.domain.access_inbox(&scene.mia.op(&house)).await.unwrap();
        assert!(inbox.is_empty(), "what one has signed waits for others: {inbox:?}");
    })
    .await;
}

#[tokio::test]
async fn nobody_approves_what_they_asked_for_or_what_is_for_them() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        // Ben, an admin, asks for himself: a role of the organization that he has not.
        let own = NewRequest { role: Role::Auditor, project: None, holder: None, terms: terms(60) };
        let id = house.domain.request_access(&scene.ben.op(&house), own).await.unwrap();
        assert_eq!(life(signs(&house, &mut scene.ben, id).await), LifeError::OwnRequest);
        assert!(house.domain.access_inbox(&scene.ben.op(&house)).await.unwrap().is_empty());

        // Ben asks for Mia of his team, and Mia for herself through him.
        house.team("payments", &[scene.ben.person.id, scene.mia.person.id], &[]).await;
        let for_mia = NewRequest {
            holder: Some(Holder::Person(scene.mia.person.id)),
            ..wanted("other", Role::Manager, 60)
        };
        let id = house.domain.request_access(&scene.ben.op(&house), for_mia.clone()).await.unwrap();
        assert_eq!(life(signs(&house, &mut scene.ben, id).await), LifeError::OwnRequest);
        let by_holder = signs(&house, &mut scene.mia, id).await;
        assert!(by_holder.is_err(), "{by_holder:?}");
        signs(&house, &mut scene.ada, id).await.unwrap();

        // A project's own workload holds roles at home alone: what else there is, it does not learn.
        let bot = house.workload("bot", Role::Viewer, Some(scene.pay.id)).await;
        for project in ["other", "ghost"] {
            let elsewhere =
                NewRequest { holder: Some(Holder::Workload(bot.id)), ..wanted(project, Role::Manager, 60) };
            let refused = house.domain.request_access(&Scene::fresh(&house, &scene.mia), elsewhere).await;
            assert!(matches!(refused, Err(RequestError::OnlyAtHome)), "{refused:?}");
        }
        // Nobody asks for whom they share no team with.
        let stranger = house.domain.request_access(&scene.dev.op(&house), for_mia).await;
        assert!(matches!(stranger, Err(RequestError::NoSuchHolder)), "{stranger:?}");
    })
    .await;
}

#[tokio::test]
async fn a_new_passkey_and_a_synced_one_sign_only_where_they_may() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let id = scene.asks(&house).await;
        scene.ada.person.asserted_at = Some(house.now());
        let mut new = join(&house, &scene.ada, "Newcomer", Role::Admin, None, 9).await;
        assert!(matches!(life(signs(&house, &mut new, id).await), LifeError::PasskeyTooNew(_)));
        house.clock.advance(Duration::from_hours(1));
        let strong = Rule { strength: PasskeyStrength::DeviceBound, ..Rule::built_in() };
        let op = Scene::fresh(&house, &scene.ada);
        house.domain.set_access_rule(&op, PolicyScope::Project(scene.pay.id), Some(strong), 0).await.unwrap();
        // The row says that it leaves its device.
        house
            .put(vec![
                keywarden_store::sql("UPDATE passkeys SET synced = $1 WHERE user_id = $2")
                    .bind(true)
                    .bind(scene.mia.person.id),
            ])
            .await;
        assert_eq!(life(signs(&house, &mut scene.mia, id).await), LifeError::PasskeySynced);
        signs(&house, &mut scene.ben, id).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn another_address_or_another_relying_party_signs_nothing() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let id = scene.asks(&house).await;
        let op = scene.mia.op(&house);
        for origin in [
            "https://keys.example.com.evil.example",
            "https://evilkeys.example.com",
            "http://keys.example.com",
        ] {
            let started = house.domain.start_access_approval(&op, id).await.unwrap();
            let answer = scene.mia.soft.get(origin, &json(&started.options)).unwrap();
            let answer = serde_json::to_vec(&answer).unwrap();
            let refused = house.domain.finish_access_approval(&op, id, started.ceremony, &answer).await;
            assert_eq!(passkey(refused), PasskeyError::OtherOrigin, "{origin}");
        }
        for (habit, why) in
            [("unverified", PasskeyError::UserNotVerified), ("elsewhere", PasskeyError::OtherRelyingParty)]
        {
            let mut soft = scene.mia.soft.clone();
            match habit {
                "unverified" => soft.habits.user_verified = false,
                _ => soft.habits.rp_id = Some("evil.example"),
            }
            let started = house.domain.start_access_approval(&op, id).await.unwrap();
            let answer = got(&mut soft, &started.options);
            let refused = house.domain.finish_access_approval(&op, id, started.ceremony, &answer).await;
            assert_eq!(passkey(refused), why, "{habit}");
        }
        assert_eq!(state(&house, &scene, id).await, AccessState::Pending);
        // A step-up's answer is no approval: another kind of ceremony, another challenge.
        let started = house.domain.start_step_up(&op).await.unwrap();
        let answer = got(&mut scene.mia.soft, &started.options);
        let refused = house.domain.finish_access_approval(&op, id, started.ceremony, &answer).await;
        assert!(gone(&refused), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn an_ended_role_stays_ended_when_a_clock_is_set_back() {
    both_engines(async |house| {
        let mut scene = Scene::new(&house).await;
        let id = scene.asks(&house).await;
        signs(&house, &mut scene.mia, id).await.unwrap();
        let before = scene.dev.op(&house);
        house.clock.advance(Duration::from_hours(1));
        let job = house.domain.system_op("end-access");
        assert_eq!(house.domain.end_due_access(&job).await.unwrap(), 1);
        // An operation of a node whose clock is an hour behind.
        let place = Resource::Project(scene.pay.id);
        assert!(!house.domain.would(&before, Action::CreateEnvironment, &place).await.unwrap());
    })
    .await;
}
