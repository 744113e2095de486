use chrono::TimeDelta;
use keywarden_model::{Description, PolicyId, Role};

use super::*;
use crate::Refused;
use crate::audit::Query;
use crate::cast::{House, Player, Stage, both_engines};
use crate::permissions::Under;
use crate::policy::{Activate, ChangePolicyError, NewPolicy};

struct Scene {
    pay: Stage,
    olga: Player,
    mona: Player,
    bob: Player,
}

async fn scene(house: &House) -> Scene {
    let pay = house.project("pay").await;
    let olga = house.person("Olga", &[(Role::Owner, None)]).await;
    let mona = house.person("Mona", &[(Role::Manager, Some(pay.id))]).await;
    let bob = house.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
    Scene { pay, olga, mona, bob }
}

impl Scene {
    /// Whether Bob may issue keys in the project.
    fn issues(&self, scope: PolicyScope, name: &str, allowed: bool) -> NewPolicyTest {
        let case = Case {
            holder: Holder::Person(self.bob.id),
            action: Action::IssueKey,
            thing: self.pay.live.to_string(),
            setting: Setting::default(),
        };
        NewPolicyTest { scope, name: name.parse().unwrap(), case, allowed }
    }

    fn here(&self) -> PolicyScope {
        PolicyScope::Project(self.pay.id)
    }
}

const NEVER: &str = r#"forbid (principal, action == Action::"key.issue", resource);"#;

async fn drafted(house: &House, by: &Player, scope: PolicyScope, name: &str, text: &str) -> PolicyId {
    let name = name.parse().unwrap();
    let new = NewPolicy { scope, name, text: text.into(), note: Description::default() };
    house.domain.draft_policy(&by.op(), new).await.unwrap()
}

async fn activated(house: &House, by: &Player, id: PolicyId) -> Result<PolicyId, ChangePolicyError> {
    let row_version = house.domain.policy(&by.op(), id).await.unwrap().policy.row_version;
    house.domain.activate_policy(&by.op(), id, Activate { version: 1, at: None, row_version }).await
}

#[tokio::test]
async fn what_fails_a_test_comes_to_decide_only_when_the_test_is_gone() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let test = scene.issues(PolicyScope::Organization, "Bob issues keys", true);
        let test = house.domain.save_policy_test(&scene.olga.op(), test).await.unwrap();
        let id = drafted(&house, &scene.olga, PolicyScope::Organization, "Never", NEVER).await;
        let ran = async |under| {
            let ran = house.domain.run_policy_tests(&scene.olga.op(), PolicyScope::Organization, under).await;
            ran.unwrap().iter().map(|it| (it.outcome, it.passes())).collect::<Vec<_>>()
        };
        assert_eq!(ran(Under::InForce).await, [(Outcome::Allowed, true)]);
        assert_eq!(ran(Under::With(id, 1)).await, [(Outcome::Refused, false)]);
        let refused = activated(&house, &scene.olga, id).await;
        let Err(ChangePolicyError::FailsTests(failing)) = &refused else { panic!("{refused:?}") };
        assert_eq!((&failing.named[..], failing.others), (&["Bob issues keys".to_owned()][..], 0));
        assert!(failing.to_string().contains("`Bob issues keys`"), "{failing}");
        assert_eq!(ran(Under::InForce).await, [(Outcome::Allowed, true)], "nothing decides");

        // Nor from a moment on.
        let row_version = house.domain.policy(&scene.olga.op(), id).await.unwrap().policy.row_version;
        let later = Activate { version: 1, at: Some(house.now() + TimeDelta::hours(1)), row_version };
        let refused = house.domain.activate_policy(&scene.olga.op(), id, later).await;
        assert!(matches!(refused, Err(ChangePolicyError::FailsTests(_))), "{refused:?}");

        house.domain.delete_policy_test(&scene.olga.op(), test).await.unwrap();
        activated(&house, &scene.olga, id).await.unwrap();
        assert!(ran(Under::InForce).await.is_empty());
        let query = Query { resource: Some(test.to_string()), limit: 9, ..Query::default() };
        let events = house.domain.events(&scene.olga.op(), &query).await.unwrap().events;
        let mut told: Vec<_> = events.iter().map(|it| it.action.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, ["policy-test.delete", "policy-test.save"]);
    })
    .await;
}

/// A test that fails already elsewhere is no reason to stop, and one that would begin to is.
#[tokio::test]
async fn a_project_cannot_break_the_organizations_tests_and_is_not_held_up_by_broken_ones() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let keeps = scene.issues(PolicyScope::Organization, "Bob issues keys", true);
        let broken = scene.issues(PolicyScope::Organization, "Bob issues none", false);
        house.domain.save_policy_test(&scene.olga.op(), broken).await.unwrap();
        let other = r#"forbid (principal, action == Action::"key.import", resource);"#;
        let other = drafted(&house, &scene.mona, scene.here(), "No imports", other).await;
        activated(&house, &scene.mona, other).await.unwrap();

        house.domain.save_policy_test(&scene.olga.op(), keeps).await.unwrap();
        let never = drafted(&house, &scene.mona, scene.here(), "Never", NEVER).await;
        let refused = activated(&house, &scene.mona, never).await;
        let Err(ChangePolicyError::FailsTests(failing)) = &refused else { panic!("{refused:?}") };
        assert_eq!(
            (failing.named.len(), failing.others),
            (0, 1),
            "the organization's tests are not hers to see"
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_scheduled_before_is_looked_at_again_when_it_is_due() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let id = drafted(&house, &scene.olga, PolicyScope::Organization, "Never", NEVER).await;
        let later = Activate { version: 1, at: Some(house.now() + TimeDelta::minutes(1)), row_version: 1 };
        house.domain.activate_policy(&scene.olga.op(), id, later).await.unwrap();
        let test = scene.issues(PolicyScope::Organization, "Bob issues keys", true);
        house.domain.save_policy_test(&scene.olga.op(), test).await.unwrap();
        house.clock.advance(std::time::Duration::from_mins(2));
        let done = house.domain.activate_due_policies(&house.domain.system_op("activate-policies")).await;
        assert_eq!(done.unwrap(), 0);
        let shown = house.domain.policy(&scene.olga.op(), id).await.unwrap();
        assert_eq!(shown.versions[0].state, keywarden_model::PolicyState::Withdrawn);
    })
    .await;
}

#[tokio::test]
async fn tests_are_saved_where_policies_are_drafted_about_what_may_be_asked() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let save = async |by: &Player, test| house.domain.save_policy_test(&by.op(), test).await;
        let id = save(&scene.mona, scene.issues(scene.here(), "Bob issues", true)).await.unwrap();
        let twin = save(&scene.mona, scene.issues(scene.here(), "BOB ISSUES", true)).await;
        assert!(matches!(twin, Err(SavePolicyTestError::NameTaken)), "{twin:?}");
        let above = save(&scene.mona, scene.issues(PolicyScope::Organization, "Above", true)).await;
        assert!(matches!(above, Err(SavePolicyTestError::Refused(Refused::Forbidden(_)))), "{above:?}");
        let other = house.project("other").await;
        let elsewhere = save(&scene.olga, scene.issues(PolicyScope::Project(other.id), "There", true)).await;
        assert!(matches!(elsewhere, Err(SavePolicyTestError::Elsewhere)), "{elsewhere:?}");
        let mut hidden = scene.issues(scene.here(), "Hidden", true);
        hidden.case.thing = other.live.to_string();
        let hidden = save(&scene.mona, hidden).await;
        assert!(matches!(hidden, Err(SavePolicyTestError::Refused(Refused::NotFound))), "{hidden:?}");

        assert_eq!(house.domain.policy_tests(&scene.olga.op(), scene.here()).await.unwrap().len(), 1);
        for stranger in [&scene.bob, &house.person("Mallory", &[]).await] {
            let op = stranger.op();
            assert!(matches!(house.domain.policy_test(&op, id).await, Err(Refused::NotFound)));
            assert!(matches!(house.domain.delete_policy_test(&op, id).await, Err(Refused::NotFound)));
            assert!(house.domain.policy_tests(&op, scene.here()).await.is_err());
        }
    })
    .await;
}

#[tokio::test]
async fn a_folders_texts_are_asked_and_not_kept() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let case = |action, thing: String| Case {
            holder: Holder::Person(scene.bob.id),
            action,
            thing,
            setting: Setting::default(),
        };
        let live = scene.pay.live.to_string();
        let cases = [case(Action::IssueKey, live.clone()), case(Action::IssueKey, "env_1".into())];
        let text = |name: &str, text: &str| PolicyText { name: name.into(), text: text.into() };
        let ask = async |by: &Player, texts: &[PolicyText]| {
            house.domain.run_policy_cases(&by.op(), scene.here(), texts, &cases).await
        };
        assert_eq!(ask(&scene.mona, &[]).await.unwrap(), [Outcome::Allowed, Outcome::Gone]);
        let never = [text("Never", NEVER)];
        assert_eq!(ask(&scene.mona, &never).await.unwrap(), [Outcome::Refused, Outcome::Gone]);
        assert_eq!(ask(&scene.mona, &[]).await.unwrap()[0], Outcome::Allowed);
        // A text takes the place of the policy of its name.
        let id = drafted(&house, &scene.mona, scene.here(), "Never", NEVER).await;
        activated(&house, &scene.mona, id).await.unwrap();
        assert_eq!(ask(&scene.mona, &[]).await.unwrap()[0], Outcome::Refused);
        let mild = [text("NEVER", &NEVER.replace("issue", "import"))];
        assert_eq!(ask(&scene.mona, &mild).await.unwrap()[0], Outcome::Allowed);
        let twice = [text("Never", NEVER), text("never", NEVER)];
        assert!(matches!(ask(&scene.mona, &twice).await, Err(RunTestsError::Twice(1))));
        let broken = [text("A", NEVER), text("B", "forbid")];
        assert!(matches!(ask(&scene.mona, &broken).await, Err(RunTestsError::Text(1, _))));
        let many = vec![text("A", NEVER); MOST_TEXTS + 1];
        assert!(matches!(ask(&scene.mona, &many).await, Err(RunTestsError::TooMany)));
        assert!(matches!(ask(&scene.bob, &[]).await, Err(RunTestsError::Refused(_))));
    })
    .await;
}

#[test]
fn a_moment_is_read_as_it_was_written() {
    let whole = Setting {
        at: Some(DateTime::from_timestamp(1_800_000_000, 0).unwrap()),
        address: Some("192.0.2.7".parse().unwrap()),
        passkey: PasskeyAge::Never,
        method: Some(SignInMethod::Recovery),
        reason: true,
    };
    for setting in [whole, Setting::default()] {
        assert_eq!(read(&written(&setting)), Some(setting));
    }
    assert_eq!(written(&Setting::default()), "{}");
    for wrong in ["", "[]", r#"{"at":1}"#, r#"{"at":"soon"}"#, r#"{"else":"x"}"#, r#"{"reason":"none"}"#] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}
