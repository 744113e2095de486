//! Everybody's standing at once: who is active, in which teams, with which roles. Four statements, however many there are.

use chrono::{DateTime, Utc};
use keywarden_model::ProjectId;

use crate::{Conn, StoreError, sql};

/// Everybody who is active, and what may count for them in one place.
#[derive(Debug, Clone, Default)]
pub struct Standings {
    /// Active people and workloads.
    pub principals: Vec<Somebody>,
    /// Who is in which team.
    pub members: Vec<Member>,
    /// Roles of the organization and of the project, of whomever.
    pub roles: Vec<Bound>,
    /// What teams are called.
    pub teams: Vec<Called>,
}

/// An active person or workload.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Somebody {
    /// The id.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// The name, folded.
    pub folded_name: String,
}

/// Somebody in a team.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Member {
    /// The team's id.
    pub team_id: String,
    /// The person's id.
    pub user_id: String,
}

/// A role that is held.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Bound {
    /// A person's, team's or workload's id.
    pub principal_id: String,
    /// The role's word.
    pub role: String,
    /// In which project; `None` for the organization's roles.
    pub project_id: Option<String>,
}

/// What something is called.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Called {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Reads them, with the roles of the organization and those of this project, be they held for a while.
pub async fn all(
    conn: &mut Conn,
    project: Option<ProjectId>,
    now: DateTime<Utc>,
) -> Result<Standings, StoreError> {
    let principals = sql("SELECT id, name, folded_name FROM users WHERE state = 'active'
         UNION ALL SELECT id, name, folded_name FROM workloads WHERE state = 'active'")
    .all(conn)
    .await?;
    let members = sql("SELECT team_id, user_id FROM team_members ORDER BY team_id").all(conn).await?;
    let roles = sql("SELECT principal_id, role, project_id FROM role_bindings
         WHERE project_id IS NULL OR project_id = $1
         UNION SELECT holder_id, role, project_id FROM access_grants
         WHERE ended_at IS NULL AND ends_at > $2 AND (project_id IS NULL OR project_id = $3)
         ORDER BY principal_id, role")
    .bind(project.unwrap_or(ProjectId::NIL))
    .bind(now)
    .bind(project.unwrap_or(ProjectId::NIL))
    .all(conn)
    .await?;
    let teams = sql("SELECT id, name FROM teams").all(conn).await?;
    Ok(Standings { principals, members, roles, teams })
}
