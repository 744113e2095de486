//! What wants attention, within what somebody may see.

use chrono::{DateTime, Utc};
use keywarden_model::time::micros;
use keywarden_model::{KeyState, ProjectId};

use crate::keys::list::{HAS_VALUE, in_state};
use crate::{Conn, StoreError, count::COUNTED, filter::Select};

/// Something about keys that wants attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Keys with a value that works, which expire after the first and not after the second instant.
    Expiring(DateTime<Utc>, DateTime<Utc>),
    /// Old values that were used after their rotation and are not stopped at this instant.
    OldValueUsed(DateTime<Utc>),
    /// Keys active at the first instant, older than the second and not used since then.
    Unused(DateTime<Utc>, DateTime<Utc>),
    /// Keys that may be good at this instant or later, whose owner is deactivated, or a team without an active member.
    WithoutOwner(DateTime<Utc>),
}

/// Which keys somebody may see; `None` is all.
pub type Seen = Option<(Vec<ProjectId>, Vec<String>)>;

/// A key that wants attention.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its project's slug.
    pub project_slug: String,
    /// The user or team it belongs to.
    pub owner_id: String,
    /// When it expires, in microseconds.
    pub expires_at: Option<i64>,
    /// When it was last used, in microseconds.
    pub last_used_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct One {
    #[expect(dead_code, reason = "rows are counted, not read")]
    one: i64,
}

/// The first few.
pub async fn first(conn: &mut Conn, about: About, seen: &Seen, limit: i64) -> Result<Vec<Key>, StoreError> {
    let select = Select::from(
        "SELECT k.id, k.name, p.slug AS project_slug, k.owner_id, k.expires_at, k.last_used_at
         FROM api_keys k JOIN projects p ON p.id = k.project_id",
    );
    let order = match about {
        About::Expiring(..) => "ORDER BY coalesce(k.expires_at, 9223372036854775807), k.id LIMIT ?",
        About::Unused(..) => "ORDER BY coalesce(k.last_used_at, 0), k.id LIMIT ?",
        About::OldValueUsed(_) | About::WithoutOwner(_) => "ORDER BY k.id LIMIT ?",
    };
    narrowed(select, about, seen).then(order, [limit]).all(conn).await
}

/// How many there are, counted to one more than [`COUNTED`].
pub async fn count(conn: &mut Conn, about: About, seen: &Seen) -> Result<i64, StoreError> {
    let select = Select::from("SELECT CAST(1 AS BIGINT) AS one FROM api_keys k");
    let rows: Vec<One> = narrowed(select, about, seen).then("LIMIT ?", [COUNTED + 1]).all(conn).await?;
    Ok(i64::try_from(rows.len()).unwrap_or(i64::MAX))
}

/// `coalesce` as the indexes have it.
fn narrowed(select: Select, about: About, seen: &Seen) -> Select {
    let none = Vec::<String>::new;
    let select = select.and("k.revoked_at IS NULL", none());
    let select = match about {
        About::Expiring(from, to) => select
            .and(
                "coalesce(k.expires_at, 9223372036854775807) > ? AND coalesce(k.expires_at, 9223372036854775807) <= ?",
                [micros(from), micros(to)],
            )
            .and(HAS_VALUE, [micros(from)]),
        About::OldValueUsed(now) => select.and(
            "k.id IN (SELECT v.key_id FROM key_values v
                      WHERE v.superseded_at IS NOT NULL AND v.revoked_at IS NULL
                        AND (v.stops_at IS NULL OR v.stops_at > ?) AND v.last_used_at > v.superseded_at)",
            [micros(now)],
        ),
        About::Unused(now, since) => in_state(select, KeyState::Active, micros(now))
            .and("coalesce(k.last_used_at, 0) < ? AND k.created_at < ?", [micros(since), micros(since)]),
        About::WithoutOwner(now) => select
            .and(
                "k.owner_id IN (SELECT u.id FROM users u WHERE u.state <> 'active'
                                UNION ALL
                                SELECT t.id FROM teams t WHERE NOT EXISTS (
                                    SELECT 1 FROM team_members m JOIN users u ON u.id = m.user_id
                                    WHERE m.team_id = t.id AND u.state = 'active'))",
                none(),
            )
            .and("k.expires_at IS NULL OR k.expires_at > ?", [micros(now)])
            .and(HAS_VALUE, [micros(now)]),
    };
    match seen {
        None => select,
        Some((projects, owners)) => select.and_in_either(
            "k.project_id",
            projects.iter().copied(),
            "k.owner_id",
            owners.iter().cloned(),
        ),
    }
}
