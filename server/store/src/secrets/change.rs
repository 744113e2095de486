//! Changing secrets.

use chrono::{DateTime, Utc};
use keywarden_model::{
    EnvironmentId, KeyringKeyId, ProjectId, ProjectKeyId, SecretId, SecretLabel, SecretVersionId,
};

use super::aliases;
use super::references::{self, ReferenceRow};
use crate::{StoreError, Tx, sql};

/// A secret to be made.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: SecretId,
    /// Its project.
    pub project: ProjectId,
    /// Its environment.
    pub environment: EnvironmentId,
    /// Folders and name.
    pub path: &'a str,
    /// As compared.
    pub folded_path: &'a str,
    /// What it is for.
    pub description: &'a str,
    /// For finding it.
    pub tags: &'a Tagging,
    /// `person` or `team`.
    pub owner_kind: &'static str,
    /// Whose it is.
    pub owner_id: &'a str,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

/// A secret's tags as rows hold them.
#[derive(Debug, Clone)]
pub struct Tagging {
    /// JSON array.
    pub text: String,
    /// Each of them, as written and as a search compares it.
    pub each: Vec<(String, String)>,
}

/// What people say about a secret.
#[derive(Debug)]
pub struct Attributes<'a> {
    /// What it is for.
    pub description: &'a str,
    /// For finding it.
    pub tags: &'a Tagging,
    /// `person` or `team`.
    pub owner_kind: &'static str,
    /// Whose it is.
    pub owner_id: &'a str,
}

/// A version to be made, enabled.
#[derive(Debug)]
pub struct VersionInsert<'a> {
    /// Its id.
    pub id: SecretVersionId,
    /// Whose.
    pub secret: SecretId,
    /// Its number: one more than the newest has.
    pub number: i64,
    /// The kind's word.
    pub kind: &'static str,
    /// A media type.
    pub content_type: &'a str,
    /// Bytes of the value.
    pub size: i64,
    /// The key that wrapped its data key.
    pub project_key: ProjectKeyId,
    /// The data key, sealed.
    pub wrapped_key: &'a [u8],
    /// The value, sealed.
    pub ciphertext: &'a [u8],
    /// The keyring's key of the fingerprint.
    pub fingerprint_key: KeyringKeyId,
    /// The fingerprint.
    pub fingerprint: [u8; 32],
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
    /// When `current` points at it, if at once.
    pub promoted_at: Option<DateTime<Utc>>,
    /// From when on its value is read.
    pub not_before: Option<DateTime<Utc>>,
    /// Until when.
    pub expires_at: Option<DateTime<Utc>>,
    /// Of a template, what its text refers to, in the order of the text.
    pub references: Option<&'a [ReferenceRow]>,
}

/// Makes a secret without any version. A path that is taken is a [`StoreError::Conflict`].
pub async fn insert(tx: &mut Tx, it: &Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO secrets (id, project_id, environment_id, path, folded_path, description, tags, owner_kind, owner_id,
                              last_version, created_at, created_by, row_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, 1)")
    .bind(it.id)
    .bind(it.project)
    .bind(it.environment)
    .bind(it.path)
    .bind(it.folded_path)
    .bind(it.description)
    .bind(&it.tags.text)
    .bind(it.owner_kind)
    .bind(it.owner_id)
    .bind(it.created_at)
    .bind(it.created_by)
    .execute_one(tx, "secrets")
    .await?;
    remember(tx, it.id, it.created_at).await?;
    tag(tx, it.id, it.tags).await
}

/// Keeps what is so of a secret from now on, for whoever asks how it was. Each write that moves `current`, or lets a secret
/// come or go, ends here.
async fn remember(tx: &mut Tx, id: SecretId, at: DateTime<Utc>) -> Result<(), StoreError> {
    // A write that began earlier than the one before it counts from that one on.
    sql("INSERT INTO secret_history (secret_id, seq, at, number, state)
         SELECT s.id, s.row_version,
                coalesce((SELECT max(h.at) FROM secret_history h WHERE h.secret_id = s.id AND h.at > $2), $2),
                (SELECT l.number FROM secret_labels l WHERE l.secret_id = s.id AND l.label = 'current'),
                CASE WHEN s.purged_at IS NOT NULL THEN 'purged' WHEN s.deleted_at IS NOT NULL THEN 'deleted'
                     ELSE 'there' END
         FROM secrets s WHERE s.id = $1
         ON CONFLICT (secret_id, seq) DO UPDATE SET at = excluded.at, number = excluded.number, state = excluded.state")
    .bind(id)
    .bind(at)
    .execute_one(tx, "secret_history")
    .await
}

async fn tag(tx: &mut Tx, secret: SecretId, tags: &Tagging) -> Result<(), StoreError> {
    for (tag, folded) in &tags.each {
        sql("INSERT INTO secret_tags (tag, secret_id, folded_tag) VALUES ($1, $2, $3)")
            .bind(tag)
            .bind(secret)
            .bind(folded)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Takes the secret's row for this write; false if there is none.
pub async fn claim(tx: &mut Tx, id: SecretId) -> Result<bool, StoreError> {
    let taken = sql("UPDATE secrets SET row_version = row_version + 1 WHERE id = $1").bind(id);
    Ok(taken.execute(tx).await? == 1)
}

/// Writes what people say about a claimed secret.
pub async fn edit(tx: &mut Tx, id: SecretId, it: &Attributes<'_>) -> Result<(), StoreError> {
    sql("UPDATE secrets SET description = $2, tags = $3, owner_kind = $4, owner_id = $5 WHERE id = $1")
        .bind(id)
        .bind(it.description)
        .bind(&it.tags.text)
        .bind(it.owner_kind)
        .bind(it.owner_id)
        .execute_one(tx, "secrets")
        .await?;
    sql("DELETE FROM secret_tags WHERE secret_id = $1").bind(id).execute(tx).await?;
    tag(tx, id, it.tags).await
}

/// Adds the next version to a claimed secret.
pub async fn add_version(tx: &mut Tx, it: &VersionInsert<'_>) -> Result<(), StoreError> {
    sql("UPDATE secrets SET last_version = $2 WHERE id = $1 AND last_version = $3")
        .bind(it.secret)
        .bind(it.number)
        .bind(it.number.saturating_sub(1))
        .execute_one(tx, "secrets")
        .await?;
    sql("INSERT INTO secret_versions (id, secret_id, number, state, kind, content_type, size, project_key_id, wrapped_key,
                                      ciphertext, fingerprint_key_id, fingerprint, created_at, created_by, promoted_at,
                                      not_before, expires_at, template)
         VALUES ($1, $2, $3, 'enabled', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)")
    .bind(it.id)
    .bind(it.secret)
    .bind(it.number)
    .bind(it.kind)
    .bind(it.content_type)
    .bind(it.size)
    .bind(it.project_key)
    .bind(it.wrapped_key)
    .bind(it.ciphertext)
    .bind(it.fingerprint_key)
    .bind(it.fingerprint)
    .bind(it.created_at)
    .bind(it.created_by)
    .bind(it.promoted_at)
    .bind(it.not_before)
    .bind(it.expires_at)
    .bind(it.references.is_some())
    .execute_one(tx, "secret_versions")
    .await?;
    references::refer(tx, it.id, it.references.unwrap_or_default()).await
}

/// Notes that `current` points at a version for the first time; nothing if it did before.
pub async fn promoted(
    tx: &mut Tx,
    secret: SecretId,
    number: i64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("UPDATE secret_versions SET promoted_at = $3 WHERE secret_id = $1 AND number = $2 AND promoted_at IS NULL")
        .bind(secret)
        .bind(number)
        .bind(at)
        .execute(tx)
        .await?;
    Ok(())
}

/// Lets a label point at a version, wherever it pointed before.
pub async fn point(
    tx: &mut Tx,
    secret: SecretId,
    label: &str,
    number: i64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("INSERT INTO secret_labels (secret_id, label, number) VALUES ($1, $2, $3)
         ON CONFLICT (secret_id, label) DO UPDATE SET number = excluded.number")
    .bind(secret)
    .bind(label)
    .bind(number)
    .execute_one(tx, "secret_labels")
    .await?;
    if label == SecretLabel::CURRENT { remember(tx, secret, at).await } else { Ok(()) }
}

/// Removes a label.
pub async fn unpoint(tx: &mut Tx, secret: SecretId, label: &str) -> Result<(), StoreError> {
    sql("DELETE FROM secret_labels WHERE secret_id = $1 AND label = $2")
        .bind(secret)
        .bind(label)
        .execute_one(tx, "secret_labels")
        .await
}

/// Removes every label of a version.
pub async fn unpoint_all(tx: &mut Tx, secret: SecretId, number: i64) -> Result<(), StoreError> {
    sql("DELETE FROM secret_labels WHERE secret_id = $1 AND number = $2")
        .bind(secret)
        .bind(number)
        .execute(tx)
        .await?;
    Ok(())
}

/// Lets a version be read, or not.
pub async fn set_state(
    tx: &mut Tx,
    secret: SecretId,
    number: i64,
    state: &'static str,
) -> Result<(), StoreError> {
    sql("UPDATE secret_versions SET state = $3 WHERE secret_id = $1 AND number = $2 AND state <> 'destroyed'")
        .bind(secret)
        .bind(number)
        .bind(state)
        .execute_one(tx, "secret_versions")
        .await
}

/// Deletes a version of a claimed secret; until `purge_at` it can be restored. Its labels stay.
pub async fn delete_version(
    tx: &mut Tx,
    secret: SecretId,
    number: i64,
    at: DateTime<Utc>,
    purge_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("UPDATE secret_versions SET restores_to = state, state = 'soft-deleted', deleted_at = $3, purge_at = $4
         WHERE secret_id = $1 AND number = $2 AND state IN ('disabled', 'enabled')")
    .bind(secret)
    .bind(number)
    .bind(at)
    .bind(purge_at)
    .execute_one(tx, "secret_versions")
    .await
}

/// Takes the deletion of a version back: it is in the state that it was in before.
pub async fn restore_version(tx: &mut Tx, secret: SecretId, number: i64) -> Result<(), StoreError> {
    sql("UPDATE secret_versions SET state = restores_to, restores_to = NULL, deleted_at = NULL, purge_at = NULL
         WHERE secret_id = $1 AND number = $2 AND state = 'soft-deleted'")
    .bind(secret)
    .bind(number)
    .execute_one(tx, "secret_versions")
    .await
}

/// What a destroyed version does not have any more. Number 0 stands for all.
const GONE: &str = "UPDATE secret_versions
     SET state = 'destroyed', destroyed_at = $2, project_key_id = NULL, wrapped_key = NULL, ciphertext = NULL,
         fingerprint_key_id = NULL, fingerprint = NULL, restores_to = NULL, deleted_at = NULL, purge_at = NULL
     WHERE secret_id = $1 AND state <> 'destroyed' AND $3 IN (0, number)";

/// Removes the data key, the value and the fingerprint of a version, its labels, and what is known of its text.
pub async fn destroy_version(
    tx: &mut Tx,
    secret: SecretId,
    number: i64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    unpoint_all(tx, secret, number).await?;
    references::forget(tx, secret, number).await?;
    sql(GONE).bind(secret).bind(at).bind(number).execute_one(tx, "secret_versions").await
}

/// As [`destroy_version`], of the version that `current` points at: the secret has none from here on.
pub async fn destroy_current(
    tx: &mut Tx,
    secret: SecretId,
    number: i64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    destroy_version(tx, secret, number, at).await?;
    remember(tx, secret, at).await
}

/// Deletes a claimed secret; until `purge_at` it can be restored.
pub async fn delete(
    tx: &mut Tx,
    id: SecretId,
    at: DateTime<Utc>,
    purge_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("UPDATE secrets SET deleted_at = $2, purge_at = $3 WHERE id = $1 AND deleted_at IS NULL")
        .bind(id)
        .bind(at)
        .bind(purge_at)
        .execute_one(tx, "secrets")
        .await?;
    remember(tx, id, at).await
}

/// Takes a deletion back.
pub async fn restore(tx: &mut Tx, id: SecretId, at: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE secrets SET deleted_at = NULL, purge_at = NULL
         WHERE id = $1 AND deleted_at IS NOT NULL AND purged_at IS NULL")
    .bind(id)
    .execute_one(tx, "secrets")
    .await?;
    remember(tx, id, at).await
}

/// Destroys every version of a deleted secret, and frees its path and its aliases; its window ends with that. How many
/// versions it were.
pub async fn purge(tx: &mut Tx, id: SecretId, at: DateTime<Utc>) -> Result<u64, StoreError> {
    sql("DELETE FROM secret_labels WHERE secret_id = $1").bind(id).execute(tx).await?;
    references::forget(tx, id, 0).await?;
    aliases::free(tx, id).await?;
    let gone = sql(GONE).bind(id).bind(at).bind(0_i64).execute(tx).await?;
    sql("UPDATE secrets SET purged_at = $2, purge_at = CASE WHEN purge_at > $2 THEN $2 ELSE purge_at END
         WHERE id = $1 AND deleted_at IS NOT NULL AND purged_at IS NULL")
    .bind(id)
    .bind(at)
    .execute_one(tx, "secrets")
    .await?;
    remember(tx, id, at).await?;
    Ok(gone)
}
