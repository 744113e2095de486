//! What a solver showed of versions of policies, and which of them wait for that.

use chrono::{DateTime, Utc};
use keywarden_model::PolicyId;
use keywarden_model::time::micros;

use crate::{Conn, StoreError, Tx, filter::Select, sql};

/// A proof's row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Proof {
    /// Of which policy.
    #[sqlx(try_from = "String")]
    pub policy_id: PolicyId,
    /// Of which version.
    pub number: i64,
    /// `waiting`, `running` or `done`.
    pub state: String,
    /// When it was asked for, in microseconds.
    pub asked_at: i64,
    /// By whom: an actor's id.
    pub asked_by: String,
    /// Until when a node has it to itself, in microseconds.
    pub claimed_until: Option<i64>,
    /// How many request environments the policy can touch; 0 until a node has looked.
    pub environments: i64,
    /// How many of them are compared.
    pub compared: i64,
    /// The revision of what was in force.
    pub revision: Option<i64>,
    /// What was shown: a word.
    pub verdict: Option<String>,
    /// A request as JSON, or why nothing was shown.
    pub detail: Option<String>,
    /// The solver with its version.
    pub solver: Option<String>,
    /// When it ended, in microseconds.
    pub ended_at: Option<i64>,
    /// How long it took, in milliseconds.
    pub took_ms: Option<i64>,
}

const COLUMNS: &str =
    "SELECT policy_id, number, state, asked_at, asked_by, claimed_until, environments, compared, revision,
           verdict, detail, solver, ended_at, took_ms
    FROM policy_proofs";

/// Notes that a version is to be proven, in place of what was shown of it before.
pub async fn ask(
    tx: &mut Tx,
    policy: PolicyId,
    number: i64,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("INSERT INTO policy_proofs (policy_id, number, state, asked_at, asked_by, environments, compared)
         VALUES ($1, $2, 'waiting', $3, $4, 0, 0)
         ON CONFLICT (policy_id, number) DO UPDATE SET state = 'waiting', asked_at = excluded.asked_at,
           asked_by = excluded.asked_by, claimed_until = NULL, environments = 0, compared = 0, revision = NULL,
           verdict = NULL, detail = NULL, solver = NULL, ended_at = NULL, took_ms = NULL")
    .bind(policy)
    .bind(number)
    .bind(now)
    .bind(by)
    .execute_one(tx, "policy_proofs")
    .await
}

/// Of one policy's versions.
pub async fn of(conn: &mut Conn, policy: PolicyId) -> Result<Vec<Proof>, StoreError> {
    Select::from(COLUMNS)
        .and("policy_id = ?", [policy])
        .then("ORDER BY number DESC LIMIT ?", [1_000_i64])
        .all(conn)
        .await
}

/// The one that waits longest, of those that no node is at.
pub async fn next(conn: &mut Conn, now: DateTime<Utc>) -> Result<Option<Proof>, StoreError> {
    open(now).then(LONGEST_WAITING, [1_i64]).optional(conn).await
}

pub(crate) const LONGEST_WAITING: &str = "ORDER BY asked_at LIMIT ?";

pub(crate) fn open(now: DateTime<Utc>) -> Select {
    Select::from(COLUMNS)
        .and("state <> 'done'", Vec::<String>::new())
        .and("asked_at <= ?", [micros(now)])
        .and("claimed_until IS NULL OR claimed_until <= ?", [micros(now)])
        .and(
            "NOT EXISTS (SELECT 1 FROM policy_versions v WHERE v.policy_id = policy_proofs.policy_id
               AND v.number = policy_proofs.number AND v.state = 'withdrawn')",
            Vec::<String>::new(),
        )
}

/// Takes one for this node until then; whether no other was faster.
pub async fn claim(
    tx: &mut Tx,
    proof: &Proof,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool, StoreError> {
    sql("UPDATE policy_proofs SET state = 'running', claimed_until = $1, environments = 0, compared = 0
         WHERE policy_id = $2 AND number = $3 AND asked_at = $4 AND state <> 'done'
           AND (claimed_until IS NULL OR claimed_until <= $5)")
    .bind(until)
    .bind(proof.policy_id)
    .bind(proof.number)
    .bind(proof.asked_at)
    .bind(now)
    .execute(tx)
    .await
    .map(|rows| rows == 1)
}

/// Notes how far it is; whether it is still wanted: nobody asked anew, and the version was not withdrawn.
pub async fn advance(
    tx: &mut Tx,
    proof: &Proof,
    until: DateTime<Utc>,
    (compared, environments): (i64, i64),
) -> Result<bool, StoreError> {
    sql("UPDATE policy_proofs SET compared = $1, environments = $2
         WHERE policy_id = $3 AND number = $4 AND asked_at = $5 AND state = 'running' AND claimed_until = $6
           AND NOT EXISTS (SELECT 1 FROM policy_versions v WHERE v.policy_id = policy_proofs.policy_id
                           AND v.number = policy_proofs.number AND v.state = 'withdrawn')")
    .bind(compared)
    .bind(environments)
    .bind(proof.policy_id)
    .bind(proof.number)
    .bind(proof.asked_at)
    .bind(until)
    .execute(tx)
    .await
    .map(|rows| rows == 1)
}

/// What was shown.
#[derive(Debug)]
pub struct End<'a> {
    /// The word of the verdict.
    pub verdict: &'static str,
    /// A request as JSON, or why nothing was shown.
    pub detail: Option<&'a str>,
    /// The revision of what was in force.
    pub revision: i64,
    /// The solver with its version.
    pub solver: &'a str,
    /// In milliseconds.
    pub took_ms: i64,
}

/// Ends one that [`advance`] just found to be wanted.
pub async fn end(tx: &mut Tx, proof: &Proof, end: End<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE policy_proofs SET state = 'done', claimed_until = NULL, verdict = $1, detail = $2, revision = $3,
           solver = $4, took_ms = $5, ended_at = $6
         WHERE policy_id = $7 AND number = $8 AND state = 'running'")
    .bind(end.verdict)
    .bind(end.detail)
    .bind(end.revision)
    .bind(end.solver)
    .bind(end.took_ms)
    .bind(now)
    .bind(proof.policy_id)
    .bind(proof.number)
    .execute_one(tx, "policy_proofs")
    .await
}
