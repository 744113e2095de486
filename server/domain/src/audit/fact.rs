//! What an event may say openly.

use chrono::{DateTime, SecondsFormat, Utc};
use keywarden_model::{
    AccessGrantId, AccessRequestId, AllowedCidrs, ApiKeyId, BackupId, DeviceGrantId, Dialect, EnvironmentId,
    EventId, InvitationId, KeyLabel, KeyState, KeyValueId, KeyringKeyId, MessageId, PasskeyId, PolicyEffect,
    PolicyId, ProjectId, ProjectKeyId, RateLimit, RecipientId, RevokeReason, RewrapId, Role, RoleBindingId,
    Scopes, SecretId, SecretKind, SecretLabel, SecretVersionId, ServiceTokenId, SessionId, ShareId, Slug,
    StandardId, Tags, TeamId, TrustRuleId, UserId, VerifyCode, VersionState, WorkloadId,
};
use serde_json::Value;

/// A value that tells nothing of a person and is no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact(Value);

impl Fact {
    /// Nothing: the field was or became empty.
    pub fn none() -> Self {
        Self(Value::Null)
    }

    /// A word that is fixed in the code.
    pub fn word(word: &'static str) -> Self {
        Self(word.into())
    }

    /// A digest, in hexadecimal digits.
    pub fn digest(digest: &[u8; 32]) -> Self {
        Self(hex::encode(digest).into())
    }

    /// Several.
    pub fn list(facts: impl IntoIterator<Item = Self>) -> Self {
        Self(facts.into_iter().map(|fact| fact.0).collect())
    }

    pub(super) fn into_value(self) -> Value {
        self.0
    }
}

impl<T: Into<Fact>> From<Option<T>> for Fact {
    fn from(it: Option<T>) -> Self {
        it.map_or_else(Self::none, Into::into)
    }
}
impl From<bool> for Fact {
    fn from(it: bool) -> Self {
        Self(it.into())
    }
}
impl From<u32> for Fact {
    fn from(it: u32) -> Self {
        Self(it.into())
    }
}
impl From<i64> for Fact {
    fn from(it: i64) -> Self {
        // RFC 8785 writes numbers as doubles: beyond 2^53 they would change.
        Self(if it.unsigned_abs() < 1 << 53 { it.into() } else { it.to_string().into() })
    }
}
impl From<u64> for Fact {
    fn from(it: u64) -> Self {
        Self(if it < 1 << 53 { it.into() } else { it.to_string().into() })
    }
}
impl From<DateTime<Utc>> for Fact {
    fn from(it: DateTime<Utc>) -> Self {
        Self(it.to_rfc3339_opts(SecondsFormat::Micros, true).into())
    }
}
impl From<RateLimit> for Fact {
    fn from(it: RateLimit) -> Self {
        Self(serde_json::json!({ "limit": it.limit, "window_seconds": it.window_seconds }))
    }
}
impl From<&Scopes> for Fact {
    fn from(it: &Scopes) -> Self {
        Self(it.iter().map(ToString::to_string).collect())
    }
}
/// Attributes that decide over a key stand in the open, as in every event of a change: without them nobody could say later
/// what it was allowed. Names, descriptions and metadata are people's words, and sealed.
impl From<&AllowedCidrs> for Fact {
    fn from(it: &AllowedCidrs) -> Self {
        Self(serde_json::to_value(it).unwrap_or(Value::Null))
    }
}
/// A seal's name is the operator's word for a device.
impl From<&keywarden_vault::SealId> for Fact {
    fn from(it: &keywarden_vault::SealId) -> Self {
        Self(it.to_string().into())
    }
}
/// What tags are called: names have an alphabet of their own. What they say is people's words.
impl From<&Tags> for Fact {
    fn from(it: &Tags) -> Self {
        Self(it.iter().map(|(name, _)| name).collect())
    }
}

macro_rules! shown {
    ($($type:ty),* $(,)?) => {$(
        impl From<$type> for Fact {
            fn from(it: $type) -> Self {
                Self(it.to_string().into())
            }
        }
    )*};
}
shown!(
    AccessGrantId,
    AccessRequestId,
    ApiKeyId,
    BackupId,
    DeviceGrantId,
    Dialect,
    EnvironmentId,
    EventId,
    InvitationId,
    &KeyLabel,
    KeyState,
    KeyValueId,
    KeyringKeyId,
    MessageId,
    PasskeyId,
    PolicyEffect,
    PolicyId,
    ProjectId,
    ProjectKeyId,
    RecipientId,
    RevokeReason,
    RewrapId,
    Role,
    RoleBindingId,
    SecretId,
    SecretKind,
    &SecretLabel,
    SecretVersionId,
    ServiceTokenId,
    SessionId,
    ShareId,
    &Slug,
    StandardId,
    TeamId,
    TrustRuleId,
    UserId,
    VerifyCode,
    VersionState,
    WorkloadId,
);
