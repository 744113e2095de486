//! Projects.

use chrono::{DateTime, Utc};
use keywarden_model::{Name, ProjectId, Slug};

use crate::{
    Conn, StoreError, Tx,
    count::{COUNTED, number},
    dialect::containing,
    filter::Select,
    sql,
};

/// A project's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Project {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: ProjectId,
    /// The name in addresses.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// When, in microseconds.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Since when nothing new is made in it, in microseconds.
    pub archived_at: Option<i64>,
    /// Grows with each edit.
    pub row_version: i64,
}

const COLUMNS: &str = "SELECT id, slug, name, created_at, created_by, archived_at, row_version FROM projects";

/// A row to be written.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: ProjectId,
    /// The name in addresses.
    pub slug: &'a Slug,
    /// What people call it.
    pub name: &'a Name,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

/// Writes the row; a [`StoreError::Conflict`] names `slug` or `folded_name`.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO projects (id, slug, name, folded_name, created_at, created_by, row_version)
         VALUES ($1, $2, $3, $4, $5, $6, 1)")
    .bind(row.id)
    .bind(row.slug.as_str())
    .bind(row.name.as_str())
    .bind(row.name.folded())
    .bind(row.created_at)
    .bind(row.created_by)
    .execute_one(tx, "projects")
    .await
}

/// By its id.
pub async fn find(conn: &mut Conn, id: ProjectId) -> Result<Option<Project>, StoreError> {
    Select::from(COLUMNS).and("id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// By its slug.
pub async fn find_by_slug(conn: &mut Conn, slug: &str) -> Result<Option<Project>, StoreError> {
    Select::from(COLUMNS).and("slug = ?", [slug]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// Gives it another name; [`StoreError::Stale`] when it was edited meanwhile.
pub async fn rename(tx: &mut Tx, id: ProjectId, name: &Name, row_version: i64) -> Result<(), StoreError> {
    sql("UPDATE projects SET name = $1, folded_name = $2, row_version = row_version + 1
         WHERE id = $3 AND row_version = $4")
    .bind(name.as_str())
    .bind(name.folded())
    .bind(id)
    .bind(row_version)
    .execute_one(tx, "projects")
    .await
}

/// Nothing new is made in it from now on.
pub async fn archive(tx: &mut Tx, id: ProjectId, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE projects SET archived_at = $1, row_version = row_version + 1
         WHERE id = $2 AND archived_at IS NULL")
    .bind(now)
    .bind(id)
    .execute_one(tx, "projects")
    .await
}

/// Keys that can still be valid in it, now or later; counted to [`COUNTED`].
pub async fn live_keys(conn: &mut Conn, id: ProjectId, now: DateTime<Utc>) -> Result<i64, StoreError> {
    number(
        sql("SELECT count(*) AS number FROM (
                 SELECT 1 FROM api_keys k
                 WHERE k.project_id = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)
                   AND EXISTS (SELECT 1 FROM key_values v WHERE v.key_id = k.id AND v.revoked_at IS NULL
                               AND v.destroyed_at IS NULL AND (v.stops_at IS NULL OR v.stops_at > $3))
                 LIMIT $4) counted")
        .bind(id)
        .bind(now)
        .bind(now)
        .bind(COUNTED + 1),
        conn,
    )
    .await
}

/// Workloads of it that may still show a token; counted to [`COUNTED`].
pub async fn live_workloads(conn: &mut Conn, id: ProjectId) -> Result<i64, StoreError> {
    number(
        sql("SELECT count(*) AS number FROM (
                 SELECT 1 FROM workloads WHERE project_id = $1 AND deactivated_at IS NULL LIMIT $2) counted")
        .bind(id)
        .bind(COUNTED + 1),
        conn,
    )
    .await
}

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these; `None` is all.
    pub within: Option<Vec<ProjectId>>,
    /// `false` hides the archived ones.
    pub archived: bool,
    /// A part of the folded name or of the slug.
    pub containing: Option<String>,
    /// Only those whose slug comes after this one.
    pub after: Option<String>,
}

/// In the order of their slugs.
pub async fn list(conn: &mut Conn, filter: &Filter, limit: u32) -> Result<Vec<Project>, StoreError> {
    let mut select = Select::from(COLUMNS);
    if let Some(within) = &filter.within {
        select = select.and_in("id", within.iter().copied());
    }
    if !filter.archived {
        select = select.and("archived_at IS NULL", Vec::<String>::new());
    }
    if let Some(part) = &filter.containing {
        let pattern = containing(part);
        select = select
            .and(r"folded_name LIKE ? ESCAPE '\' OR slug LIKE ? ESCAPE '\'", [pattern.clone(), pattern]);
    }
    if let Some(after) = &filter.after {
        select = select.and("slug > ?", [after]);
    }
    select.then("ORDER BY slug LIMIT ?", [limit]).all(conn).await
}
