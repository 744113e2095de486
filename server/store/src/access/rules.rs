//! Rules about approval, in versions: the newest of a scope holds.

use chrono::{DateTime, Utc};
use keywarden_model::ProjectId;

use super::ORGANIZATION;
use crate::{Conn, StoreError, Tx, sql};

/// A version of a scope's rule.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// A project's id, or [`ORGANIZATION`].
    pub scope: String,
    /// Counts from 1 in its scope.
    pub version: i64,
    /// JSON; `None`: the scope has no rule of its own any more.
    pub rule: Option<String>,
    /// When, in microseconds.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
}

/// The newest version of a scope's rule.
pub async fn newest(conn: &mut Conn, scope: &str) -> Result<Option<Row>, StoreError> {
    sql("SELECT scope, version, rule, created_at, created_by FROM access_rules
         WHERE scope = $1 ORDER BY version DESC LIMIT 1")
    .bind(scope)
    .optional(conn)
    .await
}

/// Versions of a scope's rule, newest first, at most `limit`.
pub async fn versions(conn: &mut Conn, scope: &str, limit: u32) -> Result<Vec<Row>, StoreError> {
    sql("SELECT scope, version, rule, created_at, created_by FROM access_rules
         WHERE scope = $1 ORDER BY version DESC LIMIT $2")
    .bind(scope)
    .bind(limit)
    .all(conn)
    .await
}

/// Writes the next version; a [`StoreError::Conflict`]: somebody else wrote it meanwhile.
pub async fn insert(
    tx: &mut Tx,
    project: Option<ProjectId>,
    version: i64,
    rule: Option<&str>,
    (by, now): (&str, DateTime<Utc>),
) -> Result<(), StoreError> {
    sql("INSERT INTO access_rules (scope, version, project_id, rule, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(project.map_or_else(|| ORGANIZATION.to_owned(), |it| it.to_string()))
    .bind(version)
    .bind(project)
    .bind(rule.map(str::to_owned))
    .bind(now)
    .bind(by)
    .execute_one(tx, "access_rules")
    .await
}
