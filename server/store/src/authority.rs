//! Who may do what, as the gate asks for it: is the principal active, which teams, which roles.

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
