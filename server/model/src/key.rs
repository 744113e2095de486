//! The life of a key's value, in the words of NIST SP 800-57 Part 1 Rev. 5, section 7.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// State of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// In use.
    Active,
    /// Known or feared to be in wrong hands; never valid again.
    Compromised,
    /// Ended by time, by an overlap's end or by revocation; kept for the record.
    Deactivated,
    /// The hash is gone; only metadata is left.
    Destroyed,
    /// Made, not yet valid.
    PreActivation,
    /// Stopped for a while; can be resumed.
    Suspended,
}

impl KeyState {
    /// Every state, alphabetical.
    pub const ALL: [Self; 6] = [
        Self::Active,
        Self::Compromised,
        Self::Deactivated,
        Self::Destroyed,
        Self::PreActivation,
        Self::Suspended,
    ];

    /// The standard's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Compromised => "compromised",
            Self::Deactivated => "deactivated",
            Self::Destroyed => "destroyed",
            Self::PreActivation => "pre-activation",
            Self::Suspended => "suspended",
        }
    }
}

/// Why a key was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevokeReason {
    /// The owner or the service behind it is gone.
    CessationOfOperation,
    /// The value is or may be in wrong hands: its values become *compromised*.
    KeyCompromise,
    /// Another key took its place.
    Superseded,
    /// None of the others.
    Unspecified,
}

impl RevokeReason {
    /// Every reason, alphabetical (names follow RFC 5280, section 5.3.1).
    pub const ALL: [Self; 4] =
        [Self::CessationOfOperation, Self::KeyCompromise, Self::Superseded, Self::Unspecified];

    /// The standard's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CessationOfOperation => "cessation-of-operation",
            Self::KeyCompromise => "key-compromise",
            Self::Superseded => "superseded",
            Self::Unspecified => "unspecified",
        }
    }

    /// Whether what was revoked for this reason is still to be revoked for that one: a leak is often learned of afterwards
    /// (SP 800-57 Part 1 Rev. 5, section 7: deactivated to compromised).
    pub fn is_outdone_by(self, that: Self) -> bool {
        that == Self::KeyCompromise && self != that
    }
}

/// The answer to "is this key good?", in the order in which the first match is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyCode {
    /// Unknown, wrong, destroyed, or none of the caller's business.
    NotFound,
    /// Revoked or compromised.
    Revoked,
    /// Suspended.
    Suspended,
    /// Before its not-before.
    NotYetValid,
    /// At or past its expiry, or past the end of its overlap.
    Expired,
    /// Used from an address that isn't allowed.
    IpNotAllowed,
    /// A wanted scope isn't held.
    InsufficientScope,
    /// Used more often than allowed.
    RateLimited,
    /// Good.
    Valid,
}

impl VerifyCode {
    /// Every code, in the order of precedence.
    pub const ALL: [Self; 9] = [
        Self::NotFound,
        Self::Revoked,
        Self::Suspended,
        Self::NotYetValid,
        Self::Expired,
        Self::IpNotAllowed,
        Self::InsufficientScope,
        Self::RateLimited,
        Self::Valid,
    ];

    /// The word machines get.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::InsufficientScope => "insufficient_scope",
            Self::IpNotAllowed => "ip_not_allowed",
            Self::NotFound => "not_found",
            Self::NotYetValid => "not_yet_valid",
            Self::RateLimited => "rate_limited",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Valid => "valid",
        }
    }
}

/// No such word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use one of: {0}")]
pub struct WordError(String);

macro_rules! words {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl FromStr for $name {
            type Err = WordError;
            fn from_str(text: &str) -> Result<Self, WordError> {
                let known = || WordError(Self::ALL.map(Self::as_str).join(", "));
                Self::ALL.into_iter().find(|w| w.as_str() == text).ok_or_else(known)
            }
        }
    )*};
}
words!(KeyState, RevokeReason, VerifyCode);
