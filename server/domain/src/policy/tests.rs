mod attacks;

use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{Role, Scopes};
use keywarden_store::sql;

use super::*;
use crate::audit::Query;
use crate::cast::{House, Player, both_engines};
use crate::keys::{KeyQuery, NewKey, Place, Question, Route};
use crate::people::DeactivateError;
use crate::roles::{Holder, RevokeRoleError};

const HOLIDAY: &str = r#"forbid (principal, action == Action::"project.create", resource);"#;

fn new(scope: PolicyScope, name: &str, text: &str) -> NewPolicy {
    NewPolicy { scope, name: name.parse().unwrap(), text: text.to_owned(), note: "why not".parse().unwrap() }
}

fn now(version: i64, row_version: i64) -> Activate {
    Activate { version, at: None, row_version }
}

async fn owner(house: &House, name: &str) -> Player {
    house.person(name, &[(Role::Owner, None)]).await
}

async fn drafted(house: &House, by: &Player, name: &str, text: &str) -> PolicyId {
    house.domain.draft_policy(&by.op(), new(PolicyScope::Organization, name, text)).await.unwrap()
}

/// The state of the policy that a step has to name.
async fn seen(house: &House, by: &Player, id: PolicyId) -> i64 {
    house.domain.policy(&by.op(), id).await.unwrap().policy.row_version
}

async fn activated(
    house: &House,
    by: &Player,
    id: PolicyId,
    version: i64,
) -> Result<PolicyId, ChangePolicyError> {
    let row_version = seen(house, by, id).await;
    house.domain.activate_policy(&by.op(), id, now(version, row_version)).await
}

async fn may(house: &House, who: &Player, action: Action, resource: Resource) -> bool {
    house.domain.would(&who.op(), action, &resource).await.unwrap()
}

async fn states(house: &House, by: &Player, id: PolicyId) -> Vec<PolicyState> {
    let shown = house.domain.policy(&by.op(), id).await.unwrap();
    shown.versions.iter().rev().map(|it| it.state).collect()
}

async fn events(house: &House, by: &Player, id: PolicyId) -> Vec<String> {
    let query = Query { resource: Some(id.to_string()), limit: 50, ..Query::default() };
    let mut found = house.domain.events(&by.op(), &query).await.unwrap().events;
    found.reverse();
    found.iter().map(|it| it.action.clone()).collect()
}

#[tokio::test]
async fn a_policy_is_drafted_activated_superseded_rolled_back_and_disabled() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let create = async || may(&house, &olga, Action::CreateProject, Resource::Organization).await;
        // Events of one instant have no order.
        let tick = || house.clock.advance(Duration::from_secs(1));
        let id = drafted(&house, &olga, "Holiday", HOLIDAY).await;
        assert!(create().await, "a draft decides nothing");
        tick();
        activated(&house, &olga, id, 1).await.unwrap();
        assert!(!create().await);

        tick();
        let other = HOLIDAY.replace("project.create", "team.create");
        let redraft =
            Redraft { text: other, note: Description::default(), row_version: seen(&house, &olga, id).await };
        house.domain.redraft_policy(&olga.op(), id, redraft).await.unwrap();
        assert!(!create().await, "another draft changes nothing");
        tick();
        activated(&house, &olga, id, 2).await.unwrap();
        assert!(create().await);
        assert!(!may(&house, &olga, Action::CreateTeam, Resource::Organization).await);
        assert_eq!(states(&house, &olga, id).await, [PolicyState::Superseded, PolicyState::Active]);

        tick();
        let row_version = seen(&house, &olga, id).await;
        house.domain.roll_back_policy(&olga.op(), id, 1, row_version).await.unwrap();
        assert!(!create().await);
        assert_eq!(states(&house, &olga, id).await, [PolicyState::Active, PolicyState::Superseded]);

        tick();
        let row_version = seen(&house, &olga, id).await;
        house.domain.disable_policy(&olga.op(), id, row_version).await.unwrap();
        assert!(create().await);
        assert_eq!(states(&house, &olga, id).await, [PolicyState::Superseded; 2]);
        let again = house.domain.disable_policy(&olga.op(), id, row_version + 1).await;
        assert!(matches!(again, Err(ChangePolicyError::NotInForce)), "{again:?}");

        let told = [
            "policy.draft",
            "policy.activate",
            "policy.draft",
            "policy.activate",
            "policy.roll-back",
            "policy.disable",
        ];
        assert_eq!(events(&house, &olga, id).await, told);
        let query = Query { resource: Some(id.to_string()), limit: 50, ..Query::default() };
        let found = house.domain.events(&olga.op(), &query).await.unwrap().events;
        for event in &found {
            assert!(!event.canonical.to_string().contains("forbid ("), "a text is told by its digest");
        }
        let sha256 = house.domain.policy(&olga.op(), id).await.unwrap().versions[1].sha256;
        assert_eq!(found[5].canonical["facts"]["text"], hex::encode(sha256));
        assert_eq!(found[1].canonical["decision"]["policies"][0], "owner-may-everything");
    })
    .await;
}

#[tokio::test]
async fn every_node_decides_by_what_is_in_force() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let there = house.neighbour().await;
        assert!(may(&there, &olga, Action::CreateProject, Resource::Organization).await);
        let id = drafted(&house, &olga, "Holiday", HOLIDAY).await;
        activated(&house, &olga, id, 1).await.unwrap();
        there.domain.look().await.unwrap();
        assert!(!may(&there, &olga, Action::CreateProject, Resource::Organization).await);
        let row_version = seen(&house, &olga, id).await;
        house.domain.disable_policy(&olga.op(), id, row_version).await.unwrap();
        there.domain.look().await.unwrap();
        assert!(may(&there, &olga, Action::CreateProject, Resource::Organization).await);
    })
    .await;
}

#[tokio::test]
async fn a_permit_gives_what_no_role_does_and_the_record_names_it() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let olga = owner(&house, "Olga").await;
        let bob = house.person("Bob", &[]).await;
        let key = NewKey::named(Place::Environment(pay.live), "Shop".parse().unwrap());
        house.domain.issue_key(&olga.op(), key).await.unwrap();
        let keys = async || house.domain.keys(&bob.op(), &KeyQuery { limit: 10, ..KeyQuery::default() }).await.unwrap().keys.len();
        assert_eq!(keys().await, 0);
        let text = format!(
            r#"permit (principal == Person::"{}", action in [Action::"key.view", Action::"project.view"], resource in Project::"{}");"#,
            bob.id, pay.id
        );
        let id = drafted(&house, &olga, "Bob looks", &text).await;
        activated(&house, &olga, id, 1).await.unwrap();
        assert_eq!(keys().await, 1);
        let permit = house.domain.authorize(&bob.op(), Action::ViewProject, &Resource::Project(pay.id)).await.unwrap();
        assert_eq!(permit.policies(), [format!("{id}@1")]);
        let row_version = seen(&house, &olga, id).await;
        house.domain.disable_policy(&olga.op(), id, row_version).await.unwrap();
        assert_eq!(keys().await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_managers_policy_holds_in_the_project_and_strangers_hear_of_none() {
    both_engines(async |house| {
        let (pay, hr) = (house.project("pay").await, house.project("hr").await);
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let max = house.person("Max", &[(Role::Manager, Some(hr.id))]).await;
        let olga = owner(&house, "Olga").await;
        let text = r#"forbid (principal, action == Action::"key.issue", resource);"#;
        let scope = PolicyScope::Project(pay.id);
        let id = house.domain.draft_policy(&mia.op(), new(scope, "Freeze", text)).await.unwrap();
        activated(&house, &mia, id, 1).await.unwrap();
        let issue = async |project, environment| {
            may(&house, &olga, Action::IssueKey, Resource::Environment { id: environment, project }).await
        };
        assert!(!issue(pay.id, pay.live).await);
        assert!(issue(hr.id, hr.live).await);

        for wrong in [PolicyScope::Organization, PolicyScope::Project(hr.id)] {
            let refused = house.domain.draft_policy(&mia.op(), new(wrong, "Mine", text)).await;
            assert!(
                matches!(refused, Err(DraftPolicyError::Refused(Refused::Forbidden(_) | Refused::NotFound))),
                "{refused:?}"
            );
        }
        assert!(matches!(house.domain.policy(&max.op(), id).await, Err(Refused::NotFound)));
        let refused = house.domain.disable_policy(&max.op(), id, 2).await;
        assert!(matches!(refused, Err(ChangePolicyError::Refused(Refused::NotFound))));
        let list = async |by: &Player, scope| {
            let query = PolicyQuery { scope, limit: 10, ..PolicyQuery::default() };
            let found = house.domain.policies(&by.op(), &query).await.unwrap().policies;
            found.iter().map(|it| (it.policy.id, it.active)).collect::<Vec<_>>()
        };
        let there = [(id, Some((1, PolicyEffect::Forbid)))];
        assert_eq!(list(&mia, None).await, there);
        assert_eq!(list(&olga, Some(scope)).await, there);
        assert!(list(&max, None).await.is_empty());
        assert!(list(&max, Some(scope)).await.is_empty());
        assert!(list(&mia, Some(PolicyScope::Organization)).await.is_empty());
        assert!(list(&olga, Some(PolicyScope::Organization)).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_may_write_may_not_therefore_activate() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let ada = house.person("Ada", &[(Role::Admin, None)]).await;
        let ann = house.person("Ann", &[(Role::Auditor, None)]).await;
        let id = drafted(&house, &ada, "Holiday", HOLIDAY).await;
        let refused = activated(&house, &ada, id, 1).await;
        assert!(matches!(
            refused,
            Err(ChangePolicyError::Refused(Refused::Forbidden(Action::ActivatePolicy)))
        ));
        let refused =
            house.domain.draft_policy(&ann.op(), new(PolicyScope::Organization, "Mine", HOLIDAY)).await;
        assert!(matches!(refused, Err(DraftPolicyError::Refused(Refused::Forbidden(Action::DraftPolicy)))));
        assert_eq!(house.domain.policy(&ann.op(), id).await.unwrap().versions.len(), 1);
        let stale = house.domain.activate_policy(&olga.without_step_up().op(), id, now(1, 1)).await;
        assert!(matches!(stale, Err(ChangePolicyError::Refused(Refused::StepUp))));
        let early = house.domain.activate_policy(&olga.op(), id, now(1, 0)).await;
        assert!(matches!(early, Err(ChangePolicyError::ChangedMeanwhile)), "{early:?}");
        let missing = house.domain.activate_policy(&olga.op(), id, now(2, 1)).await;
        assert!(matches!(missing, Err(ChangePolicyError::Refused(Refused::NotFound))), "{missing:?}");
    })
    .await;
}

#[tokio::test]
async fn where_it_is_asked_for_nothing_that_decides_changes_by_one_person() {
    both_engines(async |house| {
        let (olga, otto) = (owner(&house, "Olga").await, owner(&house, "Otto").await);
        let domain = &house.domain;
        domain.require_policy_review(&olga.op(), true).await.unwrap();
        let id = drafted(&house, &olga, "Holiday", HOLIDAY).await;
        let alone = activated(&house, &olga, id, 1).await;
        assert!(matches!(alone, Err(ChangePolicyError::NeedsApproval)), "{alone:?}");
        let early = domain.approve_policy(&otto.op(), id, 1, 1).await;
        assert!(matches!(early, Err(ChangePolicyError::Step(_))), "{early:?}");
        domain.submit_policy(&olga.op(), id, 1, 1).await.unwrap();
        let own = domain.approve_policy(&olga.op(), id, 1, 2).await;
        assert!(matches!(own, Err(ChangePolicyError::OwnDraft)), "{own:?}");
        let shell = domain.approve_policy(&house.operator(Role::Owner), id, 1, 2).await;
        assert!(matches!(shell, Err(ChangePolicyError::Refused(Refused::Forbidden(_)))), "{shell:?}");
        domain.approve_policy(&otto.op(), id, 1, 2).await.unwrap();
        activated(&house, &olga, id, 1).await.unwrap();

        // Another text has no approval.
        let redraft = Redraft {
            text: HOLIDAY.to_owned(),
            note: Description::default(),
            row_version: seen(&house, &olga, id).await,
        };
        domain.redraft_policy(&olga.op(), id, redraft).await.unwrap();
        let alone = activated(&house, &olga, id, 2).await;
        assert!(matches!(alone, Err(ChangePolicyError::NeedsApproval)), "{alone:?}");

        let disable = async |by: &Player| {
            let row_version = seen(&house, by, id).await;
            domain.disable_policy(&by.op(), id, row_version).await.unwrap();
            domain.policy(&by.op(), id).await.unwrap().active().is_none()
        };
        assert!(!disable(&olga).await);
        assert!(!disable(&olga).await, "one person asks twice");
        assert_eq!(domain.policy(&otto.op(), id).await.unwrap().policy.ending_by, Some(olga.id.to_string()));
        assert!(disable(&otto).await);

        domain.require_policy_review(&otto.op(), false).await.unwrap();
        assert_eq!(domain.policy_review(&otto.op()).await.unwrap(), ReviewRule::Ending);
        let again = domain.require_policy_review(&otto.op(), false).await;
        assert!(matches!(again, Err(RequireReviewError::AnotherOwner)), "{again:?}");
        let alone = activated(&house, &otto, id, 2).await;
        assert!(matches!(alone, Err(ChangePolicyError::NeedsApproval)), "{alone:?}");
        domain.require_policy_review(&olga.op(), false).await.unwrap();
        activated(&house, &otto, id, 2).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn nobody_locks_all_owners_out() {
    both_engines(async |house| {
        let (olga, otto) = (owner(&house, "Olga").await, owner(&house, "Otto").await);
        for (n, text) in [
            "forbid (principal, action, resource);".to_owned(),
            r#"forbid (principal, action == Action::"policy.disable", resource);"#.to_owned(),
            r#"forbid (principal in OrganizationRole::"owner", action, resource);"#.to_owned(),
            r#"forbid (principal, action, resource) unless { context has address && context.address.isInRange(ip("10.0.0.0/8")) };"#.to_owned(),
        ]
        .into_iter()
        .enumerate()
        {
            let id = drafted(&house, &olga, &format!("Shut {n}"), &text).await;
            let refused = activated(&house, &olga, id, 1).await;
            assert!(matches!(refused, Err(ChangePolicyError::LocksOut)), "{text}: {refused:?}");
        }
        assert!(may(&house, &otto, Action::InviteUser, Resource::Organization).await);
        // One owner may be shut out, and then the other may not.
        let shut = |whom: &Player| format!(r#"forbid (principal == Person::"{}", action, resource);"#, whom.id);
        let first = drafted(&house, &olga, "Not Otto", &shut(&otto)).await;
        activated(&house, &olga, first, 1).await.unwrap();
        assert!(!may(&house, &otto, Action::InviteUser, Resource::Organization).await);
        let second = drafted(&house, &olga, "Not Olga", &shut(&olga)).await;
        let refused = activated(&house, &olga, second, 1).await;
        assert!(matches!(refused, Err(ChangePolicyError::LocksOut)), "{refused:?}");
        // Nor does whoever is left go: Otto is an owner, and can do nothing.
        let left = house.domain.deactivate_user(&olga.op(), olga.id).await;
        assert!(matches!(left, Err(DeactivateError::LastOwner)), "{left:?}");
        let roles = house.domain.roles_of(&olga.op(), Holder::Person(olga.id)).await.unwrap();
        let left = house.domain.revoke_role(&olga.op(), roles[0].id).await;
        assert!(matches!(left, Err(RevokeRoleError::LastOwner)), "{left:?}");
    })
    .await;
}

#[tokio::test]
async fn a_scheduled_version_decides_from_its_moment_on() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let create =
            async || may(&house, &olga.steps_up(), Action::CreateProject, Resource::Organization).await;
        let due = async || {
            house.domain.activate_due_policies(&house.domain.system_op("activate-policies")).await.unwrap()
        };
        let id = drafted(&house, &olga, "Holiday", HOLIDAY).await;
        for wrong in [house.now(), house.now() - TimeDelta::hours(1), house.now() + TimeDelta::days(400)] {
            let refused =
                house.domain.activate_policy(&olga.op(), id, Activate { at: Some(wrong), ..now(1, 1) }).await;
            assert!(matches!(refused, Err(ChangePolicyError::Moment)), "{refused:?}");
        }
        house.clock.advance(Duration::from_secs(1));
        let at = house.now() + TimeDelta::hours(2);
        house.domain.activate_policy(&olga.op(), id, Activate { at: Some(at), ..now(1, 1) }).await.unwrap();
        assert_eq!(due().await, 0);
        assert!(create().await);
        house.clock.advance(Duration::from_hours(2));
        assert_eq!(due().await, 1);
        assert_eq!(due().await, 0);
        assert!(!create().await);
        assert_eq!(events(&house, &olga, id).await, ["policy.draft", "policy.schedule", "policy.activate"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_scheduled_is_not_taken_back_by_whoever_only_writes() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let ada = house.person("Ada", &[(Role::Admin, None)]).await;
        let id = drafted(&house, &olga, "Holiday", HOLIDAY).await;
        let at = Some(house.now() + TimeDelta::hours(2));
        house.domain.activate_policy(&olga.op(), id, Activate { at, ..now(1, 1) }).await.unwrap();
        let refused = house.domain.withdraw_policy(&ada.op(), id, 1, 2).await;
        assert!(matches!(refused, Err(ChangePolicyError::Refused(Refused::Forbidden(_)))), "{refused:?}");
        let text = HOLIDAY.replace("project.create", "team.create");
        let redraft = Redraft { text, note: Description::default(), row_version: 2 };
        house.domain.redraft_policy(&ada.op(), id, redraft).await.unwrap();
        assert_eq!(states(&house, &olga, id).await, [PolicyState::Scheduled, PolicyState::Draft]);
        // What is activated after it takes its place for good.
        activated(&house, &olga, id, 2).await.unwrap();
        assert_eq!(states(&house, &olga, id).await, [PolicyState::Withdrawn, PolicyState::Active]);
    })
    .await;
}

#[tokio::test]
async fn whoever_lost_their_role_lets_nothing_decide_any_more() {
    both_engines(async |house| {
        let (olga, otto) = (owner(&house, "Olga").await, owner(&house, "Otto").await);
        let id = drafted(&house, &otto, "Holiday", HOLIDAY).await;
        let at = house.now() + TimeDelta::hours(1);
        house.domain.activate_policy(&otto.op(), id, Activate { at: Some(at), ..now(1, 1) }).await.unwrap();
        let roles = house.domain.roles_of(&olga.op(), Holder::Person(otto.id)).await.unwrap();
        house.domain.revoke_role(&olga.op(), roles[0].id).await.unwrap();
        let refused = house.domain.activate_policy(&otto.op(), id, now(1, 2)).await;
        assert!(matches!(refused, Err(ChangePolicyError::Refused(Refused::NotFound))), "{refused:?}");
        house.clock.advance(Duration::from_hours(1));
        assert_eq!(house.domain.activate_due_policies(&house.domain.system_op("x")).await.unwrap(), 0);
        assert_eq!(states(&house, &olga, id).await, [PolicyState::Withdrawn]);
        assert!(may(&house, &olga, Action::CreateProject, Resource::Organization).await);
    })
    .await;
}

#[tokio::test]
async fn one_spelling_of_a_name_is_one_policy_and_the_houses_own_names_are_nobodys() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        drafted(&house, &olga, "Café Rule", HOLIDAY).await;
        for twin in ["café rule", " CAFÉ  RULE ", "Cafe\u{301} Rule", "Ｃafé\u{a0}Ｒule"] {
            let refused =
                house.domain.draft_policy(&olga.op(), new(PolicyScope::Organization, twin, HOLIDAY)).await;
            assert!(matches!(refused, Err(DraftPolicyError::NameTaken)), "{twin}: {refused:?}");
        }
        for own in ["root", "System", "O w n e r", "KEY-warden", "ａｄｍｉｎ"] {
            let refused =
                house.domain.draft_policy(&olga.op(), new(PolicyScope::Organization, own, HOLIDAY)).await;
            assert!(matches!(refused, Err(DraftPolicyError::NameReserved)), "{own}: {refused:?}");
        }
        let other = drafted(&house, &olga, "Other", HOLIDAY).await;
        let refused = house.domain.rename_policy(&olga.op(), other, "CAFÉ RULE".parse().unwrap(), 1).await;
        assert!(matches!(refused, Err(ChangePolicyError::NameTaken)), "{refused:?}");
        house.domain.rename_policy(&olga.op(), other, "Another".parse().unwrap(), 1).await.unwrap();
        let query = PolicyQuery { search: Some("ANOTH".into()), limit: 10, ..PolicyQuery::default() };
        assert_eq!(house.domain.policies(&olga.op(), &query).await.unwrap().policies.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_draft_that_is_sent_twice_is_one_and_a_bad_text_is_none() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let once = || olga.op_once("policy-once", &[b"draft"]);
        let first = house
            .domain
            .draft_policy(&once(), new(PolicyScope::Organization, "Holiday", HOLIDAY))
            .await
            .unwrap();
        let again = house
            .domain
            .draft_policy(&once(), new(PolicyScope::Organization, "Holiday", HOLIDAY))
            .await
            .unwrap();
        assert_eq!(first, again);
        let bad = new(PolicyScope::Organization, "Bad", "permit (principal, action, resource);");
        let refused = house.domain.draft_policy(&olga.op(), bad).await;
        assert!(
            matches!(&refused, Err(DraftPolicyError::Text(errors)) if errors[0].line == 1),
            "{refused:?}"
        );
        let checked =
            house.domain.check_policy(&olga.op(), PolicyScope::Organization, HOLIDAY).await.unwrap().unwrap();
        assert_eq!((checked.effect, checked.actions), (PolicyEffect::Forbid, vec![Action::CreateProject]));
        let withdrawn = house.domain.withdraw_policy(&olga.op(), first, 1, 1).await;
        assert!(withdrawn.is_ok(), "{withdrawn:?}");
        let refused = activated(&house, &olga, first, 1).await;
        assert!(matches!(refused, Err(ChangePolicyError::Step(_))), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn nothing_decides_while_an_older_node_may_run_and_what_is_scheduled_waits() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let id = drafted(&house, &olga, "Holiday", HOLIDAY).await;
        let compatible = |version: i64| sql("UPDATE schema_info SET oldest_compatible = $1").bind(version);
        house.put(vec![compatible(34)]).await;
        let refused = activated(&house, &olga, id, 1).await;
        assert!(matches!(refused, Err(ChangePolicyError::OlderNodes)), "{refused:?}");
        let at = house.now() + TimeDelta::hours(1);
        let row_version = seen(&house, &olga, id).await;
        let later = Activate { version: 1, at: Some(at), row_version };
        house.domain.activate_policy(&olga.op(), id, later).await.unwrap();
        house.clock.advance(Duration::from_hours(2));
        assert_eq!(
            house.domain.activate_due_policies(&house.domain.system_op("activate-policies")).await.unwrap(),
            0
        );
        assert_eq!(states(&house, &olga, id).await, [PolicyState::Scheduled]);
        house.put(vec![compatible(35)]).await;
        assert_eq!(
            house.domain.activate_due_policies(&house.domain.system_op("activate-policies")).await.unwrap(),
            1
        );
        assert_eq!(states(&house, &olga, id).await, [PolicyState::Active]);
    })
    .await;
}

#[tokio::test]
async fn a_forbid_that_cannot_be_read_any_more_denies_until_it_is_disabled() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let id = drafted(&house, &olga, "Holiday", HOLIDAY).await;
        activated(&house, &olga, id, 1).await.unwrap();
        house.put(vec![sql("UPDATE policy_versions SET text = 'forbid (principal, action == Action::\"gone\", resource);'")]).await;
        let there = house.neighbour().await;
        assert!(!may(&there, &olga, Action::ViewUsers, Resource::Organization).await);
        let row_version = seen(&there, &olga, id).await;
        there.domain.disable_policy(&olga.op(), id, row_version).await.unwrap();
        assert!(may(&there, &olga, Action::ViewUsers, Resource::Organization).await);
    })
    .await;
}

#[tokio::test]
async fn what_hangs_on_the_moment_is_not_remembered_for_verifications() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let olga = owner(&house, "Olga").await;
        let gateway = house.workload("gateway", Role::Verifier, Some(pay.id)).await;
        let key = NewKey::named(Place::Environment(pay.test), "Shop".parse().unwrap());
        let key = house.domain.issue_key(&olga.op(), key).await.unwrap();
        let verify = async || {
            let question = Question {
                presented: key.value.expose(),
                scopes: &Scopes::default(),
                ip: None,
                caller: None,
                route: Route::Verify,
            };
            house.domain.verify_key(&gateway.op(), &question).await.map(|verdict| verdict.valid())
        };
        assert!(verify().await.unwrap());
        // It is Friday.
        let text =
            r#"forbid (principal, action == Action::"key.verify", resource) when { context.weekday == 6 };"#;
        let id = drafted(&house, &olga, "Not on Saturdays", text).await;
        activated(&house, &olga, id, 1).await.unwrap();
        assert!(verify().await.unwrap());
        house.clock.advance(Duration::from_hours(24));
        assert!(matches!(verify().await, Err(Refused::Forbidden(Action::VerifyKeys))));
        house.clock.advance(Duration::from_hours(24));
        assert!(verify().await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_name_that_looks_like_a_policy_decides_nothing() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let bob = house.person("Bob", &[]).await;
        let text = r#"forbid (principal, action == Action::"team.create", resource);"#;
        for (n, name) in
            [r#""); permit (principal, action, resource); //"#, "permit (principal, action, resource);"]
                .iter()
                .enumerate()
        {
            let id = drafted(&house, &olga, name, text).await;
            activated(&house, &olga, id, 1).await.unwrap();
            let note = Redraft {
                text: text.to_owned(),
                note: format!("{name}\n{name}").parse().unwrap(),
                row_version: seen(&house, &olga, id).await,
            };
            house.domain.redraft_policy(&olga.op(), id, note).await.unwrap();
            activated(&house, &olga, id, 2).await.unwrap();
            assert!(!may(&house, &bob, Action::ViewSystem, Resource::Organization).await, "{n}");
            assert!(may(&house, &olga, Action::ViewSystem, Resource::Organization).await, "{n}");
        }
    })
    .await;
}
