//! Sessions' rows: found by the SHA-256 of the cookie's id.

use chrono::{DateTime, Utc};
use keywarden_model::{SessionId, UserId};

use crate::{Conn, StoreError, Tx, sql};

/// A session to be written.
#[derive(Debug, Clone)]
pub struct Insert {
    /// SHA-256 of the cookie's id.
    pub id_hash: [u8; 32],
    /// The id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// What it holds.
    pub sealed: Vec<u8>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// A session.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// The id.
    #[sqlx(try_from = "String")]
    pub id: SessionId,
    /// Whose.
    #[sqlx(try_from = "String")]
    pub user_id: UserId,
    /// What it holds.
    pub sealed: Vec<u8>,
    /// In microseconds.
    pub created_at: i64,
    /// When it was last used, to the minute.
    pub last_seen_at: i64,
    /// When it ends at the latest.
    pub expires_at: i64,
    /// The person's state.
    pub state: String,
}

/// Writes it.
pub async fn insert(tx: &mut Tx, row: &Insert, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("INSERT INTO sessions (id_hash, id, user_id, sealed, created_at, last_seen_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(row.id_hash)
    .bind(row.id)
    .bind(row.user)
    .bind(&row.sealed)
    .bind(now)
    .bind(now)
    .bind(row.expires_at)
    .execute_one(tx, "sessions")
    .await
}

/// The session of a cookie.
pub async fn find(conn: &mut Conn, id_hash: [u8; 32]) -> Result<Option<Row>, StoreError> {
    sql("SELECT s.id, s.user_id, s.sealed, s.created_at, s.last_seen_at, s.expires_at, u.state
         FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id_hash = $1")
    .bind(id_hash)
    .optional(conn)
    .await
}

/// A person's sessions that have not reached their end, newest first.
pub async fn of(conn: &mut Conn, user: UserId, now: DateTime<Utc>) -> Result<Vec<Row>, StoreError> {
    sql("SELECT s.id, s.user_id, s.sealed, s.created_at, s.last_seen_at, s.expires_at, u.state
         FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.user_id = $1 AND s.expires_at > $2
         ORDER BY s.created_at DESC, s.id")
    .bind(user)
    .bind(now)
    .all(conn)
    .await
}

/// A session's new cookie and content.
#[derive(Debug, Clone)]
pub struct Replace {
    /// Which.
    pub id: SessionId,
    /// Whose it must be.
    pub user: UserId,
    /// SHA-256 of the new cookie's id.
    pub id_hash: [u8; 32],
    /// What it holds from here on.
    pub sealed: Vec<u8>,
}

/// Gives a session of a person a new cookie and new content; false if it has ended.
pub async fn replace(tx: &mut Tx, row: &Replace, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let replaced = sql(
        "UPDATE sessions SET id_hash = $1, sealed = $2, last_seen_at = $3 WHERE id = $4 AND user_id = $5",
    )
    .bind(row.id_hash)
    .bind(&row.sealed)
    .bind(now)
    .bind(row.id)
    .bind(row.user)
    .execute(tx)
    .await?;
    Ok(replaced == 1)
}

/// Notes that a session is used. Never goes back.
pub async fn touch(tx: &mut Tx, id: SessionId, user: UserId, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE sessions SET last_seen_at = $1 WHERE id = $2 AND last_seen_at < $3")
        .bind(now)
        .bind(id)
        .bind(now)
        .execute(tx)
        .await?;
    sql("UPDATE users SET last_seen_at = $1 WHERE id = $2 AND (last_seen_at IS NULL OR last_seen_at < $3)")
        .bind(now)
        .bind(user)
        .bind(now)
        .execute(tx)
        .await
        .map(drop)
}

#[derive(sqlx::FromRow)]
struct Ended {
    #[sqlx(try_from = "String")]
    id: SessionId,
}

/// Ends one session of a person; false if there is none.
pub async fn end(tx: &mut Tx, id: SessionId, user: UserId) -> Result<bool, StoreError> {
    let ended: Vec<Ended> = sql("DELETE FROM sessions WHERE id = $1 AND user_id = $2 RETURNING id")
        .bind(id)
        .bind(user)
        .returning(tx)
        .await?;
    clear(tx, &ended).await?;
    Ok(!ended.is_empty())
}

/// Ends a person's sessions, all or all but one; gives those that it ended.
pub async fn end_all(
    tx: &mut Tx,
    user: UserId,
    but: Option<SessionId>,
) -> Result<Vec<SessionId>, StoreError> {
    let ended: Vec<Ended> = sql("DELETE FROM sessions WHERE user_id = $1 AND id <> $2 RETURNING id")
        .bind(user)
        .bind(but.unwrap_or(SessionId::NIL))
        .returning(tx)
        .await?;
    clear(tx, &ended).await?;
    Ok(ended.into_iter().map(|ended| ended.id).collect())
}

/// What was kept for sessions goes with them.
async fn clear(tx: &mut Tx, ended: &[Ended]) -> Result<(), StoreError> {
    for session in ended {
        sql("DELETE FROM pending_posts WHERE session_id = $1").bind(session.id).execute(tx).await?;
        sql("DELETE FROM unseen_codes WHERE session_id = $1").bind(session.id).execute(tx).await?;
        sql("DELETE FROM ceremonies WHERE bound_to = $1").bind(session.id.to_string()).execute(tx).await?;
        sql("DELETE FROM device_grants WHERE session_id = $1").bind(session.id).execute(tx).await?;
    }
    Ok(())
}
