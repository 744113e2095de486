//! The audit record, for those who may read it.

pub(crate) mod export;
pub(crate) mod exports;
pub(crate) mod list;
pub(crate) mod show;

use chrono::{DateTime, Utc};
use keywarden_domain::audit;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What somebody did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Event {
    /// `evt_…`
    id: String,
    at: DateTime<Utc>,
    /// The action's stable name.
    #[schema(example = "key.rotate")]
    action: String,
    /// `allowed`, `refused` or `failed`.
    #[schema(example = "allowed")]
    outcome: String,
    actor: Named,
    resource: Named,
    /// `prj_…`, if it belongs to a project.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    /// The canonical event, as it is hashed (RFC 8785).
    #[serde(rename = "event")]
    #[schema(value_type = Object)]
    canonical: Value,
    /// Names, addresses and texts by the id of the subject they tell of; what was erased is not in it.
    personal: BTreeMap<String, BTreeMap<String, String>>,
}

/// A kind of thing and its id.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Named {
    #[schema(example = "workload")]
    kind: String,
    id: String,
}

impl From<(String, String)> for Named {
    fn from((kind, id): (String, String)) -> Self {
        Self { kind, id }
    }
}

impl From<audit::Event> for Event {
    fn from(event: audit::Event) -> Self {
        Self {
            id: event.id.to_string(),
            at: event.at,
            action: event.action,
            outcome: event.outcome,
            actor: event.actor.into(),
            resource: event.resource.into(),
            project: event.project.map(|id| id.to_string()),
            canonical: event.canonical,
            personal: event.personal,
        }
    }
}
