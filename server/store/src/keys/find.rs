//! Reading keys one by one.

use keywarden_model::{ApiKeyId, EnvironmentId, KeyValueId, KeyringKeyId, ProjectId};

use crate::{Conn, StoreError, filter::Select, sql};

/// A key as it lies in its row, with the names of what it points to.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct KeyRow {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: ApiKeyId,
    /// Its project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// The project's slug.
    pub project_slug: String,
    /// Since when its project is archived.
    pub archived_at: Option<i64>,
    /// Its environment.
    #[sqlx(try_from = "String")]
    pub environment_id: EnvironmentId,
    /// The environment's slug.
    pub environment_slug: String,
    /// The environment's label, for new values.
    pub label: String,
    /// The environment's overlap when none is asked for.
    pub overlap_seconds: i64,
    /// The environment's longest life of a key.
    pub max_lifetime_seconds: Option<i64>,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// A user's or team's id.
    pub owner_id: String,
    /// The owner's name.
    pub owner_name: String,
    /// JSON array.
    pub scopes: String,
    /// JSON array.
    pub allowed_cidrs: String,
    /// Verifications in a window.
    pub rate_limit: Option<i64>,
    /// The window in seconds.
    pub rate_window: Option<i64>,
    /// JSON array.
    pub tags: String,
    /// JSON object.
    pub metadata: String,
    /// Not valid before.
    pub not_before: Option<i64>,
    /// Not valid from then on.
    pub expires_at: Option<i64>,
    /// Stopped for a while since.
    pub suspended_at: Option<i64>,
    /// Stopped for good since.
    pub revoked_at: Option<i64>,
    /// Why.
    pub revoke_reason: Option<String>,
    /// Whether it began as a value that callers already held.
    pub imported: bool,
    /// When it was issued.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// When one of its values was last found valid.
    pub last_used_at: Option<i64>,
    /// Grows with every change.
    pub row_version: i64,
}

/// A value of a key.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ValueRow {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: KeyValueId,
    /// Whose value it is.
    #[sqlx(try_from = "String")]
    pub key_id: ApiKeyId,
    /// By what it is found.
    pub public_id: String,
    /// The label in its text; empty for an imported one.
    pub label: String,
    /// Whether callers held it before Keywarden knew it.
    pub imported: bool,
    /// The keyring's key of `mac`.
    #[sqlx(try_from = "String")]
    pub mac_key_id: KeyringKeyId,
    /// The tag over its text, or over the SHA-256 of an imported one.
    pub mac: Vec<u8>,
    /// When it was made.
    pub created_at: i64,
    /// When another value took its place.
    pub superseded_at: Option<i64>,
    /// When it stops, for its own part.
    pub stops_at: Option<i64>,
    /// Stopped for good since.
    pub revoked_at: Option<i64>,
    /// Why.
    pub revoke_reason: Option<String>,
    /// When its tag was wiped.
    pub destroyed_at: Option<i64>,
    /// When it was last found valid.
    pub last_used_at: Option<i64>,
}

/// Keys with the names of what they point to. `LEFT JOIN` keeps `api_keys` the outermost loop, so that its indexes give
/// the order.
pub(super) const KEYS: &str =
    "SELECT k.id, k.project_id, p.slug AS project_slug, p.archived_at, k.environment_id,
            e.slug AS environment_slug, e.label, e.overlap_seconds, e.max_lifetime_seconds, k.name, k.description, k.owner_id,
            coalesce(u.name, t.name, k.owner_id) AS owner_name, k.scopes, k.allowed_cidrs, k.rate_limit, k.rate_window,
            k.tags, k.metadata, k.not_before, k.expires_at, k.suspended_at, k.revoked_at, k.revoke_reason, k.imported,
            k.created_at, k.created_by, k.last_used_at, k.row_version
     FROM api_keys k LEFT JOIN projects p ON p.id = k.project_id LEFT JOIN environments e ON e.id = k.environment_id
          LEFT JOIN users u ON u.id = k.owner_id LEFT JOIN teams t ON t.id = k.owner_id";

const VALUES: &str =
    "SELECT id, key_id, public_id, label, imported, mac_key_id, mac, created_at, superseded_at, stops_at,
            revoked_at, revoke_reason, destroyed_at, last_used_at
     FROM key_values";

/// One key.
pub async fn find(conn: &mut Conn, id: ApiKeyId) -> Result<Option<KeyRow>, StoreError> {
    Select::from(KEYS).and("k.id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// Several keys, in the order of their ids.
pub async fn find_many(conn: &mut Conn, ids: &[ApiKeyId]) -> Result<Vec<KeyRow>, StoreError> {
    let limit = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    Select::from(KEYS)
        .and_in("k.id", ids.iter().copied())
        .then("ORDER BY k.id LIMIT ?", [limit])
        .all(conn)
        .await
}

/// A key's values, newest first.
pub async fn values(conn: &mut Conn, key: ApiKeyId) -> Result<Vec<ValueRow>, StoreError> {
    values_of_many(conn, &[key]).await
}

/// The values of several keys; of each the current one first, then the newest.
pub async fn values_of_many(conn: &mut Conn, keys: &[ApiKeyId]) -> Result<Vec<ValueRow>, StoreError> {
    Select::from(VALUES)
        .and_in("key_id", keys.iter().copied())
        .then::<i64>(
            "ORDER BY key_id, CASE WHEN superseded_at IS NULL THEN 0 ELSE 1 END, created_at DESC, id DESC",
            [],
        )
        .all(conn)
        .await
}

/// The value that is found by this public id.
pub async fn value_by_public_id(conn: &mut Conn, public_id: &str) -> Result<Option<ValueRow>, StoreError> {
    Select::from(VALUES).and("public_id = ?", [public_id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

#[derive(sqlx::FromRow)]
struct Text {
    text: String,
}

/// The public ids of these keys' values.
pub async fn public_ids(conn: &mut Conn, keys: &[&str]) -> Result<Vec<String>, StoreError> {
    let rows: Vec<Text> = Select::from("SELECT public_id AS text FROM key_values")
        .and_in("key_id", keys.iter().copied())
        .then::<i64>("ORDER BY public_id", [])
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| row.text).collect())
}

/// Where a key can be issued: an environment with what it rules.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Place {
    /// The environment.
    #[sqlx(try_from = "String")]
    pub environment_id: EnvironmentId,
    /// Its project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// Whether the project is archived.
    pub archived_at: Option<i64>,
    /// The environment's slug.
    pub slug: String,
    /// The label in the text of values.
    pub label: String,
    /// How long a key lives at most.
    pub max_lifetime_seconds: Option<i64>,
}

const PLACES: &str =
    "SELECT e.id AS environment_id, e.project_id, p.archived_at, e.slug, e.label, e.max_lifetime_seconds
                      FROM environments e JOIN projects p ON p.id = e.project_id";

/// The environment by its id.
pub async fn place(conn: &mut Conn, id: EnvironmentId) -> Result<Option<Place>, StoreError> {
    Select::from(PLACES).and("e.id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// The environment by its project's slug and its own.
pub async fn place_by_slugs(
    conn: &mut Conn,
    project: &str,
    environment: &str,
) -> Result<Option<Place>, StoreError> {
    Select::from(PLACES)
        .and("p.slug = ? AND e.slug = ?", [project, environment])
        .then("LIMIT ?", [1_i64])
        .optional(conn)
        .await
}

#[derive(sqlx::FromRow)]
struct Count {
    n: i64,
}

/// Whether another living key of the environment has this name.
pub async fn name_is_taken(
    conn: &mut Conn,
    environment: EnvironmentId,
    folded_name: &str,
    but: Option<ApiKeyId>,
) -> Result<bool, StoreError> {
    let found: Count = sql("SELECT count(*) AS n FROM api_keys
                            WHERE environment_id = $1 AND folded_name = $2 AND revoked_at IS NULL AND id <> $3")
    .bind(environment)
    .bind(folded_name)
    .bind(but.map_or_else(String::new, |id| id.to_string()))
    .one(conn)
    .await?;
    Ok(found.n > 0)
}

/// Whether there is such a team or active person.
pub async fn owner_is_active(conn: &mut Conn, owner_id: &str) -> Result<bool, StoreError> {
    let found: Count = sql("SELECT (SELECT count(*) FROM users WHERE id = $1 AND state = 'active')
                                 + (SELECT count(*) FROM teams WHERE id = $2) AS n")
    .bind(owner_id)
    .bind(owner_id)
    .one(conn)
    .await?;
    Ok(found.n > 0)
}
