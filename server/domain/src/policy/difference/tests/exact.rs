//! What is asked of a few and said of many is what asking everybody about everything comes to.

use std::collections::BTreeSet;

use keywarden_model::{ApiKeyId, EnvironmentId, SecretId, Tags, TypedId, UserId, WorkloadId};
use proptest::prelude::*;

use super::super::compare::{Found, compare};
use super::super::moments::{Moments, weigh};
use super::super::world::Changed;
use super::*;
use crate::authz::{Facts, Gate, Owner, Principal, Target, Who};

type Said = BTreeSet<(&'static str, String, String, Change, When)>;

fn id<I: TypedId>(n: u8) -> I {
    I::from_parts(DateTime::UNIX_EPOCH, n.into())
}

fn in_project(n: u8) -> ProjectId {
    id(n % 3)
}

/// Each of three projects has two environments.
fn environment(n: u8) -> (EnvironmentId, ProjectId) {
    (id(n % 6), in_project(n % 6 / 2))
}

fn principals() -> impl Strategy<Value = Principal> {
    let organization = prop::sample::select(vec![None, None, None, Some(Role::Admin), Some(Role::Owner)]);
    let role = prop::sample::select(vec![Role::Viewer, Role::Reader, Role::Issuer, Role::Manager]);
    let teams = prop::collection::vec(0_u8..4, 0..3);
    (any::<bool>(), 0_u8..12, organization, prop::collection::vec((0_u8..3, role), 0..3), teams).prop_map(
        |(person, n, organization, roles, teams)| {
            let who = if person { Who::Person(id(n)) } else { Who::Workload(id(n)) };
            let mut principal = Principal::bare(who);
            principal.organization.extend(organization);
            principal.projects.extend(roles.into_iter().map(|(n, role)| (in_project(n), role)));
            if person {
                principal.teams.extend(teams.into_iter().map(id::<TeamId>));
            }
            principal
        },
    )
}

fn targets() -> impl Strategy<Value = Target> {
    (0_u8..7, 0_u8..24, any::<bool>(), any::<bool>()).prop_map(|(kind, n, one, other)| {
        let (at, project) = environment(n);
        let owner = if one { Owner::Person(id(n % 12)) } else { Owner::Team(id(n % 4)) };
        let resource = match kind {
            0 => Resource::ApiKey { id: id::<ApiKeyId>(n), project, environment: at, owner },
            1 => Resource::Secret { id: id::<SecretId>(n), project, environment: at },
            2 => Resource::Environment { id: at, project },
            3 => Resource::Person(id::<UserId>(n % 12)),
            4 => Resource::Project(project),
            5 => Resource::Team(id::<TeamId>(n % 4)),
            _ => Resource::Workload { id: id::<WorkloadId>(n % 12), project: other.then_some(project) },
        };
        let somebody =
            matches!(resource, Resource::Person(_) | Resource::Team(_) | Resource::Workload { .. });
        Target {
            resource,
            owner: somebody && one && n < 3,
            confined: kind > 5 && other && n % 2 == 0,
            facts: Some(facts(resource, n)),
        }
    })
}

/// What the thing's row says: one of two teams or none, and the slugs of where it lies.
fn facts(resource: Resource, n: u8) -> Facts {
    let tags = match n % 3 {
        0 => vec!["team=red".to_owned()],
        1 => vec!["team=blue".to_owned(), "old".to_owned()],
        _ => Vec::new(),
    };
    let tagged = matches!(resource, Resource::ApiKey { .. } | Resource::Secret { .. });
    let (tags, owner) = if tagged { (tags, Some(Owner::Person(id(n % 12)))) } else { (Vec::new(), None) };
    let slug = if n.is_multiple_of(2) { "live" } else { "test" };
    let (environment, label) = (slug.to_owned(), slug.to_owned());
    Facts { tags: Tags::parse(tags).unwrap(), owner, environment, label, project: "pay".to_owned() }
}

fn texts() -> impl Strategy<Value = String> {
    let who = prop_oneof![
        Just("principal".to_owned()),
        Just("principal is Person".to_owned()),
        Just("principal is Workload".to_owned()),
        (0_u8..4).prop_map(|n| format!("principal in Team::\"{}\"", id::<TeamId>(n))),
        (0_u8..12).prop_map(|n| format!("principal == Person::\"{}\"", id::<UserId>(n))),
        Just("principal in OrganizationRole::\"admin\"".to_owned()),
    ];
    let what = prop::sample::select(vec![
        "action == Action::\"secret.read\"",
        "action in [Action::\"secret.read\", Action::\"secret.put\"]",
        "action in [Action::\"key.rotate\", Action::\"key.revoke\"]",
        "action in [Action::\"user.hand-over\", Action::\"user.deactivate\"]",
        "action == Action::\"project.edit\"",
        "action",
    ]);
    let which = prop_oneof![
        Just("resource".to_owned()),
        (0_u8..6).prop_map(|n| format!("resource in Environment::\"{}\"", id::<EnvironmentId>(n))),
        (0_u8..3).prop_map(|n| format!("resource in Project::\"{}\"", in_project(n))),
    ];
    let when = prop::sample::select(vec![
        "",
        "",
        "unless { principal in OrganizationRole::\"owner\" }",
        "when { resource has ownerPerson && principal == resource.ownerPerson }",
        "when { resource has ownerTeam && principal in resource.ownerTeam }",
        "unless { resource has project && principal in resource.project.reader }",
        "when { context.weekday == 2 }",
        "when { resource.hasTag(\"team\") && resource.getTag(\"team\") == \"red\" }",
        "unless { resource.hasTag(\"old\") }",
        "when { resource has environment && resource.environment.slug == \"live\" }",
        "unless { context has address && context.address.isInRange(ip(\"192.0.2.0/24\")) }",
        "when { principal == resource }",
    ]);
    (any::<bool>(), who, what, which, when).prop_map(|(permit, who, what, which, when)| {
        let effect = if permit { "permit" } else { "forbid" };
        format!("{effect} ({who}, {what}, {which}) {when};")
    })
}

/// As a version that decides; `None` if the schema knows no such rule.
fn version(gate: &Gate, n: u8, text: &str) -> Option<Deciding> {
    let checked = gate.check(PolicyScope::Organization, text).ok()?;
    let scope = PolicyScope::Organization;
    Some(Deciding { policy: id(n), number: 1, scope, checked: Arc::new(checked) })
}

fn distinct<T>(all: Vec<T>, key: impl Fn(&T) -> String) -> Vec<T> {
    let mut seen = BTreeSet::new();
    let mut all: Vec<T> = all.into_iter().filter(|it| seen.insert(key(it))).collect();
    all.sort_by_key(key);
    all
}

fn named(principal: &Principal) -> String {
    match &principal.who {
        Who::Person(id) => id.to_string(),
        Who::Workload(id) => id.to_string(),
        Who::Nobody | Who::Operator(_) => String::new(),
    }
}

/// Kind by kind, as they are read.
fn thing(target: &Target) -> String {
    target.resource.name().1
}

fn by_asking_all(gate: &Gate, moments: &Moments, world: &World, actions: &[Action]) -> Said {
    let mut said = Said::new();
    for action in actions {
        for target in world.things.iter().filter(|it| action.applies_to(&it.before.resource)) {
            let as_asked = |it: &Target| {
                let read = Target { facts: it.facts.clone(), ..Target::thing(it.resource) };
                if action.is_read() { read } else { it.clone() }
            };
            let (before, after) = (as_asked(&target.before), as_asked(target.after()));
            for person in &world.people {
                let answers: Vec<_> = (moments.sets.iter())
                    .map(|(old, new)| {
                        let (then, now) = (&person.before, person.after());
                        (
                            gate.would_under(old, then, (*action, &before), &moments.assumed(then)),
                            gate.would_under(new, now, (*action, &after), &moments.assumed(now)),
                        )
                    })
                    .collect();
                if let Some((change, when)) = weigh(&answers) {
                    let who = named(&person.before);
                    said.insert((action.name(), thing(&target.before), who, change, when));
                }
            }
        }
    }
    said
}

fn as_told(found: &Found, world: &World) -> Said {
    let told = tell(found, world, None, usize::MAX - 1);
    let rows = told.rows.iter();
    let said: Said = rows
        .map(|it| (it.action.name(), it.thing.name().1, it.who.clone(), it.verdict.0, it.verdict.1))
        .collect();
    assert_eq!(said.len(), told.rows.len(), "each is told once");
    let pairs: u64 = told.sums.values().map(|it| it.pairs).sum();
    assert_eq!(pairs, told.rows.len() as u64, "the sums are those of the rows");
    let lines: u64 = told.lines.iter().map(|it| it.sum.pairs).sum();
    assert!(lines == pairs || told.more_lines > 0, "and of the lines: {lines} {pairs}");
    for ((change, when), sum) in &told.sums {
        let of = said.iter().filter(|it| (it.3, it.4) == (*change, *when));
        let (mut people, mut things) = (BTreeSet::new(), BTreeSet::new());
        of.for_each(|it| {
            people.insert(&it.2);
            things.insert(&it.1);
        });
        assert_eq!((sum.people + sum.workloads, sum.things), (people.len() as u64, things.len() as u64));
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_version_changes_what_asking_everybody_says(
        texts in prop::collection::vec(texts(), 1..6),
        people in prop::collection::vec(principals(), 1..14),
        things in prop::collection::vec(targets(), 1..20),
    ) {
        let gate = Gate::new().unwrap();
        let versions = texts.iter().zip(1_u8..).filter_map(|(text, n)| version(&gate, n, text));
        let mut versions: Vec<Deciding> = versions.collect();
        prop_assume!(!versions.is_empty());
        let mut next = versions.remove(0);
        // The first takes the place of the second, where there is one.
        if let Some(second) = versions.first() {
            next.policy = second.policy;
        }
        let in_force = Arc::new(InForce::of(1, versions).unwrap());
        let actions = Action::ALL.to_vec();
        let moments = Moments::of(&in_force, next.policy, Some(&next), &actions, DateTime::UNIX_EPOCH).unwrap();
        let world = World {
            people: distinct(people, named).into_iter().map(Changed::not).collect(),
            things: distinct(things, thing).into_iter().map(Changed::not).collect(),
            ..World::default()
        };
        let found = compare(&gate, &moments, &world, &actions).unwrap();
        prop_assert_eq!(found.left, 0);
        prop_assert_eq!(as_told(&found, &world), by_asking_all(&gate, &moments, &world, &actions), "{:?}", texts);
    }

    #[test]
    fn what_people_and_things_become_changes_what_asking_everybody_says(
        texts in prop::collection::vec(texts(), 0..5),
        people in prop::collection::vec((principals(), prop::option::of(principals())), 1..10),
        things in prop::collection::vec((targets(), 0_u8..24), 1..16),
    ) {
        let gate = Gate::new().unwrap();
        let versions = texts.iter().zip(1_u8..).filter_map(|(text, n)| version(&gate, n, text));
        let in_force = Arc::new(InForce::of(1, versions.collect()).unwrap());
        let actions = Action::ALL.to_vec();
        let moments = Moments::same(&in_force, &actions, DateTime::UNIX_EPOCH).unwrap();
        let people = distinct(people, |it| named(&it.0)).into_iter().map(|(before, after)| match after {
            None => Changed::not(before),
            Some(after) => {
                let teams = if matches!(before.who, Who::Person(_)) { after.teams } else { Vec::new() };
                let after = Principal { who: before.who.clone(), teams, ..after };
                Changed::to(before, after)
            }
        });
        let things = distinct(things, |it| thing(&it.0)).into_iter().map(|(before, n)| {
            let mut after = before.clone();
            match &mut after.resource {
                Resource::ApiKey { owner, .. } if n % 2 == 0 => *owner = Owner::Person(id(n % 12)),
                Resource::Person(_) | Resource::Team(_) => after.owner = n % 5 == 0,
                _ => return Changed::not(before),
            }
            Changed::to(before, after)
        });
        let world = World { people: people.collect(), things: things.collect(), ..World::default() };
        let found = compare(&gate, &moments, &world, &actions).unwrap();
        prop_assert_eq!(found.left, 0);
        prop_assert_eq!(as_told(&found, &world), by_asking_all(&gate, &moments, &world, &actions), "{:?}", texts);
    }
}

/// Moments at which each policy that looks at the moment holds or does not, all of them.
#[test]
fn what_could_be_at_some_moment_is_not_missed() {
    let gate = Gate::new().unwrap();
    let ann = Principal::bare(Who::Person(id(1)));
    let target = Target::thing(Resource::Secret { id: id(1), project: in_project(0), environment: id(0) });
    let read = |effect: &str, who: &str, when: &str| {
        format!("{effect} ({who}, action == Action::\"secret.read\", resource) when {{ {when} }};")
    };
    // Nobody but the draft allows it where it is neither Tuesday nor forbidden from elsewhere.
    let other = version(&gate, 1, &read("permit", "principal", "context.weekday == 4")).unwrap();
    let elsewhere = "!(context has address && context.address.isInRange(ip(\"192.0.2.0/24\")))";
    let forbids = version(&gate, 2, &read("forbid", "principal", elsewhere)).unwrap();
    let draft = version(&gate, 3, &read("permit", "principal", "true")).unwrap();
    let in_force = Arc::new(InForce::of(1, vec![other, forbids]).unwrap());
    let actions = [Action::ReadSecret];
    let at = DateTime::UNIX_EPOCH; // a Thursday
    let moments = Moments::of(&in_force, draft.policy, Some(&draft), &actions, at).unwrap();
    let world = |after: Option<Principal>| World {
        people: vec![match after {
            None => Changed::not(ann.clone()),
            Some(after) => Changed::to(ann.clone(), after),
        }],
        things: vec![Changed::not(target.clone())],
        ..World::default()
    };
    let verdicts = |moments: &Moments, world: &World| {
        let found = compare(&gate, moments, world, &actions).unwrap();
        as_told(&found, world).into_iter().map(|it| (it.3, it.4)).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&moments, &world(None)), [(Change::Gained, When::Otherwise)]);

    // What a team gives on some days is more than what everybody may on others.
    let team: TeamId = id(1);
    let of_team = format!("principal in Team::\"{team}\"");
    let everybody = version(&gate, 1, &read("permit", "principal", "context.weekday == 4")).unwrap();
    let theirs = version(&gate, 2, &read("permit", &of_team, "context.weekday == 2")).unwrap();
    let in_force = Arc::new(InForce::of(1, vec![everybody, theirs]).unwrap());
    let moments = Moments::same(&in_force, &actions, at).unwrap();
    let joined = Principal { teams: vec![team], ..ann.clone() };
    assert_eq!(verdicts(&moments, &world(Some(joined.clone()))), [(Change::Gained, When::Otherwise)]);

    // And what it takes on some days is taken from what everybody may on others.
    let everybody = version(&gate, 1, &read("permit", "principal", "context.weekday == 4")).unwrap();
    let takes = version(&gate, 2, &read("forbid", &of_team, "context.weekday == 2")).unwrap();
    let in_force = Arc::new(InForce::of(1, vec![everybody, takes]).unwrap());
    let moments = Moments::same(&in_force, &actions, at).unwrap();
    assert_eq!(verdicts(&moments, &world(Some(joined))), [(Change::Lost, When::Otherwise)]);
}

#[test]
fn thousands_of_each_are_compared_with_nothing_left() {
    let gate = Gate::new().unwrap();
    let many = |n: u32| u128::from(n);
    let text =
        "forbid (principal is Person, action, resource) unless { principal in OrganizationRole::\"owner\" };";
    let forbids = version(&gate, 1, text).unwrap();
    let in_force = Arc::new(InForce::of(1, Vec::new()).unwrap());
    let actions = Action::ALL.to_vec();
    let at = DateTime::UNIX_EPOCH;
    let moments = Moments::of(&in_force, forbids.policy, Some(&forbids), &actions, at).unwrap();
    let project = |n: u32| ProjectId::from_parts(at, many(n % 60));
    let people = (0..1_500_u32).map(|n| {
        let mut person = Principal::bare(Who::Person(UserId::from_parts(at, many(n))));
        person.teams.push(TeamId::from_parts(at, many(n % 50)));
        person.projects.push((project(n), Role::Manager));
        Changed::not(person)
    });
    let things = (0..3_000_u32).map(|n| {
        let environment = EnvironmentId::from_parts(at, many(n % 120));
        let resource = match n % 3 {
            0 => {
                let owner = Owner::Person(UserId::from_parts(at, many(n)));
                Resource::ApiKey {
                    id: ApiKeyId::from_parts(at, many(n)),
                    project: project(n),
                    environment,
                    owner,
                }
            }
            _ => Resource::Secret { id: SecretId::from_parts(at, many(n)), project: project(n), environment },
        };
        Changed::not(Target::thing(resource))
    });
    let world = World { people: people.collect(), things: things.collect(), ..World::default() };
    let found = compare(&gate, &moments, &world, &actions).unwrap();
    assert_eq!(found.left, 0);
    let told = tell(&found, &world, None, 3);
    let lost = told.now[&Change::Lost];
    assert_eq!((lost.people, lost.things, lost.workloads), (1_500, 3_000, 0));
    assert!(told.more_rows && told.more_lines > 0 && told.lines.len() == 500, "{}", told.lines.len());
}
