//! What is asked for many at once comes out as if each were asked, under policies that nobody here knows of, too.

use std::collections::HashMap;

use keywarden_model::{PolicyId, TeamId, UserId};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::sliced::{moments, principals, texts};
use super::written::in_force;
use super::*;

/// Policies that single out a person, teams, and two things together.
fn written() -> InForce {
    let (person, ops, barred, pair): (UserId, TeamId, TeamId, TeamId) = (id(7), id(3), id(4), id(5));
    let texts = [
        format!(r#"permit (principal == Person::"{person}", action == Action::"key.issue", resource);"#),
        format!(
            r#"permit (principal in Team::"{ops}", action == Action::"key.issue", resource is Environment);"#
        ),
        format!(r#"forbid (principal in Team::"{barred}", action == Action::"key.issue", resource);"#),
        format!(
            r#"permit (principal, action == Action::"key.import", resource)
               when {{ principal in Team::"{pair}" && principal in resource.project.viewer }};"#
        ),
    ];
    in_force(&texts.map(|text| (PolicyScope::Organization, text)))
}

/// The name of the n-th of them, from 1.
fn named(n: u128) -> String {
    format!("{}@1", id::<PolicyId>(n))
}

/// People and workloads with roles here and elsewhere, in some of two hundred teams.
fn crowd(size: u128) -> Vec<Principal> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    (0..size)
        .map(|n| {
            let who = if n % 9 == 8 { Who::Workload(id(n)) } else { Who::Person(id(n)) };
            let mut principal = Principal::bare(who);
            for _ in 0..rng.random_range(0..3) {
                let role = Role::ALL[rng.random_range(0..Role::ALL.len())];
                give(&mut principal, role, if rng.random_bool(0.5) { here() } else { elsewhere() });
            }
            let teams = (0..rng.random_range(0..4)).map(|_| id::<TeamId>(rng.random_range(1..200)));
            principal.teams.extend(teams);
            principal
        })
        .collect()
}

#[test]
fn principals_of_one_likeness_get_one_answer_and_there_are_few() {
    let (rules, written, crowd) = (Rules::builtin().unwrap(), written(), crowd(10_000));
    let explainer = Explainer::of(&rules, &written);
    let named = explainer.named();
    for action in
        [Action::IssueKey, Action::ImportKey, Action::RotateKey, Action::AddPasskey, Action::ViewTeams]
    {
        let target = thing_in(action, here());
        let among = explainer.mentioned(&named, action, &target).unwrap();
        let mut answers = HashMap::new();
        for principal in &crowd {
            let like = explainer.likeness(principal, &target, &among);
            let answer = explainer.decide(principal, action, &target, &quiet());
            let answer = (answer.allowed, answer.policies);
            let first = answers.entry(like).or_insert_with(|| answer.clone());
            assert_eq!(*first, answer, "{} {principal:?}", action.name());
        }
        assert!(answers.len() < 600, "{}: {}", action.name(), answers.len());
    }
}

#[test]
fn each_ground_is_enough_and_who_has_none_may_not() {
    let (rules, written) = (Rules::builtin().unwrap(), written());
    let explainer = Explainer::of(&rules, &written);
    let named_things = explainer.named();
    let mut together = 0;
    for principal in crowd(600) {
        for action in [Action::IssueKey, Action::ImportKey, Action::ReadSecret] {
            let target = thing_in(action, here());
            let among = explainer.mentioned(&named_things, action, &target).unwrap();
            let grounds = explainer.grounds(&principal, action, &target, &quiet(), &among);
            let allowed = explainer.decide(&principal, action, &target, &quiet()).allowed;
            assert_eq!(allowed, !grounds.is_empty(), "{} {principal:?}", action.name());
            for ground in grounds {
                let mut alone = Principal::bare(principal.who.clone());
                match ground.part {
                    Part::Itself => {}
                    Part::OrganizationRole(role) | Part::ProjectRole(role) => give(&mut alone, role, here()),
                    Part::Team(team) => alone.teams.push(team),
                    Part::Together => {
                        together += 1;
                        continue;
                    }
                }
                let enough = explainer.decide(&alone, action, &target, &quiet());
                assert!(enough.allowed, "{ground:?}");
                assert!(ground.policies.iter().all(|it| enough.policies.contains(it)), "{ground:?}");
            }
        }
    }
    let mut pair = Principal::bare(Who::Person(id(1)));
    pair.teams.push(id(5));
    give(&mut pair, Role::Viewer, here());
    let target = thing_in(Action::ImportKey, here());
    let among = explainer.mentioned(&named_things, Action::ImportKey, &target).unwrap();
    let grounds = explainer.grounds(&pair, Action::ImportKey, &target, &quiet(), &among);
    assert_eq!(grounds, [Ground { part: Part::Together, policies: vec![named(4)] }], "{together} before");
}

/// The policies one by one say what they say together.
#[test]
fn what_each_policy_came_to_makes_the_answer() {
    let (rules, written) = (Rules::builtin().unwrap(), written());
    let explainer = Explainer::of(&rules, &written);
    for principal in crowd(150) {
        for action in Action::ALL {
            for recovering in [false, true] {
                let moment = Circumstances { recovering, ..quiet() };
                let target = thing_in(*action, here());
                let considered = explainer.considered(&principal, *action, &target, &moment);
                let allowed = explainer.decide(&principal, *action, &target, &moment).allowed;
                assert_eq!(says_yes(&considered), allowed, "{} {considered:?}", action.name());
                assert!(considered.iter().all(|it| it.came_to != CameTo::Failed), "{considered:?}");
            }
        }
    }
}

/// As decisions are made of policies: a permit, no forbid, and none that fails.
fn says_yes(considered: &[Considered]) -> bool {
    let applies =
        |forbids: bool| considered.iter().any(|it| it.forbids == forbids && it.came_to == CameTo::Applies);
    applies(false) && !applies(true) && considered.iter().all(|it| it.came_to != CameTo::Failed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever people wrote: who is alike gets one answer, and what each policy came to makes it.
    #[test]
    fn under_any_policies_classes_and_single_policies_tell_the_truth(
        texts in texts(),
        crowd in prop::collection::vec(principals(), 1..20),
        which in 0_usize..Action::ALL.len(),
        moment in moments(),
    ) {
        let (rules, written) = (Rules::builtin().unwrap(), in_force(&texts));
        let explainer = Explainer::of(&rules, &written);
        let action = Action::ALL[which];
        let target = thing_in(action, here()).with(known());
        let among = explainer.mentioned(&explainer.named(), action, &target).unwrap();
        let mut answers = HashMap::new();
        for principal in &crowd {
            let answer = explainer.decide(principal, action, &target, &moment);
            let considered = explainer.considered(principal, action, &target, &moment);
            prop_assert_eq!(says_yes(&considered), answer.allowed, "{:?}", considered);
            let answer = (answer.allowed, answer.policies);
            let like = explainer.likeness(principal, &target, &among);
            let first = answers.entry(like).or_insert_with(|| answer.clone());
            prop_assert_eq!(&*first, &answer, "{:?}", principal);
        }
    }
}

#[test]
fn a_failing_clause_is_named_and_what_comes_after_it_is_not_blamed() {
    let rules = Rules::builtin().unwrap();
    let text = r#"permit (principal, action == Action::"key.import", resource)
                  when { context has address && context.address.isInRange(ip("192.0.2.0/24")) }
                  unless { context.weekday * 9223372036854775807 > 1 };"#;
    let written = in_force(&[(PolicyScope::Organization, text.to_owned())]);
    let explainer = Explainer::of(&rules, &written);
    let target = thing_in(Action::ImportKey, here());
    let came_to = |moment: &Circumstances| {
        let considered = explainer.considered(&alice(), Action::ImportKey, &target, moment);
        considered.into_iter().find(|it| it.policy == named(1)).unwrap().came_to
    };
    let CameTo::Conditions(failing) = came_to(&quiet()) else { panic!("{:?}", came_to(&quiet())) };
    assert!(failing.len() == 1 && failing[0].contains("isInRange"), "{failing:?}");
    let inside = Circumstances { address: Some([192, 0, 2, 7].into()), ..quiet() };
    assert_eq!(came_to(&inside), CameTo::Failed);
}

/// What people write gives nothing over an owner, and is shown as such.
#[test]
fn a_permit_does_not_count_over_an_owner() {
    let rules = Rules::builtin().unwrap();
    let text = r#"permit (principal, action == Action::"user.deactivate", resource);"#;
    let written = in_force(&[(PolicyScope::Organization, text.to_owned())]);
    let explainer = Explainer::of(&rules, &written);
    for owner in [false, true] {
        let target = Target { resource: Resource::Person(id(98)), owner, confined: false, facts: None };
        let allowed = explainer.decide(&alice(), Action::DeactivateUser, &target, &quiet()).allowed;
        let considered = explainer.considered(&alice(), Action::DeactivateUser, &target, &quiet());
        let it = considered.iter().find(|it| it.policy == named(1)).unwrap();
        assert_eq!((allowed, it.came_to == CameTo::OverOwner), (!owner, owner), "{considered:?}");
    }
}

#[test]
fn the_smallest_role_is_enough_and_no_smaller_one_is() {
    let (rules, none) = (Rules::builtin().unwrap(), InForce::default());
    let smallest = |in_force: &InForce, action| {
        let target = thing_in(action, here());
        let explainer = Explainer::of(&rules, in_force);
        explainer.smallest_role(&alice(), action, &target, &quiet(), |_, _| true).map(|(role, _)| role)
    };
    assert_eq!(smallest(&none, Action::IssueKey), Some(Role::Issuer));
    assert_eq!(smallest(&none, Action::VerifyKeys), Some(Role::Verifier));
    assert_eq!(smallest(&none, Action::ReadSecret), Some(Role::Reader));
    assert_eq!(smallest(&none, Action::EditProject), Some(Role::Manager));
    assert_eq!(smallest(&none, Action::CreateProject), Some(Role::Admin));
    assert_eq!(smallest(&none, Action::MakeBackup), Some(Role::Owner));
    assert_eq!(smallest(&none, Action::AddPasskey), None, "nobody acts in another person's account");
    let never = r#"forbid (principal, action == Action::"secret.read", resource);"#;
    let never = in_force(&[(PolicyScope::Organization, never.to_owned())]);
    assert_eq!(smallest(&never, Action::ReadSecret), None, "no role helps against a policy that forbids");
    let admins = r#"forbid (principal, action == Action::"secret.read", resource)
                    unless { principal in OrganizationRole::"owner" };"#;
    let admins = in_force(&[(PolicyScope::Organization, admins.to_owned())]);
    assert_eq!(smallest(&admins, Action::ReadSecret), Some(Role::Owner));
}

/// What is not there is told from what is there and otherwise.
#[test]
fn what_conditions_ask_for_and_is_not_there_is_named_where_it_made_a_difference() {
    let rules = Rules::builtin().unwrap();
    let missing = |text: &str, facts: Facts, moment: &Circumstances| {
        let written = in_force(&[(PolicyScope::Organization, text.to_owned())]);
        let explainer = Explainer::of(&rules, &written);
        let target = thing_in(Action::ReadSecret, here()).with(facts);
        let considered = explainer.considered(&alice(), Action::ReadSecret, &target, moment);
        let it = considered.into_iter().find(|it| it.policy == named(1)).map(|it| (it.came_to, it.missing));
        let told =
            |missing: Vec<Missing>| missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        it.map(|(came_to, missing)| (came_to == CameTo::Applies, told(missing)))
    };
    let tagged =
        |word: &str| Facts { tags: keywarden_model::Tags::parse([word]).unwrap(), ..Facts::default() };
    let none = Facts::default;
    let told = |applies: bool, missing: &str| Some((applies, missing.to_owned()));
    let inside = Circumstances { address: Some([192, 0, 2, 7].into()), ..quiet() };
    let permit = |conditions: &str| {
        format!(r#"permit (principal, action == Action::"secret.read", resource) {conditions};"#)
    };
    let forbid = |conditions: &str| {
        format!(r#"forbid (principal, action == Action::"secret.read", resource) {conditions};"#)
    };

    let team = permit(r#"when { resource.hasTag("team") && resource.getTag("team") == "payments" }"#);
    assert_eq!(missing(&team, none(), &quiet()), told(false, r#"resource.getTag("team")"#));
    assert_eq!(
        missing(&team, tagged("team=shop"), &quiet()),
        told(false, ""),
        "it is there, and another one"
    );
    assert_eq!(missing(&team, tagged("team=payments"), &quiet()), told(true, ""));

    let office = permit(
        r#"when { context has address && context.address.isInRange(ip("192.0.2.0/24")) }
           when { context has passkeyAge || resource has ownerTeam }"#,
    );
    let told_all = told(false, "context.address, context.passkeyAge, resource.ownerTeam");
    assert_eq!(missing(&office, none(), &quiet()), told_all);
    let told_less = told(false, "context.passkeyAge, resource.ownerTeam");
    assert_eq!(missing(&office, none(), &inside), told_less, "what holds lacks nothing");

    // That something is there is not what stands in the way.
    let nowhere = permit("unless { context has address }");
    assert_eq!(missing(&nowhere, none(), &inside), told(false, ""));
    let turned = permit("unless { !(context has address) }");
    assert_eq!(missing(&turned, none(), &quiet()), told(false, "context.address"));

    let own = forbid("unless { resource has ownerPerson && resource.ownerPerson == principal }");
    assert_eq!(missing(&own, none(), &quiet()), told(true, "resource.ownerPerson"));
    let other = Facts { owner: Some(Owner::Person(id(7))), ..none() };
    assert_eq!(missing(&own, other, &quiet()), told(true, ""));
    let mine = Facts { owner: Some(Owner::Person(id(1))), ..none() };
    assert_eq!(missing(&own, mine, &quiet()), None, "what forbids and does not hold is not named");
    let tags = forbid(r#"when { resource.hasTag("team") || !(resource.hasTag("data")) }"#);
    assert_eq!(missing(&tags, none(), &quiet()), told(true, r#"resource.getTag("data")"#));
}
