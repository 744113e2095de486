//! A project's keys, without their bytes.

use chrono::{DateTime, Utc};
use keywarden_model::{ProjectId, ProjectKeyId, time::from_micros};
use keywarden_store::rewraps as rewrap_rows;
use keywarden_store::secrets::project_keys::{self as rows, KeyLine};

use crate::rewraps::Rewrap;
use crate::{Action, Domain, Op, Refused, Resource};

/// A project's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectKeyLine {
    /// Its id.
    pub id: ProjectKeyId,
    /// Whose.
    pub project: ProjectId,
    /// The project's slug.
    pub project_slug: String,
    /// Data keys that it has wrapped, of at most [`super::MAX_SEALS`].
    pub uses: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From then on it only unwraps.
    pub retired_at: Option<DateTime<Utc>>,
}

impl From<KeyLine> for ProjectKeyLine {
    fn from(row: KeyLine) -> Self {
        Self {
            id: row.id,
            project: row.project_id,
            project_slug: row.project_slug,
            uses: row.uses,
            created_at: from_micros(row.created_at),
            retired_at: row.retired_at.map(from_micros),
        }
    }
}

/// A project's keys and the rewrap between them.
#[derive(Debug, Clone)]
pub struct ProjectKeyView {
    /// The newest first. Empty as long as the project has no secret.
    pub keys: Vec<ProjectKeyLine>,
    /// The latest rewrap.
    pub rewrap: Option<Rewrap>,
}

impl ProjectKeyView {
    /// The key that wraps now.
    pub fn in_service(&self) -> Option<&ProjectKeyLine> {
        self.keys.iter().find(|key| key.retired_at.is_none())
    }
}

/// What lies under the keyring.
#[derive(Debug, Clone)]
pub struct ProjectKeys {
    /// The keys in service, by project, at most [`MOST`].
    pub keys: Vec<ProjectKeyLine>,
    /// How many keys of projects there are, retired ones too.
    pub counted: u64,
    /// How many data keys lie under them.
    pub data_keys: u64,
}

/// The most projects that are shown at once.
const MOST: u32 = 200;

impl Domain {
    /// The keys of all projects, and how much lies under them.
    pub async fn project_keys(&self, op: &Op) -> Result<ProjectKeys, Refused> {
        let _permit = self.authorize(op, Action::ViewSystem, &Resource::Organization).await?;
        let mut conn = self.store().read().await?;
        let counted = rows::count(&mut conn).await?;
        let keys = rows::all_in_service(&mut conn, MOST).await?;
        Ok(ProjectKeys {
            keys: keys.into_iter().map(ProjectKeyLine::from).collect(),
            counted: counted.keys.unsigned_abs(),
            data_keys: counted.data_keys.unsigned_abs(),
        })
    }

    /// The keys of a project that the caller may see.
    pub async fn project_key(&self, op: &Op, project: ProjectId) -> Result<ProjectKeyView, Refused> {
        let _permit = self.authorize(op, Action::ViewProject, &Resource::Project(project)).await?;
        let mut conn = self.store().read().await?;
        let keys = rows::of_project(&mut conn, project).await?;
        let rewrap = rewrap_rows::latest_of(&mut conn, project).await?;
        Ok(ProjectKeyView {
            keys: keys.into_iter().map(ProjectKeyLine::from).collect(),
            rewrap: rewrap.map(Rewrap::from_row).transpose()?,
        })
    }
}
