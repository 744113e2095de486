//! Whom and what a policy can name, as its author may see them: for the choices of the editor, and for the sentence.

use std::collections::BTreeSet;

use keywarden_domain::{
    Action, Domain, Op, Refused,
    authz::PolicyScope,
    environments::Environment,
    people::{UserFilter, UserState},
    policy::form::{Effect, Named},
    projects::Project,
    workloads::WorkloadQuery,
};
use keywarden_model::{ProjectId, Role};

use crate::{
    text::Text,
    ui::{Choice, choice},
};

/// Of each kind.
const MOST: u32 = 200;
/// Projects whose environments are looked up.
const PROJECTS: u32 = 50;

/// Where a policy holds.
#[derive(Clone, Debug)]
pub(in crate::pages) enum Place {
    Organization,
    Project { id: ProjectId, name: String },
}

impl Place {
    /// As the domain has it.
    pub(in crate::pages) fn scope(&self) -> PolicyScope {
        match self {
            Self::Organization => PolicyScope::Organization,
            Self::Project { id, .. } => PolicyScope::Project(*id),
        }
    }
}

/// Ids with their names.
#[derive(Clone, Debug, Default)]
pub(in crate::pages) struct Names {
    people: Vec<(String, String)>,
    teams: Vec<(String, String)>,
    workloads: Vec<(String, String)>,
    projects: Vec<(String, String)>,
    environments: Vec<(String, String)>,
    /// Of projects and of environments.
    slugs: (Vec<String>, BTreeSet<String>),
    tags: Vec<String>,
}

/// Actions of one noun.
pub(super) struct Noun {
    /// The part of their names before the dot.
    pub(super) name: String,
    pub(super) label: String,
    pub(super) choices: Vec<Choice>,
}

impl Names {
    /// All that this person may see, of a project's policy in that project alone.
    pub(in crate::pages) async fn load(domain: &Domain, op: &Op, place: &Place) -> Result<Self, Refused> {
        let here = match place {
            Place::Organization => None,
            Place::Project { id, .. } => Some(*id),
        };
        let projects = domain.projects_in_sight(op, PROJECTS).await?;
        let projects: Vec<_> = projects.into_iter().filter(|it| here.is_none_or(|id| it.id == id)).collect();
        let active = UserFilter { name: None, state: Some(UserState::Active) };
        let people = seen(domain.list_users(op, &active, None, MOST).await.map(|page| page.users))?;
        let teams = seen(domain.teams(op, None, MOST).await.map(|page| page.teams))?;
        let machines = WorkloadQuery {
            project: here,
            deactivated: false,
            search: None,
            token_ends_within_days: None,
            after: None,
            limit: MOST,
        };
        let workloads = seen(domain.workloads(op, &machines).await.map(|page| page.workloads))?;
        let environments = environments(domain, op, &projects).await?;
        let slugs = (
            projects.iter().map(|it| it.slug.clone()).collect(),
            environments.iter().map(|(_, it)| it.slug.clone()).collect(),
        );
        let named =
            |(project, it): (String, Environment)| (it.id.to_string(), format!("{project} / {}", it.name));
        Ok(Self {
            tags: domain.tags_in_sight(op, place.scope()).await?.into_iter().collect(),
            slugs,
            people: people.into_iter().map(|it| (it.id.to_string(), it.name)).collect(),
            teams: teams.into_iter().map(|it| (it.id.to_string(), it.name)).collect(),
            workloads: workloads.into_iter().map(|it| (it.id.to_string(), it.name)).collect(),
            environments: environments.into_iter().map(named).collect(),
            projects: projects.into_iter().map(|it| (it.id.to_string(), it.name)).collect(),
        })
    }

    /// What projects are called in addresses.
    pub(super) fn project_slugs(&self) -> Vec<String> {
        self.slugs.0.clone()
    }

    /// What environments are called in addresses.
    pub(super) fn environment_slugs(&self) -> Vec<String> {
        self.slugs.1.iter().cloned().collect()
    }

    /// Tags that there are.
    pub(super) fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Their names, each once.
    pub(super) fn tag_names(&self) -> Vec<String> {
        let names = self.tags.iter().filter_map(|tag| tag.split('=').next());
        names.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn table(&self, kind: &str) -> &[(String, String)] {
        match kind {
            "Environment" => &self.environments,
            "Person" => &self.people,
            "Project" => &self.projects,
            "Team" => &self.teams,
            "Workload" => &self.workloads,
            _ => &[],
        }
    }

    /// All of it: the type, the id and the name of each.
    pub(super) fn each_thing(&self) -> impl Iterator<Item = (&'static str, &str, &str)> {
        let kinds = ["Environment", "Person", "Project", "Team", "Workload"].into_iter();
        kinds.flat_map(|kind| {
            self.table(kind).iter().map(move |(id, name)| (kind, id.as_str(), name.as_str()))
        })
    }

    /// What a thing is called; its id where nobody told us more.
    pub(in crate::pages) fn named(&self, t: Text, kind: &str, id: &str) -> String {
        if kind == "OrganizationRole" {
            return id.parse::<Role>().map_or_else(|_| id.to_owned(), |role| t.role(role).to_owned());
        }
        let known = self.table(kind).iter().find(|(it, _)| it == id);
        known.map_or_else(|| id.to_owned(), |(_, name)| name.clone())
    }

    /// The same with its kind before it.
    pub(super) fn of(&self, t: Text, named: &Named) -> String {
        if named.id.is_empty() {
            return t.policies_choose().to_owned();
        }
        t.policies_named(&t.policies_one_of(&named.kind), &self.named(t, &named.kind, &named.id))
    }

    /// Things of a kind, for a condition's select.
    pub(in crate::pages) fn choices(&self, t: Text, kind: &str) -> Vec<Choice> {
        if kind == "OrganizationRole" {
            let roles = [Role::Owner, Role::Admin, Role::Auditor].into_iter();
            return roles.map(|role| choice(role.as_str(), t.role(role))).collect();
        }
        self.table(kind).iter().map(|(id, name)| choice(id, name).named()).collect()
    }

    fn each(&self, t: Text, how: &str, kind: &str) -> impl Iterator<Item = Choice> {
        let named = move |it: Choice| {
            let label = t.policies_named(&t.policies_one_of(kind), it.label());
            choice(format!("{how}:{kind}:{}", it.value()), label).named()
        };
        self.choices(t, kind).into_iter().map(named)
    }

    /// Whoever a policy can be about.
    pub(super) fn principals(&self, t: Text) -> Vec<Choice> {
        let kinds = ["Person", "Workload", "Operator"].into_iter();
        let kinds =
            kinds.map(|kind| choice(format!("is:{kind}"), t.policies_all_kind(&t.policies_each(kind))));
        [choice("all", t.policies_anyone())]
            .into_iter()
            .chain(kinds)
            .chain(self.each(t, "in", "Team"))
            .chain(self.each(t, "in", "OrganizationRole"))
            .chain(self.each(t, "one", "Person"))
            .chain(self.each(t, "one", "Workload"))
            .collect()
    }

    /// Whatever a policy can be about that holds there.
    pub(super) fn things(&self, t: Text, place: &Place) -> Vec<Choice> {
        let (all, projects) = match place {
            Place::Organization => (t.policies_everything().to_owned(), Some(self.each(t, "in", "Project"))),
            Place::Project { name, .. } => (t.policies_everything_in(name), None),
        };
        let kinds = ["ApiKey", "Secret"].into_iter();
        let kinds =
            kinds.map(|kind| choice(format!("is:{kind}"), t.policies_all_kind(&t.policies_each(kind))));
        [choice("all", all)]
            .into_iter()
            .chain(kinds)
            .chain(projects.into_iter().flatten())
            .chain(self.each(t, "in", "Environment"))
            .collect()
    }
}

/// What actions are about, in the order in which it is offered.
const AREAS: [&str; 13] = [
    "key",
    "secret",
    "project",
    "environment",
    "workload",
    "user",
    "team",
    "role",
    "policy",
    "audit",
    "leak",
    "backup",
    "system",
];

/// Where somebody looks for an action: at the noun of its name, or at the one that its noun belongs to.
fn area(action: Action) -> &'static str {
    match action.name().split('.').next().unwrap_or_default() {
        "fingerprint" => "leak",
        "permission" => "policy",
        "project-key" => "project",
        "service-token" | "trust-rule" => "workload",
        "notice" | "passkey" | "recovery-codes" | "session" => "account",
        noun => noun,
    }
}

/// What a policy can be about there, by noun; what is chosen is among it, whatever it is.
pub(super) fn actions(t: Text, place: &Place, effect: Effect, chosen: &[String]) -> Vec<Noun> {
    let offered = |action: &Action| {
        let fits = matches!(place, Place::Organization) || action.is_of_projects();
        let gives = effect == Effect::Forbid || action.is_grantable();
        (fits && gives) || chosen.iter().any(|it| it == action.name())
    };
    let mut nouns: Vec<Noun> = Vec::new();
    let place = |noun: &str| AREAS.iter().position(|it| *it == noun).unwrap_or(AREAS.len());
    let mut all: Vec<_> = Action::ALL.iter().filter(|it| offered(it)).map(|it| (area(*it), it)).collect();
    all.sort_by_key(|(noun, _)| place(noun));
    for (noun, action) in all {
        let box_ = choice(action.name(), t.action(action.name()));
        match nouns.iter_mut().find(|it| it.name == noun) {
            Some(there) => there.choices.push(box_),
            None => {
                let label = t.policies_noun(noun);
                nouns.push(Noun { name: noun.to_owned(), label, choices: vec![box_] });
            }
        }
    }
    let groups: Vec<_> = chosen.iter().filter_map(|it| it.strip_prefix("group:")).collect();
    if !groups.is_empty() {
        let boxes = groups.iter().map(|it| choice(format!("group:{it}"), t.action(it)).named());
        let label = t.policies_groups().to_owned();
        nouns.push(Noun { name: "groups".to_owned(), label, choices: boxes.collect() });
    }
    nouns
}

/// What is not this person's to see is left out.
fn seen<T>(found: Result<Vec<T>, Refused>) -> Result<Vec<T>, Refused> {
    match found {
        Err(Refused::Forbidden(_) | Refused::NotFound) => Ok(Vec::new()),
        other => other,
    }
}

async fn environments(
    domain: &Domain,
    op: &Op,
    projects: &[Project],
) -> Result<Vec<(String, Environment)>, Refused> {
    let mut all = Vec::new();
    for project in projects {
        let found = seen(domain.environments(op, project.id).await)?;
        all.extend(found.into_iter().map(|it| (project.name.clone(), it)));
    }
    Ok(all)
}
