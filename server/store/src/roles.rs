//! Role bindings: who holds which role where.

use chrono::{DateTime, Utc};
use keywarden_model::{ProjectId, Role, RoleBindingId, UserId};

use crate::{Conn, StoreError, Tx, count::number, filter::Select, sql};

/// A binding's row, with the names that a page shows.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Binding {
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: RoleBindingId,
    /// `person`, `team` or `workload`.
    pub principal_kind: String,
    /// Whose.
    pub principal_id: String,
    /// What the principal is called.
    pub principal_name: Option<String>,
    /// False for somebody deactivated, for whom the role does not count.
    pub principal_active: bool,
    /// The role's word.
    pub role: String,
    /// In which project; `None` for the organization's roles.
    pub project_id: Option<String>,
    /// The project's slug.
    pub project_slug: Option<String>,
    /// Since when, in microseconds.
    pub created_at: i64,
    /// Given by whom: an actor's id.
    pub created_by: String,
}

const COLUMNS: &str =
    "SELECT b.id, b.principal_kind, b.principal_id, coalesce(u.name, t.name, w.name) AS principal_name,
                              coalesce(t.id IS NOT NULL OR coalesce(u.state, w.state) = 'active', FALSE)
                                  AS principal_active,
                              b.role, b.project_id, p.slug AS project_slug, b.created_at, b.created_by
                       FROM role_bindings b
                       LEFT JOIN users u ON u.id = b.principal_id
                       LEFT JOIN teams t ON t.id = b.principal_id
                       LEFT JOIN workloads w ON w.id = b.principal_id
                       LEFT JOIN projects p ON p.id = b.project_id";

/// A row to be written.
#[derive(Debug)]
pub struct Insert<'a> {
    /// Its id.
    pub id: RoleBindingId,
    /// `person`, `team` or `workload`.
    pub principal_kind: &'a str,
    /// Whose.
    pub principal_id: &'a str,
    /// Which role.
    pub role: Role,
    /// In which project; `None` for the organization's roles.
    pub project: Option<ProjectId>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: &'a str,
}

/// Writes the row; a [`StoreError::Conflict`] if the principal holds that role there already.
pub async fn insert(tx: &mut Tx, row: Insert<'_>) -> Result<(), StoreError> {
    sql("INSERT INTO role_bindings (id, principal_kind, principal_id, role, project_id, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(row.id)
    .bind(row.principal_kind)
    .bind(row.principal_id)
    .bind(row.role.as_str())
    .bind(row.project)
    .bind(row.created_at)
    .bind(row.created_by)
    .execute_one(tx, "role_bindings")
    .await
}

/// One binding.
pub async fn find(conn: &mut Conn, id: RoleBindingId) -> Result<Option<Binding>, StoreError> {
    Select::from(COLUMNS).and("b.id = ?", [id]).then("LIMIT ?", [1_i64]).optional(conn).await
}

/// Removes it.
pub async fn delete(tx: &mut Tx, id: RoleBindingId) -> Result<(), StoreError> {
    sql("DELETE FROM role_bindings WHERE id = $1").bind(id).execute_one(tx, "role_bindings").await
}

/// The organization's, or those of one project; oldest first.
pub async fn list(
    conn: &mut Conn,
    project: Option<ProjectId>,
    after: Option<RoleBindingId>,
    limit: u32,
) -> Result<Vec<Binding>, StoreError> {
    let select = match project {
        Some(project) => Select::from(COLUMNS).and("b.project_id = ?", [project]),
        None => Select::from(COLUMNS).and("b.project_id IS NULL", Vec::<String>::new()),
    };
    let select = match after {
        Some(after) => select.and("b.id > ?", [after]),
        None => select,
    };
    select.then("ORDER BY b.id LIMIT ?", [limit]).all(conn).await
}

/// One principal's own and those of the teams it is in.
pub async fn of_principal(conn: &mut Conn, principal: &str, limit: u32) -> Result<Vec<Binding>, StoreError> {
    Select::from(COLUMNS)
        .and(
            "b.principal_id = ? OR b.principal_id IN (SELECT team_id FROM team_members WHERE user_id = ?)",
            [principal, principal],
        )
        .then("ORDER BY b.project_id, b.role, b.id LIMIT ?", [limit])
        .all(conn)
        .await
}

/// Active owners other than this person. Ask it inside a write that restricts: those are one after the other.
pub async fn other_owners(conn: &mut Conn, person: UserId) -> Result<i64, StoreError> {
    number(
        sql("SELECT count(*) AS number FROM role_bindings b JOIN users u ON u.id = b.principal_id
             WHERE b.role = 'owner' AND b.project_id IS NULL AND u.state = 'active' AND u.id <> $1")
        .bind(person),
        conn,
    )
    .await
}

/// Somebody who could hold a role.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CandidateRow {
    /// A person's, team's or workload's id.
    pub id: String,
    /// What they are called.
    pub name: String,
}

/// Active people, teams, and the project's active workloads, each by name; at most `limit` of each.
pub async fn candidates(
    conn: &mut Conn,
    project: ProjectId,
    limit: u32,
) -> Result<Vec<CandidateRow>, StoreError> {
    let mut found: Vec<CandidateRow> =
        sql("SELECT id, name FROM users WHERE state = 'active' ORDER BY name, id LIMIT $1")
            .bind(limit)
            .all(conn)
            .await?;
    found.extend(
        sql("SELECT id, name FROM teams ORDER BY name, id LIMIT $1")
            .bind(limit)
            .all::<CandidateRow>(conn)
            .await?,
    );
    let workloads = sql(
        "SELECT id, name FROM workloads WHERE state = 'active' AND project_id = $1 ORDER BY name, id LIMIT $2",
    );
    found.extend(workloads.bind(project).bind(limit).all::<CandidateRow>(conn).await?);
    Ok(found)
}
