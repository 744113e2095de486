//! The keyring's rows: seals, keys, and each key wrapped under each seal. What they mean, the vault knows.

use chrono::{DateTime, Utc};
use keywarden_model::KeyringKeyId;

use crate::{Conn, StoreError, Tx, sql};

/// A seal that keys are wrapped under.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SealRow {
    /// Kind, colon, label.
    pub id: String,
    /// The kind's stable name.
    pub kind: String,
    /// Its name for people.
    pub label: String,
    /// How well it keeps its key: a stable name.
    pub protection: String,
    /// Since when, in microseconds.
    pub added_at: i64,
}

/// A key, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct KeyRow {
    /// Its typed id.
    pub id: String,
    /// What it is for; a newer version may know more purposes than this one.
    pub purpose: String,
    /// When it was made, in microseconds.
    pub created_at: i64,
    /// From then on it only verifies and opens.
    pub retired_at: Option<i64>,
    /// Envelopes it sealed on all nodes, as far as they told.
    pub uses: i64,
}

/// A key's bytes under one seal.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct WrapRow {
    /// The key.
    pub key_id: String,
    /// The seal.
    pub seal_id: String,
    /// How it is wrapped.
    pub algorithm: String,
    /// The wrapped bytes.
    pub wrapped: Vec<u8>,
}

/// All seals, the oldest first.
pub async fn seals(conn: &mut Conn) -> Result<Vec<SealRow>, StoreError> {
    sql("SELECT id, kind, label, protection, added_at FROM seals ORDER BY added_at, id").all(conn).await
}

/// All keys, the oldest first.
pub async fn keys(conn: &mut Conn) -> Result<Vec<KeyRow>, StoreError> {
    sql("SELECT id, purpose, created_at, retired_at, uses FROM keyring_keys ORDER BY created_at, id")
        .all(conn)
        .await
}

/// All wraps.
pub async fn wraps(conn: &mut Conn) -> Result<Vec<WrapRow>, StoreError> {
    sql("SELECT key_id, seal_id, algorithm, wrapped FROM keyring_wraps ORDER BY key_id, seal_id")
        .all(conn)
        .await
}

/// Holds off every other change of the keyring until the commit: two nodes that start at once must not both make the
/// first keys, nor may a seal go while a key is being wrapped.
pub async fn hold(tx: &mut Tx) -> Result<(), StoreError> {
    sql("UPDATE instance SET clock_high_water = clock_high_water WHERE id = 1")
        .execute_one(tx, "instance")
        .await
}

/// Writes a seal down unless it is there; whether it was new.
pub async fn add_seal(tx: &mut Tx, seal: &SealRow) -> Result<bool, StoreError> {
    sql("INSERT INTO seals (id, kind, label, protection, added_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO NOTHING")
    .bind(&seal.id)
    .bind(&seal.kind)
    .bind(&seal.label)
    .bind(&seal.protection)
    .bind(seal.added_at)
    .execute(tx)
    .await
    .map(|rows| rows == 1)
}

/// Writes a key down.
pub async fn add_key(tx: &mut Tx, key: &KeyRow) -> Result<(), StoreError> {
    sql("INSERT INTO keyring_keys (id, purpose, created_at, retired_at, uses) VALUES ($1, $2, $3, $4, $5)")
        .bind(&key.id)
        .bind(&key.purpose)
        .bind(key.created_at)
        .bind(key.retired_at)
        .bind(key.uses)
        .execute_one(tx, "keyring_keys")
        .await
}

/// Writes a wrap down, in the place of an older one of the same key under the same seal.
pub async fn put_wrap(tx: &mut Tx, wrap: &WrapRow) -> Result<(), StoreError> {
    sql("INSERT INTO keyring_wraps (key_id, seal_id, algorithm, wrapped) VALUES ($1, $2, $3, $4)
         ON CONFLICT (key_id, seal_id) DO UPDATE SET algorithm = excluded.algorithm, wrapped = excluded.wrapped")
    .bind(&wrap.key_id)
    .bind(&wrap.seal_id)
    .bind(&wrap.algorithm)
    .bind(&wrap.wrapped)
    .execute_one(tx, "keyring_wraps")
    .await
}

/// Removes a seal and everything that it wrapped.
pub async fn remove_seal(tx: &mut Tx, seal: &str) -> Result<(), StoreError> {
    sql("DELETE FROM keyring_wraps WHERE seal_id = $1").bind(seal).execute(tx).await?;
    sql("DELETE FROM seals WHERE id = $1").bind(seal).execute_one(tx, "seals").await
}

#[derive(sqlx::FromRow)]
struct InService {
    id: String,
}

/// The keys of a purpose but this one that serve new values, the newest first.
pub async fn in_service(
    conn: &mut Conn,
    purpose: &str,
    but: KeyringKeyId,
) -> Result<Vec<String>, StoreError> {
    let found: Vec<InService> =
        sql("SELECT id FROM keyring_keys WHERE purpose = $1 AND id <> $2 AND retired_at IS NULL
         ORDER BY created_at DESC, id DESC")
        .bind(purpose)
        .bind(but)
        .all(conn)
        .await?;
    Ok(found.into_iter().map(|row| row.id).collect())
}

/// Lets all keys of a purpose but this one serve no new values; how many it were.
pub async fn retire_others(
    tx: &mut Tx,
    purpose: &str,
    keep: KeyringKeyId,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    sql("UPDATE keyring_keys SET retired_at = $1 WHERE purpose = $2 AND id <> $3 AND retired_at IS NULL")
        .bind(now)
        .bind(purpose)
        .bind(keep)
        .execute(tx)
        .await
}

/// Adds envelopes that a key sealed on this node. One that was destroyed meanwhile counts no more.
pub async fn add_uses(tx: &mut Tx, key: KeyringKeyId, uses: i64) -> Result<(), StoreError> {
    sql("UPDATE keyring_keys SET uses = uses + $1 WHERE id = $2")
        .bind(uses)
        .bind(key)
        .execute(tx)
        .await
        .map(drop)
}

/// Removes a retired key with all its wraps; false if it is not there or not retired. Whoever calls has made sure that
/// nothing lies under it, and holds the keyring.
pub async fn destroy_key(tx: &mut Tx, key: KeyringKeyId) -> Result<bool, StoreError> {
    sql("DELETE FROM keyring_wraps
         WHERE key_id IN (SELECT id FROM keyring_keys WHERE id = $1 AND retired_at IS NOT NULL)")
    .bind(key)
    .execute(tx)
    .await?;
    let gone = sql("DELETE FROM keyring_keys WHERE id = $1 AND retired_at IS NOT NULL")
        .bind(key)
        .execute(tx)
        .await?;
    Ok(gone == 1)
}

#[derive(sqlx::FromRow)]
struct Retired {
    #[sqlx(try_from = "String")]
    id: KeyringKeyId,
}

/// Retired keys under which projects' keys may lie, and none does. A row that does not say what sealed it may lie under
/// any.
pub async fn bare_of_project_keys(conn: &mut Conn, purpose: &str) -> Result<Vec<KeyringKeyId>, StoreError> {
    let bare: Vec<Retired> =
        sql("SELECT id FROM keyring_keys k WHERE purpose = $1 AND retired_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM project_keys p WHERE p.keyring_key_id IN (k.id, '')) ORDER BY id")
        .bind(purpose)
        .all(conn)
        .await?;
    Ok(bare.into_iter().map(|row| row.id).collect())
}
