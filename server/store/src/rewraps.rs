//! Rewraps: how far each one is. What is wrapped, the keys' own statements move, in the same transaction.

use chrono::{DateTime, Utc};
use keywarden_model::{ProjectId, RewrapId};

use crate::{Conn, StoreError, Tx, sql};

/// A rewrap.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RewrapRow {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: RewrapId,
    /// What is wrapped anew: a stable word.
    pub kind: String,
    /// Whose: a project's slug.
    pub project_slug: Option<String>,
    /// Whose: a project.
    pub project_id: Option<String>,
    /// The key before.
    pub from_key: String,
    /// The key after.
    pub to_key: String,
    /// `running`, `paused` or `done`.
    pub state: String,
    /// How many things there were at the start.
    pub total: i64,
    /// How many are wrapped anew.
    pub done: i64,
    /// How many did not open and stay as they are.
    pub skipped: i64,
    /// The last id that it is done with.
    pub position: String,
    /// Since when, in microseconds.
    pub started_at: i64,
    /// By whom: an actor's id.
    pub started_by: String,
    /// When it last came further.
    pub moved_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
}

/// A rewrap to be written down.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: RewrapId,
    /// What is wrapped anew.
    pub kind: &'static str,
    /// What only one rewrap may be under way for.
    pub scope: &'a str,
    /// Whose.
    pub project: Option<ProjectId>,
    /// The key before.
    pub from_key: &'a str,
    /// The key after.
    pub to_key: &'a str,
    /// How many things there are.
    pub total: i64,
    /// How many are wrapped anew already.
    pub done: i64,
    /// When.
    pub started_at: DateTime<Utc>,
    /// By whom.
    pub started_by: &'a str,
    /// When it ended, if at once.
    pub ended_at: Option<DateTime<Utc>>,
}

macro_rules! rewraps {
    ($rest:literal) => {
        sql(concat!(
            "SELECT r.id, r.kind, p.slug AS project_slug, r.project_id, r.from_key, r.to_key, r.state, r.total, r.done,
                    r.skipped, r.position, r.started_at, r.started_by, r.moved_at, r.ended_at
             FROM rewraps r LEFT JOIN projects p ON p.id = r.project_id ",
            $rest
        ))
    };
}

/// Writes a rewrap down. Another one under way for the same scope is a [`StoreError::Conflict`].
pub async fn insert(tx: &mut Tx, it: &Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO rewraps (id, kind, scope, project_id, from_key, to_key, state, total, done, skipped, position,
                              started_at, started_by, moved_at, ended_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '', $10, $11, $10, $12)")
    .bind(it.id)
    .bind(it.kind)
    .bind(it.scope)
    .bind(it.project)
    .bind(it.from_key)
    .bind(it.to_key)
    .bind(if it.ended_at.is_some() { "done" } else { "running" })
    .bind(it.total)
    .bind(it.done)
    .bind(it.started_at)
    .bind(it.started_by)
    .bind(it.ended_at)
    .execute_one(tx, "rewraps")
    .await
}

#[derive(sqlx::FromRow)]
struct Open {
    open: i64,
}

/// Whether one is under way for a scope.
pub async fn is_under_way(conn: &mut Conn, scope: &str) -> Result<bool, StoreError> {
    let Open { open } = sql("SELECT count(*) AS open FROM rewraps WHERE scope = $1 AND ended_at IS NULL")
        .bind(scope)
        .one(conn)
        .await?;
    Ok(open > 0)
}

/// One.
pub async fn find(conn: &mut Conn, id: RewrapId) -> Result<Option<RewrapRow>, StoreError> {
    rewraps!("WHERE r.id = $1").bind(id).optional(conn).await
}

/// The latest, those under way first.
pub async fn latest(conn: &mut Conn, limit: u32) -> Result<Vec<RewrapRow>, StoreError> {
    let mut rows: Vec<RewrapRow> =
        rewraps!("WHERE r.ended_at IS NULL ORDER BY r.started_at DESC, r.id DESC LIMIT $1")
            .bind(limit)
            .all(conn)
            .await?;
    let ended: Vec<RewrapRow> =
        rewraps!("WHERE r.ended_at IS NOT NULL ORDER BY r.started_at DESC, r.id DESC LIMIT $1")
            .bind(limit)
            .all(conn)
            .await?;
    rows.extend(ended);
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}

/// The latest of a project.
pub async fn latest_of(conn: &mut Conn, project: ProjectId) -> Result<Option<RewrapRow>, StoreError> {
    rewraps!("WHERE r.project_id = $1 ORDER BY r.started_at DESC, r.id DESC LIMIT 1")
        .bind(project)
        .optional(conn)
        .await
}

/// A key that another one took the place of.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ReplacedRow {
    /// The rewrap.
    #[sqlx(try_from = "String")]
    pub id: RewrapId,
    /// The key.
    pub from_key: String,
    /// Since when nothing lies under it, in microseconds.
    pub ended_at: i64,
}

/// The rewraps of a kind and scope that have ended, in that order.
pub async fn ended(conn: &mut Conn, kind: &str, scope: &str) -> Result<Vec<ReplacedRow>, StoreError> {
    sql("SELECT id, from_key, ended_at FROM rewraps WHERE kind = $1 AND scope = $2 AND ended_at IS NOT NULL
         AND ended_at > (SELECT coalesce(max(restored_at), 0) FROM restores) ORDER BY ended_at, id")
    .bind(kind)
    .bind(scope)
    .all(conn)
    .await
}

/// Those that go on by themselves, the oldest first.
pub async fn running(conn: &mut Conn, limit: u32) -> Result<Vec<RewrapRow>, StoreError> {
    rewraps!("WHERE r.ended_at IS NULL AND r.state = 'running' ORDER BY r.started_at, r.id LIMIT $1")
        .bind(limit)
        .all(conn)
        .await
}

#[derive(sqlx::FromRow)]
struct Claimed {
    position: String,
}

/// Takes a running rewrap's row for one batch, until the commit, and says where to go on; `None` if it does not run.
/// Two nodes take it one after the other, and the second one sees how far the first one came.
pub async fn claim(tx: &mut Tx, id: RewrapId, now: DateTime<Utc>) -> Result<Option<String>, StoreError> {
    let claimed: Vec<Claimed> =
        sql("UPDATE rewraps SET moved_at = $2 WHERE id = $1 AND state = 'running' RETURNING position")
            .bind(id)
            .bind(now)
            .returning(tx)
            .await?;
    Ok(claimed.into_iter().next().map(|row| row.position))
}

/// Notes what a batch did with a claimed rewrap.
pub async fn advance(
    tx: &mut Tx,
    id: RewrapId,
    position: &str,
    done: i64,
    skipped: i64,
) -> Result<(), StoreError> {
    sql("UPDATE rewraps SET position = $2, done = done + $3, skipped = skipped + $4 WHERE id = $1")
        .bind(id)
        .bind(position)
        .bind(done)
        .bind(skipped)
        .execute_one(tx, "rewraps")
        .await
}

/// Ends a claimed rewrap.
pub async fn finish(tx: &mut Tx, id: RewrapId, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE rewraps SET state = 'done', ended_at = $2 WHERE id = $1 AND ended_at IS NULL")
        .bind(id)
        .bind(now)
        .execute_one(tx, "rewraps")
        .await
}

/// Pauses or resumes a rewrap; false if it is not in the state that this takes.
pub async fn switch(
    tx: &mut Tx,
    id: RewrapId,
    from: &'static str,
    to: &'static str,
) -> Result<bool, StoreError> {
    let switched = sql("UPDATE rewraps SET state = $3 WHERE id = $1 AND state = $2 AND ended_at IS NULL")
        .bind(id)
        .bind(from)
        .bind(to)
        .execute(tx)
        .await?;
    Ok(switched == 1)
}
