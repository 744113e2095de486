//! What a person or workload can do, where, and by what.

use std::collections::{BTreeMap, BTreeSet};

use keywarden_model::{ProjectId, Role, TeamId, UserId};
use keywarden_store::{facts, names};

use super::principal::Known;
use super::{Path, Setting, Sight, Thing, WrittenPolicies};
use crate::authz::{
    Circumstances, Explainer, Facts, Ground, Kind, NOBODY, NOWHERE, Named, Owner, Part, Target, specimen,
};
use crate::roles::Holder;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Everything that somebody can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// A person or a workload.
    pub holder: Holder,
    /// What they are called.
    pub name: String,
    /// Somebody deactivated can do nothing.
    pub active: bool,
    /// By place.
    pub allowed: Vec<Allowed>,
    /// The policies among the paths that people wrote.
    pub written: WrittenPolicies,
}

/// Something that somebody can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Where.
    pub place: Where,
    /// What.
    pub action: Action,
    /// Each way that would do by itself.
    pub paths: Vec<Path>,
}

/// Where something can be done.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Where {
    /// In the organization: people, teams, settings.
    Organization,
    /// In every project, be it made later.
    EveryProject,
    /// In this project, by its name.
    Project(ProjectId, String),
    /// To API keys of their own.
    OwnKeys,
    /// To API keys of a team, by its name.
    TeamKeys(TeamId, String),
    /// To their own account.
    Themselves,
}

impl Where {
    /// The stable word for the kind of place.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::EveryProject => "every-project",
            Self::Project(..) => "project",
            Self::OwnKeys => "own-keys",
            Self::TeamKeys(..) => "team-keys",
            Self::Themselves => "own-account",
        }
    }
}

impl Permissions {
    /// Only actions in whose name or words this stands.
    #[must_use]
    pub fn only(mut self, part: Option<&str>) -> Self {
        if let Some(part) = part.map(str::to_lowercase) {
            let fits = |it: &Allowed| it.action.name().contains(&part) || it.action.words().contains(&part);
            self.allowed.retain(fits);
        }
        self
    }
}

impl Domain {
    /// What somebody can do, aside from a fresh passkey, as far as the caller may see it. A thing that a policy singles out by
    /// what it is like is asked about at the thing: here each is of nobody, without tags and in an environment without a name.
    pub async fn permissions_of(&self, op: &Op, holder: Holder) -> Result<Permissions, Refused> {
        if let Holder::Workload(id) = holder {
            let mut conn = self.store().read().await.map_err(Fault::from)?;
            let thing = Thing::find(&mut conn, &id.to_string()).await?.ok_or(Refused::NotFound)?;
            drop(conn);
            let _seen = self.authorize(op, Action::ViewWorkload, &thing.resource).await?;
        }
        let sight = self.explains(op).await?;
        let counter = self.counter().await?;
        let in_force = self.gate().in_force(self.store(), counter).await?;
        let explainer = self.gate().explainer(&in_force);
        let named = explainer.named();
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let known = self.known(&mut conn, &sight, holder, op.now).await?;
        let mut projects: BTreeSet<_> =
            known.principal.projects.iter().map(|(project, _)| *project).collect();
        projects.extend(named.projects());
        if let Sight::Projects(seen) = &sight {
            projects = seen.iter().copied().collect();
        }
        let ids: Vec<_> = projects.iter().map(ToString::to_string).collect();
        let teams: Vec<_> = known.principal.teams.iter().map(ToString::to_string).collect();
        let wanted = ids.iter().chain(&teams).map(String::as_str);
        let called = names::of(&mut conn, wanted).await.map_err(Fault::from)?;
        let mut slugs = BTreeMap::new();
        if explainer.asks_of_slugs() {
            for project in &projects {
                let row = facts::of_project(&mut conn, *project).await.map_err(Fault::from)?;
                slugs.insert(*project, row.map(|it| it.project).unwrap_or_default());
            }
        }
        drop(conn);
        let moment = Setting::default().circumstances(&known.who, op.now);
        let (named, known, called) = (&named, &known, &called);
        let asking = Asking { explainer, moment: &moment, named, known, called, slugs: &slugs };
        let mut allowed = Vec::new();
        if matches!(sight, Sight::All) {
            allowed = asking.everywhere()?;
        }
        let general: BTreeSet<_> = (allowed.iter())
            .filter(|it| it.place == Where::EveryProject)
            .map(|it| it.action.name())
            .collect();
        allowed.extend(asking.in_projects(&projects, &general)?);
        let paths = allowed.iter().flat_map(|it| &it.paths);
        let written = self.written(op, paths.flat_map(|it| it.policies.iter().map(String::as_str))).await?;
        Ok(Permissions { holder, name: known.name.clone(), active: known.active, allowed, written })
    }
}

/// What the answer for a project hangs on: itself, if policies tell it apart, and the roles that are held there.
type Like = (Option<ProjectId>, BTreeSet<Role>);
/// Something that may be done, and by what.
type May = (Action, Vec<Ground>);

struct Asking<'a> {
    explainer: Explainer<'a>,
    moment: &'a Circumstances,
    named: &'a Named,
    known: &'a Known,
    called: &'a BTreeMap<String, String>,
    /// What projects are called in addresses, where a policy asks for it.
    slugs: &'a BTreeMap<ProjectId, String>,
}

impl Asking<'_> {
    /// What does not hang on a particular project.
    fn everywhere(&self) -> Result<Vec<Allowed>, Fault> {
        let mut allowed = Vec::new();
        for action in Action::ALL {
            let resource = match action.kind() {
                Kind::Person => Resource::Person(UserId::NIL),
                Kind::Scope => Resource::Organization,
                _ => specimen(*action, NOWHERE, NOBODY),
            };
            let place = if resource.project().is_none() { Where::Organization } else { Where::EveryProject };
            let paths = self.ask(*action, resource)?;
            let anyway = !paths.is_empty();
            allowed.extend(anyway.then_some(Allowed { place, action: *action, paths }));
            if action.kind() == Kind::Scope {
                let paths = self.ask(*action, Resource::Project(NOWHERE))?;
                let place = Where::EveryProject;
                allowed.extend((!paths.is_empty()).then_some(Allowed { place, action: *action, paths }));
            }
            if !anyway {
                allowed.extend(self.own(*action)?);
            }
        }
        Ok(allowed)
    }

    /// To what is their own, or their teams'.
    fn own(&self, action: Action) -> Result<Vec<Allowed>, Fault> {
        let Holder::Person(person) = self.known.holder else { return Ok(Vec::new()) };
        let mut things = Vec::new();
        match action.kind() {
            Kind::ApiKey => {
                things.push((Where::OwnKeys, specimen(action, NOWHERE, Owner::Person(person))));
                for team in &self.known.principal.teams {
                    let place = Where::TeamKeys(*team, self.name(&team.to_string()));
                    things.push((place, specimen(action, NOWHERE, Owner::Team(*team))));
                }
            }
            Kind::Person => things.push((Where::Themselves, Resource::Person(person))),
            _ => {}
        }
        let mut allowed = Vec::new();
        for (place, resource) in things {
            let paths = self.ask(action, resource)?;
            allowed.extend((!paths.is_empty()).then_some(Allowed { place, action, paths }));
        }
        Ok(allowed)
    }

    /// What is allowed in each of these projects, beside what is allowed in all. Where somebody holds the same roles in several
    /// that no policy names, the policies are asked once.
    fn in_projects(
        &self,
        projects: &BTreeSet<ProjectId>,
        general: &BTreeSet<&'static str>,
    ) -> Result<Vec<Allowed>, Fault> {
        let named = self.named.projects();
        let mut answers: BTreeMap<Like, Vec<May>> = BTreeMap::new();
        let mut allowed = Vec::new();
        for project in projects {
            let held = self.known.principal.projects.iter().filter(|(at, _)| at == project);
            let roles: BTreeSet<_> = held.map(|(_, role)| *role).collect();
            let told_apart = named.contains(project) || self.slugs.contains_key(project);
            let like = (told_apart.then_some(*project), roles);
            if !answers.contains_key(&like) {
                answers.insert(like.clone(), self.in_project(*project, general)?);
            }
            for (action, grounds) in answers.get(&like).into_iter().flatten() {
                let place = Where::Project(*project, self.name(&project.to_string()));
                let paths = self.paths(grounds, *project);
                allowed.push(Allowed { place, action: *action, paths });
            }
        }
        Ok(allowed)
    }

    fn in_project(&self, project: ProjectId, general: &BTreeSet<&'static str>) -> Result<Vec<May>, Fault> {
        let mut may = Vec::new();
        for action in Action::ALL.iter().filter(|it| !general.contains(it.name())) {
            let resource = specimen(*action, project, NOBODY);
            if resource.project().is_some() {
                let grounds = self.grounds(*action, resource)?;
                may.extend((!grounds.is_empty()).then_some((*action, grounds)));
            }
        }
        Ok(may)
    }

    fn grounds(&self, action: Action, resource: Resource) -> Result<Vec<Ground>, Fault> {
        let mut target = Target::holder(resource, &[]);
        if self.explainer.asks_of(action, &resource) {
            let slug = resource.project().and_then(|it| self.slugs.get(&it)).cloned();
            target = target.with(Facts { project: slug.unwrap_or_default(), ..Facts::default() });
        }
        let among = self.explainer.mentioned(self.named, action, &target)?;
        Ok(self.explainer.grounds(&self.known.principal, action, &target, self.moment, &among))
    }

    /// The ways to a yes that hang on no particular project.
    fn ask(&self, action: Action, resource: Resource) -> Result<Vec<Path>, Fault> {
        Ok(self.paths(&self.grounds(action, resource)?, NOWHERE))
    }

    /// The grounds as they are held in `project`.
    fn paths(&self, grounds: &[Ground], project: ProjectId) -> Vec<Path> {
        let mut paths = Vec::new();
        for ground in grounds {
            let path = |team| Path { part: ground.part, team, policies: ground.policies.clone() };
            match ground.part {
                Part::Itself | Part::Together => paths.push(path(None)),
                Part::Team(id) => paths.push(path(Some((id, self.name(&id.to_string()))))),
                Part::OrganizationRole(role) => paths.extend(self.ways(role, None).map(path)),
                Part::ProjectRole(role) => paths.extend(self.ways(role, Some(project)).map(path)),
            }
        }
        paths
    }

    /// By whom a role comes: by oneself, or by teams.
    fn ways(&self, role: Role, project: Option<ProjectId>) -> impl Iterator<Item = Option<(TeamId, String)>> {
        let project = project.map(|it| it.to_string());
        let held = self.known.roles.iter();
        let held = held.filter(move |it| it.role == role.as_str() && it.project_id == project);
        held.map(|it| {
            it.principal_id.parse().ok().map(|id| (id, it.principal_name.clone().unwrap_or_default()))
        })
    }

    fn name(&self, id: &str) -> String {
        self.called.get(id).cloned().unwrap_or_default()
    }
}
