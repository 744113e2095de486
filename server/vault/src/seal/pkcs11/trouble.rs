//! What a library's errors say, and what may mend them.

use cryptoki::error::{Error, RvError};

use super::target::Target;
use crate::seal::SealError;

/// What went wrong, and whether a fresh session could mend it.
pub(super) enum Trouble {
    /// It could, but another login may do harm: the next call begins with the library initialised anew.
    Afresh(SealError),
    Final(SealError),
    Lost(SealError),
}

impl From<SealError> for Trouble {
    fn from(error: SealError) -> Self {
        Self::Final(error)
    }
}

pub(super) fn device(token: &Target<'_>, error: &Error) -> SealError {
    SealError::Device { token: token.label.to_owned(), cause: error.to_string() }
}

pub(super) fn trouble(token: &Target<'_>, error: &Error) -> Trouble {
    classify(error, device(token, error))
}

/// What a fresh session may mend.
pub(super) fn classify(error: &Error, said: SealError) -> Trouble {
    let lost = matches!(
        error,
        Error::Pkcs11(
            RvError::CryptokiNotInitialized
                | RvError::DeviceError
                | RvError::DeviceMemory
                | RvError::DeviceRemoved
                | RvError::FunctionFailed
                | RvError::GeneralError
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::OperationActive
                | RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::SlotIdInvalid
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::UserNotLoggedIn
                | RvError::VendorDefined(_),
            _
        )
    );
    if lost { Trouble::Lost(said) } else { Trouble::Final(said) }
}
