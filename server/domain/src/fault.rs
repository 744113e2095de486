//! What is ours to mend, not the caller's.

use keywarden_model::KeyringKeyId;
use keywarden_store::StoreError;
use keywarden_vault::{OpenError, RewrapError, SealingError, keyring::Sealed};

use crate::passkeys::RelyingError;

/// Keywarden could not do what it should have done. Doors answer 503 for what passes, 500 for the rest.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A row or an envelope is not what it must be.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// Another node has a key of the keyring that this one has not taken in yet.
    #[error("this node does not have the keyring's key `{0}` yet")]
    KeyAway(KeyringKeyId),
    /// The public URL, or the relying party's id, is one that browsers make no passkeys for.
    #[error("no passkey works here: {0}")]
    NoPasskeys(#[from] RelyingError),
    /// The project names a seal of its own, and that one is away: the secrets of this project wait, all else goes on.
    #[error("the project's own seal `{seal}` is away: {cause}")]
    ProjectSealed {
        /// Which.
        seal: String,
        /// What it said.
        cause: String,
    },
    /// The keyring is sealed: the HSM was not there for too long.
    #[error(transparent)]
    Sealed(#[from] Sealed),
    /// The records failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A library failed in a way that no input explains.
    #[error("unexpected: {0}")]
    Unexpected(String),
}

impl Fault {
    /// True if trying again later may help.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::KeyAway(_) | Self::ProjectSealed { .. } | Self::Sealed(_) => true,
            Self::Store(error) => error.is_passing(),
            Self::Damaged(_) | Self::NoPasskeys(_) | Self::Unexpected(_) => false,
        }
    }

    /// True if what was asked for may have been done nevertheless: who asked must look, or ask again under the same
    /// idempotency key.
    pub fn leaves_doubt(&self) -> bool {
        matches!(self, Self::Store(error) if error.leaves_doubt())
    }
}

impl From<OpenError> for Fault {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::SealAway { seal, cause } => Self::ProjectSealed { seal, cause },
            OpenError::Sealed(sealed) => Self::Sealed(sealed),
            OpenError::UnknownKey(id) => match id.parse() {
                Ok(id) => Self::KeyAway(id),
                // A project's, which are all at hand.
                Err(_) => Self::Damaged(OpenError::UnknownKey(id).to_string()),
            },
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<SealingError> for Fault {
    fn from(error: SealingError) -> Self {
        match error {
            SealingError::Sealed(sealed) => Self::Sealed(sealed),
            other => Self::Unexpected(other.to_string()),
        }
    }
}

impl From<RewrapError> for Fault {
    fn from(error: RewrapError) -> Self {
        match error {
            RewrapError::Open(error) => error.into(),
            RewrapError::Seal(error) => error.into(),
        }
    }
}
