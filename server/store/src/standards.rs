//! Standards, their versions, which of them are in force, and what is held against them.

use chrono::{DateTime, Utc};
use keywarden_model::{
    ApiKeyId, EnvironmentId, Name, PolicyState, ProjectId, SecretId, StandardId, time::micros,
};

use crate::{Conn, StoreError, Tx, count::number, dialect::containing, filter::Select, instance, sql};

/// The scope of what holds everywhere.
pub const ORGANIZATION: &str = "organization";

/// A standard's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Standard {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: StandardId,
    /// The project that it is confined to; `None`: the organization's.
    pub project_id: Option<String>,
    /// What people call it.
    pub name: String,
    /// The number of its newest version.
    pub numbered: i64,
    /// When, in microseconds.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Who wants to end it and waits for a second person: an actor's id.
    pub ending_by: Option<String>,
    /// Grows with each step of any of its versions.
    pub row_version: i64,
}

/// Since this schema programs hold things to standards.
const HOLDING: i64 = 38;

/// Whether every program that may run on these records holds things to standards.
pub async fn all_hold(conn: &mut Conn) -> Result<bool, StoreError> {
    instance::schema(conn).await.map(|schema| schema.oldest_compatible >= HOLDING)
}

const COLUMNS: &str =
    "SELECT s.id, s.project_id, s.name, s.numbered, s.created_at, s.created_by, s.ending_by, s.row_version
    FROM standards s";

/// A version's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Version {
    /// Of which standard.
    #[sqlx(try_from = "String")]
    pub standard_id: StandardId,
    /// Counts from 1 in its standard.
    pub number: i64,
    /// A [`PolicyState`]'s word.
    pub state: String,
    /// The rules, as JSON.
    pub rules: String,
    /// The rules' digest.
    pub sha256: Vec<u8>,
    /// What its author says about it.
    pub note: String,
    /// When, in microseconds.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
    /// When a second person approved it, in microseconds.
    pub approved_at: Option<i64>,
    /// Who that was: an actor's id.
    pub approved_by: Option<String>,
    /// When it last came into force, in microseconds.
    pub activated_at: Option<i64>,
    /// Who let it: an actor's id.
    pub activated_by: Option<String>,
    /// When it was in force no longer, or withdrawn, in microseconds.
    pub ended_at: Option<i64>,
}

const VERSIONS: &str =
    "SELECT standard_id, number, state, rules, sha256, note, created_at, created_by, approved_at,
           approved_by, activated_at, activated_by, ended_at
    FROM standard_versions";

/// A standard to be written.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: StandardId,
    /// The project that it is confined to.
    pub project: Option<ProjectId>,
    /// What people call it.
    pub name: &'a Name,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

/// A version to be written.
#[derive(Debug)]
pub struct InsertVersion<'a> {
    /// Of which standard.
    pub standard: StandardId,
    /// Its number.
    pub number: i64,
    /// The standard's scope.
    pub scope: &'a str,
    /// The rules, as JSON.
    pub rules: &'a str,
    /// Slugs and labels of environments as `,production,live,`; empty: all of them.
    pub environments: &'a str,
    /// Whether the rules ask for reasons.
    pub reads_need_reason: bool,
    /// The rules' digest.
    pub sha256: [u8; 32],
    /// What its author says about it.
    pub note: &'a str,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

/// Writes a standard without any version; a [`StoreError::Conflict`]: its scope has another one of that name.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO standards (id, project_id, scope, name, folded_name, numbered, created_at, created_by, row_version)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7, 1)")
    .bind(row.id)
    .bind(row.project)
    .bind(row.project.map_or_else(|| ORGANIZATION.to_owned(), |project| project.to_string()))
    .bind(row.name.as_str())
    .bind(row.name.folded())
    .bind(row.created_at)
    .bind(row.created_by)
    .execute_one(tx, "standards")
    .await
}

/// Writes a draft, the newest version of its standard.
pub async fn insert_version(tx: &mut Tx, row: InsertVersion<'_>) -> Result<(), StoreError> {
    sql(
        "INSERT INTO standard_versions (standard_id, number, scope, state, rules, environments, reads_need_reason, sha256,
                                        note, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(row.standard)
    .bind(row.number)
    .bind(row.scope)
    .bind(PolicyState::Draft.as_str())
    .bind(row.rules)
    .bind(row.environments)
    .bind(row.reads_need_reason)
    .bind(row.sha256)
    .bind(row.note)
    .bind(row.created_at)
    .bind(row.created_by)
    .execute_one(tx, "standard_versions")
    .await?;
    sql("UPDATE standards SET numbered = $1 WHERE id = $2")
        .bind(row.number)
        .bind(row.standard)
        .execute_one(tx, "standards")
        .await
}

/// Notes that something about a standard changed; [`StoreError::Stale`] when it did meanwhile.
pub async fn touch(tx: &mut Tx, id: StandardId, row_version: i64) -> Result<(), StoreError> {
    sql("UPDATE standards SET row_version = row_version + 1 WHERE id = $1 AND row_version = $2")
        .bind(id)
        .bind(row_version)
        .execute_one(tx, "standards")
        .await
}

/// Notes who wants to end it, or that nobody does.
pub async fn set_ending(tx: &mut Tx, id: StandardId, by: Option<&str>) -> Result<(), StoreError> {
    sql("UPDATE standards SET ending_by = $1 WHERE id = $2")
        .bind(by)
        .bind(id)
        .execute_one(tx, "standards")
        .await
}

/// By its id.
pub async fn find(conn: &mut Conn, id: StandardId) -> Result<Option<Standard>, StoreError> {
    Select::from(COLUMNS).and("s.id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these scopes: projects' ids, or [`ORGANIZATION`]; `None` is all.
    pub within: Option<Vec<String>>,
    /// Only those with a version that is there in its life.
    pub state: Option<PolicyState>,
    /// A part of the folded name.
    pub containing: Option<String>,
    /// Only those after this one.
    pub after: Option<StandardId>,
}

/// Oldest first.
pub async fn list(conn: &mut Conn, filter: &Filter, limit: u32) -> Result<Vec<Standard>, StoreError> {
    select(filter).then(OLDEST_FIRST, [limit]).all(conn).await
}

pub(crate) const OLDEST_FIRST: &str = "ORDER BY s.id LIMIT ?";

pub(crate) fn select(filter: &Filter) -> Select {
    let mut select = Select::from(COLUMNS);
    if let Some(within) = &filter.within {
        select = select.and_in("s.scope", within.iter().map(String::as_str));
    }
    if let Some(part) = &filter.containing {
        select = select.and(r"s.folded_name LIKE ? ESCAPE '\'", [containing(part)]);
    }
    if let Some(state) = filter.state {
        select = select.and(
            "EXISTS (SELECT 1 FROM standard_versions v WHERE v.standard_id = s.id AND v.state = ?)",
            [state.as_str()],
        );
    }
    if let Some(after) = filter.after {
        select = select.and("s.id > ?", [after]);
    }
    select
}

/// How many a scope has.
pub async fn count(conn: &mut Conn, scope: &str) -> Result<i64, StoreError> {
    number(sql("SELECT count(*) AS number FROM standards WHERE scope = $1").bind(scope), conn).await
}

/// A standard's versions, newest first.
pub async fn versions(conn: &mut Conn, id: StandardId, limit: u32) -> Result<Vec<Version>, StoreError> {
    Select::from(VERSIONS)
        .and("standard_id = ?", [id])
        .then("ORDER BY number DESC LIMIT ?", [limit])
        .all(conn)
        .await
}

/// Where a version is in its life.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Head {
    /// Of which standard.
    #[sqlx(try_from = "String")]
    pub standard_id: StandardId,
    /// Its number.
    pub number: i64,
    /// A [`PolicyState`]'s word.
    pub state: String,
}

/// The newest version of each of these standards, and the one that is in force.
pub async fn heads(conn: &mut Conn, of: &[StandardId]) -> Result<Vec<Head>, StoreError> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    Select::from(
        "SELECT v.standard_id, v.number, v.state FROM standard_versions v JOIN standards s ON s.id = v.standard_id",
    )
    .and_in("v.standard_id", of.iter().copied())
    .and::<i64>("v.state = 'active' OR v.number = s.numbered", [])
    .then("ORDER BY v.standard_id, v.number LIMIT ?", [1_000_i64])
    .all(conn)
    .await
}

/// One version.
pub async fn version(conn: &mut Conn, id: StandardId, number: i64) -> Result<Option<Version>, StoreError> {
    Select::from(VERSIONS)
        .and("standard_id = ?", [id])
        .and("number = ?", [number])
        .then("LIMIT ?", [1_i64])
        .optional(conn)
        .await
}

/// The one that is in force.
pub async fn active(conn: &mut Conn, id: StandardId) -> Result<Option<Version>, StoreError> {
    Select::from(VERSIONS)
        .and("standard_id = ?", [id])
        .and("state = 'active'", Vec::<String>::new())
        .then("LIMIT ?", [1_i64])
        .optional(conn)
        .await
}

/// Those that may still come into force for the first time, oldest first.
pub async fn open(conn: &mut Conn, id: StandardId) -> Result<Vec<Version>, StoreError> {
    Select::from(VERSIONS)
        .and("standard_id = ?", [id])
        .and("state IN ('draft', 'in-review')", Vec::<String>::new())
        .then("ORDER BY number LIMIT ?", [100_i64])
        .all(conn)
        .await
}

/// Puts a version where a step leads.
pub async fn set_state(
    tx: &mut Tx,
    version: &Version,
    to: PolicyState,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let ends = matches!(to, PolicyState::Superseded | PolicyState::Withdrawn);
    sql("UPDATE standard_versions SET state = $1, ended_at = $2 WHERE standard_id = $3 AND number = $4 AND state = $5")
        .bind(to.as_str())
        .bind(ends.then_some(now))
        .bind(version.standard_id)
        .bind(version.number)
        .bind(&version.state)
        .execute_one(tx, "standard_versions")
        .await
}

/// Notes that a second person approved a version.
pub async fn approve(tx: &mut Tx, version: &Version, by: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE standard_versions SET approved_at = $1, approved_by = $2
         WHERE standard_id = $3 AND number = $4 AND state = $5")
    .bind(now)
    .bind(by)
    .bind(version.standard_id)
    .bind(version.number)
    .bind(&version.state)
    .execute_one(tx, "standard_versions")
    .await
}

/// Notes who let a version come into force.
pub async fn activated(
    tx: &mut Tx,
    version: &Version,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("UPDATE standard_versions SET activated_at = $1, activated_by = $2 WHERE standard_id = $3 AND number = $4")
        .bind(now)
        .bind(by)
        .bind(version.standard_id)
        .bind(version.number)
        .execute_one(tx, "standard_versions")
        .await
}

/// A version that is in force, with its standard's name.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct InForce {
    /// Of which standard.
    #[sqlx(try_from = "String")]
    pub standard_id: StandardId,
    /// What people call that.
    pub name: String,
    /// The rules, as JSON.
    pub rules: String,
}

/// Everything that is in force in a project, the organization's first, then by standard.
pub async fn in_force(conn: &mut Conn, project: ProjectId) -> Result<Vec<InForce>, StoreError> {
    in_force_in(project).then::<i64>("ORDER BY s.project_id IS NOT NULL, v.standard_id", []).all(conn).await
}

pub(crate) fn in_force_in(project: ProjectId) -> Select {
    Select::from(
        "SELECT v.standard_id, s.name, v.rules FROM standard_versions v JOIN standards s ON s.id = v.standard_id",
    )
    .and::<i64>("v.state = 'active'", [])
    .and_in("v.scope", [ORGANIZATION.to_owned(), project.to_string()])
}

/// Where what a report looks at begins, and how much of it there is.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    /// Only in this project.
    pub project: Option<ProjectId>,
    /// Only what comes after this id; begin with the empty text.
    pub after: &'a str,
    /// Keys that have expired by then are left out.
    pub now: DateTime<Utc>,
    /// At most so many.
    pub limit: u32,
}

/// What of a key is held against standards.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct KeyRow {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: ApiKeyId,
    /// Its project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// The project's slug.
    pub project_slug: String,
    /// The environment's slug.
    pub environment_slug: String,
    /// The environment's label.
    pub label: String,
    /// Its name.
    pub name: String,
    /// `person` or `team`.
    pub owner_kind: String,
    /// JSON array.
    pub scopes: String,
    /// JSON array.
    pub tags: String,
    /// When it expires, in microseconds.
    pub expires_at: Option<i64>,
    /// When its newest value was made, in microseconds.
    pub renewed_at: i64,
}

/// Keys that may still be used, in projects that are not archived, along their ids.
pub async fn keys(conn: &mut Conn, slice: &Slice<'_>) -> Result<Vec<KeyRow>, StoreError> {
    living_keys(slice).then(KEYS_ALONG, [slice.limit]).all(conn).await
}

pub(crate) const KEYS_ALONG: &str = "ORDER BY k.id LIMIT ?";

pub(crate) fn living_keys(slice: &Slice<'_>) -> Select {
    let select = Select::from(
        "SELECT k.id, k.project_id, p.slug AS project_slug, e.slug AS environment_slug, e.label, k.name, k.owner_kind,
                k.scopes, k.tags, k.expires_at,
                coalesce((SELECT max(v.created_at) FROM key_values v WHERE v.key_id = k.id), k.created_at) AS renewed_at
         FROM api_keys k LEFT JOIN projects p ON p.id = k.project_id LEFT JOIN environments e ON e.id = k.environment_id",
    )
    .and("k.id > ?", [slice.after])
    .and::<i64>("k.revoked_at IS NULL AND p.archived_at IS NULL", [])
    .and("k.expires_at IS NULL OR k.expires_at > ?", [micros(slice.now)]);
    match slice.project {
        Some(project) => select.and("k.project_id = ?", [project]),
        None => select,
    }
}

/// What of a secret is held against standards.
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
    /// The environment's slug.
    pub environment_slug: String,
    /// The environment's label.
    pub label: String,
    /// Folders and name.
    pub path: String,
    /// `person` or `team`.
    pub owner_kind: String,
    /// JSON array.
    pub tags: String,
    /// When its current version was made, in microseconds; `None`: there is none.
    pub renewed_at: Option<i64>,
}

/// Secrets that are not deleted, in projects that are not archived, along their ids.
pub async fn secrets(conn: &mut Conn, slice: &Slice<'_>) -> Result<Vec<SecretRow>, StoreError> {
    living_secrets(slice).then(SECRETS_ALONG, [slice.limit]).all(conn).await
}

pub(crate) const SECRETS_ALONG: &str = "ORDER BY s.id LIMIT ?";

pub(crate) fn living_secrets(slice: &Slice<'_>) -> Select {
    let select = Select::from(
        "SELECT s.id, s.project_id, p.slug AS project_slug, e.slug AS environment_slug, e.label, s.path, s.owner_kind,
                s.tags,
                (SELECT v.created_at FROM secret_labels l JOIN secret_versions v ON v.secret_id = l.secret_id AND v.number = l.number
                 WHERE l.secret_id = s.id AND l.label = 'current') AS renewed_at
         FROM secrets s LEFT JOIN projects p ON p.id = s.project_id LEFT JOIN environments e ON e.id = s.environment_id",
    )
    .and("s.id > ?", [slice.after])
    .and::<i64>("s.deleted_at IS NULL AND s.purged_at IS NULL AND p.archived_at IS NULL", []);
    match slice.project {
        Some(project) => select.and("s.project_id = ?", [project]),
        None => select,
    }
}

/// What of an environment is held against standards.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EnvironmentRow {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: EnvironmentId,
    /// Its project.
    #[sqlx(try_from = "String")]
    pub project_id: ProjectId,
    /// The project's slug.
    pub project_slug: String,
    /// Its slug.
    pub slug: String,
    /// Its label.
    pub label: String,
    /// Whether it asks for reasons by its own settings.
    pub reads_need_reason: bool,
}

/// Environments of projects that are not archived, along their ids.
pub async fn environments(conn: &mut Conn, slice: &Slice<'_>) -> Result<Vec<EnvironmentRow>, StoreError> {
    living_environments(slice).then(ENVIRONMENTS_ALONG, [slice.limit]).all(conn).await
}

pub(crate) const ENVIRONMENTS_ALONG: &str = "ORDER BY e.id LIMIT ?";

pub(crate) fn living_environments(slice: &Slice<'_>) -> Select {
    let select = Select::from(
        "SELECT e.id, e.project_id, p.slug AS project_slug, e.slug, e.label, e.reads_need_reason
         FROM environments e LEFT JOIN projects p ON p.id = e.project_id",
    )
    .and("e.id > ?", [slice.after])
    .and::<i64>("p.archived_at IS NULL", []);
    match slice.project {
        Some(project) => select.and("e.project_id = ?", [project]),
        None => select,
    }
}
