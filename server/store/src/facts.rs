//! What policies may ask of a thing beyond its place: one row with all of it, read where one in force does ask.

use keywarden_model::{ApiKeyId, EnvironmentId, ProjectId, SecretId};

use crate::{Conn, StoreError, filter::Select};

/// What is known of a thing; empty words where such a thing has none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Facts {
    /// A JSON list of its tags, each `name` or `name=value`.
    pub tags: String,
    /// The id of the person or team whose it is.
    pub owner: String,
    /// The slug of its environment.
    pub environment: String,
    /// What its environment is called in keys: `live`.
    pub label: String,
    /// The slug of its project.
    pub project: String,
}

/// How each of these ends: an id leads to one row.
pub(crate) const ONE: &str = "LIMIT ?";

/// Of a key.
pub async fn of_key(conn: &mut Conn, id: ApiKeyId) -> Result<Option<Facts>, StoreError> {
    one(conn, key(id)).await
}

/// Of a secret.
pub async fn of_secret(conn: &mut Conn, id: SecretId) -> Result<Option<Facts>, StoreError> {
    one(conn, secret(id)).await
}

/// Of an environment.
pub async fn of_environment(conn: &mut Conn, id: EnvironmentId) -> Result<Option<Facts>, StoreError> {
    one(conn, environment(id)).await
}

/// Of a project, or of what lies in it and in none of its environments.
pub async fn of_project(conn: &mut Conn, id: ProjectId) -> Result<Option<Facts>, StoreError> {
    one(conn, project(id)).await
}

pub(crate) fn key(id: ApiKeyId) -> Select {
    Select::from(
        "SELECT k.tags AS tags, k.owner_id AS owner, e.slug AS environment, e.label AS label, p.slug AS project
         FROM api_keys k JOIN environments e ON e.id = k.environment_id JOIN projects p ON p.id = k.project_id",
    )
    .and("k.id = ?", [id])
}

pub(crate) fn secret(id: SecretId) -> Select {
    Select::from(
        "SELECT s.tags AS tags, s.owner_id AS owner, e.slug AS environment, e.label AS label, p.slug AS project
         FROM secrets s JOIN environments e ON e.id = s.environment_id JOIN projects p ON p.id = s.project_id",
    )
    .and("s.id = ?", [id])
}

pub(crate) fn environment(id: EnvironmentId) -> Select {
    Select::from(
        "SELECT CAST('[]' AS TEXT) AS tags, CAST('' AS TEXT) AS owner, e.slug AS environment, e.label AS label,
                p.slug AS project
         FROM environments e JOIN projects p ON p.id = e.project_id",
    )
    .and("e.id = ?", [id])
}

pub(crate) fn project(id: ProjectId) -> Select {
    Select::from(
        "SELECT CAST('[]' AS TEXT) AS tags, CAST('' AS TEXT) AS owner, CAST('' AS TEXT) AS environment,
                CAST('' AS TEXT) AS label, p.slug AS project
         FROM projects p",
    )
    .and("p.id = ?", [id])
}

async fn one(conn: &mut Conn, select: Select) -> Result<Option<Facts>, StoreError> {
    select.then(ONE, [1_i64]).optional(conn).await
}
