//! Which issuers' tokens a workload may exchange, and what came of those that tried.

use chrono::{DateTime, Utc};
use keywarden_model::{TrustRuleId, WorkloadId};

use crate::{Conn, StoreError, Tx, count::number, filter::Select, sql};

/// A rule's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TrustRule {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: TrustRuleId,
    /// Whom it lets in.
    #[sqlx(try_from = "String")]
    pub workload_id: WorkloadId,
    /// Whose tokens.
    pub issuer: String,
    /// For whom they must be made.
    pub audience: String,
    /// What they must claim: a JSON object of names and values.
    pub claims: String,
    /// Where the issuer's keys are.
    pub jwks_url: Option<String>,
    /// The issuer's keys themselves.
    pub jwks: Option<String>,
    /// Whether a token is taken once only.
    pub single_use: bool,
    /// When, in microseconds.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// When it last let a token in, in microseconds.
    pub last_used_at: Option<i64>,
    /// Counts edits.
    pub row_version: i64,
}

const COLUMNS: &str =
    "SELECT r.id, r.workload_id, r.issuer, r.audience, r.claims, r.jwks_url, r.jwks, r.single_use,
                              r.created_at, r.created_by, r.last_used_at, r.row_version
                       FROM trust_rules r";
const OF_ACTIVE: &str =
    "SELECT r.id, r.workload_id, r.issuer, r.audience, r.claims, r.jwks_url, r.jwks, r.single_use,
                                r.created_at, r.created_by, r.last_used_at, r.row_version
                         FROM trust_rules r JOIN workloads w ON w.id = r.workload_id";

/// What a rule says.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Whose tokens.
    pub issuer: &'a str,
    /// For whom they must be made.
    pub audience: &'a str,
    /// What they must claim.
    pub claims: &'a str,
    /// Where the issuer's keys are.
    pub jwks_url: Option<&'a str>,
    /// The issuer's keys themselves.
    pub jwks: Option<&'a str>,
    /// Whether a token is taken once only.
    pub single_use: bool,
}

/// A row to be written.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: TrustRuleId,
    /// Whom it lets in.
    pub workload: WorkloadId,
    /// What it says.
    pub terms: Terms<'a>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

/// Writes the row.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO trust_rules (id, workload_id, issuer, audience, claims, jwks_url, jwks, single_use, created_at,
                                  created_by, row_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)")
    .bind(row.id)
    .bind(row.workload)
    .bind(row.terms.issuer)
    .bind(row.terms.audience)
    .bind(row.terms.claims)
    .bind(row.terms.jwks_url)
    .bind(row.terms.jwks)
    .bind(row.terms.single_use)
    .bind(row.created_at)
    .bind(row.created_by)
    .execute_one(tx, "trust_rules")
    .await
}

/// Sets what it says; [`StoreError::Stale`] when it was edited meanwhile.
pub async fn edit(
    tx: &mut Tx,
    id: TrustRuleId,
    terms: Terms<'_>,
    row_version: i64,
) -> Result<(), StoreError> {
    sql("UPDATE trust_rules SET issuer = $1, audience = $2, claims = $3, jwks_url = $4, jwks = $5, single_use = $6,
                                row_version = row_version + 1
         WHERE id = $7 AND row_version = $8")
    .bind(terms.issuer)
    .bind(terms.audience)
    .bind(terms.claims)
    .bind(terms.jwks_url)
    .bind(terms.jwks)
    .bind(terms.single_use)
    .bind(id)
    .bind(row_version)
    .execute_one(tx, "trust_rules")
    .await
}

/// Removes it, and the token that it last refused.
pub async fn delete(tx: &mut Tx, id: TrustRuleId) -> Result<(), StoreError> {
    forget_refused(tx, id).await?;
    sql("DELETE FROM trust_rules WHERE id = $1").bind(id).execute_one(tx, "trust_rules").await
}

/// By its id.
pub async fn find(conn: &mut Conn, id: TrustRuleId) -> Result<Option<TrustRule>, StoreError> {
    Select::from(COLUMNS).and("r.id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

pub(crate) const OLDEST_FIRST: &str = "ORDER BY r.id LIMIT ?";

/// A workload's, oldest first.
pub async fn list(conn: &mut Conn, workload: WorkloadId, limit: u32) -> Result<Vec<TrustRule>, StoreError> {
    of_workload(workload).then(OLDEST_FIRST, [limit]).all(conn).await
}

pub(crate) fn of_workload(workload: WorkloadId) -> Select {
    Select::from(COLUMNS).and("r.workload_id = ?", [workload])
}

/// Those of active workloads that trust this issuer, oldest first; only one workload's where it is named.
pub async fn trusting(
    conn: &mut Conn,
    issuer: &str,
    workload: Option<WorkloadId>,
    limit: u32,
) -> Result<Vec<TrustRule>, StoreError> {
    of_issuer(issuer, workload).then(OLDEST_FIRST, [limit]).all(conn).await
}

pub(crate) fn of_issuer(issuer: &str, workload: Option<WorkloadId>) -> Select {
    let select =
        Select::from(OF_ACTIVE).and("r.issuer = ?", [issuer]).and("w.state = 'active'", Vec::<String>::new());
    match workload {
        Some(workload) => select.and("r.workload_id = ?", [workload]),
        None => select,
    }
}

/// How many a workload has.
pub async fn count(conn: &mut Conn, workload: WorkloadId) -> Result<i64, StoreError> {
    number(sql("SELECT count(*) AS number FROM trust_rules WHERE workload_id = $1").bind(workload), conn)
        .await
}

/// Notes that it let a token in; [`StoreError::Stale`] when it was edited or deleted meanwhile. Whoever edits it waits
/// for this write, and then finds the service token that came of it.
pub async fn used(
    tx: &mut Tx,
    id: TrustRuleId,
    row_version: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("UPDATE trust_rules SET last_used_at = CASE WHEN coalesce(last_used_at, 0) < $1 THEN $2 ELSE last_used_at END
         WHERE id = $3 AND row_version = $4")
    .bind(now)
    .bind(now)
    .bind(id)
    .bind(row_version)
    .execute_one(tx, "trust_rules")
    .await
}

/// Notes that a token was exchanged that counts once; false if it was before.
pub async fn spend(tx: &mut Tx, digest: [u8; 32], expires_at: DateTime<Utc>) -> Result<bool, StoreError> {
    let spent = sql(
        "INSERT INTO exchanged_tokens (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
    );
    Ok(spent.bind(digest).bind(expires_at).execute(tx).await? == 1)
}

/// The token that a rule last refused.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RefusedToken {
    /// When, in microseconds.
    pub at: i64,
    /// Why: a word of the code's.
    pub why: String,
    /// Its claims.
    pub sealed: Vec<u8>,
}

/// Keeps the token that a rule refused, in place of the one before. A rule that is gone keeps nothing.
pub async fn keep_refused(
    tx: &mut Tx,
    rule: TrustRuleId,
    at: DateTime<Utc>,
    why: &'static str,
    sealed: &[u8],
) -> Result<(), StoreError> {
    sql("INSERT INTO refused_tokens (rule_id, at, why, sealed)
         SELECT id, $1, $2, $3 FROM trust_rules WHERE id = $4
         ON CONFLICT (rule_id) DO UPDATE SET at = excluded.at, why = excluded.why, sealed = excluded.sealed")
    .bind(at)
    .bind(why)
    .bind(sealed)
    .bind(rule)
    .execute(tx)
    .await
    .map(drop)
}

/// The token that a rule last refused, if there was one.
pub async fn refused(conn: &mut Conn, rule: TrustRuleId) -> Result<Option<RefusedToken>, StoreError> {
    sql("SELECT at, why, sealed FROM refused_tokens WHERE rule_id = $1").bind(rule).optional(conn).await
}

/// Forgets it: what the rule says has changed.
pub async fn forget_refused(tx: &mut Tx, rule: TrustRuleId) -> Result<(), StoreError> {
    sql("DELETE FROM refused_tokens WHERE rule_id = $1").bind(rule).execute(tx).await.map(drop)
}
