//! The same paths in a project's environments, side by side. Of values there is their fingerprint, and no more.

use keywarden_model::{EnvironmentId, ProjectId, SecretId};

use crate::{Conn, StoreError, Value, filter::Select};

/// A secret, and what is current of it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct BesideRow {
    /// The secret.
    #[sqlx(try_from = "String")]
    pub id: SecretId,
    /// Its environment.
    #[sqlx(try_from = "String")]
    pub environment_id: EnvironmentId,
    /// Folders and name.
    pub path: String,
    /// As compared.
    pub folded_path: String,
    /// Deleted since.
    pub deleted_at: Option<i64>,
    /// The number of the current version.
    pub number: Option<i64>,
    /// Its state.
    pub state: Option<String>,
    /// From when on its value is read.
    pub not_before: Option<i64>,
    /// Until when.
    pub expires_at: Option<i64>,
    /// The keyring's key of its fingerprint.
    pub fingerprint_key_id: Option<String>,
    /// The fingerprint of its value: only for comparing, never to be shown.
    pub fingerprint: Option<Vec<u8>>,
    /// Whether references in its value are resolved.
    pub template: Option<bool>,
}

#[derive(sqlx::FromRow)]
struct Path {
    folded_path: String,
}

pub(super) const IN_ORDER: &str = "ORDER BY s.folded_path LIMIT ?";

/// Folded paths of a project, each once, after `after` and within a folder.
pub async fn paths(
    conn: &mut Conn,
    project: ProjectId,
    folder: Option<&str>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let found: Vec<Path> = walk(project, folder, after).then(IN_ORDER, [limit]).all(conn).await?;
    Ok(found.into_iter().map(|row| row.folded_path).collect())
}

pub(super) fn walk(project: ProjectId, folder: Option<&str>, after: Option<&str>) -> Select {
    let mut select = Select::from("SELECT DISTINCT s.folded_path FROM secrets s")
        .and::<i64>("s.purged_at IS NULL", [])
        .and("s.project_id = ?", [project]);
    if let Some(folder) = folder {
        // As in lists: `0` is the character after `/`.
        let range = [format!("{folder}/"), format!("{folder}0")];
        select = select.and("s.folded_path >= ? AND s.folded_path < ?", range);
    }
    if let Some(after) = after {
        select = select.and("s.folded_path > ?", [after]);
    }
    select
}

/// The project's secrets at these folded paths, in the order of their paths.
pub async fn beside(
    conn: &mut Conn,
    project: ProjectId,
    folded_paths: &[String],
) -> Result<Vec<BesideRow>, StoreError> {
    at(project, folded_paths).then::<i64>("ORDER BY s.folded_path, s.id", []).all(conn).await
}

pub(super) fn at(project: ProjectId, folded_paths: &[String]) -> Select {
    Select::from(
        "SELECT s.id, s.environment_id, s.path, s.folded_path, s.deleted_at, l.number, v.state, v.not_before, v.expires_at,
                v.fingerprint_key_id, v.fingerprint, v.template
         FROM secrets s LEFT JOIN secret_labels l ON l.secret_id = s.id AND l.label = 'current'
              LEFT JOIN secret_versions v ON v.secret_id = l.secret_id AND v.number = l.number",
    )
    .and::<i64>("s.purged_at IS NULL", [])
    .and("s.project_id = ?", [project])
    .and_in("s.folded_path", folded_paths.iter().map(Value::from))
}
