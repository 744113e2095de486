//! What there is once: the schema's version, the passkeys' domain, the latest instant that anybody wrote.

use chrono::{DateTime, Utc};

use crate::{Conn, StoreError, Tx, dialect, sql};

/// The one row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Instance {
    /// The domain that passkeys were made for; none before setup.
    pub rp_id: Option<String>,
    /// When the first owner was made, in microseconds; none before that.
    pub set_up_at: Option<i64>,
    /// The latest instant that any node has noted, in microseconds; 0 before the first.
    pub clock_high_water: i64,
}

/// Which schema the records have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Schema {
    /// The number of its newest migration.
    pub version: i64,
    /// The oldest version whose program can still work with it.
    pub oldest_compatible: i64,
}

/// Reads the row.
pub async fn find(conn: &mut Conn) -> Result<Instance, StoreError> {
    sql("SELECT rp_id, set_up_at, clock_high_water FROM instance WHERE id = 1").one(conn).await
}

#[derive(sqlx::FromRow)]
struct Tables {
    tables: i64,
}

/// Reads the schema's version; nothing where there is no schema yet.
pub(crate) async fn schema_if_any(conn: &mut Conn) -> Result<Option<Schema>, StoreError> {
    let asked = sql(dialect::tables(conn.engine())).bind("schema_info");
    match asked.one(conn).await? {
        Tables { tables: 0 } => Ok(None),
        _ => schema(conn).await.map(Some),
    }
}

/// Reads the schema's version.
pub async fn schema(conn: &mut Conn) -> Result<Schema, StoreError> {
    sql("SELECT version, oldest_compatible FROM schema_info WHERE id = 1").one(conn).await
}

/// Notes that it is `now`, unless somebody noted a later instant.
pub async fn raise_clock(tx: &mut Tx, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE instance SET clock_high_water = $1 WHERE id = 1 AND clock_high_water < $2")
        .bind(now)
        .bind(now)
        .execute(tx)
        .await
        .map(drop)
}

/// Takes `now` for the latest instant, though a later one was noted.
pub async fn set_clock(tx: &mut Tx, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE instance SET clock_high_water = $1 WHERE id = 1").bind(now).execute_one(tx, "instance").await
}

/// What time it is on the database's machine, in microseconds.
pub async fn database_clock(conn: &mut Conn) -> Result<i64, StoreError> {
    #[derive(sqlx::FromRow)]
    struct Clock {
        at: i64,
    }
    let clock: Clock = sql(dialect::clock(conn.engine())).one(conn).await?;
    Ok(clock.at)
}
