//! Service tokens: found by their public id, proven by a keyed hash.

use chrono::{DateTime, Utc};
use keywarden_model::time::micros;
use keywarden_model::{KeyringKeyId, Role, ServiceTokenId, TrustRuleId, WorkloadId};

use crate::{Conn, StoreError, Tx, count::number, filter::Select, sql};

/// A token as pages show it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Token {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: ServiceTokenId,
    /// The workload that it speaks for; `None` for an operator's.
    pub workload_id: Option<String>,
    /// What an operator's token may do.
    pub role: Option<String>,
    /// The part of the value that everybody may see.
    pub public_id: String,
    /// When, in microseconds.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// From when on it counts for nothing, in microseconds.
    pub expires_at: i64,
    /// Since when it is revoked, in microseconds.
    pub revoked_at: Option<i64>,
    /// When it was last shown, in microseconds; behind by seconds.
    pub last_used_at: Option<i64>,
}

/// What proving a token takes.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Proof {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: ServiceTokenId,
    /// The workload that it speaks for; `None` for an operator's.
    pub workload_id: Option<String>,
    /// `active` or what else the workload's state is.
    pub workload_state: Option<String>,
    /// What an operator's token may do.
    pub role: Option<String>,
    /// The keyring key of the tag.
    #[sqlx(try_from = "String")]
    pub mac_key_id: KeyringKeyId,
    /// The tag.
    pub mac: Vec<u8>,
    /// From when on it counts for nothing, in microseconds.
    pub expires_at: i64,
    /// Since when it is revoked, in microseconds.
    pub revoked_at: Option<i64>,
}

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy)]
pub enum Bearer {
    /// A workload that came by a rule.
    Exchanged(WorkloadId, TrustRuleId),
    /// The operator, with a role.
    Operator(Role),
    /// A workload.
    Workload(WorkloadId),
}

/// A row to be written.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: ServiceTokenId,
    /// Whom it speaks for.
    pub bearer: Bearer,
    /// The public part of the value.
    pub public_id: &'a str,
    /// The keyring key of the tag, and the tag.
    pub mac: (KeyringKeyId, [u8; 32]),
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
    /// From when on it counts for nothing.
    pub expires_at: DateTime<Utc>,
}

/// Writes the row.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    let (workload, role, rule) = match row.bearer {
        Bearer::Exchanged(id, rule) => (Some(id), None, Some(rule)),
        Bearer::Operator(role) => (None, Some(role.as_str()), None),
        Bearer::Workload(id) => (Some(id), None, None),
    };
    sql("INSERT INTO service_tokens (id, workload_id, role, public_id, mac_key_id, mac, created_at, created_by,
                                     expires_at, rule_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
    .bind(row.id)
    .bind(workload)
    .bind(role)
    .bind(row.public_id)
    .bind(row.mac.0)
    .bind(row.mac.1)
    .bind(row.created_at)
    .bind(row.created_by)
    .bind(row.expires_at)
    .bind(rule)
    .execute_one(tx, "service_tokens")
    .await
}

/// What proves the token with this public id.
pub async fn proof(conn: &mut Conn, public_id: &str) -> Result<Option<Proof>, StoreError> {
    sql("SELECT s.id, s.workload_id, w.state AS workload_state, s.role, s.mac_key_id, s.mac, s.expires_at, s.revoked_at
         FROM service_tokens s LEFT JOIN workloads w ON w.id = s.workload_id
         WHERE s.public_id = $1")
    .bind(public_id)
    .optional(conn)
    .await
}

const COLUMNS: &str =
    "SELECT id, workload_id, role, public_id, created_at, created_by, expires_at, revoked_at,
                              last_used_at FROM service_tokens";

/// One token.
pub async fn find(conn: &mut Conn, id: ServiceTokenId) -> Result<Option<Token>, StoreError> {
    Select::from(COLUMNS).and("id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// A workload's, or the operator's where there is none: those good at `now` first, newest first. What was got by
/// exchange ends by itself within minutes and is left out.
pub async fn list(
    conn: &mut Conn,
    workload: Option<WorkloadId>,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Token>, StoreError> {
    let select = match workload {
        Some(id) => Select::from(COLUMNS).and("workload_id = ? AND rule_id IS NULL", [id]),
        None => Select::from(COLUMNS).and("workload_id IS NULL", Vec::<String>::new()),
    };
    let order = "ORDER BY CASE WHEN revoked_at IS NULL AND expires_at > ? THEN 0 ELSE 1 END, id DESC LIMIT ?";
    select.then(order, [micros(now), i64::from(limit)]).all(conn).await
}

/// How many of a workload's are good at `now`, those aside that were got by exchange.
pub async fn live(conn: &mut Conn, workload: WorkloadId, now: DateTime<Utc>) -> Result<i64, StoreError> {
    number(
        sql("SELECT count(*) AS number FROM service_tokens
             WHERE workload_id = $1 AND rule_id IS NULL AND revoked_at IS NULL AND expires_at > $2")
        .bind(workload)
        .bind(now),
        conn,
    )
    .await
}

/// How many were got by exchange and are good at `now`.
pub async fn live_exchanged(
    conn: &mut Conn,
    workload: WorkloadId,
    now: DateTime<Utc>,
) -> Result<i64, StoreError> {
    number(
        sql("SELECT count(*) AS number FROM service_tokens
             WHERE workload_id = $1 AND rule_id IS NOT NULL AND revoked_at IS NULL AND expires_at > $2")
        .bind(workload)
        .bind(now),
        conn,
    )
    .await
}

/// Revokes every one that a rule of this workload let in, and says how many.
pub async fn revoke_exchanged(
    tx: &mut Tx,
    workload: WorkloadId,
    rule: TrustRuleId,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    sql("UPDATE service_tokens SET revoked_at = $1
         WHERE workload_id = $2 AND rule_id = $3 AND revoked_at IS NULL AND expires_at > $4")
    .bind(now)
    .bind(workload)
    .bind(rule)
    .bind(now)
    .execute(tx)
    .await
}

/// Revokes one; false if it was revoked already.
pub async fn revoke(tx: &mut Tx, id: ServiceTokenId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let revoked = sql("UPDATE service_tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL");
    Ok(revoked.bind(now).bind(id).execute(tx).await? == 1)
}

/// Revokes every one of a workload, and says how many.
pub async fn revoke_all(tx: &mut Tx, workload: WorkloadId, now: DateTime<Utc>) -> Result<u64, StoreError> {
    sql("UPDATE service_tokens SET revoked_at = $1 WHERE workload_id = $2 AND revoked_at IS NULL")
        .bind(now)
        .bind(workload)
        .execute(tx)
        .await
}

/// Notes that it was shown at `at`, in microseconds; another node may know of a later time.
pub async fn used(tx: &mut Tx, id: ServiceTokenId, at: i64) -> Result<(), StoreError> {
    sql("UPDATE service_tokens SET last_used_at = $1 WHERE id = $2 AND coalesce(last_used_at, 0) < $3")
        .bind(at)
        .bind(id)
        .bind(at)
        .execute(tx)
        .await
        .map(drop)
}
