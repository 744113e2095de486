//! Drills of the newest backup, and the key that opens it for them.

use chrono::{DateTime, Utc};
use keywarden_model::time::micros;
use keywarden_model::{BackupId, DrillId};

use crate::{Conn, StoreError, Tx, sql};

/// The key that opens a backup for a drill.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DrillKeyRow {
    /// The backup's typed id.
    pub id: String,
    /// The public half's typed id.
    pub recipient: String,
    /// The secret half, sealed under the keyring.
    pub sealed: Vec<u8>,
}

/// A drill.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DrillRow {
    /// Its typed id.
    pub id: String,
    /// The backup's.
    pub backup_id: String,
    /// Of which instant the backup is, in microseconds.
    pub made_at: i64,
    /// Its state's word.
    pub state: String,
    /// When it was asked for, in microseconds.
    pub asked_at: i64,
    /// When a node began it.
    pub started_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// What came of it, as JSON.
    pub report: Option<String>,
}

/// The key of the newest backup that has one.
pub async fn key(conn: &mut Conn) -> Result<Option<DrillKeyRow>, StoreError> {
    sql("SELECT k.id, k.recipient, k.sealed FROM drill_keys k JOIN backups b ON b.id = k.id
         ORDER BY b.made_at DESC, b.id DESC LIMIT 1")
    .optional(conn)
    .await
}

/// Forgets every key, and keeps this one.
pub async fn keep_key(tx: &mut Tx, row: &DrillKeyRow) -> Result<(), StoreError> {
    forget_keys(tx).await?;
    sql("INSERT INTO drill_keys (id, recipient, sealed) VALUES ($1, $2, $3)")
        .bind(&row.id)
        .bind(&row.recipient)
        .bind(row.sealed.clone())
        .execute_one(tx, "drill_keys")
        .await
}

/// Forgets every key; how many there were.
pub async fn forget_keys(tx: &mut Tx) -> Result<u64, StoreError> {
    sql("DELETE FROM drill_keys").execute(tx).await
}

/// Notes a drill of a backup: one that is wanted, or one that begins.
pub async fn note(
    tx: &mut Tx,
    id: DrillId,
    backup: BackupId,
    state: &'static str,
    asked_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    sql("INSERT INTO drills (id, backup_id, state, asked_at, started_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(backup)
        .bind(state)
        .bind(asked_at)
        .bind(started_at.map(micros))
        .execute_one(tx, "drills")
        .await
}

/// Moves a drill from one state to another; whether it was in it.
pub async fn begin(
    tx: &mut Tx,
    id: DrillId,
    (from, to): (&'static str, &'static str),
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    sql("UPDATE drills SET state = $1, started_at = $2 WHERE id = $3 AND state = $4")
        .bind(to)
        .bind(now)
        .bind(id)
        .bind(from)
        .execute(tx)
        .await
        .map(|rows| rows == 1)
}

/// Ends a drill that has not ended; whether it had not.
pub async fn end(
    tx: &mut Tx,
    id: DrillId,
    state: &'static str,
    report: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    sql("UPDATE drills SET state = $1, report = $2, ended_at = $3 WHERE id = $4 AND ended_at IS NULL")
        .bind(state)
        .bind(report)
        .bind(now)
        .bind(id)
        .execute(tx)
        .await
        .map(|rows| rows == 1)
}

/// The latest drills, the last one first.
pub async fn latest(conn: &mut Conn, limit: i64) -> Result<Vec<DrillRow>, StoreError> {
    sql("SELECT d.id, d.backup_id, b.made_at, d.state, d.asked_at, d.started_at, d.ended_at, d.report
         FROM drills d JOIN backups b ON b.id = d.backup_id
         ORDER BY d.asked_at DESC, d.id DESC LIMIT $1")
    .bind(limit)
    .all(conn)
    .await
}

/// An event's id and bytes.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct EventBytes {
    /// Its typed id.
    pub id: String,
    /// The canonical event.
    pub bytes: Vec<u8>,
}

/// The newest event but those that a restore itself writes.
pub async fn event_head(conn: &mut Conn) -> Result<Option<EventBytes>, StoreError> {
    sql("SELECT id, bytes FROM events WHERE action NOT IN ('backup.restore', 'seal.add', 'seal.remove')
         ORDER BY id DESC LIMIT 1")
    .optional(conn)
    .await
}

/// The event of an id.
pub async fn event(conn: &mut Conn, id: &str) -> Result<Option<EventBytes>, StoreError> {
    sql("SELECT id, bytes FROM events WHERE id = $1").bind(id).optional(conn).await
}
