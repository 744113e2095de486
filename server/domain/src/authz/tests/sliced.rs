//! Sliced answers are those of all policies asked at once, and lists hold what may be seen one by one, whatever people wrote.

use std::net::IpAddr;

use cedar_policy::{Authorizer, Effect, Policy, PolicyId, PolicySet, Request, Schema};
use keywarden_model::{EnvironmentId, Tags, TeamId, UserId};
use proptest::prelude::*;

use super::written::{in_force, validator};
use super::*;
use crate::authz::{clock, entities};

/// Where it is Saturday already while it is Friday in UTC, for most of the day.
const ZONE: &str = "Pacific/Kiritimati";

/// Texts of all shapes that the language has room for; those that may not decide are left out.
pub(super) fn texts() -> impl Strategy<Value = Vec<(PolicyScope, String)>> {
    let scope = prop_oneof![
        2 => Just(PolicyScope::Organization),
        1 => (1_u128..4).prop_map(|n| PolicyScope::Project(id(n))),
    ];
    let principal = prop_oneof![
        Just("principal".to_owned()),
        Just("principal is Workload".to_owned()),
        (1_u128..4).prop_map(|n| format!(r#"principal == Person::"{}""#, id::<UserId>(n))),
        (1_u128..4).prop_map(|n| format!(r#"principal in Team::"{}""#, id::<TeamId>(n))),
        (1_u128..4).prop_map(|n| format!(r#"principal is Person in Team::"{}""#, id::<TeamId>(n))),
        Just(r#"principal in OrganizationRole::"admin""#.to_owned()),
        Just(r#"principal in OrganizationRole::"owner""#.to_owned()),
    ];
    let action = prop_oneof![
        prop::collection::vec(0_usize..Action::ALL.len(), 1..4).prop_map(|them| {
            let names = them.iter().map(|n| format!(r#"Action::"{}""#, Action::ALL[*n].name()));
            format!("action in [{}]", names.collect::<Vec<_>>().join(", "))
        }),
        Just(r#"action in Action::"as-reader""#.to_owned()),
        Just(r#"action in Action::"as-viewer""#.to_owned()),
        Just("action".to_owned()),
    ];
    let resource = prop_oneof![
        3 => Just("resource".to_owned()),
        2 => (1_u128..5).prop_map(|n| format!(r#"resource in Project::"{}""#, id::<ProjectId>(n))),
        1 => (1_u128..4).prop_map(|n| format!(r#"resource in Environment::"{}""#, id::<EnvironmentId>(n))),
    ];
    let condition = prop_oneof![
        4 => Just(String::new()),
        1 => Just("when { context.weekday == 5 }".to_owned()),
        1 => Just(r#"unless { context has address && context.address.isInRange(ip("192.0.2.0/24")) }"#.to_owned()),
        1 => Just("when { resource has project && principal in resource.project.viewer }".to_owned()),
        1 => Just("when { resource has ownerPerson && resource.ownerPerson == principal }".to_owned()),
        1 => Just("when { context.weekday * 9223372036854775807 > 1 }".to_owned()),
        2 => Just(r#"when { resource.hasTag("team") && resource.getTag("team") == "payments" }"#.to_owned()),
        1 => Just(r#"unless { resource has environment && resource.environment.slug == "production" }"#.to_owned()),
        1 => Just(r#"when { resource has project && resource.project.slug != "pay" }"#.to_owned()),
        1 => Just(format!(
            r#"when {{ context.clock.hasTag("{ZONE}") && context.clock.getTag("{ZONE}").weekday < 3 }}"#
        )),
    ];
    let effect = prop_oneof![Just("permit"), Just("forbid")];
    let text = (scope, effect, principal, action, resource, condition).prop_map(
        |(scope, effect, principal, action, resource, condition)| {
            (scope, format!("{effect} ({principal}, {action}, {resource}) {condition};"))
        },
    );
    prop::collection::vec(text, 1..30).prop_map(|them| {
        let validator = validator();
        them.into_iter().filter(|(scope, text)| check(&validator, *scope, text).is_ok()).collect()
    })
}

pub(super) fn principals() -> impl Strategy<Value = Principal> {
    let who = prop_oneof![
        3 => (1_u128..5).prop_map(|n| Who::Person(id(n))),
        1 => (1_u128..5).prop_map(|n| Who::Workload(id(n))),
    ];
    let roles = prop::collection::vec((1_u128..5, 0_usize..Role::ALL.len()), 0..3);
    (who, roles, prop::collection::vec(1_u128..4, 0..3)).prop_map(|(who, roles, teams)| {
        let mut principal = Principal::bare(who);
        for (project, role) in roles {
            give(&mut principal, Role::ALL[role], id(project));
        }
        principal.teams.extend(teams.into_iter().map(id::<TeamId>));
        principal
    })
}

pub(super) fn moments() -> impl Strategy<Value = Circumstances> {
    let address = prop::option::of(prop_oneof![Just([192, 0, 2, 7]), Just([198, 51, 100, 1])]);
    (address, 0_i64..7, any::<bool>()).prop_map(|(address, day, recovering)| Circumstances {
        recovering,
        address: address.map(IpAddr::from),
        now: now() + TimeDelta::days(day),
        ..quiet()
    })
}

/// The same questions to one set of everything that holds there.
struct Plain {
    rules: Rules,
    schema: Schema,
    written: Vec<(PolicyScope, Policy)>,
}

impl Plain {
    fn of(texts: &[(PolicyScope, String)]) -> Self {
        let written = texts.iter().enumerate().map(|(n, (scope, text))| {
            let one: PolicySet = text.parse().unwrap();
            (*scope, one.policies().next().unwrap().new_id(PolicyId::new(format!("written-{n}"))))
        });
        Self {
            rules: Rules::builtin().unwrap(),
            schema: Rules::schema().unwrap(),
            written: written.collect(),
        }
    }

    fn ask(
        &self,
        principal: &Principal,
        action: Action,
        target: &Target,
        circumstances: &Circumstances,
    ) -> bool {
        let mut all = self.rules.policies().clone();
        for (scope, policy) in &self.written {
            let holds = match scope {
                PolicyScope::Organization => true,
                PolicyScope::Project(project) => target.resource.project() == Some(*project),
            };
            let over_owners = target.owner && !action.is_read() && policy.effect() == Effect::Permit;
            if holds && !over_owners {
                all.add(policy.clone()).unwrap();
            }
        }
        let types = self.rules.types();
        let Some(who) = entities::principal_uid(types, &principal.who) else { return false };
        let request = Request::new(
            who,
            types.uid(&types.action, action.name()),
            entities::resource_uid(types, &target.resource),
            circumstances.context(types).unwrap(),
            Some(&self.schema),
        )
        .unwrap();
        let zones = [String::from(ZONE)];
        let clock = clock::entity(types, zones.iter(), circumstances.now).unwrap();
        let entities = entities::gather(types, principal, action, target).unwrap();
        let entities = entities.upsert_entities([clock], None).unwrap();
        let response = Authorizer::new().is_authorized(&request, &all, &entities);
        let failed = response.diagnostics().errors().next().is_some();
        !failed && response.decision() == cedar_policy::Decision::Allow
    }
}

pub(super) fn things(action: Action) -> Vec<Target> {
    let mut things = Vec::new();
    for project in (1..6).map(id) {
        let thing = thing_in(action, project).resource;
        match action.kind() {
            Kind::ApiKey => {
                for (environment, owner) in
                    [(1, Owner::Person(id(1))), (2, Owner::Team(id(1))), (3, Owner::Person(id(9)))]
                {
                    let resource =
                        Resource::ApiKey { id: id(1), project, environment: id(environment), owner };
                    things.push(Target::thing(resource));
                }
            }
            Kind::Secret => {
                for environment in 1..4 {
                    things.push(Target::thing(Resource::Secret {
                        id: id(1),
                        project,
                        environment: id(environment),
                    }));
                }
            }
            Kind::Person | Kind::Team | Kind::Workload => {
                things.push(Target::holder(thing, &[]));
                things.push(Target::holder(thing, &[(Role::Owner, None)]));
            }
            Kind::Environment | Kind::Organization | Kind::Project | Kind::Scope => {
                things.push(Target::thing(thing));
            }
        }
    }
    if action.kind() == Kind::Scope {
        things.push(Target::thing(Resource::Organization));
    }
    // What is read of things that policies ask of; some are tagged, some lie in production.
    let known = things.into_iter().enumerate().map(|(n, thing)| {
        let tags: &[&str] = match n % 3 {
            0 => &[],
            1 => &["team=payments"],
            _ => &["team", "data=cards"],
        };
        let environment = if n % 2 == 0 { "production" } else { "staging" };
        thing.with(Facts {
            tags: Tags::parse(tags).unwrap(),
            owner: Some(Owner::Person(id(1 + u128::try_from(n % 3).unwrap()))),
            environment: environment.into(),
            label: "live".into(),
            project: if n % 5 == 0 { "pay".into() } else { "web".into() },
        })
    });
    known.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sliced_answers_are_plain_ones(
        texts in texts(),
        principal in principals(),
        moment in moments(),
        actions in prop::collection::vec(0_usize..Action::ALL.len(), 8),
    ) {
        let rules = Rules::builtin().unwrap();
        let (set, all) = (in_force(&texts), Plain::of(&texts));
        for action in actions.into_iter().map(|n| Action::ALL[n]) {
            for target in things(action) {
                let sliced = rules.decide_with(&set, &principal, action, &target, &moment);
                let plain = all.ask(&principal, action, &target, &moment);
                prop_assert_eq!(sliced.allowed, plain, "{:?} {:?} {:?}", sliced, texts, target);
            }
        }
    }

    // S-06: whatever was written, a list holds what looking one by one would show, no more and no less.
    #[test]
    fn lists_hold_what_may_be_seen_one_by_one(
        texts in texts(),
        principal in principals(),
        moment in moments(),
    ) {
        let rules = Rules::builtin().unwrap();
        let set = in_force(&texts);
        for action in Action::ALL.iter().copied().filter(|it| it.is_listed()) {
            let reach = rules.reach_with(&set, &principal, action, &moment);
            // A list of others holds nobody because it is they who look.
            let others = things(action).into_iter().filter(|it| !is(&principal.who, it.resource));
            for target in others {
                let one = rules.decide_with(&set, &principal, action, &target, &moment).allowed;
                let listed = match (&reach, &target.resource) {
                    (Reach::All, _) => true,
                    (Reach::Part { owners, .. }, Resource::ApiKey { owner, project, .. }) => {
                        owners.contains(owner) || reach.covers(*project)
                    }
                    (Reach::Part { .. }, resource) => resource.project().is_some_and(|it| reach.covers(it)),
                };
                prop_assert_eq!(one, listed, "{} {:?} {:?} {:?}", action.name(), target, reach, texts);
            }
        }
    }
}

fn is(who: &Who, thing: Resource) -> bool {
    match (who, thing) {
        (Who::Person(id), Resource::Person(thing)) => *id == thing,
        (Who::Workload(id), Resource::Workload { id: thing, .. }) => *id == thing,
        _ => false,
    }
}
