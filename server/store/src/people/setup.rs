//! The house's beginning: set up once, for one relying party, with one organization.

use chrono::{DateTime, Utc};
use keywarden_model::OrganizationId;

use crate::{Conn, StoreError, Tx, sql};

/// What is known of this deployment.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Instance {
    /// The relying party that passkeys were made for.
    pub rp_id: Option<String>,
    /// When it was set up, in microseconds. Stays for ever, whatever becomes of the people.
    pub set_up_at: Option<i64>,
}

/// The organization.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Organization {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
}

/// Reads the one row.
pub async fn instance(conn: &mut Conn) -> Result<Instance, StoreError> {
    sql("SELECT rp_id, set_up_at FROM instance WHERE id = 1").one(conn).await
}

/// Sets the house up; false when somebody has done it before.
pub async fn begin(tx: &mut Tx, rp_id: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let done = sql("UPDATE instance SET rp_id = $1, set_up_at = $2 WHERE id = 1 AND set_up_at IS NULL")
        .bind(rp_id)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(done == 1)
}

/// Changes the relying party.
pub async fn change_rp_id(tx: &mut Tx, rp_id: &str) -> Result<(), StoreError> {
    sql("UPDATE instance SET rp_id = $1 WHERE id = 1").bind(rp_id).execute_one(tx, "instance").await
}

/// Makes the organization.
pub async fn insert_organization(
    tx: &mut Tx,
    id: OrganizationId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(name)
        .bind(now)
        .execute_one(tx, "organizations")
        .await
}

/// The organization, once there is one.
pub async fn organization(conn: &mut Conn) -> Result<Option<Organization>, StoreError> {
    sql("SELECT id, name FROM organizations ORDER BY id LIMIT 1").optional(conn).await
}
