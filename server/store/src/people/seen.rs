//! What a person has seen that still opens something: the facts of a hand-over that giving away does not settle.
//!
//! The record leads there: whatever was shown to somebody has an event of theirs, however long ago.

use chrono::{DateTime, Utc};
use keywarden_model::{ServiceTokenId, UserId, WorkloadId};

use super::owned;
use crate::{Conn, StoreError, count, sql};

/// A key of which somebody saw a value that still works.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Key {
    /// The key.
    #[sqlx(flatten)]
    pub key: owned::Key,
    /// When the person last saw such a value, in microseconds.
    pub seen_at: i64,
    /// How many of those values have no successor yet: one, or none.
    pub current: i64,
}

/// Keys with a value that was shown to somebody (they issued, rotated or imported it) and that works, or would once its
/// key is resumed and has begun; and how many there are. The last seen first.
pub async fn keys(
    conn: &mut Conn,
    user: UserId,
    now: DateTime<Utc>,
    most: u32,
) -> Result<(Vec<Key>, i64), StoreError> {
    let statement = sql(
        "SELECT k.id, k.name, k.project_id, p.name AS project_name, e.name AS environment_name, k.last_used_at,
                max(v.created_at) AS seen_at, count(DISTINCT CASE WHEN v.superseded_at IS NULL THEN v.id END) AS current,
                count(*) OVER () AS total
         FROM events s JOIN api_keys k ON k.id = s.resource_id
              JOIN key_values v ON v.key_id = k.id AND v.created_by = s.actor_id
              JOIN projects p ON p.id = k.project_id JOIN environments e ON e.id = k.environment_id
         WHERE s.actor_id = $1 AND s.outcome = 'allowed' AND s.action IN ('key.issue', 'key.rotate', 'key.import')
           AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)
           AND v.revoked_at IS NULL AND v.destroyed_at IS NULL AND (v.stops_at IS NULL OR v.stops_at > $3)
         GROUP BY k.id, k.name, k.project_id, p.name, e.name, k.last_used_at
         ORDER BY max(v.created_at) DESC, k.id LIMIT $4",
    );
    count::first(statement.bind(user.to_string()).bind(now).bind(now).bind(most), conn).await
}

/// A service token that was shown to somebody and that still works.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Token {
    /// The token.
    #[sqlx(try_from = "String")]
    pub id: ServiceTokenId,
    /// The part of its value that everybody may see.
    pub public_id: String,
    /// Whom it speaks for.
    #[sqlx(try_from = "String")]
    pub workload_id: WorkloadId,
    /// The workload's name.
    pub workload_name: String,
    /// When it was issued, in microseconds.
    pub created_at: i64,
    /// From when on it counts for nothing, in microseconds.
    pub expires_at: i64,
    /// When it was last shown, in microseconds.
    pub last_used_at: Option<i64>,
}

/// Service tokens of workloads that somebody issued and that still work, and how many there are. The newest first.
pub async fn tokens(
    conn: &mut Conn,
    user: UserId,
    now: DateTime<Utc>,
    most: u32,
) -> Result<(Vec<Token>, i64), StoreError> {
    let statement = sql(
        "SELECT t.id, t.public_id, w.id AS workload_id, w.name AS workload_name, t.created_at, t.expires_at,
                t.last_used_at, count(*) OVER () AS total
         FROM events s JOIN service_tokens t ON t.id = s.resource_id AND t.created_by = s.actor_id
              JOIN workloads w ON w.id = t.workload_id
         WHERE s.actor_id = $1 AND s.outcome = 'allowed' AND s.action = 'service-token.issue'
           AND t.revoked_at IS NULL AND t.expires_at > $2 AND w.deactivated_at IS NULL
         ORDER BY t.created_at DESC, t.id LIMIT $3",
    );
    count::first(statement.bind(user.to_string()).bind(now).bind(most), conn).await
}

/// A secret whose current value somebody knows.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Secret {
    /// The secret.
    #[sqlx(flatten)]
    pub secret: owned::Secret,
    /// Which of its versions is current.
    pub number: i64,
    /// When the person last put or read it, in microseconds.
    pub seen_at: i64,
}

/// Secrets whose current version somebody put, or that they read since it was there. Which version a reading was of
/// stands in the event's bytes alone: one of an older version after the current one was put counts too. And how many
/// there are. The last seen first.
pub async fn secrets(conn: &mut Conn, user: UserId, most: u32) -> Result<(Vec<Secret>, i64), StoreError> {
    let statement = sql(
        "SELECT s.id, s.path, p.name AS project_name, e.name AS environment_name, v.number,
                max(CASE WHEN r.action = 'secret.read' AND r.at >= v.created_at THEN r.at ELSE v.created_at END)
                    AS seen_at, count(*) OVER () AS total
         FROM events r JOIN secrets s ON s.id = r.resource_id
              JOIN secret_labels l ON l.secret_id = s.id AND l.label = 'current'
              JOIN secret_versions v ON v.secret_id = s.id AND v.number = l.number
              JOIN projects p ON p.id = s.project_id JOIN environments e ON e.id = s.environment_id
         WHERE r.actor_id = $1 AND r.outcome = 'allowed' AND r.resource_kind = 'secret'
           AND (v.created_by = r.actor_id OR r.action = 'secret.read' AND r.at >= v.created_at)
           AND s.deleted_at IS NULL AND v.destroyed_at IS NULL
         GROUP BY s.id, s.path, p.name, e.name, v.number
         ORDER BY 6 DESC, s.id LIMIT $2",
    );
    count::first(statement.bind(user.to_string()).bind(most), conn).await
}
