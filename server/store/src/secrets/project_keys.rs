//! The projects' keys: sealed under the keyring, within it under the project's own seal if it names one, counted with each data key that they wrap.

use chrono::{DateTime, Utc};
use keywarden_model::{KeyringKeyId, ProjectId, ProjectKeyId, SecretId, SecretVersionId};

use crate::{Conn, StoreError, Tx, sql};

/// A project's key.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ProjectKeyRow {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: ProjectKeyId,
    /// Under the keyring.
    pub sealed: Vec<u8>,
}

/// The key that wraps new data keys of the project.
pub async fn in_service(conn: &mut Conn, project: ProjectId) -> Result<Option<ProjectKeyRow>, StoreError> {
    sql("SELECT id, sealed FROM project_keys WHERE project_id = $1 AND retired_at IS NULL LIMIT 1")
        .bind(project)
        .optional(conn)
        .await
}

/// Counts data keys that it wrapped; false if it may not wrap so many more. `most` is how many it may at all.
///
/// The row is taken until the commit, so that the count has no gap. Writers of one project wait for each other here:
/// let it be the last thing that a write does.
pub async fn count_uses(tx: &mut Tx, id: ProjectKeyId, more: i64, most: i64) -> Result<bool, StoreError> {
    let counted =
        sql("UPDATE project_keys SET uses = uses + $2 WHERE id = $1 AND retired_at IS NULL AND uses <= $3")
            .bind(id)
            .bind(more)
            .bind(most.saturating_sub(more))
            .execute(tx)
            .await?;
    Ok(counted == 1)
}

/// A key to be written down.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: ProjectKeyId,
    /// Whose.
    pub project: ProjectId,
    /// Under the keyring.
    pub sealed: &'a [u8],
    /// The keyring's key that sealed it.
    pub keyring_key: KeyringKeyId,
    /// The project's own seal that wrapped it.
    pub seal: Option<&'a str>,
    /// How many data keys it has wrapped.
    pub uses: i64,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Writes a key down; false if another one is in service already, or the keyring's key was destroyed meanwhile. The
/// keyring is held until the commit, so that no key is destroyed under it.
pub async fn insert(tx: &mut Tx, it: &Insert<'_>) -> Result<bool, StoreError> {
    crate::keyring::hold(tx).await?;
    if was_destroyed(tx, it.keyring_key).await? {
        return Ok(false);
    }
    let made =
        sql("INSERT INTO project_keys (id, project_id, sealed, keyring_key_id, uses, created_at, seal_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (project_id) WHERE retired_at IS NULL DO NOTHING")
        .bind(it.id)
        .bind(it.project)
        .bind(it.sealed)
        .bind(it.keyring_key)
        .bind(it.uses)
        .bind(it.created_at)
        .bind(it.seal)
        .execute(tx)
        .await?;
    Ok(made == 1)
}

#[derive(sqlx::FromRow)]
struct Number {
    number: i64,
}

async fn was_destroyed(conn: &mut Conn, key: KeyringKeyId) -> Result<bool, StoreError> {
    let told: Number = sql("SELECT count(*) AS number FROM events
         WHERE resource_id = $1 AND action = 'keyring-key.destroy' AND outcome = 'allowed'")
    .bind(key)
    .one(conn)
    .await?;
    Ok(told.number > 0)
}

/// A project's key, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct KeyLine {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: ProjectKeyId,
    /// Whose.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// The project's slug.
    pub project_slug: String,
    /// Data keys that it has wrapped.
    pub uses: i64,
    /// When it was made, in microseconds.
    pub created_at: i64,
    /// From then on it only unwraps.
    pub retired_at: Option<i64>,
}

/// The keys of a project, the newest first.
pub async fn of_project(conn: &mut Conn, project: ProjectId) -> Result<Vec<KeyLine>, StoreError> {
    sql("SELECT k.id, k.project_id, p.slug AS project_slug, k.uses, k.created_at, k.retired_at
         FROM project_keys k JOIN projects p ON p.id = k.project_id
         WHERE k.project_id = $1 ORDER BY k.created_at DESC, k.id DESC LIMIT 20")
    .bind(project)
    .all(conn)
    .await
}

/// The keys in service of all projects, by slug, at most `limit`.
pub async fn all_in_service(conn: &mut Conn, limit: u32) -> Result<Vec<KeyLine>, StoreError> {
    sql("SELECT k.id, k.project_id, p.slug AS project_slug, k.uses, k.created_at, k.retired_at
         FROM project_keys k JOIN projects p ON p.id = k.project_id
         WHERE k.retired_at IS NULL ORDER BY p.slug LIMIT $1")
    .bind(limit)
    .all(conn)
    .await
}

/// How many keys of projects there are, and how many data keys they have wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Counted {
    /// Keys, retired ones too.
    pub keys: i64,
    /// Versions of secrets that are not destroyed: each has a data key.
    pub data_keys: i64,
}

/// Counts what lies under the keyring.
pub async fn count(conn: &mut Conn) -> Result<Counted, StoreError> {
    sql("SELECT (SELECT count(*) FROM project_keys) AS keys,
                (SELECT count(*) FROM secret_versions WHERE project_key_id IS NOT NULL) AS data_keys")
    .one(conn)
    .await
}

/// Retires the key in service: it only unwraps from now on. Which it was; `None` if there is none. Puts that wrap under
/// it have committed, or will find it retired.
pub async fn retire(
    tx: &mut Tx,
    project: ProjectId,
    now: DateTime<Utc>,
) -> Result<Option<ProjectKeyRow>, StoreError> {
    let retired = sql("UPDATE project_keys SET retired_at = $2 WHERE project_id = $1 AND retired_at IS NULL
         RETURNING id, sealed")
    .bind(project)
    .bind(now)
    .returning(tx)
    .await?;
    Ok(retired.into_iter().next())
}

/// One key.
pub async fn find(conn: &mut Conn, id: ProjectKeyId) -> Result<Option<ProjectKeyRow>, StoreError> {
    sql("SELECT id, sealed FROM project_keys WHERE id = $1").bind(id).optional(conn).await
}

/// Whether the key is in service.
pub async fn is_in_service(conn: &mut Conn, id: ProjectKeyId) -> Result<bool, StoreError> {
    let found: Number =
        sql("SELECT count(*) AS number FROM project_keys WHERE id = $1 AND retired_at IS NULL")
            .bind(id)
            .one(conn)
            .await?;
    Ok(found.number == 1)
}

/// How many data keys lie under a key.
pub async fn data_keys(conn: &mut Conn, id: ProjectKeyId) -> Result<i64, StoreError> {
    let found: Number = sql("SELECT count(*) AS number FROM secret_versions WHERE project_key_id = $1")
        .bind(id)
        .one(conn)
        .await?;
    Ok(found.number)
}

/// A data key to be wrapped anew.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DataKeyRow {
    /// The version that it is of.
    #[sqlx(try_from = "String")]
    pub id: SecretVersionId,
    /// Whose version.
    #[sqlx(try_from = "String")]
    pub secret_id: SecretId,
    /// The data key, sealed.
    pub wrapped_key: Vec<u8>,
}

/// Data keys under a key, those of versions after `after` by id; begin with the empty text.
pub async fn data_keys_after(
    conn: &mut Conn,
    key: ProjectKeyId,
    after: &str,
    limit: u32,
) -> Result<Vec<DataKeyRow>, StoreError> {
    under(key, after).then("ORDER BY id LIMIT ?", [limit]).all(conn).await
}

pub(super) fn under(key: ProjectKeyId, after: &str) -> crate::filter::Select {
    crate::filter::Select::from("SELECT id, secret_id, wrapped_key FROM secret_versions")
        .and("project_key_id = ? AND id > ?", [key.to_string(), after.to_owned()])
}

/// Puts a data key that was wrapped anew in its place; false if the version was destroyed meanwhile.
pub async fn rewrap_data_key(
    tx: &mut Tx,
    row: &DataKeyRow,
    from: ProjectKeyId,
    to: ProjectKeyId,
    wrapped_key: &[u8],
) -> Result<bool, StoreError> {
    let done = sql("UPDATE secret_versions SET project_key_id = $1, wrapped_key = $2
         WHERE id = $3 AND project_key_id = $4 AND wrapped_key = $5")
    .bind(to)
    .bind(wrapped_key)
    .bind(row.id)
    .bind(from)
    .bind(&row.wrapped_key)
    .execute(tx)
    .await?;
    Ok(done == 1)
}

/// Counts data keys that a rewrap wrapped under it; false if it may wrap no more.
pub async fn count_rewrapped(
    tx: &mut Tx,
    id: ProjectKeyId,
    more: i64,
    most: i64,
) -> Result<bool, StoreError> {
    let counted = sql("UPDATE project_keys SET uses = uses + $2 WHERE id = $1 AND uses + $2 <= $3")
        .bind(id)
        .bind(more)
        .bind(most)
        .execute(tx)
        .await?;
    Ok(counted == 1)
}

/// Removes a retired key under which nothing lies; false if something does.
pub async fn destroy(tx: &mut Tx, id: ProjectKeyId) -> Result<bool, StoreError> {
    let gone = sql("DELETE FROM project_keys WHERE id = $1 AND retired_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM secret_versions v WHERE v.project_key_id = $1)")
    .bind(id)
    .execute(tx)
    .await?;
    Ok(gone == 1)
}

/// A project's key to be sealed anew.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SealedKeyRow {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: ProjectKeyId,
    /// Whose.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// Under the keyring.
    pub sealed: Vec<u8>,
}

/// Keys that another key of the keyring sealed than this one, those after `after` by id.
pub async fn not_under(
    conn: &mut Conn,
    keyring_key: KeyringKeyId,
    after: &str,
    limit: u32,
) -> Result<Vec<SealedKeyRow>, StoreError> {
    sql("SELECT id, project_id, sealed FROM project_keys WHERE keyring_key_id <> $1 AND id > $2 ORDER BY id LIMIT $3")
        .bind(keyring_key)
        .bind(after)
        .bind(limit)
        .all(conn)
        .await
}

/// How many those are.
pub async fn count_not_under(conn: &mut Conn, keyring_key: KeyringKeyId) -> Result<i64, StoreError> {
    let found: Number = sql("SELECT count(*) AS number FROM project_keys WHERE keyring_key_id <> $1")
        .bind(keyring_key)
        .one(conn)
        .await?;
    Ok(found.number)
}

/// Puts a key that was sealed anew in its place; false if it went or changed meanwhile.
pub async fn reseal(
    tx: &mut Tx,
    row: &SealedKeyRow,
    keyring_key: KeyringKeyId,
    sealed: &[u8],
) -> Result<bool, StoreError> {
    let done = sql("UPDATE project_keys SET sealed = $1, keyring_key_id = $2 WHERE id = $3 AND sealed = $4")
        .bind(sealed)
        .bind(keyring_key)
        .bind(row.id)
        .bind(&row.sealed)
        .execute(tx)
        .await?;
    Ok(done == 1)
}

/// Every key of a project, retired ones too, by id.
pub async fn all_of_project(conn: &mut Conn, project: ProjectId) -> Result<Vec<SealedKeyRow>, StoreError> {
    sql("SELECT id, project_id, sealed FROM project_keys WHERE project_id = $1 ORDER BY id")
        .bind(project)
        .all(conn)
        .await
}

/// Puts a key in its place that another seal of the project wrapped, or none; false if it went or changed meanwhile.
pub async fn put_under(
    tx: &mut Tx,
    row: &SealedKeyRow,
    seal: Option<&str>,
    keyring_key: KeyringKeyId,
    sealed: &[u8],
) -> Result<bool, StoreError> {
    let done = sql("UPDATE project_keys SET sealed = $1, keyring_key_id = $2, seal_id = $3
         WHERE id = $4 AND sealed = $5")
    .bind(sealed)
    .bind(keyring_key)
    .bind(seal)
    .bind(row.id)
    .bind(&row.sealed)
    .execute(tx)
    .await?;
    Ok(done == 1)
}
