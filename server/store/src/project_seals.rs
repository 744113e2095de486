//! Seals that projects may name, and the projects that name one.

use chrono::{DateTime, Utc};
use keywarden_model::ProjectId;

use crate::{Conn, StoreError, Tx, sql};

/// A seal that projects may name.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OfferedRow {
    /// Kind, colon, label.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// Its name for people.
    pub label: String,
    /// How well it keeps its key.
    pub protection: String,
    /// Since when, in microseconds.
    pub offered_at: i64,
}

/// A project and the seal that it names.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct NamedRow {
    /// The project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// Its slug.
    pub project_slug: String,
    /// The seal.
    pub seal_id: String,
    /// Since when, in microseconds.
    pub since: i64,
    /// By whom: an actor's id.
    pub named_by: String,
}

macro_rules! named {
    ($rest:literal) => {
        sql(concat!(
            "SELECT n.project_id, p.slug AS project_slug, n.seal_id, n.since, n.named_by
             FROM project_seals n JOIN projects p ON p.id = n.project_id ",
            $rest
        ))
    };
}

/// Every seal that projects may name, by id.
pub async fn offered(conn: &mut Conn) -> Result<Vec<OfferedRow>, StoreError> {
    sql("SELECT id, kind, label, protection, offered_at FROM offered_seals ORDER BY id").all(conn).await
}

/// Whether projects may name a seal.
pub async fn is_offered(conn: &mut Conn, seal: &str) -> Result<bool, StoreError> {
    Ok(offered(conn).await?.iter().any(|row| row.id == seal))
}

/// Lets projects name a seal; false if they may already.
pub async fn offer(tx: &mut Tx, row: &OfferedRow) -> Result<bool, StoreError> {
    let new =
        sql("INSERT INTO offered_seals (id, kind, label, protection, offered_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO NOTHING")
        .bind(&row.id)
        .bind(&row.kind)
        .bind(&row.label)
        .bind(&row.protection)
        .bind(row.offered_at)
        .execute(tx)
        .await?;
    Ok(new == 1)
}

/// Lets no project name a seal any more; false if none could, or one does.
pub async fn withdraw(tx: &mut Tx, seal: &str) -> Result<bool, StoreError> {
    let gone = sql("DELETE FROM offered_seals WHERE id = $1
         AND NOT EXISTS (SELECT 1 FROM project_seals n WHERE n.seal_id = $1)")
    .bind(seal)
    .execute(tx)
    .await?;
    Ok(gone == 1)
}

/// The projects that name a seal, by slug, at most `limit`.
pub async fn naming(conn: &mut Conn, limit: u32) -> Result<Vec<NamedRow>, StoreError> {
    named!("ORDER BY p.slug LIMIT $1").bind(limit).all(conn).await
}

/// The projects that name this seal, at most `limit`.
pub async fn naming_one(conn: &mut Conn, seal: &str, limit: u32) -> Result<Vec<NamedRow>, StoreError> {
    named!("WHERE n.seal_id = $1 ORDER BY n.project_id LIMIT $2").bind(seal).bind(limit).all(conn).await
}

/// What a project names.
pub async fn of_project(conn: &mut Conn, project: ProjectId) -> Result<Option<NamedRow>, StoreError> {
    named!("WHERE n.project_id = $1").bind(project).optional(conn).await
}

/// Lets a project name a seal, in place of another one or of none. The caller brings its keys under it.
pub async fn name(
    tx: &mut Tx,
    project: ProjectId,
    seal: &str,
    now: DateTime<Utc>,
    by: &str,
) -> Result<(), StoreError> {
    sql("INSERT INTO project_seals (project_id, seal_id, since, named_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (project_id) DO UPDATE SET seal_id = excluded.seal_id, since = excluded.since,
                                                named_by = excluded.named_by")
    .bind(project)
    .bind(seal)
    .bind(now)
    .bind(by)
    .execute_one(tx, "project_seals")
    .await
}

/// Lets a project name none. The caller brings its keys from under it.
pub async fn unname(tx: &mut Tx, project: ProjectId) -> Result<(), StoreError> {
    sql("DELETE FROM project_seals WHERE project_id = $1")
        .bind(project)
        .execute_one(tx, "project_seals")
        .await
}
