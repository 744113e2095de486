//! The nodes that share these records, as they tell of themselves.
//!
//! **Two neighbouring versions** run side by side while nodes are replaced one by one, and until the last one is, any of them
//! may go back to the older program. What that does not understand is written from then on: a node that tells of itself and
//! sees nobody but programs like its own raises the schema's oldest compatible version, after which an older one does not start.
//! An older node that is merely cut off comes back, and one that is just starting has not told yet: the first is waited for
//! longer than others, and no node settles anything before it has run for as long as a silent one is taken for there.

use chrono::{DateTime, Utc};
use keywarden_model::time::micros;

use crate::migrate::{SETTLED, VERSION};
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

/// From when on a node that has not told since is taken for gone.
#[derive(Debug, Clone, Copy)]
pub struct Silence {
    /// One whose program understands all that this one writes.
    pub gone: DateTime<Utc>,
    /// One with an older program: it may be cut off, and would find what it does not understand when it is back.
    pub older_gone: DateTime<Utc>,
}

/// Writes down how a node is, forgets those that are gone, and settles the schema where none of the rest is older than this
/// program and this node has run since before [`Silence::gone`]: whoever started beside it has told by now.
pub async fn note(tx: &mut Tx, node: &NodeRow, silence: Silence) -> Result<(), StoreError> {
    sql("INSERT INTO nodes (id, name, version, condition, started_at, seen_at, holds, unseals_by, knows)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
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
    .bind(VERSION)
    .execute_one(tx, "nodes")
    .await?;
    sql("DELETE FROM nodes WHERE seen_at < $1 AND (knows >= $2 OR seen_at < $3)")
        .bind(silence.gone)
        .bind(SETTLED)
        .bind(silence.older_gone)
        .execute(tx)
        .await?;
    if node.started_at >= micros(silence.gone) {
        return Ok(());
    }
    sql("UPDATE schema_info SET oldest_compatible = $1 WHERE id = 1 AND oldest_compatible < $2
         AND NOT EXISTS (SELECT 1 FROM nodes WHERE knows < $3)")
    .bind(SETTLED)
    .bind(SETTLED)
    .bind(SETTLED)
    .execute(tx)
    .await
    .map(drop)
}

/// Takes a node off the list: it stops in good order.
pub async fn forget(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    sql("DELETE FROM nodes WHERE id = $1").bind(id).execute(tx).await.map(drop)
}
