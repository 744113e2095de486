//! Distinct decisions: how often each was made, first and last.

use crate::{StoreError, Tx, sql};

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
}

/// Adds it to what is known.
pub async fn add(tx: &mut Tx, it: &Decision) -> Result<(), StoreError> {
    sql("INSERT INTO decision_log (digest, principal, action, resource, context, allowed, policies, times, first_at,
                                   last_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (digest) DO UPDATE SET
             times = decision_log.times + excluded.times,
             allowed = excluded.allowed,
             policies = excluded.policies,
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
    .execute_one(tx, "decision_log")
    .await
}
