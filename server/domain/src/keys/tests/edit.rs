use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{KeyState, Metadata, RevokeReason, Role, Scopes, Tags, VerifyCode};
use serde_json::json;

use super::{Scene, events_of};
use crate::Refused;
use crate::audit::Query;
use crate::authz::Owner;
use crate::cast::both_engines;
use crate::keys::{
    EditKeyError, ExtendError, KeyPatch, NewKey, Overlap, ResumeError, RevokeError, RotateError, StopError,
    TermError,
};

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

#[tokio::test]
async fn what_a_tag_is_called_is_told_openly_and_what_it_says_is_sealed() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let tags = |words: &[&str]| Tags::parse(words).unwrap();
        let new =
            NewKey { tags: tags(&["contact=Jane Doe, jane@example.com", "pci"]), ..scene.new_key("Orders") };
        let key = domain.issue_key(&scene.bob.op(), new).await.unwrap().id;
        for words in [&["contact=Jack Roe", "pci"][..], &["contact=Jack Roe"], &["contact=Jack Roe"]] {
            scene.house.clock.advance(Duration::from_secs(1));
            let patch = KeyPatch { tags: Some(tags(words)), ..KeyPatch::default() };
            domain.edit_key(&scene.bob.op(), key, None, patch).await.unwrap();
        }
        let query = Query { resource: Some(key.to_string()), limit: 10, ..Query::default() };
        let mut told = domain.events(&scene.house.operator(Role::Owner), &query).await.unwrap().events;
        told.reverse();
        let open = told.iter().map(|it| &it.canonical["changes"]["tags"]);
        let expected = [
            json!({ "from": null, "to": ["contact", "pci"] }),
            json!(null),
            json!({ "from": ["contact", "pci"], "to": ["contact"] }),
            json!(null),
        ];
        assert!(open.eq(&expected), "{told:#?}");
        for event in &told {
            let bytes = event.canonical.to_string();
            assert!(!["Jane", "jane", "Jack"].iter().any(|said| bytes.contains(said)), "{bytes}");
        }
        let said = |nth: usize, field: &str| {
            told[nth].personal[&scene.bob.id.to_string()].get(field).map(String::as_str)
        };
        let first = "contact=Jane Doe, jane@example.com, pci";
        assert_eq!((said(0, "tags_before"), said(0, "tags")), (None, Some(first)));
        assert_eq!((said(1, "tags_before"), said(1, "tags")), (Some(first), Some("contact=Jack Roe, pci")));
        assert_eq!(said(2, "tags"), Some("contact=Jack Roe"));
        assert_eq!((said(3, "tags_before"), said(3, "tags")), (None, None), "nothing changed");
    })
    .await;
}

#[tokio::test]
async fn no_old_value_outlives_its_key_whichever_way_the_end_moves() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let bob = scene.bob.steps_up();
        let old = scene.issue("Orders").await;
        let month = Overlap::For(TimeDelta::days(30));
        domain.rotate_key(&bob.op(), old.id, month).await.unwrap();
        let ends = async || {
            let view = domain.key(&bob.op(), old.id).await.unwrap();
            view.values.iter().map(|value| value.stops_at).collect::<Vec<_>>()
        };
        let now = scene.house.now();
        assert_eq!(ends().await, [None, Some(now + TimeDelta::days(30))]);
        let until =
            |days| KeyPatch { expires_at: Some(Some(now + TimeDelta::days(days))), ..KeyPatch::default() };
        domain.edit_key(&bob.op(), old.id, None, until(3)).await.unwrap();
        assert_eq!(ends().await, [None, Some(now + TimeDelta::days(3))], "no later than the key");
        domain.edit_key(&bob.op(), old.id, None, until(60)).await.unwrap();
        assert_eq!(ends().await, [None, Some(now + TimeDelta::days(3))], "it is not moved back");
    })
    .await;
}

#[tokio::test]
async fn what_has_ended_with_its_key_does_not_come_back_and_what_has_begun_does_not_begin_anew() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let now = scene.house.now();
        let mut new = scene.new_key("Orders");
        new.expires_at = Some(now + TimeDelta::hours(1));
        let old = domain.issue_key(&scene.bob.op(), new).await.unwrap();
        scene.house.clock.advance(Duration::from_hours(2));
        let bob = scene.bob.steps_up();
        assert_eq!(scene.verify(&old.value).await, VerifyCode::Expired);
        let later = Some(Some(scene.house.now() + TimeDelta::days(1)));
        let patch = KeyPatch { expires_at: later, ..KeyPatch::default() };
        domain.edit_key(&bob.op(), old.id, None, patch).await.unwrap();
        assert_eq!(scene.verify(&old.value).await, VerifyCode::Expired, "it may have leaked since");
        let view = domain.key(&bob.op(), old.id).await.unwrap();
        assert_eq!(view.values[0].stops_at, Some(now + TimeDelta::hours(1)));
        assert_eq!(view.state, KeyState::Deactivated, "nothing of it verifies");
        let rotated = domain.rotate_key(&bob.op(), old.id, Overlap::Default).await.unwrap();
        assert_eq!(scene.verify(&rotated.value).await, VerifyCode::Valid);
        assert_eq!(scene.verify(&old.value).await, VerifyCode::Expired);
        assert_eq!(domain.key(&bob.op(), old.id).await.unwrap().state, KeyState::Active);

        let begins = |hours| KeyPatch {
            not_before: Some(Some(scene.house.now() + TimeDelta::hours(hours))),
            ..KeyPatch::default()
        };
        let again = domain.edit_key(&bob.op(), old.id, None, begins(1)).await;
        assert!(matches!(again, Err(EditKeyError::Terms(TermError::HasBegun))), "{again:?}");
        domain.edit_key(&bob.op(), old.id, None, begins(-1)).await.unwrap();
        let mut early = scene.new_key("Early");
        early.not_before = Some(scene.house.now() + TimeDelta::hours(1));
        let early = domain.issue_key(&bob.op(), early).await.unwrap();
        domain.edit_key(&bob.op(), early.id, None, begins(2)).await.unwrap();
        assert_eq!(scene.verify(&early.value).await, VerifyCode::NotYetValid);
    })
    .await;
}

/// A leak is often learned of afterwards.
#[tokio::test]
async fn what_was_deactivated_can_still_be_found_compromised() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let bob = scene.bob.steps_up();
        let key = scene.issue("Orders").await;
        let zero = Overlap::For(TimeDelta::zero());
        domain.rotate_key(&bob.op(), key.id, zero).await.unwrap();
        let states = async || {
            let view = domain.key(&bob.op(), key.id).await.unwrap();
            let values = view.values.iter().map(|value| (value.state, value.stops_at)).collect::<Vec<_>>();
            (view.state, values)
        };
        let old = domain.key(&bob.op(), key.id).await.unwrap().values[1].clone();
        scene.house.clock.advance(Duration::from_mins(1));
        let leaked = Some(RevokeReason::KeyCompromise);
        for reason in [None, Some(RevokeReason::Superseded)] {
            let stopped = domain.stop_old_value(&bob.op(), key.id, old.id, reason).await;
            assert!(matches!(stopped, Err(StopError::Stopped)), "{reason:?}: {stopped:?}");
        }
        domain.stop_old_value(&bob.op(), key.id, old.id, leaked).await.unwrap();
        assert_eq!(states().await.1[1], (KeyState::Compromised, old.stops_at), "it ended when it did");
        let twice = domain.stop_old_value(&bob.op(), key.id, old.id, leaked).await;
        assert!(matches!(twice, Err(StopError::Stopped)), "{twice:?}");

        let revoke = async |reason| domain.revoke_key(&bob.op(), key.id, reason, "").await;
        revoke(RevokeReason::Superseded).await.unwrap();
        assert_eq!(states().await.0, KeyState::Deactivated);
        assert!(matches!(revoke(RevokeReason::CessationOfOperation).await, Err(RevokeError::Already)));
        revoke(RevokeReason::KeyCompromise).await.unwrap();
        let (state, values) = states().await;
        assert!(state == KeyState::Compromised && values[0].0 == KeyState::Compromised, "{values:?}");
        assert!(matches!(revoke(RevokeReason::Superseded).await, Err(RevokeError::Already)));
    })
    .await;
}
