//! Machine identities.

use chrono::{DateTime, Utc};
use keywarden_model::{Name, ProjectId, WorkloadId};

use crate::{Conn, StoreError, Tx, dialect::containing, filter::Select, sql};

/// A workload's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Workload {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: WorkloadId,
    /// What people call it.
    pub name: String,
    /// The project that it belongs to; `None` for one of the organization.
    pub project_id: Option<String>,
    /// The project's slug.
    pub project_slug: Option<String>,
    /// `active` or `deactivated`.
    pub state: String,
    /// When, in microseconds.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Since when its tokens are dead, in microseconds.
    pub deactivated_at: Option<i64>,
    /// When one of its tokens was last shown, in microseconds.
    pub last_used_at: Option<i64>,
    /// When the last of its tokens ends that was not revoked, in microseconds.
    pub tokens_until: Option<i64>,
}

const COLUMNS: &str =
    "SELECT w.id, w.name, w.project_id, p.slug AS project_slug, w.state, w.created_at, w.created_by,
                              w.deactivated_at,
                              (SELECT max(s.last_used_at) FROM service_tokens s WHERE s.workload_id = w.id)
                                  AS last_used_at,
                              (SELECT max(s.expires_at) FROM service_tokens s WHERE s.workload_id = w.id
                                   AND s.revoked_at IS NULL) AS tokens_until
                       FROM workloads w LEFT JOIN projects p ON p.id = w.project_id";

/// A row to be written.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: WorkloadId,
    /// What people call it.
    pub name: &'a Name,
    /// The project that it belongs to.
    pub project: Option<ProjectId>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

/// Writes the row; a [`StoreError::Conflict`] if another active one of that scope has the name.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO workloads (id, name, folded_name, project_id, state, created_at, created_by, row_version)
         VALUES ($1, $2, $3, $4, 'active', $5, $6, 1)")
    .bind(row.id)
    .bind(row.name.as_str())
    .bind(row.name.folded())
    .bind(row.project)
    .bind(row.created_at)
    .bind(row.created_by)
    .execute_one(tx, "workloads")
    .await
}

/// By its id.
pub async fn find(conn: &mut Conn, id: WorkloadId) -> Result<Option<Workload>, StoreError> {
    Select::from(COLUMNS).and("w.id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// Ends it: no token of it counts from now on.
pub async fn deactivate(tx: &mut Tx, id: WorkloadId, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE workloads SET state = 'deactivated', deactivated_at = $1, row_version = row_version + 1
         WHERE id = $2 AND state = 'active'")
    .bind(now)
    .bind(id)
    .execute_one(tx, "workloads")
    .await
}

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those of these projects; `None` is all, those of the organization too.
    pub projects: Option<Vec<ProjectId>>,
    /// `false` hides the deactivated ones.
    pub deactivated: bool,
    /// A part of the folded name.
    pub containing: Option<String>,
    /// Only those with a token that ends after the first and not after the second instant.
    pub token_ends_within: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Only those made after this one.
    pub after: Option<WorkloadId>,
}

pub(crate) const OLDEST_FIRST: &str = "ORDER BY w.id LIMIT ?";

/// Oldest first.
pub async fn list(conn: &mut Conn, filter: &Filter, limit: u32) -> Result<Vec<Workload>, StoreError> {
    page(filter).then(OLDEST_FIRST, [limit]).all(conn).await
}

pub(crate) fn page(filter: &Filter) -> Select {
    let mut select = Select::from(COLUMNS);
    if let Some(projects) = &filter.projects {
        select = select.and_in("w.project_id", projects.iter().copied());
    }
    if !filter.deactivated {
        select = select.and("w.deactivated_at IS NULL", Vec::<String>::new());
    }
    if let Some(part) = &filter.containing {
        select = select.and(r"w.folded_name LIKE ? ESCAPE '\'", [containing(part)]);
    }
    if let Some((now, end)) = filter.token_ends_within {
        select = select.and(
            "EXISTS (SELECT 1 FROM service_tokens s WHERE s.workload_id = w.id AND s.revoked_at IS NULL
                         AND s.expires_at > ? AND s.expires_at <= ?)",
            [now, end],
        );
    }
    if let Some(after) = filter.after {
        select = select.and("w.id > ?", [after]);
    }
    select
}
