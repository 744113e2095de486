//! Requests for access.

use chrono::{DateTime, Utc};
use keywarden_model::{AccessRequestId, ProjectId};

use super::ORGANIZATION;
use crate::{Conn, StoreError, Tx, count::number, filter::Select, sql};

/// A request's row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: AccessRequestId,
    /// In which project; `None` for the organization's roles, and where there is no such project.
    pub project_id: Option<String>,
    /// The project as it was typed; `None` for the organization's roles.
    pub project: Option<String>,
    /// The role's word.
    pub role: String,
    /// `person` or `workload`.
    pub holder_kind: String,
    /// Who is to hold the role.
    pub holder_id: String,
    /// For how long.
    pub lasts_seconds: i64,
    /// Why.
    pub reason: String,
    /// Where else it is spoken of; empty if nowhere.
    pub ticket: String,
    /// Where it is in its life.
    pub state: String,
    /// Grows when what is asked for changes.
    pub revision: i64,
    /// When, in microseconds.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Who made the token that asked: an actor's id.
    pub behind: Option<String>,
    /// When nobody can answer it any more, in microseconds.
    pub expires_at: i64,
    /// When it was answered, in microseconds.
    pub decided_at: Option<i64>,
    /// By whom: an actor's id.
    pub decided_by: Option<String>,
    /// What they said.
    pub words: String,
    /// Grows with each step.
    pub row_version: i64,
}

const COLUMNS: &str =
    "SELECT r.id, r.project_id, r.project, r.role, r.holder_kind, r.holder_id, r.lasts_seconds, r.reason, r.ticket, r.state,
           r.revision, r.created_at, r.created_by, r.behind, r.expires_at, r.decided_at, r.decided_by, r.words, r.row_version
    FROM access_requests r";

/// Where requests of a project that there is not are kept: nobody looks there.
const NOWHERE: &str = "nowhere";

/// A request to be written.
#[derive(Debug, Clone)]
pub struct Insert<'a> {
    /// Its id.
    pub id: AccessRequestId,
    /// In which project.
    pub project_id: Option<ProjectId>,
    /// The project as it was typed.
    pub project: Option<&'a str>,
    /// The role's word.
    pub role: &'a str,
    /// `person` or `workload`.
    pub holder_kind: &'a str,
    /// Who is to hold the role.
    pub holder_id: &'a str,
    /// For how long.
    pub lasts_seconds: i64,
    /// Why.
    pub reason: &'a str,
    /// Where else it is spoken of.
    pub ticket: &'a str,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
    /// Who made the token that asked.
    pub behind: Option<&'a str>,
    /// When nobody can answer it any more.
    pub expires_at: DateTime<Utc>,
}

/// Writes one that waits for its answer.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    let scope = match (row.project, row.project_id) {
        (None, _) => ORGANIZATION.to_owned(),
        (Some(_), Some(id)) => id.to_string(),
        (Some(_), None) => NOWHERE.to_owned(),
    };
    sql("INSERT INTO access_requests (id, project_id, scope, project, role, holder_kind, holder_id, lasts_seconds, reason, ticket,
                                      state, revision, created_at, created_by, behind, expires_at, words, row_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', 1, $11, $12, $13, $14, '', 1)")
    .bind(row.id)
    .bind(row.project_id)
    .bind(scope)
    .bind(row.project.map(str::to_owned))
    .bind(row.role)
    .bind(row.holder_kind)
    .bind(row.holder_id)
    .bind(row.lasts_seconds)
    .bind(row.reason)
    .bind(row.ticket)
    .bind(row.created_at)
    .bind(row.created_by)
    .bind(row.behind.map(str::to_owned))
    .bind(row.expires_at)
    .execute_one(tx, "access_requests")
    .await
}

/// One request.
pub async fn find(conn: &mut Conn, id: AccessRequestId) -> Result<Option<Row>, StoreError> {
    Select::from(COLUMNS).and("r.id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// Takes the next step, if it is still at this one: of several at once one succeeds.
pub async fn touch(tx: &mut Tx, id: AccessRequestId, row_version: i64) -> Result<(), StoreError> {
    sql("UPDATE access_requests SET row_version = row_version + 1 WHERE id = $1 AND row_version = $2")
        .bind(id)
        .bind(row_version)
        .execute_one(tx, "access_requests")
        .await
}

/// Notes the answer.
pub async fn decide(
    tx: &mut Tx,
    id: AccessRequestId,
    state: &str,
    (by, words): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("UPDATE access_requests SET state = $1, decided_at = $2, decided_by = $3, words = $4 WHERE id = $5")
        .bind(state)
        .bind(now)
        .bind(by)
        .bind(words)
        .bind(id)
        .execute_one(tx, "access_requests")
        .await
}

/// Moves on to another state, its answer as it was.
pub async fn set_state(tx: &mut Tx, id: AccessRequestId, state: &str) -> Result<(), StoreError> {
    sql("UPDATE access_requests SET state = $1 WHERE id = $2")
        .bind(state)
        .bind(id)
        .execute_one(tx, "access_requests")
        .await
}

/// Writes what is asked for anew, as the next revision.
pub async fn revise(
    tx: &mut Tx,
    id: AccessRequestId,
    revision: i64,
    lasts_seconds: i64,
    (reason, ticket): (&str, &str),
) -> Result<(), StoreError> {
    sql("UPDATE access_requests SET revision = $1, lasts_seconds = $2, reason = $3, ticket = $4 WHERE id = $5")
        .bind(revision)
        .bind(lasts_seconds)
        .bind(reason)
        .bind(ticket)
        .bind(id)
        .execute_one(tx, "access_requests")
        .await
}

/// What a list looks for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those that this one asked for, or that are asked for it.
    pub of: Option<String>,
    /// Only those of these scopes.
    pub scopes: Option<Vec<String>>,
    /// Only in this state.
    pub state: Option<&'static str>,
    /// Older than this one.
    pub before: Option<AccessRequestId>,
}

pub(crate) fn page(filter: &Filter) -> Select {
    let mut select = Select::from(COLUMNS);
    if let Some(of) = &filter.of {
        select = select.and("r.created_by = ? OR r.holder_id = ?", [of.clone(), of.clone()]);
    }
    if let Some(scopes) = &filter.scopes {
        select = select.and_in("r.scope", scopes.iter().cloned());
    }
    if let Some(state) = filter.state {
        // In so many words, so that the index of those that wait serves.
        select = match state {
            "pending" => select.and("r.state = 'pending'", Vec::<String>::new()),
            other => select.and("r.state = ?", [other]),
        };
    }
    match filter.before {
        Some(before) => select.and("r.id < ?", [before]),
        None => select,
    }
}

pub(crate) const NEWEST_FIRST: &str = "ORDER BY r.id DESC LIMIT ?";

/// Newest first, at most `limit`.
pub async fn list(conn: &mut Conn, filter: &Filter, limit: u32) -> Result<Vec<Row>, StoreError> {
    page(filter).then(NEWEST_FIRST, [limit]).all(conn).await
}

/// Those that nobody answered in time, the longest waiting first.
pub async fn due(conn: &mut Conn, now: DateTime<Utc>, limit: u32) -> Result<Vec<Row>, StoreError> {
    due_by(now).then(LONGEST_DUE_FIRST, [limit]).all(conn).await
}

pub(crate) const LONGEST_DUE_FIRST: &str = "ORDER BY r.expires_at LIMIT ?";

pub(crate) fn due_by(now: DateTime<Utc>) -> Select {
    Select::from(COLUMNS).and("r.state = 'pending' AND r.expires_at <= ?", [now])
}

/// Those that wait for this person's answer: not theirs, not signed by them in this wording with a passkey that
/// they still have, and not over. Newest first.
pub async fn waiting_for(
    conn: &mut Conn,
    scopes: Option<Vec<String>>,
    person: &str,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    waiting_by(scopes, person, now).then(NEWEST_FIRST, [limit]).all(conn).await
}

pub(crate) fn waiting_by(scopes: Option<Vec<String>>, person: &str, now: DateTime<Utc>) -> Select {
    let filter = Filter { scopes, state: Some("pending"), ..Filter::default() };
    page(&filter)
        .and("r.expires_at > ?", [now])
        .and("r.project IS NULL OR r.project_id IS NOT NULL", Vec::<String>::new())
        .and("r.created_by <> ? AND r.holder_id <> ? AND coalesce(r.behind, '') <> ?", [person; 3])
        .and(
            "NOT EXISTS (SELECT 1 FROM access_approvals a
                         WHERE a.request_id = r.id AND a.revision = r.revision AND a.approver = ?
                           AND EXISTS (SELECT 1 FROM passkeys p WHERE p.id = a.passkey_id))",
            [person],
        )
}

/// How many of one asker's wait for an answer.
pub async fn waiting(conn: &mut Conn, asker: &str) -> Result<i64, StoreError> {
    number(
        sql("SELECT count(*) AS number FROM access_requests WHERE created_by = $1 AND state = 'pending'")
            .bind(asker),
        conn,
    )
    .await
}
