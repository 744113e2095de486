//! One-time links: found by their public part, proven by a keyed hash, used once.

use chrono::{DateTime, Utc};
use keywarden_model::{InvitationId, ProjectId, UserId};

use crate::{Conn, StoreError, Tx, sql};

/// A link to be written.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The id.
    pub id: InvitationId,
    /// `setup`, `invitation` or `recovery`.
    pub kind: &'static str,
    /// The public part of its value.
    pub public_id: String,
    /// The keyring key of the tag.
    pub mac_key_id: String,
    /// The tag.
    pub mac: [u8; 32],
    /// Whose recovery it is.
    pub user: Option<UserId>,
    /// Whom it invites.
    pub name: Option<String>,
    /// The role it gives.
    pub role: Option<&'static str>,
    /// In which project.
    pub project: Option<ProjectId>,
    /// Who made it.
    pub created_by: String,
    /// Until when it serves.
    pub expires_at: DateTime<Utc>,
}

/// A link.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// The id.
    #[sqlx(try_from = "String")]
    pub id: InvitationId,
    /// `setup`, `invitation` or `recovery`.
    pub kind: String,
    /// The keyring key of the tag.
    pub mac_key_id: String,
    /// The tag.
    pub mac: Vec<u8>,
    /// Whose recovery it is.
    pub user_id: Option<String>,
    /// Whom it invites.
    pub name: Option<String>,
    /// The role it gives.
    pub role: Option<String>,
    /// In which project.
    pub project_id: Option<String>,
    /// The project's name.
    pub project_name: Option<String>,
    /// In microseconds.
    pub created_at: i64,
    /// Who made it.
    pub created_by: String,
    /// Until when it serves.
    pub expires_at: i64,
    /// When it was used.
    pub used_at: Option<i64>,
    /// When it was withdrawn.
    pub revoked_at: Option<i64>,
}

/// Writes it.
pub async fn insert(tx: &mut Tx, row: &Insert, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("INSERT INTO one_time_links (id, kind, public_id, mac_key_id, mac, user_id, name, role, project_id, created_at,
                                     created_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
    .bind(row.id)
    .bind(row.kind)
    .bind(&row.public_id)
    .bind(&row.mac_key_id)
    .bind(row.mac)
    .bind(row.user)
    .bind(row.name.as_deref())
    .bind(row.role)
    .bind(row.project)
    .bind(now)
    .bind(&row.created_by)
    .bind(row.expires_at)
    .execute_one(tx, "one_time_links")
    .await
}

/// The link with this public part.
pub async fn find(conn: &mut Conn, public_id: &str) -> Result<Option<Row>, StoreError> {
    sql("SELECT l.id, l.kind, l.mac_key_id, l.mac, l.user_id, l.name, l.role, l.project_id, p.name AS project_name,
                l.created_at, l.created_by, l.expires_at, l.used_at, l.revoked_at
         FROM one_time_links l LEFT JOIN projects p ON p.id = l.project_id WHERE l.public_id = $1")
    .bind(public_id)
    .optional(conn)
    .await
}

/// Links of a kind that still serve, newest first.
pub async fn open(conn: &mut Conn, kind: &str, now: DateTime<Utc>) -> Result<Vec<Row>, StoreError> {
    sql("SELECT l.id, l.kind, l.mac_key_id, l.mac, l.user_id, l.name, l.role, l.project_id, p.name AS project_name,
                l.created_at, l.created_by, l.expires_at, l.used_at, l.revoked_at
         FROM one_time_links l LEFT JOIN projects p ON p.id = l.project_id
         WHERE l.kind = $1 AND l.used_at IS NULL AND l.revoked_at IS NULL AND l.expires_at > $2
         ORDER BY l.id DESC LIMIT 500")
    .bind(kind)
    .bind(now)
    .all(conn)
    .await
}

/// Uses a link; of any number of users one succeeds.
pub async fn spend(tx: &mut Tx, id: InvitationId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let spent = sql("UPDATE one_time_links SET used_at = $1
                     WHERE id = $2 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $3")
    .bind(now)
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(spent == 1)
}

/// Withdraws a link of a kind; false if it was used or withdrawn before.
pub async fn withdraw(
    tx: &mut Tx,
    id: InvitationId,
    kind: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let withdrawn = sql("UPDATE one_time_links SET revoked_at = $1
                         WHERE id = $2 AND kind = $3 AND used_at IS NULL AND revoked_at IS NULL")
    .bind(now)
    .bind(id)
    .bind(kind)
    .execute(tx)
    .await?;
    Ok(withdrawn == 1)
}

/// Withdraws every unused link of a kind.
pub async fn withdraw_all(tx: &mut Tx, kind: &str, now: DateTime<Utc>) -> Result<u64, StoreError> {
    sql("UPDATE one_time_links SET revoked_at = $1 WHERE kind = $2 AND used_at IS NULL AND revoked_at IS NULL")
        .bind(now)
        .bind(kind)
        .execute(tx)
        .await
}

/// Withdraws every unused link of a kind that is for this person.
pub async fn withdraw_for(
    tx: &mut Tx,
    user: UserId,
    kind: &str,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    sql("UPDATE one_time_links SET revoked_at = $1
         WHERE user_id = $2 AND kind = $3 AND used_at IS NULL AND revoked_at IS NULL")
    .bind(now)
    .bind(user)
    .bind(kind)
    .execute(tx)
    .await
}

/// Withdraws what would let a person in, and every invitation that they made.
pub async fn withdraw_of(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> Result<u64, StoreError> {
    sql("UPDATE one_time_links SET revoked_at = $1
         WHERE (user_id = $2 OR created_by = $3) AND used_at IS NULL AND revoked_at IS NULL")
    .bind(now)
    .bind(user)
    .bind(user.to_string())
    .execute(tx)
    .await
}
