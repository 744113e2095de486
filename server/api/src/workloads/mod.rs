//! Workloads: machine identities.

pub(crate) mod create;
pub(crate) mod deactivate;
pub(crate) mod list;
pub(crate) mod show;

use chrono::{DateTime, Utc};
use keywarden_domain::workloads;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{roles::Role, tokens::Token};

/// A machine identity. What it may do comes from its roles.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Workload {
    #[schema(example = "wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = "checkout")]
    name: String,
    /// The slug of the project that it belongs to; absent for one of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    /// `active` or `deactivated`.
    #[schema(example = "active")]
    state: &'static str,
    created_at: DateTime<Utc>,
    /// The id of who made it.
    created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deactivated_at: Option<DateTime<Utc>>,
    /// When one of its tokens was last shown; behind by seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<DateTime<Utc>>,
    /// When the last of its tokens ends that was not revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_until: Option<DateTime<Utc>>,
}

/// A workload with what belongs to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeWorkload {
    #[serde(flatten)]
    workload: Workload,
    /// What it holds.
    roles: Vec<Role>,
    /// Its tokens, without their values: all that are good, then the latest of the others.
    tokens: Vec<Token>,
}

impl From<workloads::Workload> for Workload {
    fn from(workload: workloads::Workload) -> Self {
        Self {
            id: workload.id.to_string(),
            state: if workload.is_active() { "active" } else { "deactivated" },
            name: workload.name,
            project: workload.project_slug,
            created_at: workload.created_at,
            created_by: workload.created_by,
            deactivated_at: workload.deactivated_at,
            last_used_at: workload.last_used_at,
            tokens_until: workload.tokens_until,
        }
    }
}

impl From<workloads::ShownWorkload> for WholeWorkload {
    fn from(shown: workloads::ShownWorkload) -> Self {
        Self {
            workload: shown.workload.into(),
            roles: shown.roles.into_iter().map(Role::from).collect(),
            tokens: shown.tokens.into_iter().map(Token::from).collect(),
        }
    }
}
