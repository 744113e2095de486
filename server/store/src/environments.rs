//! Environments of projects.

use chrono::{DateTime, Utc};
use keywarden_model::{EnvironmentId, KeyLabel, Name, ProjectId, Slug};

use crate::{Conn, StoreError, Tx, filter::Select, sql};

/// An environment's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Environment {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: EnvironmentId,
    /// Its project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// The name in addresses, unique within the project.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// What its keys' values show.
    pub label: String,
    /// The longest that a key of it may live.
    pub max_lifetime_seconds: Option<i64>,
    /// How long an old value works after a rotation, unless one says otherwise.
    pub overlap_seconds: i64,
    /// How long a deleted secret can be restored.
    pub secret_recovery_days: i64,
    /// Whether nothing of a secret is destroyed before that time is over.
    pub purge_protection: bool,
    /// Whether whoever reads a value says why.
    pub reads_need_reason: bool,
    /// When, in microseconds.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Grows with each edit.
    pub row_version: i64,
}

const COLUMNS: &str =
    "SELECT id, project_id, slug, name, label, max_lifetime_seconds, overlap_seconds, secret_recovery_days,
            purge_protection, reads_need_reason, created_at, created_by, row_version FROM environments";

/// A row to be written.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: EnvironmentId,
    /// Its project.
    pub project: ProjectId,
    /// The name in addresses.
    pub slug: &'a Slug,
    /// What people call it.
    pub name: &'a Name,
    /// What its keys' values show.
    pub label: &'a KeyLabel,
    /// The longest that a key of it may live.
    pub max_lifetime_seconds: Option<i64>,
    /// The default overlap.
    pub overlap_seconds: i64,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

/// Writes the row; a [`StoreError::Conflict`] names `slug` or `folded_name`.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO environments (id, project_id, slug, name, folded_name, label, max_lifetime_seconds,
                                   overlap_seconds, created_at, created_by, row_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)")
    .bind(row.id)
    .bind(row.project)
    .bind(row.slug.as_str())
    .bind(row.name.as_str())
    .bind(row.name.folded())
    .bind(row.label.as_str())
    .bind(row.max_lifetime_seconds)
    .bind(row.overlap_seconds)
    .bind(row.created_at)
    .bind(row.created_by)
    .execute_one(tx, "environments")
    .await
}

/// By its id.
pub async fn find(conn: &mut Conn, id: EnvironmentId) -> Result<Option<Environment>, StoreError> {
    Select::from(COLUMNS).and("id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// By its slug in a project.
pub async fn find_by_slug(
    conn: &mut Conn,
    project: ProjectId,
    slug: &str,
) -> Result<Option<Environment>, StoreError> {
    Select::from(COLUMNS)
        .and("project_id = ? AND slug = ?", [project.to_string(), slug.to_owned()])
        .then("LIMIT ?", [1_i64])
        .optional(conn)
        .await
}

/// A project's, in the order of their slugs.
pub async fn list(conn: &mut Conn, project: ProjectId, limit: u32) -> Result<Vec<Environment>, StoreError> {
    Select::from(COLUMNS)
        .and("project_id = ?", [project])
        .then("ORDER BY slug LIMIT ?", [limit])
        .all(conn)
        .await
}

/// What an edit sets.
#[derive(Debug)]
pub struct Edit<'a> {
    /// Which.
    pub id: EnvironmentId,
    /// Its name from now on.
    pub name: &'a Name,
    /// The longest that a key made from now on may live.
    pub max_lifetime_seconds: Option<i64>,
    /// The default overlap.
    pub overlap_seconds: i64,
    /// Whether whoever reads a value says why.
    pub reads_need_reason: bool,
    /// The version that was edited.
    pub row_version: i64,
}

/// Edits it; [`StoreError::Stale`] when it was edited meanwhile.
pub async fn edit(tx: &mut Tx, edit: Edit<'_>) -> Result<(), StoreError> {
    sql("UPDATE environments SET name = $1, folded_name = $2, max_lifetime_seconds = $3, overlap_seconds = $4,
                                 reads_need_reason = $5, row_version = row_version + 1
         WHERE id = $6 AND row_version = $7")
    .bind(edit.name.as_str())
    .bind(edit.name.folded())
    .bind(edit.max_lifetime_seconds)
    .bind(edit.overlap_seconds)
    .bind(edit.reads_need_reason)
    .bind(edit.id)
    .bind(edit.row_version)
    .execute_one(tx, "environments")
    .await
}

/// Sets how long deleted secrets are kept; [`StoreError::Stale`] when it was edited meanwhile.
pub async fn keep_secrets(
    tx: &mut Tx,
    id: EnvironmentId,
    recovery_days: i64,
    purge_protection: bool,
    row_version: i64,
) -> Result<(), StoreError> {
    sql("UPDATE environments SET secret_recovery_days = $1, purge_protection = $2, row_version = row_version + 1
         WHERE id = $3 AND row_version = $4")
    .bind(recovery_days)
    .bind(purge_protection)
    .bind(id)
    .bind(row_version)
    .execute_one(tx, "environments")
    .await
}
