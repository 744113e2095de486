//! How long decisions take in a large house, for `make bench`.
//!
//! The house is a real one on SQLite: its people, workloads, teams, roles and policies are rows, and whoever asks is read from
//! them. Things are what the caller of a decision hands in, an id and where it lies; a million of them are told apart by their
//! numbers, and no row is read for any, as none is when a decision is made.
//!
//! Of the policies ten are about anybody and anything, however many there are: an organization has so many rules for all.
//! The others name a team, a person or a workload, and a project, an environment or a thing, as rules do that are written for
//! somebody. What it costs if all fit at once is measured beside it.

#![allow(clippy::arithmetic_side_effects, reason = "it counts what it made and measured, and serves nobody")]
#![allow(clippy::expect_used, reason = "what fails here fails the measure")]

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use keywarden_model::{
    EnvironmentId, PolicyEffect, PolicyId, ProjectId, Role, RoleBindingId, SecretId, TeamId, TypedId, UserId,
    WorkloadId,
};
use keywarden_store::{Sql, sql};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest as _, Sha256};

use super::rules::Answer;
use super::{Action, Circumstances, Owner, PolicyScope, Resource, Target, TextError};
use crate::cast::{Engine, House};
use crate::roles::Holder;
use crate::{Actor, Op, Person, Refused};

const PEOPLE: u128 = 9_000;
const WORKLOADS: u128 = 1_000;
/// Everybody who asks.
pub const PRINCIPALS: u128 = PEOPLE + WORKLOADS;
/// What they ask about: secrets and keys by turns.
pub const THINGS: u128 = 1_000_000;
const TEAMS: u128 = 200;
const PROJECTS: u128 = 100;
/// Of all projects.
const ENVIRONMENTS: u128 = 1_000;
/// Secrets that are rows, where who can is asked; their environments are rows as well.
const STORED: u128 = 10_000;
/// Policies about anybody and anything.
const FOR_ALL: usize = 10;
/// What is asked: readings, changes and looks, of keys and of secrets.
const ASKED: [Action; 8] = [
    Action::ReadSecret,
    Action::PutSecret,
    Action::ViewSecret,
    Action::DeleteSecret,
    Action::RotateKey,
    Action::SuspendKey,
    Action::ViewKey,
    Action::EditKey,
];
/// Rows of one write.
const AT_ONCE: usize = 2_000;

/// How long something took, many times.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// One after the other.
    pub per_second: f64,
    /// The mean.
    pub mean: Duration,
    /// The median.
    pub p50: Duration,
    /// The slowest hundredth takes at least this.
    pub p99: Duration,
}

/// What was measured with so many policies.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// How many.
    pub policies: usize,
    /// Built-in and written policies asked about a question that was taken apart before.
    pub evaluated: Took,
    /// The whole of `Domain::authorize`, of whoever asked before.
    pub authorized: Took,
    /// The same of whoever never asked: their roles and teams are read from the store.
    pub first: Took,
    /// How many of them were allowed, of a hundred.
    pub allowed: u32,
}

/// How long it takes to say who can, and what somebody can.
#[derive(Debug, Clone, Copy)]
pub struct MeasuredReverse {
    /// How many policies people wrote.
    pub policies: usize,
    /// How many things have a row.
    pub stored: u128,
    /// Everybody who can read a secret, each with their paths.
    pub who_can: Took,
    /// How many those were, at most.
    pub most: usize,
    /// Everything that somebody can, everywhere.
    pub held: Took,
}

/// A house, and what was seen in it.
struct Large {
    house: House,
    policies: usize,
    chance: ChaCha20Rng,
    authorized: Vec<Duration>,
    first: Vec<Duration>,
    evaluated: Vec<Duration>,
    allowed: usize,
}

/// Measures houses with so many policies each, by turns, so that what else the machine does befalls all of them.
pub async fn measure(sizes: &[usize], rounds: usize, questions: usize) -> Vec<Measured> {
    let mut houses = Vec::new();
    for policies in sizes {
        let mut large = Large::with(*policies, &texts(*policies)).await;
        large.meet().await;
        houses.push(large);
    }
    for _ in 0..rounds {
        for large in &mut houses {
            large.round(questions).await;
        }
    }
    houses.into_iter().map(Large::told).collect()
}

/// Measures a house in which every one of so many policies fits the question: each is about anybody who reads any secret.
pub async fn measure_fitting(policies: usize, questions: usize) -> Measured {
    let text = |n: usize| {
        let day = n % 7 + 1;
        format!(
            "forbid (principal, action == Action::\"secret.read\", resource) \
             when {{ context.weekday == {day} && context.signInMethod == \"recovery\" }};"
        )
    };
    let texts: Vec<_> = (0..policies).map(|n| (PolicyScope::Organization, text(n))).collect();
    let mut large = Large::with(policies, &texts).await;
    large.meet().await;
    for _ in 0..questions {
        let (op, _) = large.somebody();
        let n = large.chance.random_range(0..THINGS / 2) * 2;
        large.question(&op, Action::ReadSecret, &thing(n)).await;
    }
    large.told()
}

/// Asks the other way round in a house with so many policies, where things are rows, too: for each of some secrets who can read
/// it, and for some people what they can.
pub async fn measure_reverse(policies: usize, questions: u128) -> MeasuredReverse {
    let large = Large::with(policies, &texts(policies)).await;
    let rows = stored();
    for some in rows.chunks(AT_ONCE) {
        large.house.put(some.to_vec()).await;
    }
    let (domain, owner) = (&large.house.domain, large.op(0));
    let (mut who_can, mut held, mut most) = (Vec::new(), Vec::new(), 0);
    for n in 0..questions {
        let secret = id::<SecretId>(n * 97 % STORED * 2);
        let began = Instant::now();
        let told = domain.who_can(&owner, Action::ReadSecret, &secret.to_string()).await;
        who_can.push(began.elapsed());
        most = most.max(told.expect("who can").entitled.len());

        let person = Holder::Person(id(n * 997 % PEOPLE));
        let began = Instant::now();
        let told = domain.permissions_of(&owner, person).await;
        held.push(began.elapsed());
        assert!(told.is_ok(), "what somebody can: {:?}", told.err());
    }
    MeasuredReverse { policies, stored: STORED, who_can: Took::of(who_can), most, held: Took::of(held) }
}

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a moment")
}

fn id<I: TypedId>(n: u128) -> I {
    I::from_parts(at(), n + 1)
}

fn project_of(environment: u128) -> ProjectId {
    id(environment % PROJECTS)
}

/// The thing of a number: a secret if it is even, else a key; its place is the number's, too.
fn thing(n: u128) -> Resource {
    let environment = n / 2 % ENVIRONMENTS;
    let (project, environment) = (project_of(environment), id::<EnvironmentId>(environment));
    if n.is_multiple_of(2) {
        return Resource::Secret { id: id(n), project, environment };
    }
    let owner = if n % 4 == 1 { Owner::Person(id(n % PEOPLE)) } else { Owner::Team(id(n % TEAMS)) };
    Resource::ApiKey { id: id(n), project, environment, owner }
}

/// So many policies; the first are for all.
fn texts(policies: usize) -> Vec<(PolicyScope, String)> {
    (0..policies).map(|n| if n < FOR_ALL { for_all(n) } else { for_somebody(n) }).collect()
}

fn for_all(n: usize) -> (PolicyScope, String) {
    let text = match n {
        0 => {
            "forbid (principal, action == Action::\"secret.read\", resource) when { context.signInMethod == \"recovery\" };"
        }
        1 => {
            "forbid (principal is Person, action in [Action::\"secret.purge\", Action::\"secret.destroy-version\"], resource) \
             unless { context has passkeyAge && context.passkeyAge < 120 };"
        }
        2 => {
            "forbid (principal is Workload, action in [Action::\"secret.delete\", Action::\"key.edit\"], resource) \
             unless { context has address && context.address.isInRange(ip(\"192.0.2.0/24\")) };"
        }
        3 => {
            "forbid (principal, action == Action::\"secret.put\", resource) when { [6, 7].contains(context.weekday) };"
        }
        4 => {
            "forbid (principal, action == Action::\"key.rotate\", resource) \
             when { context.now.toTime() < duration(\"4h\") && context.signInMethod == \"token\" };"
        }
        5 => {
            "forbid (principal, action == Action::\"key.view\", resource) when { context.signInMethod == \"recovery\" };"
        }
        6 => {
            "forbid (principal, action == Action::\"secret.view\", resource) when { context.signInMethod == \"recovery\" };"
        }
        7 => {
            "forbid (principal, action == Action::\"team.create\", resource) when { [6, 7].contains(context.weekday) };"
        }
        8 => {
            "permit (principal in OrganizationRole::\"auditor\", action == Action::\"system.view\", resource);"
        }
        _ => {
            "forbid (principal, action == Action::\"project.archive\", resource) when { [6, 7].contains(context.weekday) };"
        }
    };
    (PolicyScope::Organization, text.to_owned())
}

fn for_somebody(n: usize) -> (PolicyScope, String) {
    let sort = n % 6;
    let n = n as u128 * 7;
    let (team, person, workload) =
        (id::<TeamId>(n % TEAMS), id::<UserId>(n % PEOPLE), id::<WorkloadId>(n % WORKLOADS));
    let (project, environment) = (id::<ProjectId>(n % PROJECTS), id::<EnvironmentId>(n % ENVIRONMENTS));
    let everywhere = PolicyScope::Organization;
    match sort {
        0 => (
            everywhere,
            format!(
                "permit (principal in Team::\"{team}\", action in [Action::\"secret.read\", Action::\"secret.put\"], \
                 resource in Environment::\"{environment}\");"
            ),
        ),
        1 => (
            everywhere,
            format!(
                "permit (principal in Team::\"{team}\", action in [Action::\"key.rotate\", Action::\"key.suspend\"], \
                 resource in Project::\"{project}\") \
                 when {{ resource has ownerTeam && principal in resource.ownerTeam }};"
            ),
        ),
        2 => (
            everywhere,
            format!(
                "forbid (principal, action in [Action::\"secret.put\", Action::\"secret.delete\"], \
                 resource in Environment::\"{environment}\") when {{ [6, 7].contains(context.weekday) }};"
            ),
        ),
        3 => {
            let secret = id::<SecretId>(n % (THINGS / 2) * 2);
            (
                everywhere,
                format!(
                    "permit (principal == Person::\"{person}\", action == Action::\"secret.read\", \
                     resource == Secret::\"{secret}\");"
                ),
            )
        }
        4 => (
            PolicyScope::Project(project),
            "forbid (principal is Workload, action in [Action::\"key.rotate\", Action::\"key.edit\"], resource) \
             when { context.now.toTime() < duration(\"4h\") };"
                .to_owned(),
        ),
        _ => (
            everywhere,
            format!(
                "forbid (principal == Workload::\"{workload}\", action == Action::\"secret.read\", \
                 resource in Project::\"{project}\") \
                 unless {{ context has address && context.address.isInRange(ip(\"192.0.2.0/24\")) }};"
            ),
        ),
    }
}

/// The project in which whoever has this number holds a role.
fn home_of(somebody: u128) -> u128 {
    somebody % PROJECTS
}

/// Everybody and what they hold: two teams for each person, a role in one project for each, ten roles of the organization.
fn people() -> Vec<Sql> {
    let projects = (0..PROJECTS).map(|n| {
        sql("INSERT INTO projects (id, slug, name, folded_name, created_at, created_by, row_version)
             VALUES ($1, $2, $3, $4, 0, 'cast', 1)")
        .bind(id::<ProjectId>(n))
        .bind(format!("project-{n}"))
        .bind(format!("project-{n}"))
        .bind(format!("project-{n}"))
    });
    let teams = (0..TEAMS).map(|n| {
        sql("INSERT INTO teams (id, slug, name, folded_name, created_at, created_by, row_version)
             VALUES ($1, $2, $3, $4, 0, 'cast', 1)")
        .bind(id::<TeamId>(n))
        .bind(format!("team-{n}"))
        .bind(format!("team-{n}"))
        .bind(format!("team-{n}"))
    });
    let users = (0..PEOPLE).map(|n| {
        sql("INSERT INTO users (id, name, folded_name, handle, state, created_at, created_by, row_version)
             VALUES ($1, $2, $3, $4, 'active', 0, 'cast', 1)")
        .bind(id::<UserId>(n))
        .bind(format!("person {n}"))
        .bind(format!("person {n}"))
        .bind(id::<UserId>(n).to_string().into_bytes())
    });
    let workloads = (0..WORKLOADS).map(|n| {
        sql("INSERT INTO workloads (id, name, folded_name, project_id, state, created_at, created_by, row_version)
             VALUES ($1, $2, $3, $4, 'active', 0, 'cast', 1)")
        .bind(id::<WorkloadId>(n))
        .bind(format!("workload {n}"))
        .bind(format!("workload {n}"))
        .bind(id::<ProjectId>(home_of(n)))
    });
    let members = (0..PEOPLE).flat_map(|n| {
        [n % TEAMS, (n % TEAMS + 1 + n / TEAMS % (TEAMS - 1)) % TEAMS].map(|team| {
            sql("INSERT INTO team_members (team_id, user_id, added_at) VALUES ($1, $2, 0)")
                .bind(id::<TeamId>(team))
                .bind(id::<UserId>(n))
        })
    });
    let binding = |n: u128, kind: &'static str, holder: String, role: Role, project: Option<ProjectId>| {
        sql("INSERT INTO role_bindings (id, principal_kind, principal_id, role, project_id, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5, 0, 'cast')")
        .bind(id::<RoleBindingId>(n))
        .bind(kind)
        .bind(holder)
        .bind(role.as_str())
        .bind(project)
    };
    let of_people = (0..PEOPLE).map(|n| {
        let role = match n / PROJECTS % 4 {
            0 => Role::Viewer,
            1 => Role::Issuer,
            2 => Role::Reader,
            _ => Role::Manager,
        };
        binding(n, "person", id::<UserId>(n).to_string(), role, Some(id(home_of(n))))
    });
    let of_workloads = (0..WORKLOADS).map(|n| {
        let holder = id::<WorkloadId>(n).to_string();
        binding(PEOPLE + n, "workload", holder, Role::Reader, Some(id(home_of(n))))
    });
    let of_the_house = (0..10).map(|n| {
        let role = if n % 2 == 0 { Role::Owner } else { Role::Admin };
        binding(PEOPLE + WORKLOADS + n, "person", id::<UserId>(n).to_string(), role, None)
    });
    let people = projects.chain(teams).chain(users).chain(workloads).chain(members);
    people.chain(of_people).chain(of_workloads).chain(of_the_house).collect()
}

/// Environments and secrets.
fn stored() -> Vec<Sql> {
    let environments = (0..ENVIRONMENTS).map(|n| {
        sql("INSERT INTO environments (id, project_id, slug, name, folded_name, label, overlap_seconds, created_at,
                                       created_by, row_version)
             VALUES ($1, $2, $3, $4, $5, 'live', 3600, 0, 'cast', 1)")
        .bind(id::<EnvironmentId>(n))
        .bind(project_of(n))
        .bind(format!("environment-{n}"))
        .bind(format!("environment {n}"))
        .bind(format!("environment {n}"))
    });
    let secrets = (0..STORED).filter_map(|n| match thing(n * 2) {
        Resource::Secret { id, project, environment } => Some(
            sql("INSERT INTO secrets (id, project_id, environment_id, path, folded_path, description, tags, last_version,
                                      created_at, created_by, row_version)
                 VALUES ($1, $2, $3, $4, $5, '', '[]', 0, 0, 'cast', 1)")
            .bind(id)
            .bind(project)
            .bind(environment)
            .bind(format!("secret-{n}"))
            .bind(format!("secret-{n}")),
        ),
        _ => None,
    });
    environments.chain(secrets).collect()
}

impl Large {
    async fn with(policies: usize, texts: &[(PolicyScope, String)]) -> Self {
        let house = House::new(Engine::Sqlite).await;
        let rows = people();
        for some in rows.chunks(AT_ONCE) {
            house.put(some.to_vec()).await;
        }
        let mut rows = vec![sql("UPDATE policy_set SET revision = revision + 1 WHERE id = 1")];
        for (n, (scope, text)) in texts.iter().enumerate() {
            let checked = house.domain.gate().check(*scope, text);
            let effect = checked.map_or_else(|why| fail(text, &why), |it| it.effect);
            rows.extend(policy(n, *scope, text, effect));
        }
        house.put(rows).await;
        Self {
            house,
            policies,
            chance: ChaCha20Rng::seed_from_u64(1),
            authorized: Vec::new(),
            first: Vec::new(),
            evaluated: Vec::new(),
            allowed: 0,
        }
    }

    /// Everybody asks once.
    async fn meet(&mut self) {
        for n in 0..PRINCIPALS {
            let (op, resource) = (self.op(n), thing(n * 97 % THINGS));
            let of_secrets = matches!(resource, Resource::Secret { .. });
            let action = if of_secrets { Action::ReadSecret } else { Action::RotateKey };
            let began = Instant::now();
            let answer = self.house.domain.authorize(&op, action, &resource).await;
            self.first.push(began.elapsed());
            decided(&answer);
        }
    }

    async fn round(&mut self, questions: usize) {
        for _ in 0..questions {
            let (op, home) = self.somebody();
            // Three of four ask about what lies in their project.
            let mut n = self.chance.random_range(0..THINGS);
            if self.chance.random_range(0..4_u32) != 0 {
                let environment = home + PROJECTS * self.chance.random_range(0..ENVIRONMENTS / PROJECTS);
                n = (n / 2 / ENVIRONMENTS * ENVIRONMENTS + environment) * 2 + n % 2;
            }
            let resource = thing(n);
            let of_secrets = matches!(resource, Resource::Secret { .. });
            let half = ASKED.len() / 2;
            let place = self.chance.random_range(0..half) + if of_secrets { 0 } else { half };
            let action = ASKED.get(place).copied().unwrap_or(Action::ViewKey);
            self.question(&op, action, &resource).await;
        }
    }

    /// One question: the whole call, and its policies alone.
    async fn question(&mut self, op: &Op, action: Action, resource: &Resource) {
        let domain = &self.house.domain;
        let began = Instant::now();
        let answer = domain.authorize(op, action, resource).await;
        self.authorized.push(began.elapsed());
        decided(&answer);

        let (gate, store) = (domain.gate(), domain.store());
        let counter = domain.counter().await.expect("a counter");
        let principal = gate.principal(op, store, counter).await.expect("whoever asks");
        let mut conn = store.read().await.expect("a connection");
        let in_force = gate.in_force_now(&mut conn).await.expect("what is in force");
        let target = Target::as_asked(&mut conn, &in_force, action, *resource).await.expect("the thing");
        drop(conn);
        let rules = gate.rules();
        let prepared = rules.prepare(&in_force, &principal, action, &target, &Circumstances::of(op));
        let prepared = prepared.expect("a question").expect("somebody who asks");
        let began = Instant::now();
        let said = rules.ask_all(&in_force, &prepared, action, &target);
        self.evaluated.push(began.elapsed());
        let said = matches!(said.expect("an answer"), Answer::Allowed(_));
        assert!(said == matches!(answer, Ok(_) | Err(Refused::StepUp)), "two answers to one question");
        self.allowed += usize::from(said);
    }

    /// Somebody, and the number of their project.
    fn somebody(&mut self) -> (Op, u128) {
        let n = self.chance.random_range(0..PRINCIPALS);
        let home = if n < PEOPLE { home_of(n) } else { home_of(n - PEOPLE) };
        (self.op(n), home)
    }

    fn op(&self, n: u128) -> Op {
        if n >= PEOPLE {
            return self.house.op(Actor::Workload { id: id(n - PEOPLE), token: id(n) });
        }
        self.house.op(Actor::Person(Person {
            id: id(n),
            session: id(n),
            passkey: None,
            asserted_at: Some(self.house.now()),
            synced: false,
            recovering: false,
        }))
    }

    fn told(self) -> Measured {
        let asked = self.evaluated.len().max(1);
        Measured {
            policies: self.policies,
            evaluated: Took::of(self.evaluated),
            authorized: Took::of(self.authorized),
            first: Took::of(self.first),
            allowed: u32::try_from(self.allowed * 100 / asked).unwrap_or(u32::MAX),
        }
    }
}

/// A fault, or nobody that is known, would be measured for a decision.
fn decided<T>(answer: &Result<T, Refused>) {
    let made = matches!(answer, Ok(_) | Err(Refused::Forbidden(_) | Refused::NotFound | Refused::StepUp));
    assert!(made, "no decision was made");
}

#[expect(clippy::panic, reason = "a policy that is refused would be missing in what is measured")]
fn fail(text: &str, why: &[TextError]) -> ! {
    panic!("{text}: {why:?}")
}

/// The rows of a policy that decides.
fn policy(n: usize, scope: PolicyScope, text: &str, effect: PolicyEffect) -> [Sql; 2] {
    let policy = id::<PolicyId>(n as u128);
    let (project, place) = match scope {
        PolicyScope::Organization => (None, keywarden_store::policies::ORGANIZATION.to_owned()),
        PolicyScope::Project(project) => (Some(project), project.to_string()),
    };
    [
        sql("INSERT INTO policies (id, project_id, scope, name, folded_name, numbered, created_at, created_by, row_version)
             VALUES ($1, $2, $3, $4, $5, 1, 0, 'cast', 1)")
        .bind(policy)
        .bind(project)
        .bind(place)
        .bind(policy.to_string())
        .bind(policy.to_string()),
        sql("INSERT INTO policy_versions (policy_id, number, state, effect, text, sha256, note, created_at, created_by)
             VALUES ($1, 1, 'active', $2, $3, $4, '', 0, 'cast')")
        .bind(policy)
        .bind(effect.as_str())
        .bind(text)
        .bind(Sha256::digest(text.as_bytes()).to_vec()),
    ]
}

impl Took {
    fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
        let mean = took.iter().sum::<Duration>() / u32::try_from(took.len()).unwrap_or(u32::MAX).max(1);
        Self { per_second: 1.0 / mean.as_secs_f64().max(f64::MIN_POSITIVE), mean, p50: at(50), p99: at(99) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authz::{Rules, check};

    #[test]
    fn what_is_measured_may_decide() {
        let validator = cedar_policy::Validator::new(Rules::schema().unwrap());
        let (few, many) = (texts(10), texts(100));
        assert_eq!(few, many[..10], "with more policies there are other ones for all");
        for (scope, text) in &many {
            check(&validator, *scope, text).unwrap_or_else(|why| panic!("{text}: {why:?}"));
        }
    }

    #[test]
    fn things_are_told_apart_and_lie_in_their_projects() {
        let some: std::collections::HashSet<_> = (0..THINGS).step_by(997).map(thing).collect();
        assert_eq!(some.len(), usize::try_from(THINGS).unwrap().div_ceil(997));
        for thing in some {
            let (Resource::Secret { environment, project, .. }
            | Resource::ApiKey { environment, project, .. }) = thing
            else {
                panic!("{thing:?}")
            };
            assert!(
                (0..ENVIRONMENTS).any(|n| id::<EnvironmentId>(n) == environment && project_of(n) == project)
            );
        }
    }

    #[test]
    fn a_median_is_one_of_what_was_measured() {
        let took = Took::of((1..=200).map(Duration::from_micros).collect());
        assert_eq!((took.p50, took.p99), (Duration::from_micros(101), Duration::from_micros(199)));
        assert_eq!(took.mean, Duration::from_nanos(100_500));
        assert!((9_900.0..10_000.0).contains(&took.per_second), "{took:?}");
    }
}
