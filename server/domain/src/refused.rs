//! What every use-case may answer instead of doing what it was asked.

use keywarden_store::{StoreError, WriteError};

use crate::{Action, Fault, once::Replayed};

/// Nothing was done. Use-cases add their own reasons in enums that carry this one.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Ours: the caller can only try again, or tell the operator.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The caller may see the thing, but not do this to it.
    #[error("you may not {}", .0.words())]
    Forbidden(Action),
    /// There is no such thing, or the caller may not know of it.
    #[error("there is no such thing here, or you may not see it")]
    NotFound,
    /// It was done before.
    #[error(transparent)]
    Replayed(#[from] Replayed),
    /// It is not any more what the caller has seen.
    #[error("somebody changed it since you read it: read it again, then decide")]
    Stale,
    /// The person must show a passkey first.
    #[error("this needs your passkey again: the last time is more than five minutes ago")]
    StepUp,
}

/// Lets `?` carry what is ours into the errors of use-cases, which hold a [`Refused`].
macro_rules! carries_refused {
    ($($error:ty),* $(,)?) => {$(
        impl From<keywarden_store::StoreError> for $error {
            fn from(error: keywarden_store::StoreError) -> Self {
                $crate::Refused::from(error).into()
            }
        }
        impl From<$crate::Fault> for $error {
            fn from(fault: $crate::Fault) -> Self {
                $crate::Refused::from(fault).into()
            }
        }
    )*};
}
pub(crate) use carries_refused;

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl<E: Into<Refused>> From<WriteError<E>> for Refused {
    fn from(error: WriteError<E>) -> Self {
        match error {
            WriteError::Refused(error) => error.into(),
            WriteError::Stale => {
                Self::Fault(Fault::Unexpected("who may do what changes too often to decide".into()))
            }
            WriteError::Store(error) => error.into(),
        }
    }
}
