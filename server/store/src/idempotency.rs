//! What callers asked for once.

use chrono::{DateTime, Utc};

use crate::{Conn, StoreError, Tx, filter::Select, sql};

/// A request that was done.
#[derive(Debug, sqlx::FromRow)]
pub struct Done {
    /// Digest of the request.
    pub request_hash: Vec<u8>,
    /// What it made.
    pub resource_id: String,
    /// Its secret, sealed under the caller's key.
    pub sealed: Option<Vec<u8>>,
    /// When, in microseconds.
    pub created_at: i64,
}

/// A row to be written.
#[derive(Debug)]
pub struct Insert<'a> {
    /// The actor.
    pub caller: &'a str,
    /// SHA-256 of the key.
    pub key_hash: [u8; 32],
    /// Digest of the request.
    pub request_hash: [u8; 32],
    /// What it made.
    pub resource_id: &'a str,
    /// Its secret, sealed under the caller's key.
    pub sealed: Option<Vec<u8>>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When the row may go.
    pub expires_at: DateTime<Utc>,
}

/// The row of a caller's key.
pub async fn find(
    conn: &mut Conn,
    caller: &str,
    key_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Done>, StoreError> {
    sql("SELECT request_hash, resource_id, sealed, created_at FROM idempotency
         WHERE caller = $1 AND key_hash = $2 AND expires_at > $3")
    .bind(caller)
    .bind(*key_hash)
    .bind(now)
    .optional(conn)
    .await
}

/// Writes the row; a twin that was faster makes a [`StoreError::Conflict`].
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    sql("DELETE FROM idempotency WHERE caller = $1 AND key_hash = $2 AND expires_at <= $3")
        .bind(row.caller)
        .bind(row.key_hash)
        .bind(row.created_at)
        .execute(tx)
        .await?;
    sql("INSERT INTO idempotency (caller, key_hash, request_hash, resource_id, status, sealed, created_at, expires_at)
         VALUES ($1, $2, $3, $4, 0, $5, $6, $7)")
    .bind(row.caller)
    .bind(row.key_hash)
    .bind(row.request_hash)
    .bind(row.resource_id)
    .bind(row.sealed)
    .bind(row.created_at)
    .bind(row.expires_at)
    .execute_one(tx, "idempotency")
    .await
}

pub(crate) const ALL: &str = "";
const NO_VALUES: [i64; 0] = [];

/// Takes the secrets that were made before an instant.
pub(crate) fn sealed_before(before: DateTime<Utc>) -> Select {
    Select::from("UPDATE idempotency SET sealed = NULL")
        .and("sealed IS NOT NULL AND created_at < ?", [before])
}

/// Removes secrets made before `secrets_before` and rows that expired before `now`.
pub async fn sweep(
    tx: &mut Tx,
    secrets_before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    sealed_before(secrets_before).then(ALL, NO_VALUES).execute(tx).await?;
    sql("DELETE FROM idempotency WHERE expires_at < $1").bind(now).execute(tx).await
}
