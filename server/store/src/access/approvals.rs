//! What was signed about requests for access. A row never changes; what counts no more gives way to what
//! the same person signs of the same wording under another rule, or with another passkey. The record keeps that both were signed.

use chrono::{DateTime, Utc};
use keywarden_model::{AccessRequestId, PasskeyId, UserId};

use crate::{Conn, StoreError, Tx, sql};

/// What somebody signed.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// About which request.
    #[sqlx(try_from = "String")]
    pub request_id: AccessRequestId,
    /// The request's revision then.
    pub revision: i64,
    /// Who signed.
    #[sqlx(try_from = "String")]
    pub approver: UserId,
    /// Which rule held: its scope.
    pub rule_scope: String,
    /// Its version.
    pub rule_version: i64,
    /// The bytes that they were shown.
    pub content: Vec<u8>,
    /// What made the challenge fresh.
    pub nonce: Vec<u8>,
    /// As the browser wrote it.
    pub client_data_json: Vec<u8>,
    /// As the authenticator wrote it.
    pub authenticator_data: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// The passkey's public key.
    pub public_key: Vec<u8>,
    /// As its authenticator names it.
    pub credential_id: Vec<u8>,
    /// Which passkey.
    #[sqlx(try_from = "String")]
    pub passkey_id: PasskeyId,
    /// Whether it leaves its device.
    pub synced: bool,
    /// The event that enrolled the passkey.
    pub enrolment: Option<String>,
    /// The revision of the policies in force.
    pub policies: i64,
    /// When, in microseconds.
    pub signed_at: i64,
}

/// Writes it; a [`StoreError::Conflict`]: the same person, or the same ceremony, signed already.
pub async fn insert(tx: &mut Tx, row: &Row, now: DateTime<Utc>) -> Result<(), StoreError> {
    give_way(tx, row).await?;
    sql("INSERT INTO access_approvals (request_id, revision, approver, rule_scope, rule_version, content, nonce, client_data_json,
                                       authenticator_data, signature, public_key, credential_id, passkey_id, synced, enrolment,
                                       policies, signed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)")
    .bind(row.request_id)
    .bind(row.revision)
    .bind(row.approver)
    .bind(row.rule_scope.as_str())
    .bind(row.rule_version)
    .bind(&row.content)
    .bind(&row.nonce)
    .bind(&row.client_data_json)
    .bind(&row.authenticator_data)
    .bind(&row.signature)
    .bind(&row.public_key)
    .bind(&row.credential_id)
    .bind(row.passkey_id)
    .bind(row.synced)
    .bind(row.enrolment.clone())
    .bind(row.policies)
    .bind(now)
    .execute_one(tx, "access_approvals")
    .await
}

/// What the same person signed of the same wording goes, if it was under another rule or with another passkey.
async fn give_way(tx: &mut Tx, row: &Row) -> Result<u64, StoreError> {
    sql("DELETE FROM access_approvals WHERE request_id = $1 AND revision = $2 AND approver = $3
           AND (rule_scope <> $4 OR rule_version <> $5 OR passkey_id <> $6)")
    .bind(row.request_id)
    .bind(row.revision)
    .bind(row.approver)
    .bind(row.rule_scope.as_str())
    .bind(row.rule_version)
    .bind(row.passkey_id)
    .execute(tx)
    .await
}

/// All that was signed about a request, in the order of the signatures.
pub async fn of(conn: &mut Conn, request: AccessRequestId) -> Result<Vec<Row>, StoreError> {
    sql("SELECT request_id, revision, approver, rule_scope, rule_version, content, nonce, client_data_json, authenticator_data,
                signature, public_key, credential_id, passkey_id, synced, enrolment, policies, signed_at
         FROM access_approvals WHERE request_id = $1 ORDER BY signed_at, approver")
    .bind(request)
    .all(conn)
    .await
}

#[derive(sqlx::FromRow)]
struct Enrolled {
    id: String,
}

/// The event that enrolled a passkey, where the record still has it: it was written in the very instant that the row was.
pub async fn enrolment(
    conn: &mut Conn,
    passkey: PasskeyId,
    user: UserId,
) -> Result<Option<String>, StoreError> {
    let found: Option<Enrolled> = sql("SELECT e.id FROM events e JOIN passkeys p ON e.at = p.created_at
         WHERE p.id = $1 AND e.resource_id IN ($2, $3) AND e.action IN ('passkey.add', 'user.join')
           AND e.outcome = 'allowed' ORDER BY e.id LIMIT 1")
    .bind(passkey)
    .bind(passkey)
    .bind(user)
    .optional(conn)
    .await?;
    Ok(found.map(|it| it.id))
}
