//! Projects, by slug or id.

pub(crate) mod archive;
pub(crate) mod create;
pub(crate) mod edit;
pub(crate) mod list;
pub(crate) mod show;

use chrono::{DateTime, Utc};
use keywarden_domain::projects;
use serde::Serialize;
use utoipa::ToSchema;

/// What environments, keys and workloads belong to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Project {
    #[schema(example = "prj_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The name in addresses; never changes.
    #[schema(example = "pay")]
    slug: String,
    #[schema(example = "Payments")]
    name: String,
    created_at: DateTime<Utc>,
    /// The id of who made it.
    created_by: String,
    /// Since when nothing new is made in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_at: Option<DateTime<Utc>>,
}

impl From<projects::Project> for Project {
    fn from(project: projects::Project) -> Self {
        Self {
            id: project.id.to_string(),
            slug: project.slug,
            name: project.name,
            created_at: project.created_at,
            created_by: project.created_by,
            archived_at: project.archived_at,
        }
    }
}
