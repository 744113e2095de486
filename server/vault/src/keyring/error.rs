//! Why keys are not wrapped, unwrapped or used.

use keywarden_model::KeyringKeyId;

use super::{Purpose, Sealed};
use crate::envelope::LengthError;
use crate::seal::{SealError, SealId};

/// Why keys could not be unwrapped.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    /// Somebody sealed it meanwhile.
    #[error("the keyring was sealed meanwhile")]
    Interrupted,
    /// A purpose has no key: see [`Keyring::missing`](super::Keyring::missing).
    #[error("purpose `{0}` has no active key")]
    NoActiveKey(Purpose),
    /// A key has no wrap under any seal that is configured.
    #[error("key `{0}` is wrapped under none of the configured seals")]
    NotWrapped(KeyringKeyId),
    /// No seal could unwrap a key; the last seal's answer.
    #[error("seal `{seal}` did not unwrap key `{key}`: {source}")]
    NotUnwrapped {
        /// The key.
        key: KeyringKeyId,
        /// The last seal tried.
        seal: SealId,
        /// What it said.
        source: SealError,
    },
}

impl UnsealError {
    /// True if a seal said nothing, so that nothing is known of the key.
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::NotUnwrapped { source, .. } if source.is_silence())
    }

    /// What anybody may be told: it names nothing.
    pub fn in_brief(&self) -> &'static str {
        match self {
            Self::Interrupted => "it was sealed meanwhile",
            Self::NoActiveKey(_) | Self::NotWrapped(_) => "its seal does not wrap the keyring",
            Self::NotUnwrapped { source, .. } => source.in_brief(),
        }
    }
}

/// Why a key could not be wrapped.
#[derive(Debug, thiserror::Error)]
pub enum WrapError {
    /// No seal was given.
    #[error("a key needs at least one seal")]
    NoSeal,
    /// The seal answered, but what it wrapped does not unwrap to the same bytes.
    #[error("seal `{0}` does not unwrap what it wrapped: it cannot be trusted with a key")]
    NotTheSame(SealId),
    /// The seal did not wrap.
    #[error("seal `{seal}` did not wrap: {source}")]
    Seal {
        /// The seal.
        seal: SealId,
        /// What it said.
        source: SealError,
    },
    /// The keyring is sealed.
    #[error(transparent)]
    Sealed(#[from] Sealed),
}

impl WrapError {
    /// What anybody may be told: it names nothing.
    pub fn in_brief(&self) -> &'static str {
        match self {
            Self::NoSeal | Self::NotTheSame(_) => "its seal does not wrap the keyring",
            Self::Seal { source, .. } => source.in_brief(),
            Self::Sealed(_) => "it was sealed meanwhile",
        }
    }
}

/// Why something could not be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    /// The key has sealed 2^32 − 1 envelopes.
    #[error("key `{0}` has sealed as many envelopes as it may: generate a new key for its purpose")]
    Exhausted(KeyringKeyId),
    /// The keyring is sealed.
    #[error(transparent)]
    Sealed(#[from] Sealed),
    /// The plaintext is longer than 64 GiB.
    #[error(transparent)]
    TooLong(#[from] LengthError),
}
