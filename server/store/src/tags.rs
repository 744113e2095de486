//! The tags that there are, each once and in order.

use keywarden_model::ProjectId;

use crate::{Conn, StoreError, filter::Select};

#[derive(sqlx::FromRow)]
struct Found {
    tag: String,
}

/// How a walk from tag to tag ends.
pub(crate) const SOME: &str = "LIMIT ?";
/// The same within a project.
pub(crate) const IN_ORDER: &str = "ORDER BY tag LIMIT ?";

/// Of keys, in this project or anywhere.
pub async fn of_keys(
    conn: &mut Conn,
    project: Option<ProjectId>,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    match project {
        None => found(conn, every_key(), SOME, limit).await,
        Some(project) => found(conn, keys_in(project), IN_ORDER, limit).await,
    }
}

/// Of secrets, in this project or anywhere.
pub async fn of_secrets(
    conn: &mut Conn,
    project: Option<ProjectId>,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    match project {
        None => found(conn, every_secret(), SOME, limit).await,
        Some(project) => found(conn, secrets_in(project), IN_ORDER, limit).await,
    }
}

/// One step along the index for each tag, however many have it.
pub(crate) fn every_key() -> Select {
    let none: [&str; 0] = [];
    Select::from(
        "WITH RECURSIVE known (tag) AS (
             SELECT min(k.tag) FROM key_tags k
             UNION ALL
             SELECT (SELECT min(k.tag) FROM key_tags k WHERE k.tag > known.tag) FROM known WHERE known.tag IS NOT NULL
         )
         SELECT tag FROM known",
    )
    .and("tag IS NOT NULL", none)
}

pub(crate) fn every_secret() -> Select {
    let none: [&str; 0] = [];
    Select::from(
        "WITH RECURSIVE known (tag) AS (
             SELECT min(s.tag) FROM secret_tags s
             UNION ALL
             SELECT (SELECT min(s.tag) FROM secret_tags s WHERE s.tag > known.tag) FROM known WHERE known.tag IS NOT NULL
         )
         SELECT tag FROM known",
    )
    .and("tag IS NOT NULL", none)
}

pub(crate) fn keys_in(project: ProjectId) -> Select {
    Select::from("SELECT DISTINCT t.tag AS tag FROM api_keys k JOIN key_tags t ON t.key_id = k.id")
        .and("k.project_id = ?", [project])
}

pub(crate) fn secrets_in(project: ProjectId) -> Select {
    let none: [&str; 0] = [];
    Select::from("SELECT DISTINCT t.tag AS tag FROM secrets s JOIN secret_tags t ON t.secret_id = s.id")
        .and("s.project_id = ?", [project])
        .and("s.purged_at IS NULL", none)
}

async fn found(
    conn: &mut Conn,
    select: Select,
    end: &'static str,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let rows: Vec<Found> = select.then(end, [i64::from(limit)]).all(conn).await?;
    Ok(rows.into_iter().map(|row| row.tag).collect())
}
