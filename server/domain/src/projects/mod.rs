//! Projects: what environments, keys, workloads and roles belong to.
//!
//! **Invariants:** a slug never changes and is never given twice; two spellings of one name are one name (S-01). An
//! archived project keeps its record, and nothing new is made in it. Environments are another noun; none is made with
//! a project, the page that makes one offers them.

mod archive;
mod create;
mod edit;
mod list;
pub(crate) use list::{folded, projects_in};
mod show;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use keywarden_model::ProjectId;
use keywarden_model::time::from_micros;
use keywarden_store::projects as rows;

pub use archive::ArchiveProjectError;
pub use create::{CreateProjectError, NewProject};
pub use edit::{EditProject, EditProjectError};
pub use list::{ListedProject, ProjectPage, ProjectQuery};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// The name in addresses.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Since when nothing new is made in it.
    pub archived_at: Option<DateTime<Utc>>,
    /// Grows with each edit; an edit names the one it saw.
    pub row_version: i64,
}

impl From<rows::Project> for Project {
    fn from(row: rows::Project) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            archived_at: row.archived_at.map(from_micros),
            row_version: row.row_version,
        }
    }
}

/// How many there are, counted no further than anybody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// How many were counted.
    pub counted: u64,
    /// There are more than that.
    pub more: bool,
}

impl Count {
    /// From a count that went one further than [`keywarden_store::count::COUNTED`].
    pub(crate) fn of(counted: i64) -> Self {
        let limit = keywarden_store::count::COUNTED;
        Self { counted: u64::try_from(counted.clamp(0, limit)).unwrap_or(0), more: counted > limit }
    }
}
