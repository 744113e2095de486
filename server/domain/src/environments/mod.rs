//! Environments of a project: what label their keys' values show, and how long those may live.
//!
//! **Invariants:** slug and label never change: values in callers' hands carry the label. Shorter terms hold for keys
//! made from then on.

mod create;
mod edit;
mod keep;
mod show;
mod terms;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{EnvironmentId, ProjectId};
use keywarden_store::environments as rows;

pub use create::{CreateEnvironmentError, NewEnvironment};
pub use edit::{EditEnvironment, EditEnvironmentError};
pub use keep::{KeepSecretsError, Retention, RetentionError};
pub use terms::{Terms, TermsError};

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its id.
    pub id: EnvironmentId,
    /// Its project.
    pub project: ProjectId,
    /// The name in addresses, unique within the project.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// What its keys' values show.
    pub label: String,
    /// The longest that a key may live, in seconds.
    pub max_lifetime_seconds: Option<i64>,
    /// How long an old value works after a rotation, unless one says otherwise, in seconds.
    pub overlap_seconds: i64,
    /// How many days a deleted secret can be restored.
    pub secret_recovery_days: i64,
    /// Whether nothing of a secret is destroyed before they are over; once on, never off.
    pub purge_protection: bool,
    /// Whether whoever reads a value, person or machine, says why.
    pub reads_need_reason: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Grows with each edit; an edit names the one it saw.
    pub row_version: i64,
}

impl From<rows::Environment> for Environment {
    fn from(row: rows::Environment) -> Self {
        Self {
            id: row.id,
            project: row.project_id,
            slug: row.slug,
            name: row.name,
            label: row.label,
            max_lifetime_seconds: row.max_lifetime_seconds,
            overlap_seconds: row.overlap_seconds,
            secret_recovery_days: row.secret_recovery_days,
            purge_protection: row.purge_protection,
            reads_need_reason: row.reads_need_reason,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            row_version: row.row_version,
        }
    }
}
