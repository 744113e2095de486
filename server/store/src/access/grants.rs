//! Roles that are held for a while, because a request was approved.

use chrono::{DateTime, Utc};
use keywarden_model::{AccessGrantId, AccessRequestId, ProjectId};

use super::ORGANIZATION;
use crate::{Conn, StoreError, Tx, filter::Select, sql};

/// A grant's row, with the names that a page shows.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: AccessGrantId,
    /// Which request was approved.
    #[sqlx(try_from = "String")]
    pub request_id: AccessRequestId,
    /// In which project; `None` for the organization's roles.
    pub project_id: Option<String>,
    /// The project's slug.
    pub project: Option<String>,
    /// The role's word.
    pub role: String,
    /// `person` or `workload`.
    pub holder_kind: String,
    /// Who holds it.
    pub holder_id: String,
    /// What the holder is called.
    pub holder_name: Option<String>,
    /// Who asked for it: an actor's id.
    pub asked_by: String,
    /// Since when, in microseconds.
    pub starts_at: i64,
    /// Until when, in microseconds: not in that instant any more.
    pub ends_at: i64,
    /// When it was over, in microseconds.
    pub ended_at: Option<i64>,
    /// How.
    pub how: Option<String>,
    /// Who ended it: an actor's id.
    pub ended_by: Option<String>,
}

const COLUMNS: &str =
    "SELECT g.id, g.request_id, g.project_id, p.slug AS project, g.role, g.holder_kind, g.holder_id,
           coalesce(u.name, w.name) AS holder_name, r.created_by AS asked_by, g.starts_at, g.ends_at, g.ended_at, g.how, g.ended_by
    FROM access_grants g
    JOIN access_requests r ON r.id = g.request_id
    LEFT JOIN projects p ON p.id = g.project_id
    LEFT JOIN users u ON u.id = g.holder_id
    LEFT JOIN workloads w ON w.id = g.holder_id";

/// A grant to be written.
#[derive(Debug, Clone)]
pub struct Insert<'a> {
    /// Its id.
    pub id: AccessGrantId,
    /// Which request was approved.
    pub request: AccessRequestId,
    /// In which project.
    pub project: Option<ProjectId>,
    /// The role's word.
    pub role: &'a str,
    /// `person` or `workload`.
    pub holder_kind: &'a str,
    /// Who holds it.
    pub holder_id: &'a str,
    /// Since when.
    pub starts_at: DateTime<Utc>,
    /// Until when.
    pub ends_at: DateTime<Utc>,
}

/// Writes it; a [`StoreError::Conflict`]: the request has one already.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO access_grants (id, request_id, project_id, scope, role, holder_kind, holder_id, starts_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(row.id)
    .bind(row.request)
    .bind(row.project)
    .bind(row.project.map_or_else(|| ORGANIZATION.to_owned(), |it| it.to_string()))
    .bind(row.role)
    .bind(row.holder_kind)
    .bind(row.holder_id)
    .bind(row.starts_at)
    .bind(row.ends_at)
    .execute_one(tx, "access_grants")
    .await
}

/// One grant.
pub async fn find(conn: &mut Conn, id: AccessGrantId) -> Result<Option<Row>, StoreError> {
    Select::from(COLUMNS).and("g.id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// The grant of a request.
pub async fn of_request(conn: &mut Conn, request: AccessRequestId) -> Result<Option<Row>, StoreError> {
    Select::from(COLUMNS).and("g.request_id = ?", [request]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// Ends it; false if it was over already.
pub async fn end(
    tx: &mut Tx,
    id: AccessGrantId,
    (how, by): (&str, &str),
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let ended = sql(
        "UPDATE access_grants SET ended_at = $1, how = $2, ended_by = $3 WHERE id = $4 AND ended_at IS NULL",
    )
    .bind(now)
    .bind(how)
    .bind(by)
    .bind(id)
    .execute(tx)
    .await?;
    Ok(ended == 1)
}

/// What a list looks for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those that this one holds.
    pub of: Option<String>,
    /// Only those of these scopes.
    pub scopes: Option<Vec<String>>,
    /// Only those that are not over, as of this instant.
    pub active: Option<DateTime<Utc>>,
    /// Older than this one.
    pub before: Option<AccessGrantId>,
}

pub(crate) fn page(filter: &Filter) -> Select {
    let mut select = Select::from(COLUMNS);
    if let Some(of) = &filter.of {
        select = select.and("g.holder_id = ?", [of.clone()]);
    }
    if let Some(scopes) = &filter.scopes {
        select = select.and_in("g.scope", scopes.iter().cloned());
    }
    if let Some(now) = filter.active {
        select = select.and("g.ended_at IS NULL AND g.ends_at > ?", [now]);
    }
    match filter.before {
        Some(before) => select.and("g.id < ?", [before]),
        None => select,
    }
}

pub(crate) const NEWEST_FIRST: &str = "ORDER BY g.id DESC LIMIT ?";

/// Newest first, at most `limit`.
pub async fn list(conn: &mut Conn, filter: &Filter, limit: u32) -> Result<Vec<Row>, StoreError> {
    page(filter).then(NEWEST_FIRST, [limit]).all(conn).await
}

/// Those whose time is over though nobody noted it, the longest over first.
pub async fn due(conn: &mut Conn, now: DateTime<Utc>, limit: u32) -> Result<Vec<Row>, StoreError> {
    due_by(now).then(LONGEST_DUE_FIRST, [limit]).all(conn).await
}

pub(crate) const LONGEST_DUE_FIRST: &str = "ORDER BY g.ends_at LIMIT ?";

pub(crate) fn due_by(now: DateTime<Utc>) -> Select {
    Select::from(COLUMNS).and("g.ended_at IS NULL AND g.ends_at <= ?", [now])
}

/// A role that is held for a while.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Held {
    /// The role's word.
    pub role: String,
    /// In which project; `None` for the organization's roles.
    pub project_id: Option<String>,
    /// Until when, in microseconds: not in that instant any more.
    pub ends_at: i64,
}

/// What somebody holds for a while, at this instant.
pub async fn held(conn: &mut Conn, holder: &str, now: DateTime<Utc>) -> Result<Vec<Held>, StoreError> {
    held_at(holder, now).then("ORDER BY ends_at, id LIMIT ?", [MOST_HELD]).all(conn).await
}

/// More than anybody holds at once.
const MOST_HELD: i64 = 1_000;

pub(crate) fn held_at(holder: &str, now: DateTime<Utc>) -> Select {
    Select::from("SELECT role, project_id, ends_at FROM access_grants")
        .and("holder_id = ?", [holder])
        .and("ended_at IS NULL AND ends_at > ?", [now])
}
