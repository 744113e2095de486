//! What policies ask of things beyond their place is known wherever policies are asked: who can, what if, what somebody can, why
//! not, and what cases come to.

use keywarden_model::Tags;

use super::*;
use crate::keys::KeyPatch;
use crate::policy_tests::{Outcome, PolicyText};

#[tokio::test]
async fn a_tag_that_a_policy_asks_for_is_known_to_every_explanation() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let night = house.team("night", &[scene.mallory.id], &[]).await;
        let key = key(&house, &scene.pay, &scene.alice.id.to_string()).await;
        let text = format!(
            r#"permit (principal in Team::"{night}", action == Action::"key.rotate", resource)
               when {{ resource.hasTag("team") && resource.getTag("team") == "payments" }};"#
        );
        let (here, alice) = (PolicyScope::Project(scene.pay.id), &scene.alice);
        let case = Case {
            holder: Holder::Person(scene.mallory.id),
            action: Action::RotateKey,
            thing: key.to_string(),
            setting: Setting::default(),
        };
        let cases = std::slice::from_ref(&case);
        let trial = [PolicyText { name: "Trial".into(), text: text.clone() }];
        let came = async || house.domain.run_policy_cases(&alice.op(), here, &trial, cases).await.unwrap();
        assert_eq!(came().await, [Outcome::Refused]);

        let policy = decides(&house, alice, here, "Night shift", text).await;
        let who = async || {
            let found = house.domain.who_can(&alice.op(), Action::RotateKey, &key.to_string()).await.unwrap();
            told(&found).into_iter().filter(|it| it.starts_with("Mallory")).collect::<Vec<_>>()
        };
        let ask = async || house.domain.simulate(&alice.op(), &case, Under::InForce).await.unwrap();
        assert!(who().await.is_empty());
        let no = ask().await;
        let considered = no.considered.iter().find(|it| it.policy == format!("{policy}@1")).unwrap();
        assert!(!no.allowed && matches!(considered.came_to, CameTo::Conditions(_)), "{considered:?}");
        assert_eq!(considered.missing, [Missing::Tag("team".into())]);

        // What is refused is explained by the thing as it is.
        let op = scene.mallory.op();
        let owner = crate::authz::Owner::Person(alice.id);
        let (project, environment) = (scene.pay.id, scene.pay.live);
        let thing = Resource::ApiKey { id: key, project, environment, owner };
        assert!(house.domain.authorize(&op, Action::RotateKey, &thing).await.is_err());
        let id = house.domain.decision_id(&op.refusal).unwrap();
        let why = async || house.domain.decision(&alice.op(), &id).await.unwrap().question.unwrap();
        let question = why().await;
        let considered = question.considered.iter().find(|it| it.policy == format!("{policy}@1")).unwrap();
        assert!(!question.allowed && considered.missing == [Missing::Tag("team".into())], "{considered:?}");

        let tags = Some(Tags::parse(["team=payments"]).unwrap());
        let patch = KeyPatch { tags, ..KeyPatch::default() };
        house.domain.edit_key(&alice.op(), key, None, patch).await.unwrap();
        assert_eq!(who().await, ["Mallory: member through night"]);
        assert!(ask().await.allowed && why().await.allowed);
        assert_eq!(came().await, [Outcome::Allowed]);
        // Of no key in particular they can nothing.
        let held = house.domain.permissions_of(&alice.op(), case.holder).await.unwrap();
        let rotates = |it: &&Allowed| it.action == Action::RotateKey;
        assert!(!held.allowed.iter().filter(rotates).any(|it| matches!(it.place, Where::Project(..))));
    })
    .await;
}

#[tokio::test]
async fn projects_are_told_apart_by_what_they_are_called_in_addresses() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let text = r#"forbid (principal, action == Action::"project.edit", resource)
                      when { resource has project && resource.project.slug == "pay" };"#;
        decides(&house, &scene.alice, PolicyScope::Organization, "Pay stays", text.into()).await;
        let both = house.person("Both", &[(Role::Manager, Some(scene.pay.id))]).await;
        let other = house.project("fourth").await;
        let third = house.person("Third", &[(Role::Manager, Some(other.id))]).await;
        let edits = async |who: &Player| {
            let holder = Holder::Person(who.id);
            let held = house.domain.permissions_of(&scene.alice.op(), holder).await.unwrap();
            held.allowed.iter().any(|it| it.action == Action::EditProject)
        };
        assert!(!edits(&both).await);
        assert!(edits(&third).await, "what is asked of things takes nothing from whom it is not about");
        let who = async |project: &Stage| {
            let id = project.id.to_string();
            told(&house.domain.who_can(&scene.alice.op(), Action::EditProject, &id).await.unwrap())
        };
        assert!(who(&scene.pay).await.is_empty());
        assert_eq!(who(&other).await, ["Alice: owner", "Third: manager here"]);
    })
    .await;
}

#[tokio::test]
async fn a_reason_is_supposed_and_remembered() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let text = r#"forbid (principal, action == Action::"team.create", resource)
                      unless { context.reasonGiven };"#;
        let other = r#"forbid (principal, action == Action::"project.create", resource)
                       when { context.reasonGiven };"#;
        decides(&house, &scene.alice, PolicyScope::Organization, "Say why", text.into()).await;
        let loud =
            decides(&house, &scene.alice, PolicyScope::Organization, "Say nothing", other.into()).await;
        let ask = async |reason| {
            let setting = Setting { reason, ..Setting::default() };
            let (holder, thing) = (Holder::Person(scene.alice.id), "organization".to_owned());
            let case = Case { holder, action: Action::CreateTeam, thing, setting };
            house.domain.simulate(&scene.alice.op(), &case, Under::InForce).await.unwrap().allowed
        };
        assert_eq!((ask(false).await, ask(true).await), (false, true));

        let op = crate::Op { reason: Some("incident 7".parse().unwrap()), ..scene.alice.op() };
        let refused = house.domain.authorize(&op, Action::CreateProject, &Resource::Organization).await;
        assert!(matches!(refused, Err(Refused::Forbidden(_))), "{refused:?}");
        let id = house.domain.decision_id(&op.refusal).unwrap();
        let question = house.domain.decision(&scene.alice.op(), &id).await.unwrap().question.unwrap();
        assert!(question.circumstances.reason && !question.allowed);
        assert!(question.considered.iter().any(|it| it.policy == format!("{loud}@1")));
    })
    .await;
}
