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
    /// With this, folded, in the path, in a tag or in the owner's name.
    pub contains: Option<String>,
    /// Of this user or team.
    pub owner: Option<String>,
    /// With this tag, as written: `team=payments`.
    pub tag: Option<String>,
    /// In this condition.
    pub standing: Option<Standing>,
}

/// What somebody gets who asks for a secret and names no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: the secret is deleted.
    Deleted,
    /// The value until before this instant, in microseconds; or nothing any more, for that is over.
    Expiring(i64),
    /// The value, or nothing: the secret is not deleted.
    There,
    /// Nothing at this instant, though the secret is not deleted: no version is current, or the current one is not enabled
    /// or outside its time.
    Unreadable(i64),
}

pub(super) const BY_PATH: &str = "ORDER BY s.folded_path, s.id LIMIT ?";

const CONTAINS: &str = "s.folded_path LIKE ? ESCAPE '\\'
     OR s.owner_id IN (SELECT id FROM users WHERE folded_name LIKE ? ESCAPE '\\')
     OR s.owner_id IN (SELECT id FROM teams WHERE folded_name LIKE ? ESCAPE '\\')
     OR EXISTS (SELECT 1 FROM secret_tags g WHERE g.secret_id = s.id AND g.folded_tag LIKE ? ESCAPE '\\')";

const UNREADABLE: &str = "NOT EXISTS (SELECT 1 FROM secret_labels l
     JOIN secret_versions v ON v.secret_id = l.secret_id AND v.number = l.number
     WHERE l.secret_id = s.id AND l.label = 'current' AND v.state = 'enabled'
       AND (v.not_before IS NULL OR v.not_before <= ?) AND (v.expires_at IS NULL OR v.expires_at > ?))";

const EXPIRING: &str = "s.id IN (SELECT v.secret_id FROM secret_versions v
     JOIN secret_labels l ON l.secret_id = v.secret_id AND l.number = v.number AND l.label = 'current'
     WHERE v.expires_at IS NOT NULL AND v.expires_at <= ? AND v.state = 'enabled')";

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
    if let Some(owner) = &filter.owner {
        select = select.and("s.owner_id = ?", [owner]);
    }
    if let Some(tag) = &filter.tag {
        select = select.and("s.id IN (SELECT secret_id FROM secret_tags WHERE tag = ?)", [tag]);
    }
    if let Some(needle) = &filter.contains {
        let needle = containing(needle);
        select = select.and(CONTAINS, [&needle, &needle, &needle, &needle]);
    }
    if let Some(standing) = filter.standing {
        select = match standing {
            Standing::Deleted => select.and::<i64>("s.deleted_at IS NOT NULL", []),
            Standing::Expiring(by) => select.and::<i64>("s.deleted_at IS NULL", []).and(EXPIRING, [by]),
            Standing::There => select.and::<i64>("s.deleted_at IS NULL", []),
            Standing::Unreadable(now) => {
                select.and::<i64>("s.deleted_at IS NULL", []).and(UNREADABLE, [now, now])
            }
        };
    }
    if let Some(after) = after {
        let after = [after.folded_path.clone(), after.id.to_string()];
        select = select.and("(s.folded_path, s.id) > (?, ?)", after);
    }
    select
}
