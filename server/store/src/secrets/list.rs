//! Lists of secrets, along their paths. No value is ever read here.

use keywarden_model::{EnvironmentId, ProjectId, SecretId};

use super::find::{SECRETS, SecretRow};
use crate::{Conn, StoreError, dialect::containing, filter::Select};

/// Where a page begins: after the secret of this folded path and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// Its folded path.
    pub folded_path: String,
    /// Its id.
    pub id: SecretId,
}

/// What is looked for. Empty fields do not narrow; purged secrets are in no list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only secrets in these projects; `None` is all.
    pub reach: Option<Vec<ProjectId>>,
    /// In this project.
    pub project: Option<ProjectId>,
    /// In this environment.
    pub environment: Option<EnvironmentId>,
    /// In this folder (folded) or one below it.
    pub folder: Option<String>,
    /// With this in the folded path.
    pub path_contains: Option<String>,
    /// Only deleted ones, or only those that are not.
    pub deleted: Option<bool>,
}

pub(super) const BY_PATH: &str = "ORDER BY s.folded_path, s.id LIMIT ?";

/// Secrets in the order of their paths, beginning after `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<&After>,
    limit: u32,
) -> Result<Vec<SecretRow>, StoreError> {
    page(filter, after).then(BY_PATH, [limit]).all(conn).await
}

pub(super) fn page(filter: &Filter, after: Option<&After>) -> Select {
    let mut select = Select::from(SECRETS).and::<i64>("s.purged_at IS NULL", []);
    if let Some(projects) = &filter.reach {
        select = select.and_in("s.project_id", projects.iter().copied());
    }
    if let Some(project) = filter.project {
        select = select.and("s.project_id = ?", [project]);
    }
    if let Some(environment) = filter.environment {
        select = select.and("s.environment_id = ?", [environment]);
    }
    if let Some(folder) = &filter.folder {
        // `0` is the character after `/`: a range of the index, where LIKE would need the database's collation to agree.
        let range = [format!("{folder}/"), format!("{folder}0")];
        select = select.and("s.folded_path >= ? AND s.folded_path < ?", range);
    }
    if let Some(needle) = &filter.path_contains {
        select = select.and("s.folded_path LIKE ? ESCAPE '\\'", [containing(needle)]);
    }
    if let Some(deleted) = filter.deleted {
        select = if deleted {
            select.and::<i64>("s.deleted_at IS NOT NULL", [])
        } else {
            select.and::<i64>("s.deleted_at IS NULL", [])
        };
    }
    if let Some(after) = after {
        let after = [after.folded_path.clone(), after.id.to_string()];
        select = select.and("(s.folded_path, s.id) > (?, ?)", after);
    }
    select
}
