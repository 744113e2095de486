//! What the browser says about itself: the `clientDataJSON` that every answer carries, and the answer's size.
//!
//! `webauthn-rs` looks at it too, but parses the origin as a URL, so that `http://localhost:3000/x` passes for
//! `http://localhost:3000`, and does not look at `crossOrigin` when signing in. Here both are strict.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{PasskeyError, b64};

/// The longest answer that is read, in bytes. Real ones have 1 to 4 KiB; attestations with chains stay below 16.
pub const ANSWER_LIMIT: usize = 64 * 1024;

/// Which call of `navigator.credentials` the browser made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Create,
    Get,
}

impl Call {
    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "webauthn.create",
            Self::Get => "webauthn.get",
        }
    }
}

/// The parts of `clientDataJSON` that are judged here.
#[derive(Deserialize)]
pub(super) struct ClientData {
    #[serde(rename = "type")]
    call: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin")]
    cross_origin: Option<bool>,
    #[serde(rename = "topOrigin")]
    top_origin: Option<String>,
}

impl ClientData {
    /// Parses and checks everything but the challenge.
    pub(super) fn check(json: &[u8], call: Call, origin: &str) -> Result<Self, PasskeyError> {
        let data: Self = serde_json::from_slice(json).map_err(|_| PasskeyError::Malformed)?;
        if data.call != call.as_str() {
            return Err(PasskeyError::WrongCeremony);
        }
        let framed = data.cross_origin == Some(true) || data.top_origin.is_some();
        if data.origin != origin || framed {
            return Err(PasskeyError::OtherOrigin);
        }
        Ok(data)
    }

    /// Whether this is the challenge that was answered.
    pub(super) fn answers(&self, challenge: &[u8]) -> bool {
        b64::decode(&self.challenge).is_some_and(|answered| answered == challenge)
    }
}

/// Parses an answer from the browser, if it is not too large.
pub(super) fn parse<T: DeserializeOwned>(response: &[u8]) -> Result<T, PasskeyError> {
    if response.len() > ANSWER_LIMIT {
        return Err(PasskeyError::TooLarge);
    }
    serde_json::from_slice(response).map_err(|_| PasskeyError::Malformed)
}

/// An answer names its credential three times; all three must agree.
pub(super) fn names_one_credential(kind: &str, id: &str, raw_id: &[u8]) -> Result<(), PasskeyError> {
    if kind == "public-key" && b64::decode(id).is_some_and(|id| id == raw_id) {
        Ok(())
    } else {
        Err(PasskeyError::Malformed)
    }
}
