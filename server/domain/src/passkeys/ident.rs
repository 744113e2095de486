//! The two byte strings that WebAuthn names things by.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::b64;
use crate::Env;

/// The length is outside what WebAuthn allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {what} has {min} to {max} bytes")]
pub struct LengthError {
    what: &'static str,
    min: usize,
    max: usize,
}

macro_rules! byte_string {
    ($(#[$doc:meta])* $name:ident, $what:literal, $min:literal..=$max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "b64")] Checked<$min, $max>);

        impl $name {
            /// The bytes themselves.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0.0
            }
        }

        impl TryFrom<Vec<u8>> for $name {
            type Error = LengthError;
            fn try_from(bytes: Vec<u8>) -> Result<Self, LengthError> {
                match Checked::try_from(bytes) {
                    Ok(bytes) => Ok(Self(bytes)),
                    Err(()) => Err(LengthError { what: $what, min: $min, max: $max }),
                }
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = LengthError;
            fn try_from(bytes: &[u8]) -> Result<Self, LengthError> {
                Self::try_from(bytes.to_vec())
            }
        }

        /// base64url, as in WebAuthn's JSON.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&b64::encode(self.as_bytes()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

byte_string! {
    /// Names a person to authenticators. Random, so that a stolen authenticator tells nobody who its owner is; it
    /// never changes.
    UserHandle, "user handle", 16..=64
}

byte_string! {
    /// Names a credential; chosen by the authenticator and public.
    CredentialId, "credential id", 1..=1023
}

impl UserHandle {
    /// A fresh handle of 64 random bytes, the length WebAuthn recommends.
    pub fn random(env: &Env) -> Self {
        Self(Checked(env.bytes::<64>().to_vec()))
    }
}

/// At least `MIN` and at most `MAX` bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Checked<const MIN: usize, const MAX: usize>(Vec<u8>);

impl<const MIN: usize, const MAX: usize> TryFrom<Vec<u8>> for Checked<MIN, MAX> {
    type Error = ();
    fn try_from(bytes: Vec<u8>) -> Result<Self, ()> {
        if (MIN..=MAX).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(()) }
    }
}

impl<const MIN: usize, const MAX: usize> AsRef<[u8]> for Checked<MIN, MAX> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_webauthn() {
        for (len, fits) in [(15, false), (16, true), (64, true), (65, false)] {
            assert_eq!(UserHandle::try_from(vec![7; len]).is_ok(), fits, "{len}");
            let json = format!("\"{}\"", b64::encode(vec![7; len]));
            assert_eq!(serde_json::from_str::<UserHandle>(&json).is_ok(), fits, "{len}");
        }
        for (len, fits) in [(0, false), (1, true), (1023, true), (1024, false)] {
            assert_eq!(CredentialId::try_from(vec![7; len]).is_ok(), fits, "{len}");
        }
    }
}
