//! Secrets, their versions and labels, and the projects' keys.

use keywarden_model::{KeyringKeyId, ProjectId, ProjectKeyId, SecretId, SecretVersionId};

use super::{Rule, rule};
use crate::{Conn, StoreError, sql};

pub(super) const RULES: &[Rule] = &[
    rule(
        "secret-without-event",
        "is a secret of whose making there is no event",
        "SELECT id AS thing FROM secrets s
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = s.id AND e.action = 'secret.create')",
    ),
    rule(
        "secret-event-without-secret",
        "is a secret that an event made and that is not there",
        "SELECT e.resource_id AS thing FROM events e WHERE e.action = 'secret.create' AND e.outcome = 'allowed'
         AND NOT EXISTS (SELECT 1 FROM secrets s WHERE s.id = e.resource_id)",
    ),
    rule(
        "secret-elsewhere",
        "is a secret in an environment of another project",
        "SELECT s.id AS thing FROM secrets s JOIN environments v ON v.id = s.environment_id
         WHERE v.project_id <> s.project_id",
    ),
    rule(
        "secret-owner",
        "is a secret whose owner is not there",
        "SELECT id AS thing FROM secrets s
         WHERE owner_kind = 'person' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.owner_id)
            OR owner_kind = 'team' AND NOT EXISTS (SELECT 1 FROM teams t WHERE t.id = s.owner_id)
            OR owner_kind NOT IN ('person', 'team')",
    ),
    rule(
        "secret-tag",
        "is a tag of a secret that is not there",
        "SELECT tag AS thing FROM secret_tags t WHERE NOT EXISTS (SELECT 1 FROM secrets s WHERE s.id = t.secret_id)",
    ),
    rule(
        "secret-state",
        "is a secret in no legal state",
        "SELECT id AS thing FROM secrets
         WHERE (deleted_at IS NULL) <> (purge_at IS NULL) OR purge_at < deleted_at OR purged_at < purge_at
            OR purged_at IS NOT NULL AND deleted_at IS NULL OR last_version < 1",
    ),
    rule(
        "secret-deleted-otherwise",
        "is a secret that is deleted, or restored, otherwise than its events say",
        "SELECT s.id AS thing FROM secrets s
         WHERE (SELECT count(*) FROM events e
                WHERE e.resource_id = s.id AND e.action = 'secret.delete' AND e.outcome = 'allowed')
             - (SELECT count(*) FROM events e
                WHERE e.resource_id = s.id AND e.action = 'secret.restore' AND e.outcome = 'allowed')
            <> CASE WHEN s.deleted_at IS NULL THEN 0 ELSE 1 END",
    ),
    rule(
        "secret-purged-otherwise",
        "is a secret that is purged, or not, otherwise than its events say",
        "SELECT s.id AS thing FROM secrets s
         WHERE (SELECT count(*) FROM events e
                WHERE e.resource_id = s.id AND e.action = 'secret.purge' AND e.outcome = 'allowed')
            <> CASE WHEN s.purged_at IS NULL THEN 0 ELSE 1 END",
    ),
    rule(
        "secret-purged-and-there",
        "is a purged secret of which a version or a label is still there",
        "SELECT id AS thing FROM secrets s WHERE purged_at IS NOT NULL
         AND (EXISTS (SELECT 1 FROM secret_versions v WHERE v.secret_id = s.id AND v.state <> 'destroyed')
              OR EXISTS (SELECT 1 FROM secret_labels l WHERE l.secret_id = s.id))",
    ),
    rule(
        "secret-without-current",
        "is a secret that had a current version and has none",
        // One that events destroyed after a restore: what was current in its place then is lost. And one that somebody
        // destroyed while the secret was deleted.
        "SELECT id AS thing FROM secrets s WHERE purged_at IS NULL
         AND EXISTS (SELECT 1 FROM secret_versions v WHERE v.secret_id = s.id AND v.promoted_at IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM secret_labels l WHERE l.secret_id = s.id AND l.label = 'current')
         AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = s.id AND e.actor_kind = 'system'
                         AND e.actor_id = 'restore'
                         AND e.action IN ('secret.destroy-version', 'secret.purge-version'))
         AND NOT EXISTS (SELECT 1 FROM events e JOIN events d ON d.resource_id = e.resource_id AND d.at <= e.at
                         WHERE e.resource_id = s.id AND e.action = 'secret.destroy-version' AND e.outcome = 'allowed'
                           AND d.action = 'secret.delete' AND d.outcome = 'allowed')",
    ),
    rule(
        "secret-numbering",
        "is a secret whose versions are not numbered from one to the last",
        "SELECT s.id AS thing FROM secrets s
         WHERE (SELECT count(*) FROM secret_versions v WHERE v.secret_id = s.id) <> s.last_version
            OR (SELECT max(number) FROM secret_versions v WHERE v.secret_id = s.id) <> s.last_version",
    ),
    rule(
        "secret-version-count",
        "is a secret with more or fewer versions than events made",
        "SELECT s.id AS thing FROM secrets s
         WHERE (SELECT count(*) FROM secret_versions v WHERE v.secret_id = s.id)
            <> (SELECT count(*) FROM events e WHERE e.resource_id = s.id
                AND e.action IN ('secret.create', 'secret.put', 'secret.rotate-data-key')
                AND e.outcome = 'allowed')",
    ),
    rule(
        "secret-version-orphan",
        "is a version of a secret that is not there",
        "SELECT id AS thing FROM secret_versions v WHERE NOT EXISTS (SELECT 1 FROM secrets s WHERE s.id = v.secret_id)",
    ),
    rule(
        "secret-version-state",
        "is a version of a secret in no legal state",
        "SELECT id AS thing FROM secret_versions
         WHERE state NOT IN ('enabled', 'disabled', 'soft-deleted', 'destroyed') OR kind NOT IN ('binary', 'json', 'text')
            OR (state = 'destroyed') <> (destroyed_at IS NOT NULL) OR size < 0",
    ),
    rule(
        "secret-version-deletion",
        "is a version of a secret that is deleted by halves, or comes back to no state",
        "SELECT id AS thing FROM secret_versions
         WHERE (state = 'soft-deleted') <> (deleted_at IS NOT NULL) OR (state = 'soft-deleted') <> (purge_at IS NOT NULL)
            OR (state = 'soft-deleted') <> (restores_to IS NOT NULL) OR restores_to NOT IN ('disabled', 'enabled')
            OR purge_at < deleted_at",
    ),
    rule(
        "secret-version-deleted-otherwise",
        "is a secret with more deleted versions than events deleted and did not restore",
        "SELECT s.id AS thing FROM secrets s
         WHERE (SELECT count(*) FROM secret_versions v WHERE v.secret_id = s.id AND v.state = 'soft-deleted')
             > (SELECT count(*) FROM events e
                WHERE e.resource_id = s.id AND e.action = 'secret.delete-version' AND e.outcome = 'allowed')
             - (SELECT count(*) FROM events e
                WHERE e.resource_id = s.id AND e.action = 'secret.restore-version' AND e.outcome = 'allowed')",
    ),
    rule(
        "secret-current-deleted",
        "is a secret whose current version is deleted",
        "SELECT v.secret_id AS thing FROM secret_versions v
         JOIN secret_labels l ON l.secret_id = v.secret_id AND l.number = v.number AND l.label = 'current'
         WHERE v.state = 'soft-deleted'",
    ),
    rule(
        "secret-version-validity",
        "is a version of a secret that expires before it is good",
        "SELECT id AS thing FROM secret_versions WHERE expires_at <= not_before",
    ),
    rule(
        "secret-template-kind",
        "is a version of a secret that is a template and binary",
        "SELECT id AS thing FROM secret_versions WHERE template AND kind = 'binary'",
    ),
    rule(
        "secret-reference-orphan",
        "is a version of a secret that has references and is not there, is destroyed or no template",
        "SELECT DISTINCT r.version_id AS thing FROM secret_references r
         WHERE NOT EXISTS (SELECT 1 FROM secret_versions v
                           WHERE v.id = r.version_id AND v.template AND v.state <> 'destroyed')",
    ),
    rule(
        "secret-history",
        "is a secret of which the latest that is kept is not what is so",
        "SELECT s.id AS thing FROM secrets s
         LEFT JOIN secret_history h ON h.secret_id = s.id
              AND h.seq = (SELECT max(x.seq) FROM secret_history x WHERE x.secret_id = s.id)
         LEFT JOIN secret_labels l ON l.secret_id = s.id AND l.label = 'current'
         WHERE h.state IS NULL OR h.seq > s.row_version OR coalesce(h.number, 0) <> coalesce(l.number, 0)
            OR h.state <> CASE WHEN s.purged_at IS NOT NULL THEN 'purged' WHEN s.deleted_at IS NOT NULL THEN 'deleted'
                               ELSE 'there' END",
    ),
    rule(
        "secret-history-order",
        "is a secret of whose history a later part is told of an earlier moment",
        "SELECT DISTINCT secret_id AS thing
         FROM (SELECT secret_id, state, at, lag(at) OVER (PARTITION BY secret_id ORDER BY seq) AS earlier
               FROM secret_history) h
         WHERE state NOT IN ('deleted', 'purged', 'there') OR earlier > at",
    ),
    rule(
        "secret-version-not-destroyed",
        "is a destroyed version of a secret that still has a key, a value or a fingerprint",
        "SELECT id AS thing FROM secret_versions WHERE state = 'destroyed'
         AND (project_key_id IS NOT NULL OR wrapped_key IS NOT NULL OR ciphertext IS NOT NULL
              OR fingerprint_key_id IS NOT NULL OR fingerprint IS NOT NULL)",
    ),
    rule(
        "secret-version-without-value",
        "is a version of a secret that is not destroyed and lacks its key, its value or its fingerprint",
        "SELECT id AS thing FROM secret_versions WHERE state <> 'destroyed'
         AND (project_key_id IS NULL OR wrapped_key IS NULL OR ciphertext IS NULL
              OR fingerprint_key_id IS NULL OR fingerprint IS NULL)",
    ),
    rule(
        "secret-version-key",
        "is a version of a secret under a key of another project, or under none that is there",
        "SELECT v.id AS thing FROM secret_versions v
         WHERE v.project_key_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM project_keys k JOIN secrets s ON s.project_id = k.project_id
                           WHERE k.id = v.project_key_id AND s.id = v.secret_id)",
    ),
    rule(
        "secret-version-fingerprint",
        "is a version of a secret whose fingerprint no key of the keyring made",
        "SELECT id AS thing FROM secret_versions v WHERE fingerprint IS NOT NULL
         AND (length(fingerprint) <> 32
              OR NOT EXISTS (SELECT 1 FROM keyring_keys k
                             WHERE k.id = v.fingerprint_key_id AND k.purpose = 'secret-fingerprint'))",
    ),
    rule(
        "secret-destroyed-without-event",
        "is a destroyed version of a secret of whose destruction there is no event",
        "SELECT v.id AS thing FROM secret_versions v WHERE v.state = 'destroyed'
         AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = v.secret_id
                         AND e.action IN ('secret.destroy-version', 'secret.purge', 'secret.purge-version'))",
    ),
    rule(
        "secret-label",
        "is a secret with a label that points at no version, or at a destroyed one",
        "SELECT DISTINCT l.secret_id AS thing FROM secret_labels l
         WHERE NOT EXISTS (SELECT 1 FROM secret_versions v
                           WHERE v.secret_id = l.secret_id AND v.number = l.number AND v.state <> 'destroyed')",
    ),
    rule(
        "secret-alias",
        "is an alias of a secret that is not there, of a purged one, or in another environment than its secret",
        "SELECT a.name AS thing FROM secret_aliases a
         WHERE NOT EXISTS (SELECT 1 FROM secrets s WHERE s.id = a.secret_id AND s.environment_id = a.environment_id
                           AND s.purged_at IS NULL)",
    ),
    rule(
        "secret-alias-name",
        "is an alias in no dialect, or one that is compared otherwise than its dialect does",
        "SELECT name AS thing FROM secret_aliases
         WHERE dialect NOT IN ('aws', 'azure', 'conjur', 'gcp', 'vault-kv2') OR name = ''
            OR folded_name <> CASE dialect WHEN 'azure' THEN lower(name) ELSE name END",
    ),
    rule(
        "secret-alias-without-event",
        "is a secret with an alias that no event gave",
        "SELECT DISTINCT secret_id AS thing FROM secret_aliases a
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = a.secret_id AND e.action = 'secret.alias'
                           AND e.outcome = 'allowed')",
    ),
    rule(
        "share-state",
        "is a link to a value in no legal state, or one that is open to nobody or to two",
        "SELECT id AS thing FROM secret_shares
         WHERE state NOT IN ('expired', 'open', 'opened', 'refused', 'withdrawn')
            OR (state = 'open') <> (ended_at IS NULL) OR ended_at < created_at
            OR (recipient_id IS NULL) <> (passphrase_mac IS NOT NULL)
            OR (passphrase_mac IS NULL) <> (passphrase_key_id IS NULL)
            OR expires_at <= created_at OR expires_at > created_at + 604800000000",
    ),
    rule(
        "share-tries",
        "is a link to a value that was tried more often than it may be, or is open after its last try",
        "SELECT id AS thing FROM secret_shares
         WHERE tries < 0 OR tries > 5 OR (tries = 5 AND state <> 'refused') OR (tries > 0 AND passphrase_mac IS NULL)",
    ),
    rule(
        "share-tag",
        "is a link to a value whose tag, or its passphrase's, no key of the keyring made",
        "SELECT id AS thing FROM secret_shares s
         WHERE length(mac) <> 32 OR length(passphrase_mac) <> 32
            OR NOT EXISTS (SELECT 1 FROM keyring_keys k WHERE k.id = s.mac_key_id AND k.purpose = 'one-time')
            OR s.passphrase_key_id IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM keyring_keys k
                               WHERE k.id = s.passphrase_key_id AND k.purpose = 'one-time')",
    ),
    rule(
        "share-without-event",
        "is a link to a value of whose making there is no event",
        "SELECT id AS thing FROM secret_shares s
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = s.secret_id AND e.at = s.created_at
                           AND e.action = 'secret.share' AND e.outcome = 'allowed')",
    ),
    rule(
        "share-ended-without-event",
        "is a link to a value that was opened, refused, withdrawn or expired without an event",
        "SELECT id AS thing FROM secret_shares s
         WHERE s.state <> 'open'
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = s.secret_id AND e.at = s.ended_at
                           AND e.outcome = 'allowed'
                           AND e.action = CASE s.state WHEN 'opened' THEN 'secret.open-share'
                                                       WHEN 'refused' THEN 'secret.refuse-share'
                                                       WHEN 'withdrawn' THEN 'secret.withdraw-share'
                                                       ELSE 'secret.expire-share' END)",
    ),
    rule(
        "project-key-orphan",
        "is a key of a project that is not there",
        "SELECT id AS thing FROM project_keys k WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = k.project_id)",
    ),
    rule(
        "project-key-without-event",
        "is a project's key of whose making there is no event",
        "SELECT id AS thing FROM project_keys k
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = k.id AND e.action = 'project-key.generate')",
    ),
    rule(
        "project-key-event-without-key",
        "is a project's key that an event made and that is not there",
        "SELECT e.resource_id AS thing FROM events e WHERE e.action = 'project-key.generate' AND e.outcome = 'allowed'
         AND NOT EXISTS (SELECT 1 FROM project_keys k WHERE k.id = e.resource_id)
         AND NOT EXISTS (SELECT 1 FROM events d WHERE d.resource_id = e.resource_id
                         AND d.action = 'project-key.destroy')",
    ),
    rule(
        "project-key-destroyed-and-there",
        "is a project's key that an event destroyed and that is there",
        "SELECT k.id AS thing FROM project_keys k
         WHERE EXISTS (SELECT 1 FROM events e WHERE e.resource_id = k.id AND e.action = 'project-key.destroy')",
    ),
    rule(
        "project-key-not-one",
        "is a project with secrets and no key in service",
        "SELECT DISTINCT k.project_id AS thing FROM project_keys k
         WHERE NOT EXISTS (SELECT 1 FROM project_keys o WHERE o.project_id = k.project_id AND o.retired_at IS NULL)",
    ),
    rule(
        "rewrap-state",
        "is a rewrap in no legal state, or one that did more than there was",
        "SELECT id AS thing FROM rewraps
         WHERE state NOT IN ('done', 'paused', 'running') OR (state = 'done') <> (ended_at IS NOT NULL)
            OR done < 0 OR skipped < 0 OR done + skipped > total
            OR kind NOT IN ('data-keys', 'keyring-keys', 'project-keys')
            OR (kind = 'data-keys') <> (project_id IS NOT NULL)",
    ),
    rule(
        "rewrap-left-behind",
        "is a rewrap that is done although data keys that opened still lie under the old key",
        "SELECT r.id AS thing FROM rewraps r WHERE r.kind = 'data-keys' AND r.state = 'done'
         AND (SELECT count(*) FROM secret_versions v WHERE v.project_key_id = r.from_key) > r.skipped",
    ),
    rule(
        "rewrap-without-keys",
        "is a rewrap under way whose keys are not both there",
        "SELECT r.id AS thing FROM rewraps r WHERE r.kind = 'data-keys' AND r.ended_at IS NULL
         AND (NOT EXISTS (SELECT 1 FROM project_keys k WHERE k.id = r.from_key AND k.retired_at IS NOT NULL)
              OR NOT EXISTS (SELECT 1 FROM project_keys k WHERE k.id = r.to_key AND k.retired_at IS NULL))",
    ),
    rule(
        "rewrap-without-event",
        "is a rewrap that is done, or began, without an event",
        "SELECT r.id AS thing FROM rewraps r
         WHERE r.kind <> 'keyring-keys'
           AND ((r.state = 'done') <> EXISTS (SELECT 1 FROM events e WHERE e.resource_id = r.id
                                              AND e.action = 'rewrap.finish')
                OR r.done > 0 AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = r.id
                                              AND e.action = 'rewrap.proceed'))",
    ),
    rule(
        "project-key-uses",
        "is a project's key that wrapped more than it counted, or more than it may",
        "SELECT id AS thing FROM project_keys k
         WHERE uses < (SELECT count(*) FROM secret_versions v WHERE v.project_key_id = k.id) OR uses >= 4294967296",
    ),
];

/// A version that is not destroyed, with all that it takes to open it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SealedVersion {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: SecretVersionId,
    /// Whose.
    #[sqlx(try_from = "String")]
    pub secret_id: SecretId,
    /// In which project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// The project's key.
    #[sqlx(try_from = "String")]
    pub project_key_id: ProjectKeyId,
    /// It, sealed.
    pub project_key: Vec<u8>,
    /// The data key, sealed.
    pub wrapped_key: Vec<u8>,
    /// The value, sealed.
    pub ciphertext: Vec<u8>,
    /// Bytes of the value.
    pub size: i64,
    /// The keyring's key of the fingerprint.
    #[sqlx(try_from = "String")]
    pub fingerprint_key_id: KeyringKeyId,
    /// The fingerprint.
    pub fingerprint: Vec<u8>,
    /// Whether references in the value are resolved.
    pub template: bool,
}

macro_rules! select_sealed {
    ($which:literal) => {
        concat!(
            "SELECT v.id, v.secret_id, s.project_id, v.project_key_id, k.sealed AS project_key, v.wrapped_key,
                    v.ciphertext, v.size, v.fingerprint_key_id, v.fingerprint, v.template
             FROM secret_versions v JOIN secrets s ON s.id = v.secret_id
             JOIN project_keys k ON k.id = v.project_key_id
             WHERE v.wrapped_key IS NOT NULL AND v.ciphertext IS NOT NULL
               AND v.fingerprint_key_id IS NOT NULL AND v.fingerprint IS NOT NULL AND ",
            $which
        )
    };
}

/// Versions after `after` by id, at most `limit`; begin with the empty text. What lacks a part breaks a rule of its own.
pub async fn sealed_versions(
    conn: &mut Conn,
    after: &str,
    limit: i64,
) -> Result<Vec<SealedVersion>, StoreError> {
    sql(select_sealed!("v.id > $1 ORDER BY v.id LIMIT $2")).bind(after).bind(limit).all(conn).await
}

/// The version, if it has a value to open.
pub async fn sealed_version(
    conn: &mut Conn,
    id: SecretVersionId,
) -> Result<Option<SealedVersion>, StoreError> {
    sql(select_sealed!("v.id = $1")).bind(id).optional(conn).await
}

#[derive(sqlx::FromRow)]
struct VersionId {
    #[sqlx(try_from = "String")]
    id: SecretVersionId,
}

/// Some versions that have a value, drawn by chance, at most `limit`. It looks at every row.
pub async fn some_versions(conn: &mut Conn, limit: i64) -> Result<Vec<SecretVersionId>, StoreError> {
    let drawn: Vec<VersionId> =
        sql("SELECT id FROM secret_versions WHERE ciphertext IS NOT NULL ORDER BY random() LIMIT $1")
            .bind(limit)
            .all(conn)
            .await?;
    Ok(drawn.into_iter().map(|row| row.id).collect())
}
