//! Keys whose end comes near, for telling of it.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{earlier, later};
use keywarden_model::{ApiKeyId, KeyValueId, ProjectId};

use crate::{Conn, StoreError, sql};

/// A key that stops working soon, of which nobody was told yet.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Expiring {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: ApiKeyId,
    /// Its project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// When it stops, in microseconds.
    pub expires_at: i64,
    /// Within how many days that is: 30, 7 or 1.
    pub days: i64,
}

/// Those that stop within 30, 7 or 1 days from an instant on, and of which no message tells yet. One that lives shorter than
/// that is not told of at its beginning.
pub async fn expiring(conn: &mut Conn, now: DateTime<Utc>, limit: u32) -> Result<Vec<Expiring>, StoreError> {
    let within = |days| later(now, TimeDelta::days(days));
    sql("SELECT k.id, k.project_id, k.expires_at, k.days FROM (
             SELECT id, project_id, expires_at, created_at,
                    CASE WHEN expires_at <= $1 THEN CAST(1 AS BIGINT) WHEN expires_at <= $2 THEN CAST(7 AS BIGINT)
                         ELSE CAST(30 AS BIGINT) END AS days
             FROM api_keys
             WHERE coalesce(expires_at, 9223372036854775807) > $3 AND coalesce(expires_at, 9223372036854775807) <= $4
               AND revoked_at IS NULL) k JOIN projects p ON p.id = k.project_id
         WHERE p.archived_at IS NULL AND k.expires_at - k.days * 86400000000 > k.created_at
           AND NOT EXISTS (SELECT 1 FROM messages m
                           WHERE m.once = 'expiry:' || k.id || ':' || k.expires_at || ':' || k.days)
         ORDER BY k.expires_at, k.id LIMIT $5")
    .bind(within(1))
    .bind(within(7))
    .bind(now)
    .bind(within(30))
    .bind(limit)
    .all(conn)
    .await
}

/// An old value that is still used although it stops within a day.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StillUsed {
    /// The value.
    #[sqlx(try_from = "String")]
    pub id: KeyValueId,
    /// Its key.
    #[sqlx(try_from = "String")]
    pub key_id: ApiKeyId,
    /// The key's project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// When it stops, in microseconds.
    pub stops_at: i64,
}

/// Old values that stop within a day from an instant on, that were used since they were replaced and within the last day, and
/// of which no message tells yet.
pub async fn still_used(
    conn: &mut Conn,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<StillUsed>, StoreError> {
    sql("SELECT v.id, v.key_id, k.project_id, v.stops_at FROM key_values v JOIN api_keys k ON k.id = v.key_id
              JOIN projects p ON p.id = k.project_id
         WHERE v.superseded_at IS NOT NULL AND v.revoked_at IS NULL AND v.stops_at > $1 AND v.stops_at <= $2
           AND v.last_used_at > v.superseded_at AND v.last_used_at > $3
           AND k.revoked_at IS NULL AND p.archived_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.once = 'old-value:' || v.id)
         ORDER BY v.stops_at, v.id LIMIT $4")
    .bind(now)
    .bind(later(now, TimeDelta::days(1)))
    .bind(earlier(now, TimeDelta::days(1)))
    .bind(limit)
    .all(conn)
    .await
}
