//! What was verified: per value, hour and caller.

use chrono::{DateTime, Utc};
use keywarden_model::{ApiKeyId, KeyValueId};

use crate::{Conn, StoreError, Tx, filter::Select, sql};

/// Uses to be added up.
#[derive(Debug, Clone)]
pub struct Uses {
    /// Of which value.
    pub value: KeyValueId,
    /// Of which key.
    pub key: ApiKeyId,
    /// Whole hours since 1970.
    pub hour: i64,
    /// The caller's address; empty if unknown.
    pub address: String,
    /// What the caller calls itself; empty if unknown.
    pub agent: String,
    /// The workload that verified, or another actor's id.
    pub workload: String,
    /// The verdict's word.
    pub outcome: &'static str,
    /// How many.
    pub uses: i64,
    /// The first.
    pub first_at: DateTime<Utc>,
    /// The last.
    pub last_at: DateTime<Utc>,
}

/// Adds up; a caller beyond `most_callers` of the value's hour is summed with the rest, under empty words.
pub async fn add(tx: &mut Tx, uses: &Uses, most_callers: i64) -> Result<(), StoreError> {
    let row = |text: &'static str, address: &str, agent: &str, workload: &str| {
        sql(text)
            .bind(uses.value)
            .bind(uses.hour)
            .bind(address)
            .bind(agent)
            .bind(workload)
            .bind(uses.outcome)
            .bind(uses.uses)
            .bind(uses.first_at)
            .bind(uses.last_at)
    };
    let known = "UPDATE key_usage
         SET uses = uses + $7, first_at = CASE WHEN first_at < $8 THEN first_at ELSE $8 END,
             last_at = CASE WHEN last_at > $9 THEN last_at ELSE $9 END
         WHERE value_id = $1 AND hour = $2 AND address = $3 AND agent = $4 AND workload_id = $5 AND outcome = $6";
    if row(known, &uses.address, &uses.agent, &uses.workload).execute(tx).await? > 0 {
        return Ok(());
    }
    let one_more = "INSERT INTO key_usage (value_id, hour, address, agent, workload_id, outcome, uses, first_at, last_at,
                                           key_id)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
         WHERE (SELECT count(*) FROM key_usage WHERE value_id = $1 AND hour = $2) < $11
         ON CONFLICT (value_id, hour, address, agent, workload_id, outcome)
            DO UPDATE SET uses = key_usage.uses + excluded.uses, last_at = excluded.last_at";
    let made = row(one_more, &uses.address, &uses.agent, &uses.workload).bind(uses.key).bind(most_callers);
    if made.execute(tx).await? > 0 {
        return Ok(());
    }
    let the_rest = "INSERT INTO key_usage (value_id, hour, address, agent, workload_id, outcome, uses, first_at, last_at,
                                           key_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (value_id, hour, address, agent, workload_id, outcome)
            DO UPDATE SET uses = key_usage.uses + excluded.uses,
                          last_at = CASE WHEN key_usage.last_at > excluded.last_at THEN key_usage.last_at
                                         ELSE excluded.last_at END";
    row(the_rest, "", "", "").bind(uses.key).execute_one(tx, "key_usage").await
}

/// Notes that a value was found valid at `at`. Never goes back.
pub async fn note_use(
    tx: &mut Tx,
    key: ApiKeyId,
    value: KeyValueId,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("UPDATE key_values SET last_used_at = $2 WHERE id = $1 AND coalesce(last_used_at, 0) < $2")
        .bind(value)
        .bind(at)
        .execute(tx)
        .await?;
    sql("UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND coalesce(last_used_at, 0) < $2")
        .bind(key)
        .bind(at)
        .execute(tx)
        .await?;
    Ok(())
}

/// Uses of one hour with one outcome.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Hour {
    /// Whole hours since 1970.
    pub hour: i64,
    /// The verdict's word.
    pub outcome: String,
    /// How many.
    pub uses: i64,
}

/// A key's uses from one hour to before another, in order.
pub async fn hours(conn: &mut Conn, key: ApiKeyId, from: i64, to: i64) -> Result<Vec<Hour>, StoreError> {
    sql("SELECT hour, outcome, CAST(sum(uses) AS BIGINT) AS uses FROM key_usage
         WHERE key_id = $1 AND hour >= $2 AND hour < $3 GROUP BY hour, outcome ORDER BY hour, outcome")
    .bind(key)
    .bind(from)
    .bind(to)
    .all(conn)
    .await
}

/// A caller of a value.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Caller {
    /// Of which key.
    #[sqlx(try_from = "String")]
    pub key_id: ApiKeyId,
    /// Of which value.
    #[sqlx(try_from = "String")]
    pub value_id: KeyValueId,
    /// Its address.
    pub address: String,
    /// What it calls itself.
    pub agent: String,
    /// Which workload verified it.
    pub workload_id: String,
    /// That workload's name.
    pub workload_name: Option<String>,
    /// How often it was found valid.
    pub uses: i64,
    /// First.
    pub first_at: i64,
    /// Last.
    pub last_at: i64,
}

/// Whose uses of these keys were valid since `hour`, latest first.
pub async fn callers(
    conn: &mut Conn,
    keys: &[ApiKeyId],
    hour: i64,
    limit: i64,
) -> Result<Vec<Caller>, StoreError> {
    Select::from(
        "SELECT g.key_id, g.value_id, g.address, g.agent, g.workload_id, w.name AS workload_name,
                CAST(sum(g.uses) AS BIGINT) AS uses, min(g.first_at) AS first_at, max(g.last_at) AS last_at
         FROM key_usage g LEFT JOIN workloads w ON w.id = g.workload_id",
    )
    .and_in("g.key_id", keys.iter().copied())
    .and("g.hour >= ?", [hour])
    .and("g.outcome = ?", ["valid"])
    .then(
        "GROUP BY g.key_id, g.value_id, g.address, g.agent, g.workload_id, w.name ORDER BY max(g.last_at) DESC LIMIT ?",
        [limit],
    )
    .all(conn)
    .await
}
