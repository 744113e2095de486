//! Values with what a verdict tells of their keys, in one reading.

use keywarden_model::{ApiKeyId, KeyValueId, KeyringKeyId, ProjectId};

use crate::{Conn, StoreError, filter::Select};

/// A value with its key, as verifying needs them.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Proven {
    /// The value.
    #[sqlx(try_from = "String")]
    pub value_id: KeyValueId,
    /// By what it is found.
    pub public_id: String,
    /// Whether callers held it before Keywarden knew it.
    pub value_imported: bool,
    /// The keyring's key of `mac`.
    #[sqlx(try_from = "String")]
    pub mac_key_id: KeyringKeyId,
    /// The tag over its text, or over the SHA-256 of an imported one; empty once destroyed.
    pub mac: Vec<u8>,
    /// When another value took its place.
    pub superseded_at: Option<i64>,
    /// When it stops, for its own part.
    pub stops_at: Option<i64>,
    /// Stopped for good since.
    pub value_revoked_at: Option<i64>,
    /// Why.
    pub value_revoke_reason: Option<String>,
    /// When its tag was wiped.
    pub destroyed_at: Option<i64>,
    /// Its key.
    #[sqlx(try_from = "String")]
    pub key_id: ApiKeyId,
    /// The key's project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// The project's slug.
    pub project_slug: String,
    /// The environment's slug.
    pub environment_slug: String,
    /// The key's name.
    pub name: String,
    /// A user's or team's id.
    pub owner_id: String,
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
}

/// `LEFT JOIN` keeps `key_values` the outermost loop.
const PROVEN: &str =
    "SELECT v.id AS value_id, v.public_id, v.imported AS value_imported, v.mac_key_id, v.mac, v.superseded_at, v.stops_at,
            v.revoked_at AS value_revoked_at, v.revoke_reason AS value_revoke_reason, v.destroyed_at,
            k.id AS key_id, k.project_id, p.slug AS project_slug, e.slug AS environment_slug, k.name, k.owner_id,
            k.scopes, k.allowed_cidrs, k.rate_limit, k.rate_window, k.tags, k.metadata, k.not_before, k.expires_at,
            k.suspended_at, k.revoked_at, k.revoke_reason
     FROM key_values v LEFT JOIN api_keys k ON k.id = v.key_id LEFT JOIN projects p ON p.id = k.project_id
          LEFT JOIN environments e ON e.id = k.environment_id";

/// The value that one of these tags proves. Which ids there are plays no part in looking for it.
pub async fn proven(conn: &mut Conn, macs: &[[u8; 32]]) -> Result<Option<Proven>, StoreError> {
    by_tags(macs).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// The value that has this public id, whoever asks: for finding out why none was proven.
pub async fn with_public_id(conn: &mut Conn, public_id: &str) -> Result<Option<Proven>, StoreError> {
    Select::from(PROVEN).and("v.public_id = ?", [public_id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

pub(super) fn by_tags(macs: &[[u8; 32]]) -> Select {
    Select::from(PROVEN).and_in("v.mac", macs.iter().copied())
}

/// Values that can still be shown with effect, newest first: those older than `before`.
pub async fn living(
    conn: &mut Conn,
    before: Option<KeyValueId>,
    limit: i64,
) -> Result<Vec<Proven>, StoreError> {
    living_before(before).then("ORDER BY v.id DESC LIMIT ?", [limit]).all(conn).await
}

pub(super) fn living_before(before: Option<KeyValueId>) -> Select {
    let living = Select::from(PROVEN)
        .and::<i64>("v.revoked_at IS NULL AND v.destroyed_at IS NULL", [])
        .and::<i64>("k.revoked_at IS NULL", []);
    match before {
        Some(before) => living.and("v.id < ?", [before]),
        None => living,
    }
}
