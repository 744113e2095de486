//! A small world with everything that decisions look at, that changes by chance: as rows of a real store, and as the test
//! itself knows it.

use std::collections::BTreeSet;

use cedar_policy::Validator;
use keywarden_model::{EnvironmentId, PolicyId, Tags, TeamId, UserId, WorkloadId};
use keywarden_store::{Sql, sql};
use sha2::{Digest as _, Sha256};

use super::drawn::{Drawn, most};
use super::*;

/// Roles that are held; `None` is the organization.
pub(super) type Held = BTreeSet<(Option<ProjectId>, Role)>;

/// A person or a workload.
pub(super) struct Somebody {
    /// `person` or `workload`, as role bindings say it.
    kind: &'static str,
    pub(super) id: String,
    pub(super) active: bool,
    /// Numbers of teams.
    pub(super) teams: BTreeSet<usize>,
    pub(super) roles: Held,
    /// Where a workload belongs.
    pub(super) home: Option<ProjectId>,
}

/// A policy that decides.
pub(super) struct Active {
    id: PolicyId,
    number: i64,
    pub(super) scope: PolicyScope,
    pub(super) text: String,
    pub(super) actions: Vec<Action>,
}

impl Active {
    /// As the record names it.
    pub(super) fn name(&self) -> String {
        format!("{}@{}", self.id, self.number)
    }
}

pub(super) struct World {
    pub(super) people: Vec<Somebody>,
    pub(super) workloads: Vec<Somebody>,
    /// What each team holds.
    pub(super) teams: Vec<Held>,
    pub(super) policies: Vec<Active>,
    /// The tags of each key, by its number less one.
    pub(super) of_keys: Vec<Tags>,
    /// The tags of each secret, and whose it is.
    pub(super) of_secrets: Vec<(Tags, Owner)>,
    /// How many policies there ever were.
    written: u128,
}

/// The numbers of all of a kind.
pub(super) fn all(kind: &str) -> impl Iterator<Item = u128> + use<> {
    1..=most(kind)
}

/// The project of an environment.
pub(super) fn project_of(environment: u128) -> ProjectId {
    id((environment - 1) % most("Project") + 1)
}

/// What a project is called in addresses: one of them by a name that conditions are drawn with.
pub(super) fn slug_of(project: u128) -> String {
    if project == 1 { "a-1".to_owned() } else { format!("project-{project}") }
}

/// What an environment is called in addresses, and in keys: each project has two.
pub(super) fn names_of(environment: u128) -> (&'static str, &'static str) {
    if environment <= most("Project") { ("production", "live") } else { ("staging", "test") }
}

/// The key of a number: of a person, or of a team.
pub(super) fn key_of(n: u128) -> Resource {
    let environment = n % most("Environment") + 1;
    let owner = if n.is_multiple_of(2) {
        Owner::Team(id(n % most("Team") + 1))
    } else {
        Owner::Person(id(n * 5 % most("Person") + 1))
    };
    Resource::ApiKey { id: id(n), project: project_of(environment), environment: id(environment), owner }
}

/// The secret of a number.
pub(super) fn secret_of(n: u128) -> Resource {
    let environment = n % most("Environment") + 1;
    Resource::Secret { id: id(n), project: project_of(environment), environment: id(environment) }
}

/// Where the workload of a number belongs: two to projects, the last to none.
pub(super) fn home_of(n: u128) -> Option<ProjectId> {
    (n < most("Workload")).then(|| id(n))
}

impl World {
    /// Nobody holds anything yet, and nothing was written.
    pub(super) fn new() -> Self {
        let somebody = |kind, id: String, home| Somebody {
            kind,
            id,
            active: true,
            teams: BTreeSet::new(),
            roles: Held::new(),
            home,
        };
        Self {
            people: all("Person").map(|n| somebody("person", id::<UserId>(n).to_string(), None)).collect(),
            workloads: all("Workload")
                .map(|n| somebody("workload", id::<WorkloadId>(n).to_string(), home_of(n)))
                .collect(),
            teams: all("Team").map(|_| Held::new()).collect(),
            policies: Vec::new(),
            of_keys: all("ApiKey").map(|_| Tags::default()).collect(),
            of_secrets: all("Secret").map(|_| (Tags::default(), Owner::Person(id(1)))).collect(),
            written: 0,
        }
    }

    /// The rows that it begins with.
    pub(super) fn rows() -> Vec<Sql> {
        let projects = all("Project").map(|n| {
            sql("INSERT INTO projects (id, slug, name, folded_name, created_at, created_by, row_version)
                 VALUES ($1, $2, $3, $4, 0, 'cast', 1)")
            .bind(id::<ProjectId>(n))
            .bind(slug_of(n))
            .bind(format!("Project {n}"))
            .bind(format!("project {n}"))
        });
        let people = all("Person").map(|n| {
            sql("INSERT INTO users (id, name, folded_name, handle, state, created_at, created_by, row_version)
                 VALUES ($1, $2, $3, $4, 'active', 0, 'cast', 1)")
            .bind(id::<UserId>(n))
            .bind(format!("Person {n}"))
            .bind(format!("person {n}"))
            .bind(id::<UserId>(n).to_string().into_bytes())
        });
        let workloads = all("Workload").map(|n| {
            sql("INSERT INTO workloads (id, name, folded_name, project_id, state, created_at, created_by, row_version)
                 VALUES ($1, $2, $3, $4, 'active', 0, 'cast', 1)")
            .bind(id::<WorkloadId>(n))
            .bind(format!("Workload {n}"))
            .bind(format!("workload {n}"))
            .bind(home_of(n))
        });
        let teams = all("Team").map(|n| {
            sql("INSERT INTO teams (id, slug, name, folded_name, created_at, created_by, row_version)
                 VALUES ($1, $2, $3, $4, 0, 'cast', 1)")
            .bind(id::<TeamId>(n))
            .bind(format!("team-{n}"))
            .bind(format!("Team {n}"))
            .bind(format!("team {n}"))
        });
        projects.chain(people).chain(workloads).chain(teams).chain(things()).collect()
    }

    /// Something changes: who holds what, who is in which team, who is active, what decides. The rows that say so.
    pub(super) fn change(&mut self, drawn: &mut Drawn, validator: &Validator) -> Vec<Sql> {
        match drawn.below(10) {
            0 | 1 => {
                let somebody = drawn.below(self.people.len());
                let somebody = &mut self.people[somebody];
                turn_role(drawn, somebody.kind, &somebody.id, &mut somebody.roles)
            }
            2 => {
                let somebody = drawn.below(self.workloads.len());
                let somebody = &mut self.workloads[somebody];
                turn_role(drawn, somebody.kind, &somebody.id, &mut somebody.roles)
            }
            3 => {
                let team = drawn.below(self.teams.len());
                turn_role(drawn, "team", &team_id(team).to_string(), &mut self.teams[team])
            }
            4 => self.turn_member(drawn),
            5 => self.turn_activity(drawn),
            6 | 7 => self.turn_thing(drawn),
            _ => self.turn_policy(drawn, validator),
        }
    }

    fn turn_member(&mut self, drawn: &mut Drawn) -> Vec<Sql> {
        let team = drawn.below(self.teams.len());
        let somebody = drawn.below(self.people.len());
        let somebody = &mut self.people[somebody];
        let row = if somebody.teams.remove(&team) {
            sql("DELETE FROM team_members WHERE team_id = $1 AND user_id = $2")
        } else {
            somebody.teams.insert(team);
            sql("INSERT INTO team_members (team_id, user_id, added_at) VALUES ($1, $2, 0)")
        };
        vec![row.bind(team_id(team)).bind(somebody.id.clone())]
    }

    /// Mostly somebody comes back.
    fn turn_activity(&mut self, drawn: &mut Drawn) -> Vec<Sql> {
        let people = drawn.one_in(2);
        let them = if people { &mut self.people } else { &mut self.workloads };
        let away = them.iter().position(|it| !it.active);
        let somebody = away.unwrap_or_else(|| drawn.below(them.len()));
        let somebody = &mut them[somebody];
        somebody.active = !somebody.active;
        let row = if people {
            sql("UPDATE users SET state = $1 WHERE id = $2")
        } else {
            sql("UPDATE workloads SET state = $1 WHERE id = $2")
        };
        let state = if somebody.active { "active" } else { "deactivated" };
        vec![row.bind(state).bind(somebody.id.clone())]
    }

    /// A key or a secret is described otherwise.
    fn turn_thing(&mut self, drawn: &mut Drawn) -> Vec<Sql> {
        let all = ["team=payments", "team", "team=shop", "data=ü “x” \\ y", "a=b=c", "a.b-c_d"];
        let mut words: Vec<_> = all.iter().filter(|_| drawn.one_in(3)).copied().collect();
        words.dedup_by_key(|word| word.split('=').next().map(str::to_owned));
        let tags = Tags::parse(words).unwrap();
        let stored = serde_json::to_string(&tags.words()).unwrap();
        if drawn.one_in(2) {
            let place = drawn.below(self.of_keys.len());
            self.of_keys[place] = tags;
            let (_, id) = key_of(u128::try_from(place).unwrap() + 1).name();
            return vec![sql("UPDATE api_keys SET tags = $1 WHERE id = $2").bind(stored).bind(id)];
        }
        let place = drawn.below(self.of_secrets.len());
        let owner =
            if drawn.one_in(2) { Owner::Person(drawn.one("Person")) } else { Owner::Team(drawn.one("Team")) };
        self.of_secrets[place] = (tags, owner);
        let (_, id) = secret_of(u128::try_from(place).unwrap() + 1).name();
        vec![
            sql("UPDATE secrets SET tags = $1, owner_kind = $2, owner_id = $3 WHERE id = $4")
                .bind(stored)
                .bind(owner.kind())
                .bind(owner.to_string())
                .bind(id),
        ]
    }

    /// One policy more, another version of one, or one fewer.
    fn turn_policy(&mut self, drawn: &mut Drawn, validator: &Validator) -> Vec<Sql> {
        let mut rows = vec![sql("UPDATE policy_set SET revision = revision + 1 WHERE id = 1")];
        let full = self.policies.len() >= 20;
        if full || (self.policies.len() > 8 && drawn.one_in(3)) {
            let ended = self.policies.swap_remove(drawn.below(self.policies.len()));
            rows.push(end(ended.id));
            return rows;
        }
        let (scope, _, text, checked) = drawn.policy(validator);
        let before = self.policies.iter().position(|it| it.scope == scope);
        let (id, number) = match before.filter(|_| drawn.one_in(2)) {
            Some(place) => {
                let before = self.policies.swap_remove(place);
                rows.push(end(before.id));
                (before.id, before.number + 1)
            }
            None => {
                self.written += 1;
                let new = id::<PolicyId>(self.written);
                rows.push(insert(new, scope));
                (new, 1)
            }
        };
        rows.push(
            sql("INSERT INTO policy_versions (policy_id, number, state, effect, text, sha256, note, created_at, created_by)
                 VALUES ($1, $2, 'active', $3, $4, $5, '', 0, 'cast')")
            .bind(id)
            .bind(number)
            .bind(checked.effect.as_str())
            .bind(text.clone())
            .bind(Sha256::digest(text.as_bytes()).to_vec()),
        );
        self.policies.push(Active { id, number, scope, text, actions: checked.actions });
        rows
    }

    /// What somebody holds, own and through teams; a team's roles of the organization come with the team.
    pub(super) fn in_projects(&self, somebody: &Somebody) -> impl Iterator<Item = (ProjectId, Role)> {
        let teams = somebody.teams.iter().flat_map(|team| &self.teams[*team]);
        let held = somebody.roles.iter().chain(teams);
        held.filter_map(|(project, role)| Some(((*project)?, *role))).collect::<Vec<_>>().into_iter()
    }
}

/// Environments with keys and secrets in them.
fn things() -> impl Iterator<Item = Sql> {
    let environments = all("Environment").map(|n| {
        let (slug, label) = names_of(n);
        sql("INSERT INTO environments (id, project_id, slug, name, folded_name, label, overlap_seconds, created_at,
                                       created_by, row_version)
             VALUES ($1, $2, $3, $4, $5, $6, 3600, 0, 'cast', 1)")
        .bind(id::<EnvironmentId>(n))
        .bind(project_of(n))
        .bind(slug)
        .bind(slug)
        .bind(slug)
        .bind(label)
    });
    let things = all("ApiKey").map(key_of).chain(all("Secret").map(secret_of));
    environments.chain(things.enumerate().map(|(n, thing)| match thing {
        Resource::ApiKey { id, project, environment, owner } => {
            sql("INSERT INTO api_keys (id, project_id, environment_id, name, folded_name, description, owner_kind, owner_id,
                                       scopes, allowed_cidrs, tags, metadata, imported, created_at, created_by, row_version)
                 VALUES ($1, $2, $3, $4, $5, '', $6, $7, '[]', '[]', '[]', '{}', 0, 0, 'cast', 1)")
            .bind(id)
            .bind(project)
            .bind(environment)
            .bind(format!("Key {n}"))
            .bind(format!("key {n}"))
            .bind(owner.kind())
            .bind(owner.to_string())
        }
        Resource::Secret { id, project, environment } => {
            sql("INSERT INTO secrets (id, project_id, environment_id, path, folded_path, description, tags, owner_kind, owner_id,
                                      last_version, created_at, created_by, row_version)
                 VALUES ($1, $2, $3, $4, $5, '', '[]', 'person', $6, 0, 0, 'cast', 1)")
            .bind(id)
            .bind(project)
            .bind(environment)
            .bind(format!("secret-{n}"))
            .bind(format!("secret-{n}"))
            .bind(super::id::<UserId>(1))
        }
        other => panic!("{other:?} is neither"),
    }))
}

/// The id of a team by its place.
pub(super) fn team_id(place: usize) -> TeamId {
    id(u128::try_from(place).unwrap() + 1)
}

/// Gives a role, or takes one.
fn turn_role(drawn: &mut Drawn, kind: &'static str, holder: &str, roles: &mut Held) -> Vec<Sql> {
    let name = |project: Option<ProjectId>, role: Role| {
        format!("{holder}-{role}-{}", project.map_or_else(String::new, |it| it.to_string()))
    };
    if roles.len() >= 3 || (!roles.is_empty() && drawn.one_in(2)) {
        let held: Vec<_> = roles.iter().copied().collect();
        let (project, role) = *drawn.of(&held);
        roles.remove(&(project, role));
        return vec![sql("DELETE FROM role_bindings WHERE id = $1").bind(name(project, role))];
    }
    let role = *drawn.of(&Role::ALL);
    let project = match role.scope() {
        RoleScope::Organization => None,
        RoleScope::Project => Some(drawn.one("Project")),
    };
    if !roles.insert((project, role)) {
        return Vec::new();
    }
    vec![
        sql("INSERT INTO role_bindings (id, principal_kind, principal_id, role, project_id, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5, 0, 'cast')")
        .bind(name(project, role))
        .bind(kind)
        .bind(holder)
        .bind(role.as_str())
        .bind(project),
    ]
}

fn insert(id: PolicyId, scope: PolicyScope) -> Sql {
    let (project, scope) = match scope {
        PolicyScope::Organization => (None, keywarden_store::policies::ORGANIZATION.to_owned()),
        PolicyScope::Project(project) => (Some(project), project.to_string()),
    };
    sql("INSERT INTO policies (id, project_id, scope, name, folded_name, numbered, created_at, created_by, row_version)
         VALUES ($1, $2, $3, $4, $5, 1, 0, 'cast', 1)")
    .bind(id)
    .bind(project)
    .bind(scope)
    .bind(id.to_string())
    .bind(id.to_string())
}

fn end(id: PolicyId) -> Sql {
    sql("UPDATE policy_versions SET state = 'superseded' WHERE policy_id = $1 AND state = 'active'").bind(id)
}
