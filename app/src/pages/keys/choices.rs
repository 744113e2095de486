//! What a form about a key can offer: where it may lie and whose it may be.

use keywarden_domain::{
    Action, Op, Refused,
    authz::{Owner, Reach},
    projects::ProjectQuery,
};

use crate::{
    context::House,
    text::Text,
    ui::{Choice, choice},
};

/// Projects and teams that a select offers; there are other doors for houses with more.
const MOST: u32 = 200;

/// An environment that something may be done in.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    /// The environment's id.
    pub(crate) id: String,
    /// The project's slug.
    pub(crate) project: String,
    /// The environment's slug.
    pub(crate) environment: String,
    /// `Payments / production`.
    pub(crate) name: String,
}

/// The environments in which the person asking may do this.
pub(crate) async fn spots(house: &House, op: &Op, action: Action) -> Result<Vec<Spot>, Refused> {
    let reach = house.domain.reach(op, action).await?;
    let query = ProjectQuery { limit: MOST, ..ProjectQuery::default() };
    let mut spots = Vec::new();
    for listed in house.domain.projects(op, &query).await?.projects {
        let project = listed.project;
        if !reach.covers(project.id) {
            continue;
        }
        for it in house.domain.environments(op, project.id).await? {
            let name = format!("{} / {}", project.name, it.name);
            let (id, project) = (it.id.to_string(), project.slug.clone());
            spots.push(Spot { id, project, environment: it.slug, name });
        }
    }
    Ok(spots)
}

/// Environments and owners to choose from.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    pub(super) spots: Vec<Spot>,
    /// Teams by id; the person asking is not among them.
    pub(super) teams: Vec<(String, String)>,
}

impl Choices {
    /// What the person asking may choose for `action`, which is done in an environment.
    pub(super) async fn of(house: &House, op: &Op, action: Action) -> Result<Self, Refused> {
        Ok(Self { spots: spots(house, op, action).await?, teams: teams(house, op).await? })
    }

    /// The environment to begin with: the only one, or the only one of this project.
    pub(super) fn first(&self, project: &str) -> String {
        let fits = |it: &&Spot| project.is_empty() || it.project == project;
        match (self.spots.iter().find(fits), self.spots.iter().filter(fits).count()) {
            (Some(spot), 1) => spot.id.clone(),
            _ => String::new(),
        }
    }

    pub(super) fn environments(&self) -> Vec<Choice> {
        self.spots.iter().map(|it| choice(it.id.clone(), it.name.clone()).named()).collect()
    }

    pub(super) fn owners(&self, t: Text) -> Vec<Choice> {
        let me = std::iter::once(choice("", t.keys_owner_me()));
        me.chain(self.teams.iter().map(|(id, name)| choice(id.clone(), name.clone()).named())).collect()
    }
}

/// Teams that may own a key: the person's own, or all where they see everything.
pub(super) async fn teams(house: &House, op: &Op) -> Result<Vec<(String, String)>, Refused> {
    let reach = house.domain.reach(op, Action::ViewKey).await?;
    let mine = |team| match &reach {
        Reach::All => true,
        Reach::Part { owners, .. } => owners.contains(&Owner::Team(team)),
    };
    let found = house.domain.teams(op, None, MOST).await?.teams;
    Ok(found.into_iter().filter(|it| mine(it.id)).map(|it| (it.id.to_string(), it.name)).collect())
}
