//! Decisions as the house makes them (roles and policies remembered by the one staleness rule, policies sliced, entities
//! gathered for each question) are those of plain Cedar over everything there is, while everything changes.

use std::net::IpAddr;

use proptest::test_runner::{Config, RngSeed};

use super::drawn::{Drawn, most};
use super::plain::{Plain, TOKENS, token};
use super::world::{World, all, home_of, key_of, project_of, secret_of};
use super::*;
use crate::Refused;
use crate::cast::{Engine, House};

/// Questions between two changes.
const BETWEEN: u32 = 40;

/// What was seen.
#[derive(Debug, Default)]
struct Tally {
    /// Allowed.
    yes: u32,
    /// Refused to whoever may know of the thing.
    no: u32,
    /// Refused as if there were nothing.
    unknown: u32,
    /// Allowed by what people wrote alone.
    given: u32,
    /// Refused by what people wrote.
    taken: u32,
    /// Refused because a policy failed.
    failed: u32,
}

/// Asks two nodes by turns, which share a store, and plain Cedar.
async fn compare(questions: u32, seed: u64) -> Tally {
    let house = House::new(Engine::Sqlite).await;
    let other = house.neighbour().await;
    house.put(World::rows()).await;
    let (mut drawn, mut world, validator) = (Drawn::new(seed), World::new(), written::validator());
    let schema = Rules::schema().unwrap();
    let mut rows = Vec::new();
    // Enough that the first questions have something to differ by.
    for _ in 0..60 {
        rows.extend(world.change(&mut drawn, &validator));
    }
    house.put(rows).await;
    let (mut tally, mut plain) = (Tally::default(), Plain::of(&world, &schema));
    for question in 0..questions {
        if question.is_multiple_of(BETWEEN) {
            for _ in 0..=drawn.below(3) {
                house.put(world.change(&mut drawn, &validator)).await;
            }
            other.domain.look().await.unwrap();
            plain = Plain::of(&world, &schema);
        }
        let domain = if question.is_multiple_of(2) { &house.domain } else { &other.domain };
        let (op, action) = (somebody(&mut drawn), something(&mut drawn, &world));
        let resource = thing(&mut drawn, action);
        let told = || format!("question {question} of seed {seed}: {op:?} {} {resource:?}", action.name());

        let said = plain.ask(&op, action, &resource);
        let known = || match resource.sight() {
            None => !plain.is_nobody(&op),
            Some((sight, _)) if sight == action => false,
            Some((sight, seen)) => plain.ask(&op, sight, &seen).allowed,
        };
        let expected = if said.allowed {
            "yes"
        } else if known() {
            "no"
        } else {
            "unknown"
        };
        let answer = domain.authorize(&op, action, &resource).await;
        let heard = match &answer {
            Ok(permit) => {
                assert_eq!(permit.policies(), said.policies, "{}", told());
                "yes"
            }
            Err(Refused::StepUp) => "yes",
            Err(Refused::Forbidden(it)) if *it == action => "no",
            Err(Refused::NotFound) => "unknown",
            Err(other) => panic!("{other:?}: {}", told()),
        };
        assert_eq!(heard, expected, "{said:?} {}", told());
        assert_eq!(domain.would(&op, action, &resource).await.unwrap(), said.allowed, "{}", told());

        match expected {
            "yes" => tally.yes += 1,
            "no" => tally.no += 1,
            _ => tally.unknown += 1,
        }
        let written = said.policies.iter().filter(|it| it.contains('@')).count();
        tally.failed += u32::from(said.failed);
        tally.given += u32::from(said.allowed && written > 0 && written == said.policies.len());
        tally.taken += u32::from(!said.allowed && !said.failed && written > 0);
    }
    tally
}

impl Tally {
    /// A comparison in which hardly anything hung on what people wrote would show nothing.
    fn shows_something(&self, questions: u32) {
        let Self { yes, no, unknown, given, taken, failed } = self;
        for (seen, what) in [
            (yes, "allowed"),
            (no, "refused"),
            (unknown, "unknown"),
            (given, "given"),
            (taken, "taken"),
            (failed, "failed"),
        ] {
            assert!(*seen > questions / 1_000, "{what}: {seen} of {questions}: {self:?}");
        }
        println!("{questions} questions: {self:?}");
    }
}

/// Who asks, when, and from where.
fn somebody(drawn: &mut Drawn) -> Op {
    let days = [0, 1, 2, 3, 4, 5, 6, 7, 30, -400];
    let hours = i64::try_from(drawn.below(24)).unwrap();
    let now = now() + TimeDelta::days(*drawn.of(&days)) + TimeDelta::hours(hours);
    let actor = match drawn.below(10) {
        0..=6 => {
            let shown = [None, Some(0), Some(59), Some(290), Some(3_600), Some(-5)];
            Actor::Person(Person {
                id: drawn.one("Person"),
                session: id(1),
                passkey: None,
                asserted_at: drawn.of(&shown).map(|age| now - TimeDelta::seconds(age)),
                synced: false,
                recovering: drawn.one_in(15),
            })
        }
        7 | 8 => Actor::Workload { id: drawn.one("Workload"), token: id(1) },
        _ if drawn.one_in(4) => Actor::Operator { token: None, role: Role::Owner },
        _ => {
            let place = drawn.below(TOKENS.len());
            Actor::Operator { token: Some(token(place)), role: TOKENS[place] }
        }
    };
    let addresses: [Option<IpAddr>; 6] =
        ["nowhere", "192.0.2.7", "10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "198.51.100.9"]
            .map(|text| text.parse().ok());
    let source = Source { address: *drawn.of(&addresses), agent: None };
    let reason = drawn.one_in(3).then(|| "incident 7".parse().unwrap());
    Op { actor, source, now, reason, ..op(None) }
}

/// What they want to do: as a rule something that a policy speaks of.
fn something(drawn: &mut Drawn, world: &World) -> Action {
    if world.policies.is_empty() || drawn.one_in(3) {
        return *drawn.of(Action::ALL);
    }
    let policy = drawn.of(&world.policies);
    *drawn.of(&policy.actions)
}

/// To which thing.
fn thing(drawn: &mut Drawn, action: Action) -> Resource {
    let mut number =
        |kind: &str| u128::try_from(drawn.below(usize::try_from(most(kind)).unwrap())).unwrap() + 1;
    match action.kind() {
        Kind::ApiKey => key_of(number("ApiKey")),
        Kind::Environment => {
            let n = number("Environment");
            Resource::Environment { id: id(n), project: project_of(n) }
        }
        Kind::Organization => Resource::Organization,
        Kind::Person => Resource::Person(id(number("Person"))),
        Kind::Scope if number("Project") == 1 => Resource::Organization,
        Kind::Project | Kind::Scope => Resource::Project(id(number("Project"))),
        Kind::Secret => secret_of(number("Secret")),
        Kind::Team => Resource::Team(id(number("Team"))),
        Kind::Workload => {
            let n = number("Workload");
            Resource::Workload { id: id(n), project: home_of(n) }
        }
    }
}

#[tokio::test]
async fn decisions_are_those_of_plain_cedar() {
    compare(5_000, 1).await.shows_something(5_000);
}

#[tokio::test]
#[ignore = "minutes: the same for a hundred thousand"]
async fn a_hundred_thousand_decisions_are_those_of_plain_cedar() {
    // Each week others are tried.
    let seed = match Config::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => 2,
    };
    compare(100_000, seed).await.shows_something(100_000);
}

/// The comparison would be worth nothing if every question were put about things that no policy can tell apart.
#[test]
fn the_things_of_the_world_lie_apart() {
    let places: std::collections::BTreeSet<_> = all("ApiKey").map(|n| key_of(n).project()).collect();
    let owners =
        all("ApiKey").filter(|n| matches!(key_of(*n), Resource::ApiKey { owner: Owner::Team(_), .. }));
    assert_eq!((places.len(), owners.count()), (3, 4));
}
