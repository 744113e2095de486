use chrono::TimeDelta;
use keywarden_model::{KeyState, Role, VerifyCode};
use keywarden_vault::token;

use super::{Scene, events_of};
use crate::authz::Owner;
use crate::cast::both_engines;
use crate::keys::{IssueError, KeyPatch, NewKey, Overlap, Place, RotateError, SuspendError, TermError};
use crate::once::Replayed;
use crate::{Actor, Op, Refused};

#[tokio::test]
async fn an_issued_key_verifies_and_its_value_is_kept_nowhere() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let issued = scene.issue("Orders").await;
        let parsed = token::parse(issued.value.expose()).unwrap();
        assert_eq!((parsed.label(), parsed.id().as_str()), ("live", issued.public_id.as_str()));
        assert_eq!(scene.verify(&issued.value).await, VerifyCode::Valid);
        let view = scene.house.domain.key(&scene.bob.op(), issued.id).await.unwrap();
        assert_eq!(view.state, KeyState::Active);
        assert_eq!(view.key.owner, Owner::Person(scene.bob.id));
        assert_eq!(view.key.expires_at, Some(scene.house.now() + TimeDelta::days(365)));
        assert_eq!(events_of(&scene.house, issued.id).await, ["key.issue"]);
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_value_for_an_hour_and_never_a_second_key() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let once = |key: &'static str| scene.bob.steps_up().op_once(key, &[b"issue"]);
        let first = domain.issue_key(&once("idempotency-1"), scene.new_key("Orders")).await.unwrap();
        let again = domain.issue_key(&once("idempotency-1"), scene.new_key("Orders")).await.unwrap();
        assert_eq!((first.id, first.value.expose()), (again.id, again.value.expose()));
        scene.house.clock.advance(std::time::Duration::from_hours(2));
        let late = domain.issue_key(&once("idempotency-1"), scene.new_key("Orders")).await;
        let Err(IssueError::Refused(Refused::Replayed(Replayed::Done { thing }))) = late else {
            panic!("{late:?}")
        };
        assert_eq!(thing, first.id.to_string());
        assert_eq!(events_of(&scene.house, first.id).await, ["key.issue"]);

        // A script that sends its request again a week later gets no second value either, whatever became of the first.
        let rotate = async |once: Op| domain.rotate_key(&once, first.id, Overlap::Default).await;
        rotate(once("idempotency-2")).await.unwrap();
        let rename = KeyPatch { name: Some("Till".parse().unwrap()), ..KeyPatch::default() };
        domain.edit_key(&scene.bob.steps_up().op(), first.id, None, rename).await.unwrap();
        scene.house.clock.advance(std::time::Duration::from_hours(24 * 400));
        domain.sweep(&scene.house.operator(Role::Owner)).await.unwrap();
        let late = domain.issue_key(&once("idempotency-1"), scene.new_key("Orders")).await;
        assert!(
            matches!(late, Err(IssueError::Refused(Refused::Replayed(Replayed::Done { .. })))),
            "{late:?}"
        );
        let late = rotate(once("idempotency-2")).await;
        assert!(
            matches!(late, Err(RotateError::Refused(Refused::Replayed(Replayed::Done { .. })))),
            "{late:?}"
        );
        let view = domain.key(&scene.bob.steps_up().op(), first.id).await.unwrap();
        assert_eq!(view.values.len(), 2);
        // What had no secret is forgotten: it is done anew.
        let suspend = async |once: Op| domain.suspend_key(&once, first.id, "pause").await;
        suspend(once("idempotency-3")).await.unwrap();
        scene.house.clock.advance(std::time::Duration::from_hours(24 * 8));
        domain.sweep(&scene.house.operator(Role::Owner)).await.unwrap();
        assert!(matches!(suspend(once("idempotency-3")).await, Err(SuspendError::Already)));
    })
    .await;
}

#[tokio::test]
async fn terms_that_do_not_stand_make_no_key() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let now = scene.house.now();
        let mallory = scene.house.person("Mallory", &[]).await;
        scene.issue("Orders").await;
        let nobody = crate::keys::tests::stranger();
        let with = async |change: fn(&mut NewKey, chrono::DateTime<chrono::Utc>)| {
            let mut new = scene.new_key("Other");
            change(&mut new, now);
            domain.issue_key(&scene.bob.op(), new).await
        };
        let past = with(|new, now| new.expires_at = Some(now)).await;
        assert!(matches!(past, Err(IssueError::Terms(TermError::ExpiresInThePast))), "{past:?}");
        let long = with(|new, now| new.expires_at = Some(now + TimeDelta::days(366))).await;
        assert!(matches!(long, Err(IssueError::Terms(TermError::LivesTooLong { .. }))), "{long:?}");
        let late = with(|new, now| {
            new.not_before = Some(now + TimeDelta::days(2));
            new.expires_at = Some(now + TimeDelta::days(1));
        })
        .await;
        assert!(matches!(late, Err(IssueError::Terms(TermError::ExpiresBeforeItBegins))), "{late:?}");
        let same = with(|new, _| new.name = "  ORDERS ".parse().unwrap()).await;
        assert!(matches!(same, Err(IssueError::Terms(TermError::NameTaken))), "{same:?}");
        let mut unowned = scene.new_key("Unowned");
        unowned.owner = Some(nobody);
        let unowned = domain.issue_key(&scene.bob.op(), unowned).await;
        assert!(matches!(unowned, Err(IssueError::Terms(TermError::OwnerUnknown))), "{unowned:?}");
        let strange = domain.issue_key(&mallory.op(), scene.new_key("Strange")).await;
        assert!(matches!(strange, Err(IssueError::Refused(Refused::NotFound))), "{strange:?}");
        let nowhere = Place::Slugs { project: "pay".parse().unwrap(), environment: "prod".parse().unwrap() };
        let nowhere = domain.issue_key(&scene.bob.op(), NewKey::named(nowhere, "N".parse().unwrap())).await;
        assert!(matches!(nowhere, Err(IssueError::Refused(Refused::NotFound))), "{nowhere:?}");
        let unknown = domain.issue_key(&scene.house.op(Actor::Nobody), scene.new_key("Nobody")).await;
        assert!(matches!(unknown, Err(IssueError::Refused(Refused::NotFound))), "{unknown:?}");
        let all = crate::keys::KeyQuery { limit: 10, ..Default::default() };
        assert_eq!(domain.keys(&scene.bob.op(), &all).await.unwrap().keys.len(), 1);
    })
    .await;
}
