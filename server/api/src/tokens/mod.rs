//! Service tokens: how workloads speak to Keywarden.

pub(crate) mod issue;
pub(crate) mod revoke;

use chrono::{DateTime, Utc};
use keywarden_domain::workloads::{ServiceToken, TokenState};
use serde::Serialize;
use utoipa::ToSchema;

/// A service token, without its value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    #[schema(example = "stk_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The part of the value that everybody may see.
    #[schema(example = "0A1B2C3D4E5F")]
    public_id: String,
    /// `active`, `expired` or `revoked`.
    #[schema(example = "active")]
    state: &'static str,
    created_at: DateTime<Utc>,
    /// The id of who issued it.
    created_by: String,
    /// From when on it counts for nothing.
    expires_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<DateTime<Utc>>,
    /// When it was last shown; behind by seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<DateTime<Utc>>,
}

impl From<ServiceToken> for Token {
    fn from(token: ServiceToken) -> Self {
        Self {
            id: token.id.to_string(),
            public_id: token.public_id,
            state: match token.state {
                TokenState::Active => "active",
                TokenState::Expired => "expired",
                TokenState::Revoked => "revoked",
            },
            created_at: token.created_at,
            created_by: token.created_by,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            last_used_at: token.last_used_at,
        }
    }
}
