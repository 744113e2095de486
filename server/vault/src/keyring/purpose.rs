//! What keys of the keyring are for.

use std::fmt;
use std::str::FromStr;

/// What a key is for. Names are stored and bound into every wrap, tag and envelope: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Tags of API key values.
    ApiKeyMac,
    /// The key that opens the newest backup for a drill of it.
    BackupDrill,
    /// Tags that let equal things be found without storing them: addresses, agents.
    Fingerprint,
    /// Answers with a secret, kept for a replay; see [`crate::Keyring::seal_for`].
    Idempotency,
    /// Tags of setup links, invitations and recovery codes.
    OneTimeMac,
    /// Names, addresses and free text of people, or the subjects' own keys.
    Personal,
    /// Projects' own keys, which wrap the data keys of secrets; see [`crate::ProjectKey`].
    ProjectKey,
    /// Tags of secrets' values, so that equal ones can be told.
    SecretFingerprint,
    /// Tags of service tokens.
    ServiceTokenMac,
    /// Tags of session ids, and posts that wait for a step-up.
    Session,
}

impl Purpose {
    /// All purposes, in declaration order.
    pub const ALL: [Self; 10] = [
        Self::ApiKeyMac,
        Self::BackupDrill,
        Self::Fingerprint,
        Self::Idempotency,
        Self::OneTimeMac,
        Self::Personal,
        Self::ProjectKey,
        Self::SecretFingerprint,
        Self::ServiceTokenMac,
        Self::Session,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApiKeyMac => "api-key-mac",
            Self::BackupDrill => "backup-drill",
            Self::Fingerprint => "fingerprint",
            Self::Idempotency => "idempotency",
            Self::OneTimeMac => "one-time",
            Self::Personal => "personal",
            Self::ProjectKey => "project-key",
            Self::SecretFingerprint => "secret-fingerprint",
            Self::ServiceTokenMac => "service-token-mac",
            Self::Session => "session",
        }
    }
}

/// The text names no purpose that this version knows. A newer version may have written it: skip the row, keep
/// it in the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a purpose that this version knows")]
pub struct PurposeError(String);

impl FromStr for Purpose {
    type Err = PurposeError;
    fn from_str(text: &str) -> Result<Self, PurposeError> {
        Self::ALL.into_iter().find(|it| it.name() == text).ok_or_else(|| PurposeError(text.to_owned()))
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_reads_back_from_its_name() {
        for purpose in Purpose::ALL {
            assert_eq!(purpose.name().parse(), Ok(purpose));
        }
        assert!("API-KEY-MAC".parse::<Purpose>().is_err());
    }
}
