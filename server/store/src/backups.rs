//! Whom backups are encrypted to, which were made, what was restored.

use chrono::{DateTime, Utc};
use keywarden_model::{BackupId, RecipientId, RestoreId};

use crate::{Conn, StoreError, Tx, sql};

/// Whom backups are encrypted to.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RecipientRow {
    /// Of the public key.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The public key's text.
    pub text: String,
    /// Since when, in microseconds.
    pub added_at: i64,
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct BackupRow {
    /// Its typed id.
    pub id: String,
    /// Of which instant it is, in microseconds.
    pub made_at: i64,
    /// The change counter then.
    pub counter: i64,
    /// Where it was written to.
    pub file: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the file, in hexadecimal digits.
    pub digest: String,
    /// Ids of whom it was encrypted to, as JSON.
    pub recipients: String,
}

/// A restore.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RestoreRow {
    /// Its typed id.
    pub id: String,
    /// Of which instant the backup is, in microseconds.
    pub made_at: i64,
    /// SHA-256 of the backup, in hexadecimal digits.
    pub digest: String,
    /// When it was restored, in microseconds.
    pub restored_at: i64,
    /// The change counter of the backup; unknown for restores by older versions.
    pub counter: Option<i64>,
    /// Up to when events that were kept elsewhere are applied, in microseconds.
    pub events_until: Option<i64>,
}

/// All recipients, the oldest first.
pub async fn recipients(conn: &mut Conn) -> Result<Vec<RecipientRow>, StoreError> {
    sql("SELECT id, name, text, added_at FROM backup_recipients ORDER BY added_at, id").all(conn).await
}

/// Writes a recipient down unless it is there; whether it was new.
pub async fn add_recipient(tx: &mut Tx, row: &RecipientRow) -> Result<bool, StoreError> {
    sql("INSERT INTO backup_recipients (id, name, text, added_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO NOTHING")
    .bind(&row.id)
    .bind(&row.name)
    .bind(&row.text)
    .bind(row.added_at)
    .execute(tx)
    .await
    .map(|rows| rows == 1)
}

/// Takes a recipient away; whether it was there.
pub async fn remove_recipient(tx: &mut Tx, id: RecipientId) -> Result<bool, StoreError> {
    sql("DELETE FROM backup_recipients WHERE id = $1").bind(id).execute(tx).await.map(|rows| rows == 1)
}

/// Notes a backup.
pub async fn note(tx: &mut Tx, row: &BackupRow) -> Result<(), StoreError> {
    sql("INSERT INTO backups (id, made_at, counter, file, size, digest, recipients)
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(&row.id)
    .bind(row.made_at)
    .bind(row.counter)
    .bind(&row.file)
    .bind(row.size)
    .bind(&row.digest)
    .bind(&row.recipients)
    .execute_one(tx, "backups")
    .await
}

/// The latest backups, the last one first.
pub async fn latest(conn: &mut Conn, limit: i64) -> Result<Vec<BackupRow>, StoreError> {
    sql("SELECT id, made_at, counter, file, size, digest, recipients FROM backups
         ORDER BY made_at DESC, id DESC LIMIT $1")
    .bind(limit)
    .all(conn)
    .await
}

/// Those of an instant or later, in microseconds, the last one first.
pub async fn since(conn: &mut Conn, made_at: i64, limit: i64) -> Result<Vec<BackupRow>, StoreError> {
    sql("SELECT id, made_at, counter, file, size, digest, recipients FROM backups WHERE made_at >= $1
         ORDER BY made_at DESC, id DESC LIMIT $2")
    .bind(made_at)
    .bind(limit)
    .all(conn)
    .await
}

/// Notes a restore; the doors stay shut until it is accepted.
pub async fn note_restore(tx: &mut Tx, row: &RestoreRow) -> Result<(), StoreError> {
    sql("INSERT INTO restores (id, made_at, digest, restored_at, counter, events_until)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(&row.id)
    .bind(row.made_at)
    .bind(&row.digest)
    .bind(row.restored_at)
    .bind(row.counter)
    .bind(row.events_until)
    .execute_one(tx, "restores")
    .await
}

/// The backup of an id.
pub async fn find(conn: &mut Conn, id: BackupId) -> Result<Option<BackupRow>, StoreError> {
    sql("SELECT id, made_at, counter, file, size, digest, recipients FROM backups WHERE id = $1")
        .bind(id)
        .optional(conn)
        .await
}

/// The restore whose gap nobody has accepted.
pub async fn open_restore(conn: &mut Conn) -> Result<Option<RestoreRow>, StoreError> {
    sql("SELECT id, made_at, digest, restored_at, counter, events_until FROM restores WHERE accepted_at IS NULL
         ORDER BY restored_at DESC, id DESC LIMIT 1")
    .optional(conn)
    .await
}

/// Notes up to when events that were kept elsewhere are applied: later than was noted before, or nothing is.
pub async fn note_events(tx: &mut Tx, id: RestoreId, until: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE restores SET events_until = CASE WHEN events_until > $1 THEN events_until ELSE $2 END
         WHERE id = $3 AND accepted_at IS NULL")
    .bind(until)
    .bind(until)
    .bind(id)
    .execute_one(tx, "restores")
    .await
}

/// Accepts its gap.
pub async fn accept_restore(tx: &mut Tx, id: RestoreId, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE restores SET accepted_at = $1 WHERE id = $2 AND accepted_at IS NULL")
        .bind(now)
        .bind(id)
        .execute_one(tx, "restores")
        .await
}
