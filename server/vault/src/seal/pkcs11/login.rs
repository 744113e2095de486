//! How a token is logged in to, and what is made of its answer.

use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::TokenInfo;
use cryptoki::types::AuthPin;

use super::protocol::{Left, Tried};
use super::target::Target;
use super::trouble::{Trouble, device, trouble};
use crate::seal::SealError;
use crate::secret::SecretString;

pub(super) fn login(session: &Session, info: &TokenInfo, token: &Target<'_>) -> Result<(), Trouble> {
    let told = |error| trouble(token, &error);
    let state = session.get_session_info().map_err(told)?.session_state();
    if !info.login_required() || matches!(state, SessionState::RoUser | SessionState::RwUser) {
        return Ok(()); // login holds for all sessions of the process
    }
    if info.user_pin_locked() {
        return Err(SealError::PinLocked(token.label.to_owned()).into());
    }
    let pin = token.desk.begin(info.serial_number().trim_end(), left(info))?;
    match session.login(UserType::User, Some(&auth_pin(&pin))) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
            Ok(token.desk.tried(Tried::Accepted)?)
        }
        Err(Error::Pkcs11(
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange | RvError::PinExpired,
            _,
        )) => {
            token.desk.tried(Tried::Refused)?;
            // A library may compare with what it read when it began, whatever was put right since.
            Err(Trouble::Afresh(SealError::PinRefused(token.label.to_owned())))
        }
        Err(Error::Pkcs11(RvError::PinLocked, _)) => {
            // Once somebody has unlocked it, it may take the same PIN.
            token.desk.tried(Tried::Unclear)?;
            Err(SealError::PinLocked(token.label.to_owned()).into())
        }
        Err(error) if was_not_made(&error) => {
            token.desk.tried(Tried::NotMade)?;
            Err(told(error))
        }
        Err(error) => {
            token.desk.tried(Tried::Unclear)?;
            Err(Trouble::Afresh(device(token, &error)))
        }
    }
}

/// `AuthPin` wipes itself; the exact capacity of `to_owned` keeps it from leaving a copy behind.
pub(super) fn auth_pin(pin: &SecretString) -> AuthPin {
    AuthPin::from(pin.expose().to_owned())
}

fn left(info: &TokenInfo) -> Left {
    match (info.user_pin_final_try(), info.user_pin_count_low()) {
        (true, _) => Left::One,
        (false, true) => Left::Fewer,
        (false, false) => Left::All,
    }
}

/// Whether a login failed so that no PIN was looked at. All else may hide a refusal: a device that breaks may have counted
/// the PIN before.
fn was_not_made(error: &Error) -> bool {
    match error {
        Error::Pkcs11(said, _) => matches!(
            said,
            RvError::ArgumentsBad
                | RvError::CryptokiNotInitialized
                | RvError::FunctionNotSupported
                | RvError::OperationActive
                | RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::SessionReadOnlyExists
                | RvError::SlotIdInvalid
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::UserAnotherAlreadyLoggedIn
                | RvError::UserPinNotInitialized
                | RvError::UserTooManyTypes
                | RvError::UserTypeInvalid
        ),
        // The library was not called.
        _ => true,
    }
}
