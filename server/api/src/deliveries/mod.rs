//! Deliveries: messages on their way through channels.

pub(crate) mod list;

use chrono::{DateTime, Utc};
use keywarden_domain::messages;
use serde::Serialize;
use utoipa::ToSchema;

/// One message on its way through one channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delivery {
    #[schema(example = "dlv_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = "chn_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    channel: String,
    /// As receivers are told it: the same in each attempt.
    #[schema(example = "msg_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    message: String,
    /// The kind of message.
    #[schema(example = "key-expiry")]
    kind: &'static str,
    /// The name of the event that it tells of.
    #[schema(example = "key.expires-soon")]
    event: String,
    /// `dead`, `delivered` or `waiting`.
    #[schema(example = "waiting")]
    state: &'static str,
    /// How often it was tried.
    attempts: i64,
    /// When it is tried next, while it waits.
    due_at: Option<DateTime<Utc>>,
    /// What the last attempt came to, where it failed.
    #[schema(example = "hooks.example.com answers 503 Service Unavailable")]
    error: Option<String>,
    created_at: DateTime<Utc>,
    /// When its receiver took it, or it was given up.
    ended_at: Option<DateTime<Utc>>,
}

impl From<messages::Delivery> for Delivery {
    fn from(it: messages::Delivery) -> Self {
        let waits = it.state == keywarden_model::DeliveryState::Waiting;
        Self {
            id: it.id.to_string(),
            channel: it.channel.0.to_string(),
            message: it.message.to_string(),
            kind: it.kind.as_str(),
            event: it.event,
            state: it.state.as_str(),
            attempts: it.attempts,
            due_at: waits.then_some(it.due_at),
            error: it.error,
            created_at: it.created_at,
            ended_at: it.ended_at,
        }
    }
}
