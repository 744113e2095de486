//! Policies that people wrote, their versions, and which of them decide.

use chrono::{DateTime, Utc};
use keywarden_model::{Name, PolicyEffect, PolicyId, PolicyState, ProjectId};

use crate::{Conn, StoreError, Tx, count::number, dialect::containing, filter::Select, instance, sql};

/// The scope of what holds everywhere.
pub const ORGANIZATION: &str = "organization";

/// A policy's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Policy {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: PolicyId,
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
    /// Who wants to disable it and waits for a second person: an actor's id.
    pub ending_by: Option<String>,
    /// Grows with each step of any of its versions.
    pub row_version: i64,
}

/// Since this schema programs decide by what people wrote.
const DECIDING: i64 = 35;

/// Whether every program that may run on these records decides by what people wrote.
pub async fn all_decide(conn: &mut Conn) -> Result<bool, StoreError> {
    instance::schema(conn).await.map(|schema| schema.oldest_compatible >= DECIDING)
}

const COLUMNS: &str = "SELECT p.id, p.project_id, p.name, p.numbered, p.created_at, p.created_by, p.ending_by, p.row_version FROM policies p";

/// A version's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Version {
    /// Of which policy.
    #[sqlx(try_from = "String")]
    pub policy_id: PolicyId,
    /// Counts from 1 in its policy.
    pub number: i64,
    /// A [`PolicyState`]'s word.
    pub state: String,
    /// A [`PolicyEffect`]'s word.
    pub effect: String,
    /// The Cedar text.
    pub text: String,
    /// The text's digest.
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
    /// From when on it is to decide, in microseconds.
    pub starts_at: Option<i64>,
    /// Who scheduled it: an actor's id.
    pub due_by: Option<String>,
    /// When it last began to decide, in microseconds.
    pub activated_at: Option<i64>,
    /// Who let it: an actor's id.
    pub activated_by: Option<String>,
    /// When it ended to decide, or was withdrawn, in microseconds.
    pub ended_at: Option<i64>,
}

const VERSIONS: &str =
    "SELECT policy_id, number, state, effect, text, sha256, note, created_at, created_by, approved_at,
           approved_by, starts_at, due_by, activated_at, activated_by, ended_at
    FROM policy_versions";

/// A policy to be written.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: PolicyId,
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
    /// Of which policy.
    pub policy: PolicyId,
    /// Its number.
    pub number: i64,
    /// What it does.
    pub effect: PolicyEffect,
    /// The Cedar text.
    pub text: &'a str,
    /// The text's digest.
    pub sha256: [u8; 32],
    /// What its author says about it.
    pub note: &'a str,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

/// Writes a policy without any version; a [`StoreError::Conflict`]: its scope has another one of that name.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO policies (id, project_id, scope, name, folded_name, numbered, created_at, created_by, row_version)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7, 1)")
    .bind(row.id)
    .bind(row.project)
    .bind(row.project.map_or_else(|| ORGANIZATION.to_owned(), |project| project.to_string()))
    .bind(row.name.as_str())
    .bind(row.name.folded())
    .bind(row.created_at)
    .bind(row.created_by)
    .execute_one(tx, "policies")
    .await
}

/// Writes a draft, the newest version of its policy.
pub async fn insert_version(tx: &mut Tx, row: InsertVersion<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO policy_versions (policy_id, number, state, effect, text, sha256, note, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(row.policy)
    .bind(row.number)
    .bind(PolicyState::Draft.as_str())
    .bind(row.effect.as_str())
    .bind(row.text)
    .bind(row.sha256)
    .bind(row.note)
    .bind(row.created_at)
    .bind(row.created_by)
    .execute_one(tx, "policy_versions")
    .await?;
    sql("UPDATE policies SET numbered = $1 WHERE id = $2")
        .bind(row.number)
        .bind(row.policy)
        .execute_one(tx, "policies")
        .await
}

/// Notes that something about a policy changed; [`StoreError::Stale`] when it did meanwhile.
pub async fn touch(tx: &mut Tx, id: PolicyId, row_version: i64) -> Result<(), StoreError> {
    sql("UPDATE policies SET row_version = row_version + 1 WHERE id = $1 AND row_version = $2")
        .bind(id)
        .bind(row_version)
        .execute_one(tx, "policies")
        .await
}

/// Gives it another name; a [`StoreError::Conflict`]: its scope has another one of that name.
pub async fn rename(tx: &mut Tx, id: PolicyId, name: &Name) -> Result<(), StoreError> {
    sql("UPDATE policies SET name = $1, folded_name = $2 WHERE id = $3")
        .bind(name.as_str())
        .bind(name.folded())
        .bind(id)
        .execute_one(tx, "policies")
        .await
}

/// Notes who wants to disable it, or that nobody does.
pub async fn set_ending(tx: &mut Tx, id: PolicyId, by: Option<&str>) -> Result<(), StoreError> {
    sql("UPDATE policies SET ending_by = $1 WHERE id = $2")
        .bind(by)
        .bind(id)
        .execute_one(tx, "policies")
        .await
}

/// By its id.
pub async fn find(conn: &mut Conn, id: PolicyId) -> Result<Option<Policy>, StoreError> {
    Select::from(COLUMNS).and("p.id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// The one of a scope that has this name, in any spelling of it.
pub async fn named(conn: &mut Conn, scope: &str, name: &str) -> Result<Option<PolicyId>, StoreError> {
    let Ok(name) = name.parse::<Name>() else { return Ok(None) };
    let found: Option<Policy> = Select::from(COLUMNS)
        .and("p.scope = ?", [scope])
        .and("p.folded_name = ?", [name.folded()])
        .then("LIMIT ?", [1_i64])
        .optional(conn)
        .await?;
    Ok(found.map(|row| row.id))
}

/// Those of these ids that there are.
pub async fn of(conn: &mut Conn, ids: &[PolicyId]) -> Result<Vec<Policy>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let none: [i64; 0] = [];
    Select::from(COLUMNS).and_in("p.id", ids.iter().copied()).then("ORDER BY p.id", none).all(conn).await
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
    pub after: Option<PolicyId>,
}

/// Oldest first.
pub async fn list(conn: &mut Conn, filter: &Filter, limit: u32) -> Result<Vec<Policy>, StoreError> {
    select(filter).then(OLDEST_FIRST, [limit]).all(conn).await
}

pub(crate) const OLDEST_FIRST: &str = "ORDER BY p.id LIMIT ?";

pub(crate) fn select(filter: &Filter) -> Select {
    let mut select = Select::from(COLUMNS);
    if let Some(within) = &filter.within {
        select = select.and_in("p.scope", within.iter().map(String::as_str));
    }
    if let Some(part) = &filter.containing {
        select = select.and(r"p.folded_name LIKE ? ESCAPE '\'", [containing(part)]);
    }
    if let Some(state) = filter.state {
        select = select.and(
            "EXISTS (SELECT 1 FROM policy_versions v WHERE v.policy_id = p.id AND v.state = ?)",
            [state.as_str()],
        );
    }
    if let Some(after) = filter.after {
        select = select.and("p.id > ?", [after]);
    }
    select
}

/// How many a scope has.
pub async fn count(conn: &mut Conn, scope: &str) -> Result<i64, StoreError> {
    number(sql("SELECT count(*) AS number FROM policies WHERE scope = $1").bind(scope), conn).await
}

/// A policy's versions, newest first.
pub async fn versions(conn: &mut Conn, id: PolicyId, limit: u32) -> Result<Vec<Version>, StoreError> {
    Select::from(VERSIONS)
        .and("policy_id = ?", [id])
        .then("ORDER BY number DESC LIMIT ?", [limit])
        .all(conn)
        .await
}

/// A version without its text.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Head {
    /// Of which policy.
    #[sqlx(try_from = "String")]
    pub policy_id: PolicyId,
    /// Its number.
    pub number: i64,
    /// A [`PolicyState`]'s word.
    pub state: String,
    /// A [`PolicyEffect`]'s word.
    pub effect: String,
}

/// The newest version of each of these policies, and the one that decides.
pub async fn heads(conn: &mut Conn, of: &[PolicyId]) -> Result<Vec<Head>, StoreError> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    Select::from(
        "SELECT v.policy_id, v.number, v.state, v.effect
                  FROM policy_versions v JOIN policies p ON p.id = v.policy_id",
    )
    .and_in("v.policy_id", of.iter().copied())
    .and("v.state = 'active' OR v.number = p.numbered", Vec::<String>::new())
    .then("ORDER BY v.policy_id, v.number LIMIT ?", [1_000_i64])
    .all(conn)
    .await
}

/// One of them.
pub async fn version(conn: &mut Conn, id: PolicyId, number: i64) -> Result<Option<Version>, StoreError> {
    Select::from(VERSIONS)
        .and("policy_id = ?", [id])
        .and("number = ?", [number])
        .then("LIMIT ?", [1_i64])
        .optional(conn)
        .await
}

/// The one that decides.
pub async fn active(conn: &mut Conn, id: PolicyId) -> Result<Option<Version>, StoreError> {
    Select::from(VERSIONS)
        .and("policy_id = ?", [id])
        .and("state = 'active'", Vec::<String>::new())
        .then("LIMIT ?", [1_i64])
        .optional(conn)
        .await
}

/// Those that may still come to decide for the first time, oldest first.
pub async fn open(conn: &mut Conn, id: PolicyId) -> Result<Vec<Version>, StoreError> {
    Select::from(VERSIONS)
        .and("policy_id = ?", [id])
        .and("state IN ('draft', 'in-review', 'scheduled')", Vec::<String>::new())
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
    sql("UPDATE policy_versions SET state = $1, ended_at = $2, starts_at = NULL, due_by = NULL
         WHERE policy_id = $3 AND number = $4 AND state = $5")
    .bind(to.as_str())
    .bind(ends.then_some(now))
    .bind(version.policy_id)
    .bind(version.number)
    .bind(&version.state)
    .execute_one(tx, "policy_versions")
    .await
}

/// Notes that a second person approved a version.
pub async fn approve(tx: &mut Tx, version: &Version, by: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    sql("UPDATE policy_versions SET approved_at = $1, approved_by = $2 WHERE policy_id = $3 AND number = $4 AND state = $5")
        .bind(now)
        .bind(by)
        .bind(version.policy_id)
        .bind(version.number)
        .bind(&version.state)
        .execute_one(tx, "policy_versions")
        .await
}

/// Notes who let a version decide from now on.
pub async fn activated(
    tx: &mut Tx,
    version: &Version,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("UPDATE policy_versions SET activated_at = $1, activated_by = $2 WHERE policy_id = $3 AND number = $4")
        .bind(now)
        .bind(by)
        .bind(version.policy_id)
        .bind(version.number)
        .execute_one(tx, "policy_versions")
        .await
}

/// Notes from when on a version is to decide, and who says so.
pub async fn schedule(
    tx: &mut Tx,
    version: &Version,
    by: &str,
    starts_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql("UPDATE policy_versions SET state = 'scheduled', starts_at = $1, due_by = $2
         WHERE policy_id = $3 AND number = $4 AND state = $5")
    .bind(starts_at)
    .bind(by)
    .bind(version.policy_id)
    .bind(version.number)
    .bind(&version.state)
    .execute_one(tx, "policy_versions")
    .await
}

/// Versions whose moment has come, the longest waiting first.
pub async fn due(conn: &mut Conn, now: DateTime<Utc>, limit: u32) -> Result<Vec<Version>, StoreError> {
    waiting(now).then(LONGEST_WAITING, [limit]).all(conn).await
}

pub(crate) const LONGEST_WAITING: &str = "ORDER BY starts_at, policy_id LIMIT ?";

pub(crate) fn waiting(now: DateTime<Utc>) -> Select {
    Select::from(VERSIONS).and("state = 'scheduled'", Vec::<String>::new()).and("starts_at <= ?", [now])
}

/// A version that decides.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct InForce {
    /// Of which policy.
    #[sqlx(try_from = "String")]
    pub policy_id: PolicyId,
    /// The project that it is confined to.
    pub project_id: Option<String>,
    /// Its number.
    pub number: i64,
    /// A [`PolicyEffect`]'s word.
    pub effect: String,
    /// The Cedar text.
    pub text: String,
    /// The text's digest.
    pub sha256: Vec<u8>,
}

/// Everything that decides, by policy.
pub async fn in_force(conn: &mut Conn) -> Result<Vec<InForce>, StoreError> {
    sql("SELECT v.policy_id, p.project_id, v.number, v.effect, v.text, v.sha256
         FROM policy_versions v JOIN policies p ON p.id = v.policy_id
         WHERE v.state = 'active' ORDER BY v.policy_id")
    .all(conn)
    .await
}

/// What holds for all policies together.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Set {
    /// How often what decides has changed.
    pub revision: i64,
    /// `off`, `on` or `ending`: whether changes need a second person.
    pub review: String,
    /// Who wants to do without a second person: an actor's id.
    pub asked_by: Option<String>,
}

/// As it is now.
pub async fn set(conn: &mut Conn) -> Result<Set, StoreError> {
    sql("SELECT revision, review, asked_by FROM policy_set WHERE id = 1").one(conn).await
}

/// What decides has changed; the revision after it.
pub async fn turn(tx: &mut Tx) -> Result<i64, StoreError> {
    let set: Set = sql(
        "UPDATE policy_set SET revision = revision + 1 WHERE id = 1 RETURNING revision, review, asked_by",
    )
    .one(tx)
    .await?;
    Ok(set.revision)
}

/// Whether changes need a second person, from `before` to `review`.
pub async fn set_review(
    tx: &mut Tx,
    before: &Set,
    review: &'static str,
    asked_by: Option<&str>,
) -> Result<(), StoreError> {
    sql("UPDATE policy_set SET review = $1, asked_by = $2 WHERE id = 1 AND review = $3")
        .bind(review)
        .bind(asked_by)
        .bind(before.review.as_str())
        .execute_one(tx, "policy_set")
        .await
}
