//! Everybody and everything of today as decisions see them, read in batches; or a part of it, before and after a change.

use std::collections::{HashMap, HashSet};

use keywarden_model::{ProjectId, Role, RoleScope, TeamId};
use keywarden_store::{
    Conn,
    estate::{self, Kind as Rows},
};

use super::Grant;
use crate::authz::{Asks, Facts, Kind, Owner, Principal, Target, Who};
use crate::{Action, Fault, Resource};

/// Rows that are read at once.
const BATCH: u32 = 5_000;
/// People and workloads that are looked at.
const PEOPLE: usize = 20_000;
/// Things that are looked at.
const THINGS: usize = 100_000;

/// Who could ask, and about what.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// Along their ids, people first.
    pub(crate) people: Vec<Changed<Principal>>,
    /// Along their ids, kind by kind.
    pub(crate) things: Vec<Changed<Target>>,
    /// There are more people or workloads than these.
    pub(crate) more_people: bool,
    /// There are more things than these.
    pub(crate) more_things: bool,
}

/// Something before a change, and after it where that is not the same.
#[derive(Debug, Clone)]
pub(crate) struct Changed<T> {
    pub(crate) before: T,
    after: Option<T>,
}

impl<T> Changed<T> {
    pub(crate) fn not(same: T) -> Self {
        Self { before: same, after: None }
    }

    pub(crate) fn to(before: T, after: T) -> Self {
        Self { before, after: Some(after) }
    }

    /// Whether it is as before.
    pub(crate) fn is_same(&self) -> bool {
        self.after.is_none()
    }

    pub(crate) fn after(&self) -> &T {
        self.after.as_ref().unwrap_or(&self.before)
    }
}

impl World {
    /// Everybody who is active, and all things that these actions are done to: in a project, or anywhere. Of each thing is read
    /// what policies ask of it.
    pub(crate) async fn read(
        conn: &mut Conn,
        actions: &[Action],
        asks: &Asks,
        within: Option<ProjectId>,
    ) -> Result<Self, Fault> {
        let standings = Standings::read(conn).await?;
        let mut world = Self::default();
        world.read_people(conn, &standings).await?;
        world.read_things(conn, &standings, (actions, asks), within).await?;
        Ok(world)
    }

    /// Everybody who is active, beside those who are here.
    pub(crate) async fn read_people(&mut self, conn: &mut Conn, standings: &Standings) -> Result<(), Fault> {
        for workloads in [false, true] {
            let mut after = String::new();
            loop {
                let batch = if workloads {
                    estate::workloads(conn, &after, BATCH).await?
                } else {
                    estate::people(conn, &after, BATCH).await?
                };
                let Some(last) = batch.last() else { break };
                after.clone_from(&last.id);
                for somebody in &batch {
                    if self.people.len() >= PEOPLE {
                        self.more_people = true;
                        return Ok(());
                    }
                    self.people.push(Changed::not(standings.principal(&somebody.id)?));
                }
            }
        }
        Ok(())
    }

    /// All things that these actions are done to, beside those that are here.
    pub(crate) async fn read_things(
        &mut self,
        conn: &mut Conn,
        standings: &Standings,
        (actions, asks): (&[Action], &Asks),
        within: Option<ProjectId>,
    ) -> Result<(), Fault> {
        let kinds: HashSet<Kind> = actions.iter().map(|it| it.kind()).collect();
        let has = |kind: Kind| kinds.contains(&kind);
        if within.is_none() && (has(Kind::Organization) || has(Kind::Scope)) {
            self.things.push(Changed::not(Target::thing(Resource::Organization)));
        }
        for (rows, wanted) in [
            (Rows::ApiKeys, has(Kind::ApiKey)),
            (Rows::Environments, has(Kind::Environment)),
            (Rows::People, has(Kind::Person) && within.is_none()),
            (Rows::Projects, has(Kind::Project) || has(Kind::Scope)),
            (Rows::Secrets, has(Kind::Secret)),
            (Rows::Teams, has(Kind::Team) && within.is_none()),
            (Rows::Workloads, has(Kind::Workload)),
        ] {
            let mut after = wanted.then(String::new);
            while let Some(id) = after.take() {
                let batch = estate::things(conn, rows, within, &id, BATCH).await?;
                let first = batch.first().map(|it| resource(rows, it)).transpose()?;
                // Of workloads, those that lie in a project.
                let asked =
                    first.is_some_and(|it| asks.needs(&it)) || (rows == Rows::Workloads && asks.slugs);
                let known =
                    if asked { estate::known(conn, rows, within, &id, BATCH).await? } else { Vec::new() };
                let mut known: HashMap<_, _> = known.into_iter().map(|it| (it.id, it.facts)).collect();
                after = batch.last().map(|it| it.id.clone());
                for row in &batch {
                    if self.things.len() >= THINGS {
                        self.more_things = true;
                        return Ok(());
                    }
                    let target = standings.target(resource(rows, row)?);
                    let facts = known.remove(&row.id).map(Facts::try_from).transpose()?;
                    self.things.push(Changed::not(Target { facts, ..target }));
                }
            }
        }
        Ok(())
    }
}

impl World {
    /// Everybody and everything afterwards, where these are the standings then.
    pub(crate) fn granted(&mut self, after: &Standings) -> Result<(), Fault> {
        for person in &mut self.people {
            let id = match &person.before.who {
                Who::Person(id) => id.to_string(),
                Who::Workload(id) => id.to_string(),
                Who::Nobody | Who::Operator(_) => continue,
            };
            let then = after.principal(&id)?;
            person.after = (then != person.before).then_some(then);
        }
        for thing in &mut self.things {
            let facts = thing.before.facts.clone();
            let then = Target { facts, ..after.target(thing.before.resource) };
            thing.after = (then != thing.before).then_some(then);
        }
        Ok(())
    }
}

fn resource(rows: Rows, row: &estate::Thing) -> Result<Resource, Fault> {
    fn of<T: std::str::FromStr>(row: &estate::Thing, text: Option<&String>, what: &str) -> Result<T, Fault> {
        let parsed = text.and_then(|it| it.parse().ok());
        parsed.ok_or_else(|| Fault::Damaged(format!("{}: {what}", row.id)))
    }
    let (project, environment) = (row.project_id.as_ref(), row.environment_id.as_ref());
    Ok(match rows {
        Rows::ApiKeys => {
            let owner = row.owner_id.as_deref().and_then(Owner::parse);
            Resource::ApiKey {
                id: of(row, Some(&row.id), "id")?,
                project: of(row, project, "project")?,
                environment: of(row, environment, "environment")?,
                owner: owner.ok_or_else(|| Fault::Damaged(format!("{}: owner", row.id)))?,
            }
        }
        Rows::Environments => {
            Resource::Environment { id: of(row, Some(&row.id), "id")?, project: of(row, project, "project")? }
        }
        Rows::People => Resource::Person(of(row, Some(&row.id), "id")?),
        Rows::Projects => Resource::Project(of(row, Some(&row.id), "id")?),
        Rows::Secrets => Resource::Secret {
            id: of(row, Some(&row.id), "id")?,
            project: of(row, project, "project")?,
            environment: of(row, environment, "environment")?,
        },
        Rows::Teams => Resource::Team(of(row, Some(&row.id), "id")?),
        Rows::Workloads => Resource::Workload {
            id: of(row, Some(&row.id), "id")?,
            project: project.map(|it| of(row, Some(it), "project")).transpose()?,
        },
    })
}

/// Who is in which team, and who holds which role.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standings {
    roles: HashMap<String, Vec<(Role, Option<ProjectId>)>>,
    teams: HashMap<String, Vec<TeamId>>,
}

impl Standings {
    /// All of it, in two statements.
    pub(crate) async fn read(conn: &mut Conn) -> Result<Self, Fault> {
        let mut standings = Self::default();
        for member in estate::members(conn).await? {
            let team = member.team_id.parse();
            let team = team.map_err(|cause| Fault::Damaged(format!("team_members: {cause}")))?;
            standings.teams.entry(member.user_id).or_default().push(team);
        }
        for held in estate::roles(conn).await? {
            let damaged =
                |what: &str| Fault::Damaged(format!("role_bindings of {}: {what}", held.principal_id));
            let role: Role = held.role.parse().map_err(|_| damaged("role"))?;
            let project = held.project_id.as_ref().map(|it| it.parse()).transpose();
            let project: Option<ProjectId> = project.map_err(|_| damaged("project"))?;
            if (role.scope() == RoleScope::Project) != project.is_some() {
                return Err(damaged("a role stands in the wrong scope"));
            }
            standings.roles.entry(held.principal_id).or_default().push((role, project));
        }
        Ok(standings)
    }

    /// With something given or taken.
    pub(crate) fn granted(&self, grant: &Grant) -> Self {
        let mut after = self.clone();
        match *grant {
            Grant::Join(team, person) => {
                let teams = after.teams.entry(person.to_string()).or_default();
                if !teams.contains(&team) {
                    teams.push(team);
                }
            }
            Grant::Leave(team, person) => {
                if let Some(teams) = after.teams.get_mut(&person.to_string()) {
                    teams.retain(|it| *it != team);
                }
            }
            Grant::Give(holder, role, project) => {
                after.roles.entry(holder.to_string()).or_default().push((role, project));
            }
            Grant::Take(holder, role, project) => {
                if let Some(roles) = after.roles.get_mut(&holder.to_string()) {
                    roles.retain(|it| *it != (role, project));
                }
            }
            // What a thing is, is no standing.
            Grant::Describe(..) => {}
        }
        after
    }

    /// Roles of a person, team or workload: its own, and those of the teams that a person is in.
    pub(crate) fn held(&self, id: &str) -> Vec<(Role, Option<ProjectId>)> {
        let own = self.roles.get(id).into_iter().flatten().copied();
        let teams = self.teams.get(id).into_iter().flatten();
        let theirs = teams.filter_map(|team| self.roles.get(&team.to_string())).flatten().copied();
        own.chain(theirs).collect()
    }

    /// A thing with what it holds, if it is somebody.
    pub(crate) fn target(&self, resource: Resource) -> Target {
        match resource {
            Resource::Person(_) | Resource::Team(_) | Resource::Workload { .. } => {
                Target::holder(resource, &self.held(&resource.name().1))
            }
            Resource::ApiKey { .. }
            | Resource::Environment { .. }
            | Resource::Organization
            | Resource::Project(_)
            | Resource::Secret { .. } => Target::thing(resource),
        }
    }

    /// An active person or workload with what counts of theirs.
    pub(crate) fn principal(&self, id: &str) -> Result<Principal, Fault> {
        let who = id.parse().map(Who::Person).or_else(|_| id.parse().map(Who::Workload));
        let who = who.map_err(|_| Fault::Damaged(format!("`{id}` is nobody's id")))?;
        let mut principal = Principal::bare(who);
        principal.teams = self.teams.get(id).cloned().unwrap_or_default();
        for (role, project) in self.held(id) {
            match project {
                None => principal.organization.push(role),
                Some(project) => principal.projects.push((project, role)),
            }
        }
        Ok(principal)
    }
}
