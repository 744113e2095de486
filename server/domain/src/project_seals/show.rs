//! Which seals projects may name, which project names which, and whether they answer.

use chrono::{DateTime, Utc};
use keywarden_model::{ProjectId, time::from_micros};
use keywarden_store::project_seals::{self as rows, NamedRow, OfferedRow};
use keywarden_vault::custody::Standing;
use keywarden_vault::{Protection, SealId};

use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Whether a seal of projects can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// It does not answer.
    Away {
        /// Since when.
        since: DateTime<Utc>,
        /// What it said.
        cause: String,
    },
    /// This server was not given it.
    NotHere,
    /// It answers.
    Present,
}

/// A seal that projects may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedSeal {
    /// Kind, colon, label.
    pub id: SealId,
    /// How well it keeps its key.
    pub protection: Protection,
    /// Since when.
    pub offered_at: DateTime<Utc>,
    /// Whether it answers this server.
    pub at: At,
    /// The slugs of projects that name it.
    pub projects: Vec<String>,
}

/// The seal of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSeal {
    /// Which.
    pub id: SealId,
    /// Since when it wraps the project's keys.
    pub since: DateTime<Utc>,
    /// Who named it: an actor's id.
    pub named_by: String,
    /// Whether it answers this server.
    pub at: At,
}

/// What wraps a project's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectSealView {
    /// The project.
    pub project: ProjectId,
    /// Its own seal; `None`: the keyring alone.
    pub own: Option<OwnSeal>,
    /// What it may name; empty for those who may not choose.
    pub offered: Vec<SealId>,
    /// Whether the caller may choose, aside from a fresh passkey.
    pub may_choose: bool,
}

/// The most projects that are told at once.
const MOST: u32 = 1_000;

impl Domain {
    /// The seals that projects may name.
    pub async fn offered_seals(&self, op: &Op) -> Result<Vec<OfferedSeal>, Refused> {
        let _permit = self.authorize(op, Action::ViewSystem, &Resource::Organization).await?;
        Ok(self.offered().await?)
    }

    /// What wraps the keys of a project that the caller may see.
    pub async fn project_seal(&self, op: &Op, project: ProjectId) -> Result<ProjectSealView, Refused> {
        let resource = Resource::Project(project);
        let _permit = self.authorize(op, Action::ViewProject, &resource).await?;
        let may = self.would(op, Action::NameProjectSeal, &resource).await?;
        let mut conn = self.store().read().await?;
        let own = match rows::of_project(&mut conn, project).await? {
            Some(row) => Some(self.own(row)?),
            None => None,
        };
        let offered = if may { rows::offered(&mut conn).await? } else { Vec::new() };
        let offered = offered.iter().map(id).collect::<Result<_, _>>()?;
        Ok(ProjectSealView { project, own, offered, may_choose: may })
    }

    /// As [`Domain::offered_seals`], for the house itself.
    pub(crate) async fn offered(&self) -> Result<Vec<OfferedSeal>, Fault> {
        let mut conn = self.store().read().await?;
        let offered = rows::offered(&mut conn).await?;
        let named = if offered.is_empty() { Vec::new() } else { rows::naming(&mut conn, MOST).await? };
        let seal = |row: OfferedRow| {
            let id = id(&row)?;
            let projects = named.iter().filter(|it| it.seal_id == row.id).map(|it| it.project_slug.clone());
            Ok(OfferedSeal {
                at: self.at(&id),
                id,
                protection: row.protection.parse().map_err(damaged)?,
                offered_at: from_micros(row.offered_at),
                projects: projects.collect(),
            })
        };
        offered.into_iter().map(seal).collect()
    }

    fn own(&self, row: NamedRow) -> Result<OwnSeal, Fault> {
        let id = row.seal_id.parse().map_err(damaged)?;
        Ok(OwnSeal { at: self.at(&id), id, since: from_micros(row.since), named_by: row.named_by })
    }

    fn at(&self, seal: &SealId) -> At {
        match self.keyring().custody().of(seal).map(keywarden_vault::custody::Custodian::standing) {
            Some(Standing::Away { since, cause }) => At::Away { since, cause: cause.to_string() },
            Some(Standing::Present) => At::Present,
            None => At::NotHere,
        }
    }
}

fn id(row: &OfferedRow) -> Result<SealId, Fault> {
    row.id.parse().map_err(damaged)
}

fn damaged(cause: impl std::fmt::Display) -> Fault {
    Fault::Damaged(format!("offered_seals: {cause}"))
}
