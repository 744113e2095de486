//! The nodes that share these records, as they tell of themselves.

use chrono::{DateTime, Utc};

use crate::{Conn, StoreError, Tx, sql};

/// A running server.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct NodeRow {
    /// Random, drawn at its start.
    pub id: String,
    /// Its machine's name.
    pub name: String,
    /// Its program's version.
    pub version: String,
    /// `ready`, `degraded`, `sealed` …
    pub condition: String,
    /// When it started, in microseconds.
    pub started_at: i64,
    /// When it last told, in microseconds.
    pub seen_at: i64,
    /// The keyring's keys that it has in memory, between spaces.
    pub holds: String,
    /// The seals that it was started with, one a line.
    pub unseals_by: String,
}

/// Those that told since `after`, by name.
pub async fn list(conn: &mut Conn, after: DateTime<Utc>) -> Result<Vec<NodeRow>, StoreError> {
    sql("SELECT id, name, version, condition, started_at, seen_at, holds, unseals_by FROM nodes
         WHERE seen_at >= $1 ORDER BY name, id")
    .bind(after)
    .all(conn)
    .await
}

/// Writes down how a node is, and forgets those that have not told since `before`.
pub async fn note(tx: &mut Tx, node: &NodeRow, before: DateTime<Utc>) -> Result<(), StoreError> {
    sql("INSERT INTO nodes (id, name, version, condition, started_at, seen_at, holds, unseals_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (id) DO UPDATE
         SET condition = excluded.condition, seen_at = excluded.seen_at, holds = excluded.holds")
    .bind(&node.id)
    .bind(&node.name)
    .bind(&node.version)
    .bind(&node.condition)
    .bind(node.started_at)
    .bind(node.seen_at)
    .bind(&node.holds)
    .bind(&node.unseals_by)
    .execute_one(tx, "nodes")
    .await?;
    sql("DELETE FROM nodes WHERE seen_at < $1").bind(before).execute(tx).await.map(drop)
}

/// Takes a node off the list: it stops in good order.
pub async fn forget(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    sql("DELETE FROM nodes WHERE id = $1").bind(id).execute(tx).await.map(drop)
}
