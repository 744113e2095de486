//! Recovery codes: found by their first group, proven by a keyed hash, used once; and fresh ones not yet seen.

use chrono::{DateTime, Utc};
use keywarden_model::{SessionId, UserId};

use crate::{Conn, StoreError, Tx, sql};

/// A code to be written.
#[derive(Debug, Clone)]
pub struct Insert {
    /// Its place among the person's codes.
    pub position: i64,
    /// Its first group.
    pub lookup: String,
    /// The keyring key of the tag.
    pub mac_key_id: String,
    /// The tag.
    pub mac: [u8; 32],
}

/// A code that was not used.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// Whose.
    #[sqlx(try_from = "String")]
    pub user_id: UserId,
    /// Its place among the person's codes.
    pub position: i64,
    /// The keyring key of the tag.
    pub mac_key_id: String,
    /// The tag.
    pub mac: Vec<u8>,
}

/// Puts these in the place of all codes of a person.
pub async fn replace(
    tx: &mut Tx,
    user: UserId,
    codes: &[Insert],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("DELETE FROM recovery_codes WHERE user_id = $1").bind(user).execute(tx).await?;
    for code in codes {
        sql("INSERT INTO recovery_codes (user_id, position, lookup, mac_key_id, mac, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(user)
        .bind(code.position)
        .bind(&code.lookup)
        .bind(&code.mac_key_id)
        .bind(code.mac)
        .bind(now)
        .execute_one(tx, "recovery_codes")
        .await?;
    }
    Ok(())
}

/// Unused codes with this first group: seldom more than one.
pub async fn candidates(conn: &mut Conn, lookup: &str) -> Result<Vec<Row>, StoreError> {
    sql("SELECT user_id, position, mac_key_id, mac FROM recovery_codes WHERE lookup = $1 AND used_at IS NULL
         ORDER BY user_id, position LIMIT 8")
    .bind(lookup)
    .all(conn)
    .await
}

/// Uses a code; of any number of users one succeeds. The tag tells a code from its successor at the same place.
pub async fn spend(
    tx: &mut Tx,
    user: UserId,
    position: i64,
    mac: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let spent = sql("UPDATE recovery_codes SET used_at = $1
                     WHERE user_id = $2 AND position = $3 AND mac = $4 AND used_at IS NULL")
    .bind(now)
    .bind(user)
    .bind(position)
    .bind(mac)
    .execute(tx)
    .await?;
    Ok(spent == 1)
}

/// Uses codes up without anybody showing them: the one at a place, or all of a person. How many it
/// were.
pub async fn end(
    tx: &mut Tx,
    user: UserId,
    position: Option<i64>,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    sql("UPDATE recovery_codes SET used_at = $1
         WHERE user_id = $2 AND used_at IS NULL AND position = coalesce($3, position)")
    .bind(now)
    .bind(user)
    .bind(position)
    .execute(tx)
    .await
}

#[derive(sqlx::FromRow)]
struct Count {
    n: i64,
}

/// How many a person has left.
pub async fn left(conn: &mut Conn, user: UserId) -> Result<i64, StoreError> {
    let count: Count = sql("SELECT count(*) AS n FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL")
        .bind(user)
        .one(conn)
        .await?;
    Ok(count.n)
}

/// Keeps fresh codes for the session that will show them.
pub async fn keep_unseen(
    tx: &mut Tx,
    session: SessionId,
    sealed: &[u8],
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("INSERT INTO unseen_codes (session_id, sealed, created_at, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (session_id) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at,
             expires_at = excluded.expires_at")
    .bind(session)
    .bind(sealed)
    .bind(now)
    .bind(expires_at)
    .execute_one(tx, "unseen_codes")
    .await
}

#[derive(sqlx::FromRow)]
struct Unseen {
    sealed: Vec<u8>,
}

/// Takes them away; of any number of takers one gets them.
pub async fn take_unseen(
    tx: &mut Tx,
    session: SessionId,
    now: DateTime<Utc>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let taken: Vec<Unseen> =
        sql("DELETE FROM unseen_codes WHERE session_id = $1 AND expires_at > $2 RETURNING sealed")
            .bind(session)
            .bind(now)
            .returning(tx)
            .await?;
    Ok(taken.into_iter().next().map(|unseen| unseen.sealed))
}
