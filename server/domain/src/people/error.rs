//! Why somebody was not let in, in kinds that doors can act on.

use keywarden_store::StoreError;

use super::own_passkeys::MOST_PASSKEYS;
use crate::Refused;
use crate::passkeys::PasskeyError;
use crate::refused::carries_refused;

/// Why a ceremony of somebody known, or of anybody signing in, came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CeremonyError {
    /// No such ceremony is under way: it took too long, was finished before, or was begun elsewhere. Begin again.
    #[error("this took too long or was done before: begin again")]
    Gone,
    /// Another passkey of the person is called so, in this or another spelling.
    #[error("another passkey of yours has this name: choose another")]
    NameTaken,
    /// The answer was refused.
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// They have as many passkeys as one may have.
    #[error("you have {MOST_PASSKEYS} passkeys already: remove one first")]
    TooManyPasskeys,
}

/// Why a newcomer was not let in.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The house has an owner already, for ever.
    #[error("Keywarden is set up already: sign in, or ask an owner for an invitation")]
    AlreadySetUp,
    /// No such ceremony is under way: begin again with the same link.
    #[error("this took too long or was done before: begin again")]
    Gone,
    /// The link does not serve.
    #[error(transparent)]
    Link(LinkGone),
    /// The answer was refused.
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// The link is unknown, mistyped, used, withdrawn or too old; which of them is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this link does not work any more: ask for a new one")]
pub struct LinkGone;

/// Why a link was not opened.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It does not serve.
    #[error(transparent)]
    Gone(#[from] LinkGone),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Why no recovery link was made.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryLinkError {
    /// They may not sign in, by whichever way.
    #[error("this person is deactivated: an owner or admin reactivates them first, in the console")]
    Deactivated,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Why nobody was let in to recover.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The code or link is unknown or was used; or its person was deactivated.
    #[error("this does not work: check the spelling, or take a code that you have not used yet")]
    Unknown,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl From<LinkError> for EnrolError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Gone(gone) => Self::Link(gone),
            LinkError::Refused(refused) => Self::Refused(refused),
        }
    }
}

impl From<LinkError> for RecoverError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Gone(LinkGone) => Self::Unknown,
            LinkError::Refused(refused) => Self::Refused(refused),
        }
    }
}

carries_refused!(CeremonyError, EnrolError, LinkError, RecoverError, RecoveryLinkError);

/// A credential that somebody has registered already, told by the store's unique index.
pub(super) fn registered_twice(error: &StoreError) -> Option<PasskeyError> {
    match error {
        StoreError::Conflict(which) if which.contains("credential_id") => {
            Some(PasskeyError::AlreadyRegistered)
        }
        _ => None,
    }
}
