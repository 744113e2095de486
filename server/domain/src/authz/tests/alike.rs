//! What no policy tells apart gets the same answers, whatever people wrote; and thousands come down to a few.

use std::collections::{BTreeSet, HashMap, HashSet};

use keywarden_model::TeamId;
use proptest::prelude::*;

use super::sliced::{moments, principals, texts, things};
use super::written::in_force;
use super::*;

fn roles_in(principal: &Principal, project: Option<ProjectId>) -> BTreeSet<&'static str> {
    let here = principal.projects.iter().filter(|(at, _)| Some(*at) == project);
    here.map(|(_, role)| role.as_str()).collect()
}

fn related(rules: &Rules, principal: &Principal, seen: &SeenThing) -> Vec<String> {
    let holds = rules.is_or_holds(principal);
    let brings = seen.brings.iter().filter(|it| holds.contains(&it.whom));
    brings.map(|it| it.place.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_alike_gets_the_same_answers(
        texts in texts(),
        principals in prop::collection::vec(principals(), 12),
        moment in moments(),
        actions in prop::collection::vec(0_usize..Action::ALL.len(), 8),
    ) {
        let rules = Rules::builtin().unwrap();
        let set = in_force(&texts);
        let literals = Literals::of(&rules, [&set]);
        for action in actions.into_iter().map(|n| Action::ALL[n]) {
            let mut answers = HashMap::new();
            for target in things(action) {
                let seen = rules.seen_thing(&literals, action, &target).unwrap();
                for principal in &principals {
                    let like = (
                        seen.like.clone(),
                        rules.seen_principal(&literals, principal).unwrap(),
                        roles_in(principal, target.resource.project()),
                        related(&rules, principal, &seen),
                    );
                    let answer = rules.decide_with(&set, principal, action, &target, &moment).allowed;
                    let first = *answers.entry(like).or_insert(answer);
                    prop_assert_eq!(first, answer, "{} {:?} {:?} {:?}", action.name(), principal, target, texts);
                }
            }
        }
    }
}

#[test]
fn thousands_come_down_to_a_few() {
    let rules = Rules::builtin().unwrap();
    let text = format!(
        r#"forbid (principal in Team::"{}", action == Action::"secret.read", resource in Environment::"{}");"#,
        id::<TeamId>(3),
        id::<keywarden_model::EnvironmentId>(5)
    );
    let set = in_force(&[(PolicyScope::Organization, text)]);
    let literals = Literals::of(&rules, [&set]);
    let secrets = (0..3_000_u128).map(|n| {
        let secret = Resource::Secret { id: id(n), project: id(n % 40), environment: id(n % 200) };
        rules.seen_thing(&literals, Action::ReadSecret, &Target::thing(secret)).unwrap().like
    });
    assert_eq!(secrets.collect::<HashSet<_>>().len(), 2, "the environment that is named, and the others");
    let people = (0..3_000_u128).map(|n| {
        let mut person = Principal::bare(Who::Person(id(n)));
        person.teams.push(id(n % 100));
        give(&mut person, Role::Reader, id(n % 7));
        rules.seen_principal(&literals, &person).unwrap()
    });
    assert_eq!(people.collect::<HashSet<_>>().len(), 2, "the team that is named, and the others");
}

#[test]
fn the_owner_of_a_key_and_whoever_is_asked_about_are_told_apart() {
    let rules = Rules::builtin().unwrap();
    let literals = Literals::of(&rules, []);
    let place = |action, target: &Target| {
        let seen = rules.seen_thing(&literals, action, target).unwrap();
        related(&rules, &alice(), &seen)
    };
    let mine = Target::thing(key(here(), Owner::Person(id(1))));
    assert_eq!(place(Action::RotateKey, &mine), ["ApiKey.ownerPerson"]);
    let others = Target::thing(key(here(), Owner::Person(id(2))));
    assert!(place(Action::RotateKey, &others).is_empty());
    let like = |target: &Target| rules.seen_thing(&literals, Action::RotateKey, target).unwrap().like;
    assert_eq!(like(&mine), like(&others), "but for that");
    assert_eq!(place(Action::RenamePasskey, &Target::thing(Resource::Person(id(1)))), ["Person.itself"]);
}
