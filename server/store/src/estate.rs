//! Everybody and everything as decisions see them, in batches along the ids: for saying what a change of policies gives.

use keywarden_model::ProjectId;

use crate::{Conn, StoreError, facts::Facts, filter::Select, sql};

/// A kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// API keys that were not revoked.
    ApiKeys,
    /// Environments.
    Environments,
    /// People, active or not.
    People,
    /// Projects, archived ones too.
    Projects,
    /// Secrets whose record is there, deleted ones too.
    Secrets,
    /// Teams.
    Teams,
    /// Workloads, active or not.
    Workloads,
}

/// A thing with what decisions see of its row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Thing {
    /// Its id.
    pub id: String,
    /// The project that it lies in; of a project, its own id.
    pub project_id: Option<String>,
    /// Its environment, if it lies in one.
    pub environment_id: Option<String>,
    /// Whose it is: a person's or team's id.
    pub owner_id: Option<String>,
}

pub(crate) const ALONG_IDS: &str = "ORDER BY id LIMIT ?";

/// A batch of them after an id, along the ids: of one project, or of all.
pub async fn things(
    conn: &mut Conn,
    kind: Kind,
    project: Option<ProjectId>,
    after: &str,
    limit: u32,
) -> Result<Vec<Thing>, StoreError> {
    select(kind, project, after).then(ALONG_IDS, [limit]).all(conn).await
}

pub(crate) fn select(kind: Kind, project: Option<ProjectId>, after: &str) -> Select {
    let none: [i64; 0] = [];
    let select = Select::from(match kind {
        Kind::ApiKeys => "SELECT id, project_id, environment_id, owner_id FROM api_keys",
        Kind::Environments => {
            "SELECT id, project_id, CAST(NULL AS TEXT) AS environment_id, CAST(NULL AS TEXT) AS owner_id FROM environments"
        }
        Kind::People => {
            "SELECT id, CAST(NULL AS TEXT) AS project_id, CAST(NULL AS TEXT) AS environment_id,
                    CAST(NULL AS TEXT) AS owner_id FROM users"
        }
        Kind::Projects => {
            "SELECT id, id AS project_id, CAST(NULL AS TEXT) AS environment_id, CAST(NULL AS TEXT) AS owner_id FROM projects"
        }
        Kind::Secrets => "SELECT id, project_id, environment_id, owner_id FROM secrets",
        Kind::Teams => {
            "SELECT id, CAST(NULL AS TEXT) AS project_id, CAST(NULL AS TEXT) AS environment_id,
                    CAST(NULL AS TEXT) AS owner_id FROM teams"
        }
        Kind::Workloads => {
            "SELECT id, project_id, CAST(NULL AS TEXT) AS environment_id, CAST(NULL AS TEXT) AS owner_id FROM workloads"
        }
    });
    let select = match kind {
        Kind::ApiKeys => select.and("revoked_at IS NULL", none),
        Kind::Secrets => select.and("purged_at IS NULL", none),
        Kind::Environments | Kind::People | Kind::Projects | Kind::Teams | Kind::Workloads => select,
    };
    let select = match (kind, project) {
        (_, None) | (Kind::People | Kind::Teams, Some(_)) => select,
        (Kind::Projects, Some(project)) => select.and("id = ?", [project]),
        (_, Some(project)) => select.and("project_id = ?", [project]),
    };
    select.and("id > ?", [after])
}

/// A thing with what policies may ask of its row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Known {
    /// Its id.
    pub id: String,
    /// What they may ask.
    #[sqlx(flatten)]
    pub facts: Facts,
}

/// What policies may ask of those that [`things`] finds for the same; of people and teams they ask nothing.
pub async fn known(
    conn: &mut Conn,
    kind: Kind,
    project: Option<ProjectId>,
    after: &str,
    limit: u32,
) -> Result<Vec<Known>, StoreError> {
    match asked(kind, project, after) {
        Some(select) => select.then(ALONG_IDS, [limit]).all(conn).await,
        None => Ok(Vec::new()),
    }
}

pub(crate) fn asked(kind: Kind, project: Option<ProjectId>, after: &str) -> Option<Select> {
    let none: [i64; 0] = [];
    let select = match kind {
        Kind::ApiKeys => Select::from(
            "SELECT k.id AS id, k.tags AS tags, k.owner_id AS owner, e.slug AS environment, e.label AS label, p.slug AS project
             FROM api_keys k JOIN environments e ON e.id = k.environment_id JOIN projects p ON p.id = k.project_id",
        )
        .and("k.revoked_at IS NULL", none)
        .and("k.id > ?", [after]),
        Kind::Environments => Select::from(
            "SELECT e.id AS id, CAST('[]' AS TEXT) AS tags, CAST('' AS TEXT) AS owner, e.slug AS environment, e.label AS label,
                    p.slug AS project
             FROM environments e JOIN projects p ON p.id = e.project_id",
        )
        .and("e.id > ?", [after]),
        Kind::People | Kind::Teams => return None,
        Kind::Projects => Select::from(
            "SELECT p.id AS id, CAST('[]' AS TEXT) AS tags, CAST('' AS TEXT) AS owner, CAST('' AS TEXT) AS environment,
                    CAST('' AS TEXT) AS label, p.slug AS project
             FROM projects p",
        )
        .and("p.id > ?", [after]),
        Kind::Secrets => Select::from(
            "SELECT s.id AS id, s.tags AS tags, s.owner_id AS owner, e.slug AS environment, e.label AS label, p.slug AS project
             FROM secrets s JOIN environments e ON e.id = s.environment_id JOIN projects p ON p.id = s.project_id",
        )
        .and("s.purged_at IS NULL", none)
        .and("s.id > ?", [after]),
        Kind::Workloads => Select::from(
            "SELECT w.id AS id, CAST('[]' AS TEXT) AS tags, CAST('' AS TEXT) AS owner, CAST('' AS TEXT) AS environment,
                    CAST('' AS TEXT) AS label, p.slug AS project
             FROM workloads w JOIN projects p ON p.id = w.project_id",
        )
        .and("w.id > ?", [after]),
    };
    Some(match project {
        Some(project) => select.and("p.id = ?", [project]),
        None => select,
    })
}

/// Somebody active.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Somebody {
    /// The id.
    pub id: String,
}

/// A batch of active people after an id, along the ids.
pub async fn people(conn: &mut Conn, after: &str, limit: u32) -> Result<Vec<Somebody>, StoreError> {
    active_people(after).then(ALONG_IDS, [limit]).all(conn).await
}

pub(crate) fn active_people(after: &str) -> Select {
    Select::from("SELECT id FROM users").and("id > ?", [after]).and("state = 'active'", Vec::<String>::new())
}

/// A batch of active workloads after an id, along the ids.
pub async fn workloads(conn: &mut Conn, after: &str, limit: u32) -> Result<Vec<Somebody>, StoreError> {
    active_workloads(after).then(ALONG_IDS, [limit]).all(conn).await
}

pub(crate) fn active_workloads(after: &str) -> Select {
    Select::from("SELECT id FROM workloads")
        .and("id > ?", [after])
        .and("state = 'active'", Vec::<String>::new())
}

/// Somebody in a team.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Member {
    /// The team's id.
    pub team_id: String,
    /// The person's id.
    pub user_id: String,
}

/// Who is in which team, by person.
pub async fn members(conn: &mut Conn) -> Result<Vec<Member>, StoreError> {
    sql("SELECT team_id, user_id FROM team_members ORDER BY user_id, team_id").all(conn).await
}

/// A role that is held.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Held {
    /// A person's, team's or workload's id.
    pub principal_id: String,
    /// The role's word.
    pub role: String,
    /// In which project; `None` for the organization's roles.
    pub project_id: Option<String>,
}

/// Every role that is held, by holder.
pub async fn roles(conn: &mut Conn) -> Result<Vec<Held>, StoreError> {
    sql("SELECT principal_id, role, project_id FROM role_bindings ORDER BY principal_id, role, project_id")
        .all(conn)
        .await
}
