//! What changed lately: each change of a secret is an event of the record, and changes the templates that refer to it. So
//! does the time of a version, which nothing in the record tells of: its instants are the version's own.

use keywarden_model::{EnvironmentId, EventId, SecretId};

use crate::{Conn, StoreError, filter::Select};

/// A change of a secret, with what is so now.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ChangeRow {
    /// The event.
    #[sqlx(try_from = "String")]
    pub id: EventId,
    /// What was done: an action's name.
    pub action: String,
    /// The secret.
    #[sqlx(try_from = "String")]
    pub secret_id: SecretId,
    /// Folders and name.
    pub path: String,
    /// As compared.
    pub folded_path: String,
    /// Deleted since.
    pub deleted_at: Option<i64>,
    /// The version that `current` points at now.
    pub current: Option<i64>,
}

/// What changes a secret for whoever reads it.
const CHANGES: [&str; 13] = [
    "secret.create",
    "secret.delete",
    "secret.delete-version",
    "secret.destroy-version",
    "secret.disable-version",
    "secret.enable-version",
    "secret.label",
    "secret.purge",
    "secret.purge-version",
    "secret.put",
    "secret.restore",
    "secret.restore-version",
    "secret.rotate-data-key",
];

/// What is told of a secret whose current version refers, perhaps through others, to one that changed.
pub const REFERRED: &str = "secret.referred";

/// A secret of which time went by: that of one of its versions, or of something that it refers to, began or ended.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TurnRow {
    /// When.
    pub at: i64,
    /// `secret.valid` or `secret.expired`; [`REFERRED`].
    pub action: String,
    /// The version whose time began or ended; none where that is another secret's.
    pub turned: Option<i64>,
    /// The secret.
    #[sqlx(try_from = "String")]
    pub secret_id: SecretId,
    /// Folders and name.
    pub path: String,
    /// As compared.
    pub folded_path: String,
    /// The version that `current` points at now.
    pub current: Option<i64>,
}

/// Changes of an environment's secrets after an event's id, in the order of their ids, at most `limit`.
pub async fn changes_after(
    conn: &mut Conn,
    environment: EnvironmentId,
    after: EventId,
    limit: u32,
) -> Result<Vec<ChangeRow>, StoreError> {
    changed(environment, after).then("ORDER BY e.id LIMIT ?", [limit]).all(conn).await
}

pub(super) fn changed(environment: EnvironmentId, after: EventId) -> Select {
    Select::from(
        "SELECT e.id, e.action, s.id AS secret_id, s.path, s.folded_path, s.deleted_at, l.number AS current
         FROM events e JOIN secrets s ON s.id = e.resource_id
         LEFT JOIN secret_labels l ON l.secret_id = s.id AND l.label = 'current'",
    )
    .and_in("e.action", CHANGES)
    .and("e.id > ?", [after])
    .and::<i64>("e.outcome = 'allowed'", [])
    .and("s.environment_id = ?", [environment])
}

/// Of an environment, the secrets whose current version refers to a secret that changed after an event's id, wherever that
/// is; by the event of the change, in the order of their ids, at most `limit`. Five references lead from one to the next at
/// most, as in a reading.
pub async fn referred_after(
    conn: &mut Conn,
    environment: EnvironmentId,
    after: EventId,
    limit: u32,
) -> Result<Vec<ChangeRow>, StoreError> {
    referred(environment, after).then("ORDER BY c.event_id, s.id LIMIT ?", [limit]).all(conn).await
}

pub(super) fn referred(environment: EnvironmentId, after: EventId) -> Select {
    Select::from_with(
        "WITH RECURSIVE changed (event_id, secret_id, depth) AS (
             SELECT e.id, e.resource_id, 0 FROM events e
             WHERE e.id > ? AND e.outcome = 'allowed'
               AND e.action IN ('secret.create', 'secret.delete', 'secret.delete-version', 'secret.destroy-version',
                                'secret.disable-version', 'secret.enable-version', 'secret.label', 'secret.purge',
                                'secret.purge-version', 'secret.put', 'secret.restore', 'secret.restore-version',
                                'secret.rotate-data-key')
             UNION
             SELECT c.event_id, l.secret_id, c.depth + 1
             FROM changed c JOIN secrets t ON t.id = c.secret_id JOIN projects p ON p.id = t.project_id
             JOIN environments n ON n.id = t.environment_id
             JOIN secret_references r ON r.project = p.slug AND r.environment = n.slug AND r.path = t.path
             JOIN secret_versions v ON v.id = r.version_id
             JOIN secret_labels l ON l.secret_id = v.secret_id AND l.label = 'current' AND l.number = v.number
             WHERE c.depth < 5)
         SELECT DISTINCT c.event_id AS id, 'secret.referred' AS action, s.id AS secret_id, s.path, s.folded_path,
                s.deleted_at, l.number AS current
         FROM changed c JOIN secrets s ON s.id = c.secret_id
         LEFT JOIN secret_labels l ON l.secret_id = s.id AND l.label = 'current'",
        [after],
    )
    .and::<i64>("c.depth > 0", [])
    .and("s.environment_id = ?", [environment])
}

/// What time made of an environment's secrets after one instant and until another, in the order of the instants, at most
/// `limit`: of enabled versions that a label points at, and of templates whose current version refers to such a one.
pub async fn turned_between(
    conn: &mut Conn,
    environment: EnvironmentId,
    (after, until): (i64, i64),
    limit: u32,
) -> Result<Vec<TurnRow>, StoreError> {
    turned(environment, after, until).then("ORDER BY t.at, s.id, t.action LIMIT ?", [limit]).all(conn).await
}

pub(super) fn turned(environment: EnvironmentId, after: i64, until: i64) -> Select {
    Select::from_with(
        "WITH RECURSIVE turned (at, action, version, secret_id, depth) AS (
             SELECT v.expires_at, 'secret.expired', v.number, v.secret_id, 0 FROM secret_versions v
             WHERE v.expires_at > ? AND v.expires_at <= ? AND v.state = 'enabled'
               AND EXISTS (SELECT 1 FROM secret_labels l WHERE l.secret_id = v.secret_id AND l.number = v.number)
             UNION
             SELECT v.not_before, 'secret.valid', v.number, v.secret_id, 0 FROM secret_versions v
             WHERE v.not_before > ? AND v.not_before <= ? AND v.state = 'enabled'
               AND EXISTS (SELECT 1 FROM secret_labels l WHERE l.secret_id = v.secret_id AND l.number = v.number)
             UNION
             SELECT c.at, 'secret.referred', CAST(NULL AS BIGINT), l.secret_id, c.depth + 1
             FROM turned c JOIN secrets t ON t.id = c.secret_id JOIN projects p ON p.id = t.project_id
             JOIN environments n ON n.id = t.environment_id
             JOIN secret_references r ON r.project = p.slug AND r.environment = n.slug AND r.path = t.path
             JOIN secret_versions v ON v.id = r.version_id
             JOIN secret_labels l ON l.secret_id = v.secret_id AND l.label = 'current' AND l.number = v.number
             WHERE c.depth < 5)
         SELECT DISTINCT t.at, t.action, t.version AS turned, s.id AS secret_id, s.path, s.folded_path, l.number AS current
         FROM turned t JOIN secrets s ON s.id = t.secret_id
         LEFT JOIN secret_labels l ON l.secret_id = s.id AND l.label = 'current'",
        [after, until, after, until],
    )
    .and::<i64>("s.deleted_at IS NULL", [])
    .and("s.environment_id = ?", [environment])
}

#[derive(sqlx::FromRow)]
struct Newest {
    #[sqlx(try_from = "String")]
    id: EventId,
}

/// The newest event of the record, by its operation's instant.
pub async fn newest_event(conn: &mut Conn) -> Result<Option<EventId>, StoreError> {
    let newest = Select::from("SELECT id FROM events").then::<i64>("ORDER BY id DESC LIMIT 1", []);
    let newest: Option<Newest> = newest.optional(conn).await?;
    Ok(newest.map(|it| it.id))
}

#[derive(sqlx::FromRow)]
struct Known {
    number: i64,
}

/// Whether the record has this event.
pub async fn event_is_there(conn: &mut Conn, id: EventId) -> Result<bool, StoreError> {
    let known: Known = Select::from("SELECT count(*) AS number FROM events")
        .and("id = ?", [id])
        .then::<i64>("", [])
        .one(conn)
        .await?;
    Ok(known.number > 0)
}
