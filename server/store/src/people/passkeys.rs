//! Passkeys' rows.

use chrono::{DateTime, Utc};
use keywarden_model::{PasskeyId, UserId};

use crate::{Conn, StoreError, Tx, sql};

/// A passkey.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// The id.
    #[sqlx(try_from = "String")]
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// The credential as the domain wrote it.
    pub credential: String,
    /// Whether it leaves its device.
    pub synced: bool,
    /// In microseconds.
    pub created_at: i64,
    /// When it last signed.
    pub last_used_at: Option<i64>,
    /// From when on it may approve.
    pub may_approve_after: i64,
    /// Grows with every change of the credential.
    pub row_version: i64,
}

/// A passkey to be written.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The id.
    pub id: PasskeyId,
    /// Whose.
    pub user: UserId,
    /// As its authenticator names it.
    pub credential_id: Vec<u8>,
    /// What its owner calls it.
    pub name: String,
    /// The credential.
    pub credential: String,
    /// The attestation object as it came.
    pub attestation: Vec<u8>,
    /// Whether it leaves its device.
    pub synced: bool,
    /// From when on it may approve.
    pub may_approve_after: DateTime<Utc>,
}

/// Writes it; [`StoreError::Conflict`] if the credential is registered already, to anybody.
pub async fn insert(tx: &mut Tx, row: &Insert, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("INSERT INTO passkeys (id, user_id, credential_id, name, credential, attestation, synced, created_at,
                               last_used_at, may_approve_after, row_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)")
    .bind(row.id)
    .bind(row.user)
    .bind(&row.credential_id)
    .bind(&row.name)
    .bind(&row.credential)
    .bind(&row.attestation)
    .bind(row.synced)
    .bind(now)
    .bind(now)
    .bind(row.may_approve_after)
    .execute_one(tx, "passkeys")
    .await
}

/// A person's, oldest first.
pub async fn of(conn: &mut Conn, user: UserId) -> Result<Vec<Row>, StoreError> {
    sql("SELECT id, name, credential, synced, created_at, last_used_at, may_approve_after, row_version
         FROM passkeys WHERE user_id = $1 ORDER BY created_at, id")
    .bind(user)
    .all(conn)
    .await
}

/// Notes that it signed. With a newer credential the row must still have `version`: two answers at once could
/// otherwise hide a counter that stood still. False when the row changed meanwhile or is gone.
pub async fn signed(
    tx: &mut Tx,
    id: PasskeyId,
    newer: Option<(&str, i64)>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let statement = match newer {
        Some((credential, version)) => {
            sql("UPDATE passkeys SET credential = $1, last_used_at = $2, row_version = row_version + 1
                 WHERE id = $3 AND row_version = $4")
            .bind(credential)
            .bind(now)
            .bind(id)
            .bind(version)
        }
        None => sql("UPDATE passkeys SET last_used_at = $1 WHERE id = $2").bind(now).bind(id),
    };
    Ok(statement.execute(tx).await? == 1)
}

/// Renames one of a person's; false if there is none.
pub async fn rename(tx: &mut Tx, id: PasskeyId, user: UserId, name: &str) -> Result<bool, StoreError> {
    let renamed = sql("UPDATE passkeys SET name = $1 WHERE id = $2 AND user_id = $3");
    Ok(renamed.bind(name).bind(id).bind(user).execute(tx).await? == 1)
}

/// Removes one of a person's; false if there is none.
pub async fn remove(tx: &mut Tx, id: PasskeyId, user: UserId) -> Result<bool, StoreError> {
    let removed = sql("DELETE FROM passkeys WHERE id = $1 AND user_id = $2");
    Ok(removed.bind(id).bind(user).execute(tx).await? == 1)
}

/// A passkey and whose it is, in words.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Named {
    /// The person.
    pub person: String,
    /// The passkey.
    pub passkey: String,
    /// The attestation object as it came.
    pub attestation: Vec<u8>,
}

/// All of them, by person.
pub async fn named(conn: &mut Conn) -> Result<Vec<Named>, StoreError> {
    sql("SELECT u.name AS person, p.name AS passkey, p.attestation FROM passkeys p JOIN users u ON u.id = p.user_id
         ORDER BY u.folded_name, p.created_at")
    .all(conn)
    .await
}
