//! Reading secrets one by one. What is sealed is read by [`sealed`] alone.

use keywarden_model::{EnvironmentId, KeyringKeyId, ProjectId, ProjectKeyId, SecretId, SecretVersionId};

use crate::{Conn, StoreError, filter::Select, sql};

/// A secret as it lies in its row, with the names of what it points to.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SecretRow {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: SecretId,
    /// Its project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// The project's slug.
    pub project_slug: String,
    /// Since when the project is archived.
    pub archived_at: Option<i64>,
    /// Its environment.
    #[sqlx(try_from = "String")]
    pub environment_id: EnvironmentId,
    /// The environment's slug.
    pub environment_slug: String,
    /// How long the environment keeps what is deleted.
    pub recovery_days: i64,
    /// Whether the environment lets nothing be destroyed before.
    pub purge_protection: bool,
    /// Whether the environment, or a standard in force there, asks why a value is read.
    pub reads_need_reason: bool,
    /// Folders and name.
    pub path: String,
    /// As compared.
    pub folded_path: String,
    /// What it is for.
    pub description: String,
    /// JSON array.
    pub tags: String,
    /// A user's or team's id.
    pub owner_id: String,
    /// The owner's name.
    pub owner_name: String,
    /// The number of its newest version.
    pub last_version: i64,
    /// When it was made.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Deleted since.
    pub deleted_at: Option<i64>,
    /// When its versions are destroyed.
    pub purge_at: Option<i64>,
    /// When they were.
    pub purged_at: Option<i64>,
    /// Grows with every change.
    pub row_version: i64,
}

/// A version of a secret, without what is sealed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct VersionRow {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: SecretVersionId,
    /// Whose version it is.
    #[sqlx(try_from = "String")]
    pub secret_id: SecretId,
    /// 1 for the first.
    pub number: i64,
    /// `enabled`, `disabled`, `soft-deleted` or `destroyed`.
    pub state: String,
    /// The kind's word.
    pub kind: String,
    /// A media type.
    pub content_type: String,
    /// Bytes of the value.
    pub size: i64,
    /// When it was made.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// When `current` first pointed at it.
    pub promoted_at: Option<i64>,
    /// When its value was destroyed.
    pub destroyed_at: Option<i64>,
    /// Deleted by itself since.
    pub deleted_at: Option<i64>,
    /// When it is destroyed then.
    pub purge_at: Option<i64>,
    /// From when on its value is read.
    pub not_before: Option<i64>,
    /// Until when.
    pub expires_at: Option<i64>,
    /// Whether references in its value are resolved.
    pub template: bool,
}

/// What is sealed of a version, with the key above it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SealedRow {
    /// The project's key.
    #[sqlx(try_from = "String")]
    pub project_key_id: ProjectKeyId,
    /// It, sealed.
    pub project_key: Vec<u8>,
    /// The data key, sealed under it.
    pub wrapped_key: Vec<u8>,
    /// The value, sealed under the data key.
    pub ciphertext: Vec<u8>,
}

/// What a version's value is known again by.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct FingerprintRow {
    /// The version.
    #[sqlx(try_from = "String")]
    pub id: SecretVersionId,
    /// The keyring's key of it.
    #[sqlx(try_from = "String")]
    pub fingerprint_key_id: KeyringKeyId,
    /// The fingerprint.
    pub fingerprint: Vec<u8>,
}

/// A label and the version it points at.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LabelRow {
    /// Whose.
    #[sqlx(try_from = "String")]
    pub secret_id: SecretId,
    /// The label.
    pub label: String,
    /// The version's number.
    pub number: i64,
}

/// Secrets with the names of what they point to. `LEFT JOIN` keeps `secrets` the outermost loop, so that its indexes give
/// the order.
pub(super) const SECRETS: &str =
    "SELECT s.id, s.project_id, p.slug AS project_slug, p.archived_at, s.environment_id, e.slug AS environment_slug,
            e.secret_recovery_days AS recovery_days, e.purge_protection,
            (e.reads_need_reason OR EXISTS (SELECT 1 FROM standard_versions r WHERE r.state = 'active' AND r.reads_need_reason
                 AND r.scope IN ('organization', s.project_id) AND (r.environments = ''
                     OR r.environments LIKE '%,' || e.slug || ',%' OR r.environments LIKE '%,' || e.label || ',%')))
                AS reads_need_reason,
            s.path, s.folded_path, s.description, s.tags,
            s.owner_id, coalesce(u.name, t.name, s.owner_id) AS owner_name, s.last_version, s.created_at, s.created_by, s.deleted_at, s.purge_at, s.purged_at, s.row_version
     FROM secrets s LEFT JOIN projects p ON p.id = s.project_id
          LEFT JOIN environments e ON e.id = s.environment_id
          LEFT JOIN users u ON u.id = s.owner_id LEFT JOIN teams t ON t.id = s.owner_id";

const VERSIONS: &str =
    "SELECT id, secret_id, number, state, kind, content_type, size, created_at, created_by, promoted_at, destroyed_at,
            deleted_at, purge_at, not_before, expires_at, template
     FROM secret_versions";

const LABELS: &str = "SELECT secret_id, label, number FROM secret_labels";

/// One secret, purged ones too.
pub async fn find(conn: &mut Conn, id: SecretId) -> Result<Option<SecretRow>, StoreError> {
    Select::from(SECRETS).and("s.id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// The secret of an environment whose path folds to this; a purged one has none any more.
pub async fn find_by_path(
    conn: &mut Conn,
    environment: EnvironmentId,
    folded_path: &str,
) -> Result<Option<SecretRow>, StoreError> {
    at_path(environment, folded_path).then("LIMIT ?", [1_i64]).optional(conn).await
}

pub(super) fn at_path(environment: EnvironmentId, folded_path: &str) -> Select {
    Select::from(SECRETS)
        .and::<i64>("s.purged_at IS NULL", [])
        .and("s.environment_id = ? AND s.folded_path = ?", [environment.to_string(), folded_path.to_owned()])
}

/// The secrets of an environment whose paths fold to these; purged ones have none any more.
pub async fn find_by_paths(
    conn: &mut Conn,
    environment: EnvironmentId,
    folded_paths: &[String],
) -> Result<Vec<SecretRow>, StoreError> {
    at_paths(environment, folded_paths).then::<i64>("ORDER BY s.folded_path", []).all(conn).await
}

pub(super) fn at_paths(environment: EnvironmentId, folded_paths: &[String]) -> Select {
    Select::from(SECRETS)
        .and::<i64>("s.purged_at IS NULL", [])
        .and("s.environment_id = ?", [environment])
        .and_in("s.folded_path", folded_paths.iter().cloned())
}

/// One version.
pub async fn version(
    conn: &mut Conn,
    secret: SecretId,
    number: i64,
) -> Result<Option<VersionRow>, StoreError> {
    Select::from(VERSIONS)
        .and("secret_id = ?", [secret])
        .and("number = ?", [number])
        .then("LIMIT ?", [1_i64])
        .optional(conn)
        .await
}

/// A secret's versions from before a number, newest first.
pub async fn versions(
    conn: &mut Conn,
    secret: SecretId,
    before: i64,
    limit: u32,
) -> Result<Vec<VersionRow>, StoreError> {
    Select::from(VERSIONS)
        .and("secret_id = ?", [secret])
        .and("number < ?", [before])
        .then("ORDER BY number DESC LIMIT ?", [limit])
        .all(conn)
        .await
}

/// The versions of these secrets that a label points at.
pub async fn versions_labelled(
    conn: &mut Conn,
    secrets: &[SecretId],
    label: &str,
) -> Result<Vec<VersionRow>, StoreError> {
    Select::from(
        "SELECT v.id, v.secret_id, v.number, v.state, v.kind, v.content_type, v.size, v.created_at, v.created_by,
                v.promoted_at, v.destroyed_at, v.deleted_at, v.purge_at, v.not_before, v.expires_at, v.template
         FROM secret_labels l JOIN secret_versions v ON v.secret_id = l.secret_id AND v.number = l.number",
    )
    .and_in("l.secret_id", secrets.iter().copied())
    .and("l.label = ?", [label])
    .then::<i64>("ORDER BY v.secret_id", [])
    .all(conn)
    .await
}

/// The fingerprints of these versions; one that is destroyed has none.
pub async fn fingerprints(
    conn: &mut Conn,
    versions: &[SecretVersionId],
) -> Result<Vec<FingerprintRow>, StoreError> {
    Select::from("SELECT id, fingerprint_key_id, fingerprint FROM secret_versions")
        .and_in("id", versions.iter().copied())
        .and::<i64>("fingerprint IS NOT NULL", [])
        .then::<i64>("ORDER BY id", [])
        .all(conn)
        .await
}

/// A secret's labels, alphabetical.
pub async fn labels(conn: &mut Conn, secret: SecretId) -> Result<Vec<LabelRow>, StoreError> {
    labels_of_many(conn, &[secret]).await
}

/// The labels of several secrets.
pub async fn labels_of_many(conn: &mut Conn, secrets: &[SecretId]) -> Result<Vec<LabelRow>, StoreError> {
    Select::from(LABELS)
        .and_in("secret_id", secrets.iter().copied())
        .then::<i64>("ORDER BY secret_id, label", [])
        .all(conn)
        .await
}

/// What is sealed of a version; `None` once it is destroyed.
pub async fn sealed(conn: &mut Conn, version: SecretVersionId) -> Result<Option<SealedRow>, StoreError> {
    sql("SELECT v.project_key_id, k.sealed AS project_key, v.wrapped_key, v.ciphertext
         FROM secret_versions v JOIN project_keys k ON k.id = v.project_key_id
         WHERE v.id = $1 AND v.wrapped_key IS NOT NULL AND v.ciphertext IS NOT NULL LIMIT 1")
    .bind(version)
    .optional(conn)
    .await
}

/// What is current of a secret, as its fingerprint and its time tell.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CurrentFingerprint {
    /// The keyring's key that made it.
    pub fingerprint_key_id: String,
    /// The fingerprint.
    pub fingerprint: Vec<u8>,
    /// From when on the value is read.
    pub not_before: Option<i64>,
    /// Until when.
    pub expires_at: Option<i64>,
    /// Whether references in the value are resolved.
    pub template: bool,
}

/// The fingerprint of what is current of a secret that is not deleted.
pub async fn current_fingerprint(
    conn: &mut Conn,
    secret: SecretId,
) -> Result<Option<CurrentFingerprint>, StoreError> {
    sql("SELECT v.fingerprint_key_id, v.fingerprint, v.not_before, v.expires_at, v.template
         FROM secrets s JOIN secret_labels l ON l.secret_id = s.id
              JOIN secret_versions v ON v.secret_id = l.secret_id AND v.number = l.number
         WHERE s.id = $1 AND s.deleted_at IS NULL AND l.label = 'current' AND v.state = 'enabled'
           AND v.fingerprint IS NOT NULL AND v.fingerprint_key_id IS NOT NULL LIMIT 1")
    .bind(secret)
    .optional(conn)
    .await
}

#[derive(sqlx::FromRow)]
struct Due {
    #[sqlx(try_from = "String")]
    id: SecretId,
}

/// Deleted secrets whose time is over at `now`, in microseconds; those that have waited longest first.
pub async fn due(conn: &mut Conn, now: i64, limit: u32) -> Result<Vec<SecretId>, StoreError> {
    let due: Vec<Due> = over(now).then("ORDER BY purge_at LIMIT ?", [limit]).all(conn).await?;
    Ok(due.into_iter().map(|row| row.id).collect())
}

#[derive(sqlx::FromRow)]
struct DueVersion {
    #[sqlx(try_from = "String")]
    secret_id: SecretId,
    number: i64,
}

/// Versions that were deleted by themselves and whose time is over at `now`, in microseconds; those that have waited
/// longest first.
pub async fn due_versions(conn: &mut Conn, now: i64, limit: u32) -> Result<Vec<(SecretId, i64)>, StoreError> {
    let due: Vec<DueVersion> =
        versions_over(now).then("ORDER BY purge_at LIMIT ?", [limit]).all(conn).await?;
    Ok(due.into_iter().map(|row| (row.secret_id, row.number)).collect())
}

pub(super) fn versions_over(now: i64) -> Select {
    Select::from("SELECT secret_id, number FROM secret_versions")
        .and("purge_at IS NOT NULL AND purge_at <= ?", [now])
}

pub(super) fn over(now: i64) -> Select {
    Select::from("SELECT id FROM secrets")
        .and("purge_at IS NOT NULL AND purged_at IS NULL AND purge_at <= ?", [now])
}
