use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{Metadata, RevokeReason, Role, Scopes, VerifyCode};

use super::{Scene, events_of};
use crate::Refused;
use crate::audit::Query;
use crate::authz::Owner;
use crate::cast::both_engines;
use crate::keys::{EditKeyError, ExtendError, KeyPatch, Overlap, ResumeError, RotateError, TermError};

#[tokio::test]
async fn an_edit_counts_at_once_and_only_from_the_version_that_was_read() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let key = scene.issue("Orders").await;
        let read = domain.key(&scene.bob.op(), key.id).await.unwrap().key.row_version;
        let wanted = Scopes::parse(["orders:read"]).unwrap();
        let asked = async || {
            let question = crate::keys::Question {
                presented: key.value.expose(),
                scopes: &wanted,
                ip: None,
                caller: None,
                route: crate::keys::Route::Verify,
            };
            domain.verify_key(&scene.gateway.op(), &question).await.unwrap().code
        };
        assert_eq!(asked().await, VerifyCode::InsufficientScope);
        let patch = KeyPatch { scopes: Some(wanted.clone()), ..KeyPatch::default() };
        domain.edit_key(&scene.bob.op(), key.id, Some(read), patch.clone()).await.unwrap();
        assert_eq!(asked().await, VerifyCode::Valid);
        let stale = domain.edit_key(&scene.bob.op(), key.id, Some(read), patch).await;
        assert!(matches!(stale, Err(EditKeyError::Stale)), "{stale:?}");
        let forever = KeyPatch { expires_at: Some(None), ..KeyPatch::default() };
        let forever = domain.edit_key(&scene.bob.op(), key.id, None, forever).await;
        assert!(matches!(forever, Err(EditKeyError::Terms(TermError::LivesTooLong { .. }))), "{forever:?}");
        let sooner = KeyPatch {
            expires_at: Some(Some(scene.house.now() + TimeDelta::hours(1))),
            ..KeyPatch::default()
        };
        domain.edit_key(&scene.bob.op(), key.id, None, sooner).await.unwrap();
        assert_eq!(events_of(&scene.house, key.id).await, ["key.edit", "key.edit", "key.issue"]);
    })
    .await;
}

#[tokio::test]
async fn in_an_archived_project_a_key_can_be_stopped_and_not_be_made_to_work_again() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let mut new = scene.new_key("Orders");
        new.expires_at = Some(scene.house.now() + TimeDelta::hours(2));
        let key = domain.issue_key(&scene.bob.op(), new).await.unwrap().id;
        domain.rotate_key(&scene.bob.op(), key, Overlap::Default).await.unwrap();
        let old = domain.key(&scene.bob.op(), key).await.unwrap().values[1].id;
        scene.house.clock.advance(Duration::from_hours(2));
        let owner = scene.house.person("Olga", &[(Role::Owner, None)]).await;
        domain.deactivate_workload(&owner.op(), scene.gateway.id).await.unwrap();
        domain.archive_project(&owner.op(), scene.pay.id).await.unwrap();

        let bob = scene.bob.steps_up();
        let later = scene.house.now() + TimeDelta::hours(1);
        let edit = KeyPatch { expires_at: Some(Some(later)), ..KeyPatch::default() };
        let edited = domain.edit_key(&bob.op(), key, None, edit).await;
        assert!(matches!(edited, Err(EditKeyError::Archived)), "{edited:?}");
        let rotated = domain.rotate_key(&bob.op(), key, Overlap::Default).await;
        assert!(matches!(rotated, Err(RotateError::Archived)), "{rotated:?}");
        let extended = domain.extend_key_overlap(&bob.op(), key, old, later).await;
        assert!(matches!(extended, Err(ExtendError::Archived)), "{extended:?}");
        domain.suspend_key(&bob.op(), key, "to be sure").await.unwrap();
        let resumed = domain.resume_key(&bob.op(), key).await;
        assert!(matches!(resumed, Err(ResumeError::Archived)), "{resumed:?}");
        let view = domain.key(&bob.op(), key).await.unwrap();
        assert!(view.key.archived && view.may.revoke);
        assert!(!view.may.edit && !view.may.rotate && !view.may.extend && !view.may.resume);
        domain.revoke_key(&bob.op(), key, RevokeReason::CessationOfOperation, "").await.unwrap();
        assert_eq!(
            events_of(&scene.house, key).await,
            ["key.issue", "key.revoke", "key.rotate", "key.suspend"]
        );
    })
    .await;
}

#[tokio::test]
async fn who_owns_a_key_may_rotate_it_and_no_more_once_it_is_given_away() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let olga = scene.house.person("Olga", &[]).await;
        let team = scene.house.team("payments", &[olga.id], &[(Role::Viewer, Some(scene.pay.id))]).await;
        let mut new = scene.new_key("Orders");
        new.owner = Some(Owner::Person(olga.id));
        let key = domain.issue_key(&scene.bob.op(), new).await.unwrap();
        domain.rotate_key(&olga.op(), key.id, crate::keys::Overlap::Default).await.unwrap();
        let refused = domain.edit_key(&olga.op(), key.id, None, KeyPatch::default()).await;
        assert!(matches!(refused, Err(EditKeyError::Refused(Refused::Forbidden(_)))), "{refused:?}");
        let give = |owner| KeyPatch { owner: Some(owner), ..KeyPatch::default() };
        domain.edit_key(&scene.bob.op(), key.id, None, give(Owner::Team(team))).await.unwrap();
        assert!(domain.key(&olga.op(), key.id).await.unwrap().may.rotate, "through the team");
        domain.edit_key(&scene.bob.op(), key.id, None, give(Owner::Person(scene.bob.id))).await.unwrap();
        assert!(!domain.key(&olga.op(), key.id).await.unwrap().may.rotate, "a viewer only");
        let nobody = domain.edit_key(&scene.bob.op(), key.id, None, give(super::stranger())).await;
        assert!(matches!(nobody, Err(EditKeyError::Terms(TermError::OwnerUnknown))), "{nobody:?}");
    })
    .await;
}

#[tokio::test]
async fn the_record_tells_the_whole_of_what_changed_however_long() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let key = scene.issue("Orders").await;
        // The longest metadata there may be: what changes stands at its very end.
        let metadata = |last: &str| {
            Metadata::parse(&format!(r#"{{"a":"{}","z":"{last}"}}"#, "é".repeat(2_020))).unwrap()
        };
        for last in ["x", "y"] {
            let patch = KeyPatch { metadata: Some(metadata(last)), ..KeyPatch::default() };
            // Events are in the order of their instants.
            scene.house.clock.advance(Duration::from_secs(1));
            domain.edit_key(&scene.bob.op(), key.id, None, patch).await.unwrap();
        }
        let op = scene.house.operator(Role::Owner);
        let query = Query { resource: Some(key.id.to_string()), limit: 1, ..Query::default() };
        let newest = domain.events(&op, &query).await.unwrap().events.remove(0);
        let told = &newest.personal[&scene.bob.id.to_string()];
        assert_eq!(told["metadata_before"], metadata("x").to_text());
        assert_eq!(told["metadata"], metadata("y").to_text());
    })
    .await;
}
