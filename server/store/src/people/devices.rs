//! Terminals that ask to be signed in (RFC 8628): found by the SHA-256 of either code, approved once, taken once.

use chrono::{DateTime, Utc};
use keywarden_model::{DeviceGrantId, SessionId, UserId};

use crate::{Conn, StoreError, Tx, sql};

/// Seconds that each question that comes too early adds to the pause between two (RFC 8628, 3.5), and their most.
const SLOWER: i64 = 5;
const SLOWEST: i64 = 60;

/// A terminal that asks.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The id.
    pub id: DeviceGrantId,
    /// SHA-256 of the code that the terminal keeps.
    pub device_hash: [u8; 32],
    /// SHA-256 of the code that its person types.
    pub code_hash: [u8; 32],
    /// Where it is.
    pub sealed: Vec<u8>,
    /// Seconds between two questions.
    pub every: i64,
    /// Until when it may be approved and taken.
    pub expires_at: DateTime<Utc>,
}

/// As it is now.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// The id.
    #[sqlx(try_from = "String")]
    pub id: DeviceGrantId,
    /// `waiting`, `approved` or `refused`.
    pub state: String,
    /// Where it is; once it is approved, by whom.
    pub sealed: Vec<u8>,
    /// Who approved it.
    pub user_id: Option<String>,
    /// In microseconds.
    pub created_at: i64,
    /// Until when it may be approved and taken.
    pub expires_at: i64,
}

/// Writes it.
pub async fn insert(tx: &mut Tx, row: &Insert, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("INSERT INTO device_grants (id, device_hash, code_hash, state, sealed, every, asked_at, created_at, expires_at)
         VALUES ($1, $2, $3, 'waiting', $4, $5, 0, $6, $7)")
    .bind(row.id)
    .bind(row.device_hash)
    .bind(row.code_hash)
    .bind(&row.sealed)
    .bind(row.every)
    .bind(now)
    .bind(row.expires_at)
    .execute_one(tx, "device_grants")
    .await
}

/// The latest `most` stay.
pub async fn forget_oldest(tx: &mut Tx, most: i64) -> Result<(), StoreError> {
    sql("DELETE FROM device_grants
         WHERE id IN (SELECT id FROM device_grants ORDER BY expires_at DESC, id DESC LIMIT 1000 OFFSET $1)")
    .bind(most)
    .execute(tx)
    .await
    .map(drop)
}

/// The one whose person types this code, as long as it waits.
pub async fn find_waiting(
    conn: &mut Conn,
    code_hash: [u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Row>, StoreError> {
    sql("SELECT id, state, sealed, user_id, created_at, expires_at FROM device_grants
         WHERE code_hash = $1 AND state = 'waiting' AND expires_at > $2")
    .bind(code_hash)
    .bind(now)
    .optional(conn)
    .await
}

/// The one that shows its own code, whatever became of it.
pub async fn find(conn: &mut Conn, device_hash: [u8; 32]) -> Result<Option<Row>, StoreError> {
    sql("SELECT id, state, sealed, user_id, created_at, expires_at FROM device_grants WHERE device_hash = $1")
        .bind(device_hash)
        .optional(conn)
        .await
}

/// Notes that it asks; false if it asks too early, and it must then wait longer each time.
pub async fn ask(tx: &mut Tx, id: DeviceGrantId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let may =
        sql("UPDATE device_grants SET asked_at = $1 WHERE id = $2 AND asked_at + every * 1000000 <= $3")
            .bind(now)
            .bind(id)
            .bind(now)
            .execute(tx)
            .await?;
    if may == 0 {
        sql("UPDATE device_grants SET asked_at = $1, every = every + $2 WHERE id = $3 AND every < $4")
            .bind(now)
            .bind(SLOWER)
            .bind(id)
            .bind(SLOWEST)
            .execute(tx)
            .await?;
    }
    Ok(may == 1)
}

/// Lets it in, with what is sealed for whom; of any number of deciders one succeeds.
pub async fn approve(
    tx: &mut Tx,
    id: DeviceGrantId,
    (user, session): (UserId, SessionId),
    sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let approved =
        sql("UPDATE device_grants SET state = 'approved', user_id = $1, session_id = $2, sealed = $3
                        WHERE id = $4 AND state = 'waiting' AND expires_at > $5")
        .bind(user)
        .bind(session)
        .bind(sealed)
        .bind(id)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(approved == 1)
}

/// Keeps it out; of any number of deciders one succeeds.
pub async fn refuse(tx: &mut Tx, id: DeviceGrantId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let refused = sql("UPDATE device_grants SET state = 'refused'
                       WHERE id = $1 AND state = 'waiting' AND expires_at > $2")
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(refused == 1)
}

/// Takes an approved one away; of any number of takers one gets it.
pub async fn take(tx: &mut Tx, id: DeviceGrantId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let taken = sql("DELETE FROM device_grants WHERE id = $1 AND state = 'approved' AND expires_at > $2")
        .bind(id)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(taken == 1)
}
