//! Questions that people saved with the answer they expect of the policies.

use chrono::{DateTime, Utc};
use keywarden_model::{Name, PolicyTestId, ProjectId};

use crate::{Conn, StoreError, Tx, count::number, policies::ORGANIZATION, sql};

/// A saved question.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PolicyTest {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: PolicyTestId,
    /// The project that it belongs to; `None`: the organization's.
    pub project_id: Option<String>,
    /// What people call it.
    pub name: String,
    /// A person's or workload's id.
    pub principal: String,
    /// An action's name.
    pub action: String,
    /// A thing's id, or `organization`.
    pub resource: String,
    /// The moment that is supposed, in JSON.
    pub circumstances: String,
    /// `allowed` or `refused`.
    pub expected: String,
    /// When it was saved, in microseconds.
    pub created_at: i64,
    /// By whom: an actor's id.
    pub created_by: String,
}

/// A question to be saved.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: PolicyTestId,
    /// The project that it belongs to.
    pub project: Option<ProjectId>,
    /// What people call it.
    pub name: &'a Name,
    /// A person's or workload's id.
    pub principal: &'a str,
    /// An action's name.
    pub action: &'a str,
    /// A thing's id, or `organization`.
    pub resource: &'a str,
    /// The moment that is supposed, in JSON.
    pub circumstances: &'a str,
    /// `allowed` or `refused`.
    pub expected: &'static str,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

/// Saves one; a [`StoreError::Conflict`]: its scope has another one of that name.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO policy_tests (id, project_id, scope, name, folded_name, principal, action, resource, circumstances,
                                   expected, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
    .bind(row.id)
    .bind(row.project)
    .bind(row.project.map_or_else(|| ORGANIZATION.to_owned(), |project| project.to_string()))
    .bind(row.name.as_str())
    .bind(row.name.folded())
    .bind(row.principal)
    .bind(row.action)
    .bind(row.resource)
    .bind(row.circumstances)
    .bind(row.expected)
    .bind(row.created_at)
    .bind(row.created_by)
    .execute_one(tx, "policy_tests")
    .await
}

/// By its id.
pub async fn find(conn: &mut Conn, id: PolicyTestId) -> Result<Option<PolicyTest>, StoreError> {
    sql("SELECT id, project_id, name, principal, action, resource, circumstances, expected, created_at, created_by
         FROM policy_tests WHERE id = $1")
    .bind(id)
    .optional(conn)
    .await
}

/// Those of a scope, by name.
pub async fn of(conn: &mut Conn, scope: &str) -> Result<Vec<PolicyTest>, StoreError> {
    sql("SELECT id, project_id, name, principal, action, resource, circumstances, expected, created_at, created_by
         FROM policy_tests WHERE scope = $1 ORDER BY folded_name")
    .bind(scope)
    .all(conn)
    .await
}

/// All there are: the house has some hundred at most.
pub async fn all(conn: &mut Conn) -> Result<Vec<PolicyTest>, StoreError> {
    sql("SELECT id, project_id, name, principal, action, resource, circumstances, expected, created_at, created_by
         FROM policy_tests ORDER BY id")
    .all(conn)
    .await
}

/// How many there are.
pub async fn count(conn: &mut Conn) -> Result<i64, StoreError> {
    number(sql("SELECT count(*) AS number FROM policy_tests"), conn).await
}

/// Deletes one.
pub async fn delete(tx: &mut Tx, id: PolicyTestId) -> Result<(), StoreError> {
    sql("DELETE FROM policy_tests WHERE id = $1").bind(id).execute_one(tx, "policy_tests").await
}
