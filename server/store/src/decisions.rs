//! Distinct decisions: how often each was made, first and last.

use chrono::{DateTime, Utc};
use keywarden_model::ProjectId;

use crate::{Conn, StoreError, Tx, filter::Select, sql};

/// A decision and how often it was made since the last flush.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decision {
    /// SHA-256 of principal, action, resource and context: what makes it distinct.
    pub digest: [u8; 32],
    /// Who asked: a typed id.
    pub principal: String,
    /// The action's stable name.
    pub action: &'static str,
    /// The kind of thing and its typed id.
    pub resource: String,
    /// Whatever else policies looked at, as JSON.
    pub context: String,
    /// The latest answer.
    pub allowed: bool,
    /// The policies that made the latest answer, as JSON.
    pub policies: String,
    /// How often.
    pub times: i64,
    /// First, in microseconds.
    pub first_at: i64,
    /// Last, in microseconds.
    pub last_at: i64,
    /// How whoever asked the latest had signed in.
    pub method: &'static str,
    /// How long before they had shown their passkey, in seconds.
    pub passkey_age: Option<i64>,
    /// From where, sealed under the key of whoever asked; empty: from somewhere.
    pub sealed_address: Option<Vec<u8>>,
}

/// Adds it to what is known.
pub async fn add(tx: &mut Tx, it: &Decision) -> Result<(), StoreError> {
    sql("INSERT INTO decision_log (digest, principal, action, resource, context, allowed, policies, times, first_at,
                                   last_at, method, passkey_age, sealed_address)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (digest) DO UPDATE SET
             times = decision_log.times + excluded.times,
             allowed = excluded.allowed,
             policies = excluded.policies,
             method = CASE WHEN excluded.last_at >= decision_log.last_at
                           THEN excluded.method ELSE decision_log.method END,
             passkey_age = CASE WHEN excluded.last_at >= decision_log.last_at
                                THEN excluded.passkey_age ELSE decision_log.passkey_age END,
             sealed_address = CASE WHEN excluded.last_at >= decision_log.last_at
                                   THEN excluded.sealed_address ELSE decision_log.sealed_address END,
             last_at = CASE WHEN excluded.last_at > decision_log.last_at
                            THEN excluded.last_at ELSE decision_log.last_at END")
    .bind(it.digest)
    .bind(&it.principal)
    .bind(it.action)
    .bind(&it.resource)
    .bind(&it.context)
    .bind(it.allowed)
    .bind(&it.policies)
    .bind(it.times)
    .bind(it.first_at)
    .bind(it.last_at)
    .bind(it.method)
    .bind(it.passkey_age)
    .bind(it.sealed_address.clone())
    .execute_one(tx, "decision_log")
    .await
}

/// A decision of the log, for asking it again.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Logged {
    /// What makes it distinct.
    pub digest: Vec<u8>,
    /// Who asked: a typed id, or `shell`.
    pub principal: String,
    /// The action's stable name.
    pub action: String,
    /// The kind of thing and its typed id.
    pub resource: String,
    /// Whatever else policies looked at, as JSON.
    pub context: String,
    /// The latest answer.
    pub allowed: bool,
    /// How often.
    pub times: i64,
    /// Last, in microseconds.
    pub last_at: i64,
    /// How whoever asked the latest had signed in; `None`: nothing is known of that moment.
    pub method: Option<String>,
    /// How long before they had shown their passkey, in seconds.
    pub passkey_age: Option<i64>,
    /// From where, sealed under the key of whoever asked; empty: from somewhere.
    pub sealed_address: Option<Vec<u8>>,
}

pub(crate) const LATEST_FIRST: &str = "ORDER BY last_at DESC, digest LIMIT ?";

/// The latest decisions about an action since a moment, the latest first: about what lies in a project, or about anything.
pub async fn latest(
    conn: &mut Conn,
    action: &'static str,
    project: Option<ProjectId>,
    since: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Logged>, StoreError> {
    select(action, project, since).then(LATEST_FIRST, [limit]).all(conn).await
}

pub(crate) fn select(action: &'static str, project: Option<ProjectId>, since: DateTime<Utc>) -> Select {
    let select = Select::from(
        "SELECT digest, principal, action, resource, context, allowed, times, last_at, method, passkey_age, sealed_address
         FROM decision_log",
    )
    .and("action = ?", [action])
    .and("last_at >= ?", [since]);
    match project {
        None => select,
        // As the context is written: the id is in it as text.
        Some(project) => select.and("context LIKE ?", [format!("%\"project\":\"{project}\"%")]),
    }
}
