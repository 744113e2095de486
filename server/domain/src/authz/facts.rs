//! What policies that people wrote ask of a thing beyond its place and its roles: tags, the owner of a secret, the slugs of
//! its environment and project; and the local time of places on earth.
//!
//! Nothing of this is read unless a policy in force asks for it: see [`Asks::needs`]. It is read after the change counter that
//! the permit names, and a change of it that such a policy reads moves that counter ([`crate::policy`]): so a permit never
//! outlives the tags that it rests on. **Invariant:** where it is asked for and was not read, the answer is no.

use std::collections::BTreeSet;

use keywarden_model::{Tags, tag::TagError};
use keywarden_store::{Conn, facts as rows};

use super::{Owner, Resource};
use crate::Fault;

/// What a policy, or several, look at besides what every decision knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asks {
    /// The owner of a thing.
    pub owner: bool,
    /// Whether somebody said why.
    pub reason: bool,
    /// Slugs and labels of environments and projects.
    pub slugs: bool,
    /// Names of tags.
    pub tags: BTreeSet<String>,
    /// Time zones, by their names in the IANA's database.
    pub zones: BTreeSet<String>,
}

impl Asks {
    /// Whether the thing's row must be read before it can be decided about it. An owner of a key is known anyway.
    pub(crate) fn needs(&self, resource: &Resource) -> bool {
        let tags = !self.tags.is_empty();
        match resource {
            Resource::ApiKey { .. } => tags || self.slugs,
            Resource::Secret { .. } => tags || self.slugs || self.owner,
            Resource::Environment { .. }
            | Resource::Project(_)
            | Resource::Workload { project: Some(_), .. } => self.slugs,
            Resource::Organization
            | Resource::Person(_)
            | Resource::Team(_)
            | Resource::Workload { project: None, .. } => false,
        }
    }

    /// All that both look at.
    pub(crate) fn add(&mut self, other: &Self) {
        self.owner |= other.owner;
        self.reason |= other.reason;
        self.slugs |= other.slugs;
        self.tags.extend(other.tags.iter().cloned());
        self.zones.extend(other.zones.iter().cloned());
    }
}

/// What was read of a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its tags; none for what has no tags.
    pub tags: Tags,
    /// Whose it is, of a key or a secret.
    pub owner: Option<Owner>,
    /// The slug of its environment; empty where it lies in none.
    pub environment: String,
    /// What its environment is called in keys.
    pub label: String,
    /// The slug of its project; empty where it lies in none.
    pub project: String,
}

impl Facts {
    /// Reads it: one statement. Of what is not there, nothing is known.
    pub(crate) async fn load(conn: &mut Conn, resource: &Resource) -> Result<Self, Fault> {
        let row = match resource {
            Resource::ApiKey { id, .. } => rows::of_key(conn, *id).await?,
            Resource::Secret { id, .. } => rows::of_secret(conn, *id).await?,
            Resource::Environment { id, .. } => rows::of_environment(conn, *id).await?,
            Resource::Project(id) | Resource::Workload { project: Some(id), .. } => {
                rows::of_project(conn, *id).await?
            }
            Resource::Organization
            | Resource::Person(_)
            | Resource::Team(_)
            | Resource::Workload { project: None, .. } => None,
        };
        row.map_or_else(|| Ok(Self::default()), Self::try_from)
    }
}

impl TryFrom<rows::Facts> for Facts {
    type Error = Fault;
    fn try_from(row: rows::Facts) -> Result<Self, Fault> {
        let tags: Vec<String> =
            serde_json::from_str(&row.tags).map_err(|cause| Fault::Damaged(format!("tags: {cause}")))?;
        let damaged = |cause: TagError| Fault::Damaged(format!("tags: {cause}"));
        Ok(Self {
            tags: Tags::parse(tags).map_err(damaged)?,
            owner: Owner::parse(&row.owner),
            environment: row.environment,
            label: row.label,
            project: row.project,
        })
    }
}
