//! Who may do what, as the gate asks for it: is the principal active, which teams, which roles.

use chrono::{DateTime, Utc};
use keywarden_model::ProjectId;

use crate::{Conn, StoreError, sql};

/// What counts of a principal.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// False for somebody deactivated or unknown.
    pub active: bool,
    /// Ids of the teams that the person is in.
    pub teams: Vec<String>,
    /// Own roles and the teams'.
    pub roles: Vec<Held>,
}

/// A role that is held.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Held {
    /// The role's word.
    pub role: String,
    /// In which project; `None` for the organization's roles.
    pub project_id: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Text {
    text: String,
}

/// Reads it; `principal` is a user's or workload's id.
pub async fn standing(conn: &mut Conn, principal: &str) -> Result<Standing, StoreError> {
    let state: Option<Text> = sql(
        "SELECT state AS text FROM users WHERE id = $1 UNION ALL SELECT state AS text FROM workloads WHERE id = $2",
    )
    .bind(principal)
    .bind(principal)
    .optional(conn)
    .await?;
    if state.is_none_or(|state| state.text != "active") {
        return Ok(Standing::default());
    }
    let teams: Vec<Text> =
        sql("SELECT team_id AS text FROM team_members WHERE user_id = $1 ORDER BY team_id")
            .bind(principal)
            .all(conn)
            .await?;
    let roles = held(conn, principal).await?;
    Ok(Standing { active: true, teams: teams.into_iter().map(|it| it.text).collect(), roles })
}

/// Roles that a person (own and their teams'), team or workload holds, active or not.
pub async fn held(conn: &mut Conn, holder: &str) -> Result<Vec<Held>, StoreError> {
    sql("SELECT role, project_id FROM role_bindings
         WHERE principal_id = $1
            OR principal_id IN (SELECT team_id FROM team_members WHERE user_id = $2)
         ORDER BY project_id, role")
    .bind(holder)
    .bind(holder)
    .all(conn)
    .await
}

/// A role that counts for an active person or workload in a project, and what it comes through.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Counting {
    /// The person's or workload's id.
    pub holder: String,
    /// What they are called.
    pub name: String,
    /// The role's word.
    pub role: String,
    /// In which project; `None` for the organization's roles.
    pub project_id: Option<String>,
    /// The team that holds the role; `None` for one's own.
    pub team_id: Option<String>,
    /// What the team is called.
    pub team_name: Option<String>,
}

/// Roles in the project and in the organization, by holder: one row for each active person and workload that a role
/// counts for, own, through a team, or for a while. At most `limit`, in the order of the holders' names.
pub async fn counting(
    conn: &mut Conn,
    project: ProjectId,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Counting>, StoreError> {
    sql("SELECT u.id AS holder, u.name AS name, b.role AS role, b.project_id AS project_id,
                CAST(NULL AS TEXT) AS team_id, CAST(NULL AS TEXT) AS team_name
         FROM role_bindings b JOIN users u ON u.id = b.principal_id
         WHERE u.state = 'active' AND (b.project_id = $1 OR b.project_id IS NULL)
         UNION ALL
         SELECT w.id, w.name, b.role, b.project_id, NULL, NULL
         FROM role_bindings b JOIN workloads w ON w.id = b.principal_id
         WHERE w.state = 'active' AND (b.project_id = $2 OR b.project_id IS NULL)
         UNION ALL
         SELECT u.id, u.name, b.role, b.project_id, t.id, t.name
         FROM role_bindings b JOIN teams t ON t.id = b.principal_id
         JOIN team_members m ON m.team_id = t.id JOIN users u ON u.id = m.user_id
         WHERE u.state = 'active' AND (b.project_id = $3 OR b.project_id IS NULL)
         UNION ALL
         SELECT g.holder_id, coalesce(u.name, w.name), g.role, g.project_id, NULL, NULL
         FROM access_grants g
         LEFT JOIN users u ON u.id = g.holder_id AND u.state = 'active'
         LEFT JOIN workloads w ON w.id = g.holder_id AND w.state = 'active'
         WHERE g.ended_at IS NULL AND g.ends_at > $4 AND g.scope IN ($5, 'organization')
           AND coalesce(u.id, w.id) IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM role_bindings b WHERE b.principal_id = g.holder_id AND b.role = g.role
                           AND coalesce(b.project_id, 'organization') = g.scope)
         ORDER BY name, holder, role, team_id LIMIT $6")
    .bind(project)
    .bind(project)
    .bind(project)
    .bind(now)
    .bind(project)
    .bind(limit)
    .all(conn)
    .await
}
