//! Changing keys.

use chrono::{DateTime, Utc};
use keywarden_model::{ApiKeyId, EnvironmentId, KeyValueId, KeyringKeyId, ProjectId};

use crate::{Conn, StoreError, Tx, sql};

/// What an edit may change, as texts of the row.
#[derive(Debug, Clone)]
pub struct Attributes {
    /// As written.
    pub name: String,
    /// As compared.
    pub folded_name: String,
    /// What it is for.
    pub description: String,
    /// `person` or `team`.
    pub owner_kind: &'static str,
    /// Whose it is.
    pub owner_id: String,
    /// JSON array.
    pub scopes: String,
    /// JSON array.
    pub allowed_cidrs: String,
    /// Verifications in a window, and its seconds.
    pub rate_limit: Option<(u32, u32)>,
    /// One word each.
    pub tags: Vec<String>,
    /// JSON array of them.
    pub tags_text: String,
    /// JSON object.
    pub metadata: String,
    /// Not valid before.
    pub not_before: Option<DateTime<Utc>>,
    /// Not valid from then on.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key to be made.
#[derive(Debug)]
pub struct KeyInsert<'a> {
    /// Its id.
    pub id: ApiKeyId,
    /// Its project.
    pub project: ProjectId,
    /// Its environment.
    pub environment: EnvironmentId,
    /// The rest.
    pub attributes: &'a Attributes,
    /// Whether callers held its value before.
    pub imported: bool,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

/// A value to be made.
#[derive(Debug)]
pub struct ValueInsert<'a> {
    /// Its id.
    pub id: KeyValueId,
    /// Whose.
    pub key: ApiKeyId,
    /// By what it is found.
    pub public_id: &'a str,
    /// The label in its text.
    pub label: &'a str,
    /// Whether callers held it before.
    pub imported: bool,
    /// The keyring's key of the tag.
    pub mac_key: KeyringKeyId,
    /// The tag.
    pub mac: [u8; 32],
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
    /// When it stops, for its own part.
    pub stops_at: Option<DateTime<Utc>>,
}

/// Takes the key's row for this write; false if there is none.
pub async fn claim(tx: &mut Tx, id: ApiKeyId) -> Result<bool, StoreError> {
    let taken = sql("UPDATE api_keys SET row_version = row_version + 1 WHERE id = $1").bind(id);
    Ok(taken.execute(tx).await? == 1)
}

/// As [`claim`], if nobody changed it since it had this version.
pub async fn claim_version(tx: &mut Tx, id: ApiKeyId, version: i64) -> Result<bool, StoreError> {
    let taken = sql("UPDATE api_keys SET row_version = row_version + 1 WHERE id = $1 AND row_version = $2")
        .bind(id)
        .bind(version);
    Ok(taken.execute(tx).await? == 1)
}

/// Makes a key. A name that is taken is a [`StoreError::Conflict`].
pub async fn insert(tx: &mut Tx, key: &KeyInsert<'_>) -> Result<(), StoreError> {
    let it = key.attributes;
    sql("INSERT INTO api_keys (id, project_id, environment_id, name, folded_name, description, owner_kind, owner_id,
                               scopes, allowed_cidrs, rate_limit, rate_window, tags, metadata, not_before, expires_at,
                               imported, created_at, created_by, row_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 1)")
    .bind(key.id)
    .bind(key.project)
    .bind(key.environment)
    .bind(&it.name)
    .bind(&it.folded_name)
    .bind(&it.description)
    .bind(it.owner_kind)
    .bind(&it.owner_id)
    .bind(&it.scopes)
    .bind(&it.allowed_cidrs)
    .bind(it.rate_limit.map(|(limit, _)| limit))
    .bind(it.rate_limit.map(|(_, window)| window))
    .bind(&it.tags_text)
    .bind(&it.metadata)
    .bind(it.not_before)
    .bind(it.expires_at)
    .bind(key.imported)
    .bind(key.created_at)
    .bind(key.created_by)
    .execute_one(tx, "api_keys")
    .await?;
    tag(tx, key.id, &it.tags).await
}

/// Writes all attributes of a claimed key.
pub async fn update(tx: &mut Tx, id: ApiKeyId, it: &Attributes) -> Result<(), StoreError> {
    sql("UPDATE api_keys
         SET name = $2, folded_name = $3, description = $4, owner_kind = $5, owner_id = $6, scopes = $7,
             allowed_cidrs = $8, rate_limit = $9, rate_window = $10, tags = $11, metadata = $12, not_before = $13,
             expires_at = $14
         WHERE id = $1")
    .bind(id)
    .bind(&it.name)
    .bind(&it.folded_name)
    .bind(&it.description)
    .bind(it.owner_kind)
    .bind(&it.owner_id)
    .bind(&it.scopes)
    .bind(&it.allowed_cidrs)
    .bind(it.rate_limit.map(|(limit, _)| limit))
    .bind(it.rate_limit.map(|(_, window)| window))
    .bind(&it.tags_text)
    .bind(&it.metadata)
    .bind(it.not_before)
    .bind(it.expires_at)
    .execute_one(tx, "api_keys")
    .await?;
    sql("DELETE FROM key_tags WHERE key_id = $1").bind(id).execute(tx).await?;
    tag(tx, id, &it.tags).await
}

async fn tag(tx: &mut Tx, key: ApiKeyId, tags: &[String]) -> Result<(), StoreError> {
    for tag in tags {
        sql("INSERT INTO key_tags (tag, key_id) VALUES ($1, $2)").bind(tag).bind(key).execute(tx).await?;
    }
    Ok(())
}

/// Makes a value. A public id that is taken is a [`StoreError::Conflict`].
pub async fn insert_value(tx: &mut Tx, value: &ValueInsert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO key_values (id, key_id, public_id, label, imported, mac_key_id, mac, created_at, created_by,
                                 stops_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
    .bind(value.id)
    .bind(value.key)
    .bind(value.public_id)
    .bind(value.label)
    .bind(value.imported)
    .bind(value.mac_key)
    .bind(value.mac)
    .bind(value.created_at)
    .bind(value.created_by)
    .bind(value.stops_at)
    .execute_one(tx, "key_values")
    .await
}

/// Another value takes its place; it goes on until `stops_at`.
pub async fn supersede(
    tx: &mut Tx,
    value: KeyValueId,
    at: DateTime<Utc>,
    stops_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("UPDATE key_values SET superseded_at = $2, stops_at = $3 WHERE id = $1 AND superseded_at IS NULL")
        .bind(value)
        .bind(at)
        .bind(stops_at)
        .execute_one(tx, "key_values")
        .await
}

/// Sets when a value stops.
pub async fn stop_value(tx: &mut Tx, value: KeyValueId, stops_at: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE key_values SET stops_at = $2 WHERE id = $1")
        .bind(value)
        .bind(stops_at)
        .execute_one(tx, "key_values")
        .await
}

/// Revokes one value of a claimed key, at once and for good; one that has stopped keeps its end.
pub async fn revoke_value(
    tx: &mut Tx,
    value: KeyValueId,
    now: DateTime<Utc>,
    reason: &str,
) -> Result<(), StoreError> {
    sql("UPDATE key_values
         SET stops_at = CASE WHEN stops_at < $2 THEN stops_at ELSE $3 END, revoked_at = $4, revoke_reason = $5
         WHERE id = $1")
    .bind(value)
    .bind(now)
    .bind(now)
    .bind(now)
    .bind(reason)
    .execute_one(tx, "key_values")
    .await
}

/// A value that ended, and its key.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Ended {
    /// The value.
    #[sqlx(try_from = "String")]
    pub value: KeyValueId,
    /// Its key.
    #[sqlx(try_from = "String")]
    pub key: ApiKeyId,
    /// The key's project.
    #[sqlx(try_from = "String")]
    pub project: ProjectId,
}

/// Values that stopped for good before then and still have their tag, at most `limit`. An expiry of the key itself is no
/// such end: it can be moved.
pub async fn ended_values(
    conn: &mut Conn,
    before: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Ended>, StoreError> {
    sql("SELECT v.id AS value, v.key_id AS key, k.project_id AS project
         FROM key_values v JOIN api_keys k ON k.id = v.key_id
         WHERE v.destroyed_at IS NULL AND (v.stops_at < $1 OR v.revoked_at < $2 OR k.revoked_at < $3)
         ORDER BY v.id LIMIT $4")
    .bind(before)
    .bind(before)
    .bind(before)
    .bind(limit)
    .all(conn)
    .await
}

/// Takes the tag of a value away; whether it was there.
pub async fn destroy_value(tx: &mut Tx, value: KeyValueId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let gone =
        sql("UPDATE key_values SET destroyed_at = $2, mac = $3 WHERE id = $1 AND destroyed_at IS NULL")
            .bind(value)
            .bind(now)
            .bind(Vec::new())
            .execute(tx)
            .await?;
    Ok(gone == 1)
}

/// Stops a claimed key for a while, or no longer.
pub async fn suspend(tx: &mut Tx, id: ApiKeyId, since: Option<DateTime<Utc>>) -> Result<(), StoreError> {
    sql("UPDATE api_keys SET suspended_at = $2 WHERE id = $1 AND revoked_at IS NULL")
        .bind(id)
        .bind(since)
        .execute_one(tx, "api_keys")
        .await
}

/// Stops a claimed key for good.
pub async fn revoke(tx: &mut Tx, id: ApiKeyId, at: DateTime<Utc>, reason: &str) -> Result<(), StoreError> {
    sql("UPDATE api_keys SET revoked_at = $2, revoke_reason = $3 WHERE id = $1 AND revoked_at IS NULL")
        .bind(id)
        .bind(at)
        .bind(reason)
        .execute_one(tx, "api_keys")
        .await
}

/// Says of a key that was revoked for another reason that it is compromised.
pub async fn compromise(tx: &mut Tx, id: ApiKeyId) -> Result<(), StoreError> {
    sql("UPDATE api_keys SET revoke_reason = 'key-compromise' WHERE id = $1 AND revoked_at IS NOT NULL")
        .bind(id)
        .execute_one(tx, "api_keys")
        .await
}

/// Puts a tag under another keyring key in the place of one that was just found to fit; nothing if somebody was faster.
pub async fn move_mac(
    tx: &mut Tx,
    value: KeyValueId,
    from: KeyringKeyId,
    to: KeyringKeyId,
    mac: [u8; 32],
) -> Result<(), StoreError> {
    sql("UPDATE key_values SET mac_key_id = $3, mac = $4 WHERE id = $1 AND mac_key_id = $2")
        .bind(value)
        .bind(from)
        .bind(to)
        .bind(mac)
        .execute(tx)
        .await?;
    Ok(())
}
