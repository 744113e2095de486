//! Roles: who may do what, in a project or everywhere.

pub(crate) mod grant;
pub(crate) mod list;
pub(crate) mod revoke;

use chrono::{DateTime, Utc};
use keywarden_domain::roles::RoleBinding;
use serde::Serialize;
use utoipa::ToSchema;

/// A role that somebody holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Role {
    #[schema(example = "rbd_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The id of the person, team or workload.
    #[schema(example = "wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    holder: String,
    #[schema(example = "checkout")]
    holder_name: String,
    /// False for somebody deactivated, for whom it does not count.
    holder_active: bool,
    #[serde(rename = "role")]
    #[schema(example = "verifier")]
    name: &'static str,
    /// The project's slug; absent for roles of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    created_at: DateTime<Utc>,
    /// The id of who gave it.
    created_by: String,
}

impl From<RoleBinding> for Role {
    fn from(binding: RoleBinding) -> Self {
        Self {
            id: binding.id.to_string(),
            holder: binding.holder.to_string(),
            holder_name: binding.holder_name,
            holder_active: binding.holder_active,
            name: binding.role.as_str(),
            project: binding.project_slug,
            created_at: binding.created_at,
            created_by: binding.created_by,
        }
    }
}
