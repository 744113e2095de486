//! What is asked for many at once comes out as if each were asked, under policies that nobody here knows of, too.

use std::collections::HashMap;

use keywarden_model::{TeamId, UserId};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;

/// The built-in policies, and ones that single out a person, teams, and two things together.
fn rules() -> Rules {
    let (person, ops, barred, pair): (UserId, TeamId, TeamId, TeamId) = (id(7), id(3), id(4), id(5));
    let text = format!(
        r#"{}
        @id("one-person")
        permit (principal == Person::"{person}", action == Action::"key.issue", resource);
        @id("ops-team")
        permit (principal in Team::"{ops}", action == Action::"key.issue", resource is Environment);
        @id("barred-team")
        forbid (principal in Team::"{barred}", action == Action::"key.issue", resource);
        @id("both")
        permit (principal, action == Action::"key.import", resource)
        when {{ principal in Team::"{pair}" && principal in resource.project.viewer }};"#,
        include_str!("../builtin.cedar")
    );
    Rules::parse(&text).unwrap()
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
    let (rules, crowd) = (rules(), crowd(10_000));
    let named = rules.named();
    for action in
        [Action::IssueKey, Action::ImportKey, Action::RotateKey, Action::AddPasskey, Action::ViewTeams]
    {
        let target = thing_in(action, here());
        let among = rules.mentioned(&named, action, &target).unwrap();
        let mut answers = HashMap::new();
        for principal in &crowd {
            let like = rules.likeness(principal, &target, &among);
            let answer = rules.decide(principal, action, &target, false);
            let answer = (answer.allowed, answer.policies);
            let first = answers.entry(like).or_insert_with(|| answer.clone());
            assert_eq!(*first, answer, "{} {principal:?}", action.name());
        }
        assert!(answers.len() < 600, "{}: {}", action.name(), answers.len());
    }
}

#[test]
fn each_ground_is_enough_and_who_has_none_may_not() {
    let rules = rules();
    let named = rules.named();
    let mut together = 0;
    for principal in crowd(600) {
        for action in [Action::IssueKey, Action::ImportKey, Action::ReadSecret] {
            let target = thing_in(action, here());
            let among = rules.mentioned(&named, action, &target).unwrap();
            let grounds = rules.grounds(&principal, action, &target, &among);
            let allowed = rules.decide(&principal, action, &target, false).allowed;
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
                let enough = rules.decide(&alone, action, &target, false);
                assert!(enough.allowed, "{ground:?}");
                assert!(ground.policies.iter().all(|it| enough.policies.contains(it)), "{ground:?}");
            }
        }
    }
    let mut pair = Principal::bare(Who::Person(id(1)));
    pair.teams.push(id(5));
    give(&mut pair, Role::Viewer, here());
    let target = thing_in(Action::ImportKey, here());
    let among = rules.mentioned(&named, Action::ImportKey, &target).unwrap();
    let grounds = rules.grounds(&pair, Action::ImportKey, &target, &among);
    assert_eq!(
        grounds,
        [Ground { part: Part::Together, policies: vec!["both".into()] }],
        "{together} before"
    );
}

/// The policies one by one say what they say together.
#[test]
fn what_each_policy_came_to_makes_the_answer() {
    let rules = rules();
    for principal in crowd(150) {
        for action in Action::ALL {
            for recovering in [false, true] {
                let target = thing_in(*action, here());
                let considered = rules.considered(&principal, *action, &target, recovering);
                let applies = |forbids: bool| {
                    let mut it = considered.iter().filter(|it| it.forbids == forbids);
                    it.any(|it| it.came_to == CameTo::Applies)
                };
                let allowed = rules.decide(&principal, *action, &target, recovering).allowed;
                assert_eq!(applies(false) && !applies(true), allowed, "{} {considered:?}", action.name());
                assert!(considered.iter().all(|it| it.came_to != CameTo::Failed), "{considered:?}");
            }
        }
    }
}

#[test]
fn the_smallest_role_is_enough_and_no_smaller_one_is() {
    let rules = Rules::builtin().unwrap();
    let smallest = |action| {
        let target = thing_in(action, here());
        rules.smallest_role(&alice(), action, &target, false, |_, _| true).map(|(role, _)| role)
    };
    assert_eq!(smallest(Action::IssueKey), Some(Role::Issuer));
    assert_eq!(smallest(Action::VerifyKeys), Some(Role::Verifier));
    assert_eq!(smallest(Action::ReadSecret), Some(Role::Reader));
    assert_eq!(smallest(Action::EditProject), Some(Role::Manager));
    assert_eq!(smallest(Action::CreateProject), Some(Role::Admin));
    assert_eq!(smallest(Action::MakeBackup), Some(Role::Owner));
    assert_eq!(smallest(Action::AddPasskey), None, "nobody acts in another person's account");
}
