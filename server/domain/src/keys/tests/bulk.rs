use chrono::TimeDelta;
use keywarden_model::{RevokeReason, Role, VerifyCode};
use keywarden_vault::SecretString;

use super::{Scene, events_of};
use crate::Refused;
use crate::cast::both_engines;
use crate::keys::{BulkRevokeError, BulkRevoked, KeyQuery, NewKey, Overlap, Place};

#[tokio::test]
async fn many_are_revoked_after_a_preview_of_what_breaks_all_or_none() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let (a, b) = (scene.issue("Old A").await, scene.issue("Old B").await);
        let kept = scene.issue("Kept").await;
        scene.verify(&a.value).await;
        domain.flush_usage().await.unwrap();
        let query = KeyQuery { search: Some("old".into()), ..KeyQuery::default() };
        let preview = domain.preview_bulk_revoke(&scene.bob.op(), &query).await.unwrap();
        let ids: Vec<_> = preview.keys.iter().map(|line| line.key.id).collect();
        assert_eq!(ids, [a.id, b.id]);
        assert!(!preview.more);
        let [affected] = preview.affected.as_slice() else { panic!("{:?}", preview.affected) };
        assert_eq!((affected.caller.agent.as_str(), affected.keys.as_slice()), ("shop/1", [a.id].as_slice()));

        let elsewhere = scene.house.project("elsewhere").await;
        let boss = scene.house.person("Boss", &[(Role::Owner, None)]).await;
        let foreign = NewKey::named(Place::Environment(elsewhere.live), "Foreign".parse().unwrap());
        let foreign = domain.issue_key(&boss.op(), foreign).await.unwrap();
        let mixed = [ids.clone(), vec![foreign.id]].concat();
        let refused = domain.bulk_revoke(&scene.bob.op(), mixed, RevokeReason::Superseded, "").await;
        assert!(matches!(refused, Err(BulkRevokeError::Refused(Refused::NotFound))), "{refused:?}");
        assert_eq!(scene.verify(&a.value).await, VerifyCode::Valid);

        let done = domain.bulk_revoke(&scene.bob.op(), ids, RevokeReason::Superseded, "moved").await.unwrap();
        assert_eq!(done, BulkRevoked { revoked: 2, already: 0 });
        for gone in [&a, &b] {
            assert_eq!(scene.verify(&gone.value).await, VerifyCode::Revoked);
            assert_eq!(events_of(&scene.house, gone.id).await, ["key.issue", "key.revoke"]);
        }
        assert_eq!(scene.verify(&kept.value).await, VerifyCode::Valid);
        let whole = events_of(&scene.house, "organization").await;
        assert_eq!(whole.iter().filter(|action| *action == "key.bulk-revoke").count(), 1);
        let nothing = domain.bulk_revoke(&scene.bob.op(), Vec::new(), RevokeReason::Superseded, "").await;
        assert!(matches!(nothing, Err(BulkRevokeError::Nothing)));
    })
    .await;
}

#[tokio::test]
async fn whoever_shows_only_values_that_have_stopped_breaks_no_more() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let old = scene.issue("Orders").await;
        let by = async |value: &SecretString, caller: &'static str| {
            let asked = scene.ask(value.expose(), |question| question.caller = Some(caller));
            assert!(asked.await.unwrap().valid());
        };
        by(&old.value, "cron").await;
        let zero = Overlap::For(TimeDelta::zero());
        let new = domain.rotate_key(&scene.bob.op(), old.id, zero).await.unwrap();
        by(&new.value, "shop").await;
        domain.flush_usage().await.unwrap();
        let preview = domain.preview_bulk_revoke(&scene.bob.op(), &KeyQuery::default()).await.unwrap();
        let affected: Vec<_> = preview.affected.iter().map(|it| it.caller.agent.as_str()).collect();
        assert_eq!(affected, ["shop"]);
    })
    .await;
}
