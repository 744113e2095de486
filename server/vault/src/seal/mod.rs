//! What wraps the keys of the keyring: an HSM, the embedded token, or a key file.
//!
//! A seal is trusted to keep its own key and to answer truthfully; it sees every keyring key as it is wrapped
//! and unwrapped. It is called a few times at a start and once a second to see whether it is there, never for
//! each request.

pub(crate) mod file;
pub mod memory;
pub mod pkcs11;
pub mod softhsm;
pub mod software;
#[cfg(test)]
mod stages;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use rand::CryptoRng;

use crate::envelope::{NONCE_LEN, TAG_LEN, frame};
use crate::secret::SecretBytes;

/// How wraps are made, in every kind of seal:
///
/// ```text
/// 1 | nonce (12) | ciphertext | tag (16)                  by the seal's first key
/// 2 | number (4) | nonce (12) | ciphertext | tag (16)     by a later one
/// ```
///
/// **How often a key is used** is bounded by what it is for. Nonces are random, so that one key may encrypt 2^32 times
/// (NIST SP 800-38D, 8.3). A seal's key wraps keys, never data: once for each key of the keyring, or of a project, that is made
/// or brought under it. Each of these is an act with an event of its own, asked for by somebody who manages seals, keys or
/// the project, or by a rotation that begins so; a hundred of them a second, day and night, take a year and four months. Beside
/// them a token's process encrypts one known text under each key that it meets ([`pkcs11`]); probes decrypt.
pub const ALGORITHM: &str = "AES-256-GCM";

/// The longest a call to a seal takes.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// By the first key.
const FIRST: u8 = 1;
/// By the key of a number.
const NUMBERED: u8 = 2;

/// Wraps and unwraps keys. Calls block for at most [`ANSWER_LIMIT`] and may be made from any thread; nothing
/// is stored by them.
pub trait Seal: Send + Sync + fmt::Debug {
    /// What it is; known without asking it.
    fn describe(&self) -> &SealDescription;

    /// Encrypts a key by the seal's newest one; `context` is authenticated with it. The nonce is drawn from `rng`.
    fn wrap(&self, context: &[u8], key: &SecretBytes, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError>;

    /// Decrypts what `wrap` answered for the same context.
    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<SecretBytes, SealError>;

    /// Whether `unwrap` would work now.
    fn probe(&self) -> Result<(), SealError>;

    /// The numbers of the keys that it has, the newest last. What one of them wrapped, [`wrapped_by`] tells.
    fn keys(&self) -> Result<Vec<KeyNumber>, SealError>;

    /// Makes one more key, which wraps from now on; the older ones go on to unwrap.
    fn add_key(&self, rng: &mut dyn CryptoRng) -> Result<KeyNumber, SealError>;

    /// Destroys a key for good: what it wrapped is lost. The newest one stays; one that is gone is gone. Durable on return.
    fn destroy_key(&self, number: KeyNumber) -> Result<(), SealError>;
}

/// Which of a seal's keys: 1 for the first, each later one has the next.
pub type KeyNumber = u32;

/// The number of the key that wrapped this; `None` for what is no wrap. Nothing is proven.
pub fn wrapped_by(wrapped: &[u8]) -> Option<KeyNumber> {
    unpack(wrapped).ok().map(|parts| parts.number)
}

/// What a seal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealDescription {
    /// The same at every start with the same configuration, whether the seal answers or not.
    pub id: SealId,
    /// What it is.
    pub kind: SealKind,
    /// Its name for people: the token's label, the key file's name.
    pub label: String,
    /// How well it keeps its key.
    pub protection: Protection,
}

impl SealDescription {
    pub(crate) fn new(kind: SealKind, label: &str, protection: Protection) -> Self {
        Self { id: SealId(format!("{}:{label}", kind.name())), kind, label: label.to_owned(), protection }
    }
}

/// A seal's id: its kind and label, `pkcs11:production`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SealId(String);

/// The text is not a kind, a colon and a label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a seal: expected a kind, a colon and a label, as in `pkcs11:production`")]
pub struct SealIdError(String);

impl SealId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SealId {
    type Err = SealIdError;
    fn from_str(text: &str) -> Result<Self, SealIdError> {
        let known = text.split_once(':').is_some_and(|(kind, label)| {
            kind.parse::<SealKind>().is_ok() && !label.is_empty() && !label.chars().any(char::is_control)
        });
        known.then(|| Self(text.to_owned())).ok_or_else(|| SealIdError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for SealId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a seal is. Names are stored: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SealKind {
    /// A token behind a PKCS#11 module.
    Pkcs11,
    /// The embedded SoftHSM2 token.
    SoftHsm,
    /// A key file.
    Software,
}

impl SealKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Pkcs11, Self::SoftHsm, Self::Software];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pkcs11 => "pkcs11",
            Self::SoftHsm => "softhsm",
            Self::Software => "software",
        }
    }
}

impl FromStr for SealKind {
    type Err = SealIdError;
    fn from_str(text: &str) -> Result<Self, SealIdError> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| SealIdError(text.to_owned()))
    }
}

/// How well a seal keeps its key. Names are stored: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protection {
    /// The key does not leave a device.
    Hsm,
    /// The key lies in files: who reads the disk, has it.
    Software,
}

impl Protection {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hsm => "hsm",
            Self::Software => "software",
        }
    }
}

/// The text is neither `hsm` nor `software`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a protection: expected `hsm` or `software`")]
pub struct ProtectionError(String);

impl FromStr for Protection {
    type Err = ProtectionError;
    fn from_str(text: &str) -> Result<Self, ProtectionError> {
        [Self::Hsm, Self::Software]
            .into_iter()
            .find(|it| it.name() == text)
            .ok_or_else(|| ProtectionError(text.to_owned()))
    }
}

/// Why a seal did not do what it was asked. Texts say what to do; none holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, thiserror::Error)]
pub enum SealError {
    /// Two keys on the token bear our label.
    #[error("token `{token}` holds {count} keys labelled `{label}`: remove all but the one in use")]
    AmbiguousKey {
        /// The token.
        token: String,
        /// The label.
        label: String,
        /// How many.
        count: usize,
    },
    /// Two tokens answer to the label.
    #[error(
        "more than one token is labelled `{0}`: give the serial number too (KEYWARDEN_PKCS11_SERIAL, `--serial`, or `serial=` in \
         the URI of a project's seal)"
    )]
    AmbiguousToken(String),
    /// The record of refused PINs cannot be kept, so no PIN may be tried.
    #[error("cannot keep the record of refused PINs in {place}, so that none is tried: {cause}")]
    Attempts {
        /// Where the record is.
        place: String,
        /// What went wrong.
        cause: String,
    },
    /// Another key, another context, or changed bytes; which, cannot be known.
    #[error(
        "authentication failed: wrapped by another key than the seal has now, or changed; bring back from a backup what was \
         changed, the seal's key or the record"
    )]
    AuthenticationFailed,
    /// Too many calls wait already.
    #[error("PKCS#11 module `{0}` is busy: earlier calls are not answered yet")]
    Busy(PathBuf),
    /// The token answered with an error.
    #[error("token `{token}` refused: {cause}")]
    Device {
        /// The token.
        token: String,
        /// The module's words.
        cause: String,
    },
    /// The key file is missing, malformed or readable by others.
    #[error("key file `{path}`: {cause}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        cause: String,
    },
    /// The key that wrapped this was destroyed, or is another token's.
    #[error(
        "`{seal}` has no key {number} any more: what that one wrapped is lost, unless the key is brought back from a backup"
    )]
    KeyGone {
        /// The seal's label.
        seal: String,
        /// The key's number.
        number: KeyNumber,
    },
    /// The newest key may not go.
    #[error("key {number} is the newest of `{seal}`: it wraps the keyring")]
    KeyInUse {
        /// The seal's label.
        seal: String,
        /// The key's number.
        number: KeyNumber,
    },
    /// The token has no key-encryption key.
    #[error(
        "token `{token}` holds no key labelled `{label}`: bring it back from a backup of the token; one that never had a key is \
         added as a seal first"
    )]
    KeyMissing {
        /// The token.
        token: String,
        /// The label.
        label: String,
    },
    /// What the seal wrapped does not open under the key that it has now.
    #[error(
        "`{0}` does not open what it wrapped: it has another key under the same name, or the records were changed"
    )]
    KeyReplaced(String),
    /// The module cannot be loaded or initialised.
    #[error("PKCS#11 module `{path}` does not load: {cause}")]
    Module {
        /// The library.
        path: PathBuf,
        /// What went wrong.
        cause: String,
    },
    /// No answer in time; the call may still happen.
    #[error("PKCS#11 module `{path}` did not answer within {} s", limit.as_secs_f32())]
    NoAnswer {
        /// The library.
        path: PathBuf,
        /// The patience.
        limit: Duration,
    },
    /// The token locked the PIN.
    #[error("the PIN of token `{0}` is locked: unlock it with the token's own tools")]
    PinLocked(String),
    /// The PIN cannot be read.
    #[error("PIN file `{path}`: {cause}")]
    PinMissing {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The token refused the PIN just now.
    #[error("token `{0}` refused the PIN: correct it before the token locks itself")]
    PinRefused(String),
    /// The PIN was tried without a clear answer a while ago, and is not tried again yet.
    #[error(
        "token `{token}` gave no clear answer to the PIN, or is locked: the PIN is tried again {seconds} s after the \
         last time"
    )]
    PinRests {
        /// The token.
        token: String,
        /// How long after the last try.
        seconds: i64,
    },
    /// The PIN was refused before, or may have been, and was not tried again.
    #[error(
        "the PIN of token `{token}` was refused before, or may have been, and is not tried again: give the right one; \
         if this is the right one, {remedy}"
    )]
    PinWithheld {
        /// The token.
        token: String,
        /// How refused PINs are forgotten.
        remedy: String,
    },
    /// What the token's library wrote cannot be put on the disk.
    #[error("the token's files in `{path}` are not on the disk: {cause}")]
    TokenFiles {
        /// Their folder.
        path: PathBuf,
        /// What went wrong.
        cause: String,
    },
    /// The token is not there.
    #[error("token `{0}` is not present")]
    TokenMissing(String),
    /// Written by a newer version.
    #[error("wrapped in a format that this version does not know")]
    UnknownFormat,
    /// The key-encryption key can be read out, or is short.
    #[error("key `{label}` on token `{token}` is weak: it must be AES-256, sensitive and not extractable")]
    WeakKey {
        /// The token.
        token: String,
        /// The label.
        label: String,
    },
}

impl SealError {
    /// True if the seal answered, and only the bytes were wrong: other keys may fare better.
    pub fn is_about_the_bytes(&self) -> bool {
        matches!(self, Self::AuthenticationFailed | Self::KeyGone { .. } | Self::UnknownFormat)
    }

    /// What anybody may be told: it names no token, no key and no file.
    pub fn in_brief(&self) -> &'static str {
        match self {
            Self::AmbiguousToken(_) => "more than one token has the name of its HSM's",
            Self::AmbiguousKey { .. }
            | Self::KeyInUse { .. }
            | Self::KeyMissing { .. }
            | Self::KeyReplaced(_)
            | Self::WeakKey { .. } => "its HSM does not hold the one key that it must",
            Self::Attempts { .. } => "it cannot keep the record of refused PINs",
            Self::AuthenticationFailed | Self::KeyGone { .. } | Self::UnknownFormat => {
                "its keyring was wrapped by another key than its seal has, or changed"
            }
            Self::Busy(_) | Self::Device { .. } | Self::NoAnswer { .. } | Self::TokenMissing(_) => {
                "its HSM does not answer"
            }
            Self::KeyFile { .. } => "its key file cannot be read",
            Self::Module { .. } => "the PKCS#11 module of its HSM does not load, or broke",
            Self::PinLocked(_) => "its HSM has locked the PIN",
            Self::PinMissing { .. } => "the PIN of its HSM cannot be read",
            Self::PinRefused(_) | Self::PinWithheld { .. } => "its HSM refused the PIN",
            Self::TokenFiles { .. } => "the files of its token cannot be kept",
            Self::PinRests { .. } => "its HSM gave no clear answer to the PIN, or has locked it",
        }
    }

    /// True if the seal said nothing, was not asked yet, or takes no PIN: of what it wrapped, nothing is known by that.
    pub fn is_silence(&self) -> bool {
        matches!(
            self,
            Self::Attempts { .. }
                | Self::Busy(_)
                | Self::NoAnswer { .. }
                | Self::PinLocked(_)
                | Self::PinRefused(_)
                | Self::PinRests { .. }
                | Self::PinWithheld { .. }
        )
    }
}

/// What a seal authenticates beside the key.
fn associated_data(number: KeyNumber, context: &[u8]) -> Vec<u8> {
    match number {
        1 => frame(&[b"keywarden/seal/1", context]),
        _ => frame(&[b"keywarden/seal/2", &number.to_be_bytes(), context]),
    }
}

fn pack(number: KeyNumber, nonce: &[u8; NONCE_LEN], ciphertext: &[u8]) -> Vec<u8> {
    match number {
        1 => [&[FIRST][..], nonce, ciphertext].concat(),
        _ => [&[NUMBERED][..], &number.to_be_bytes(), nonce, ciphertext].concat(),
    }
}

struct Parts<'a> {
    number: KeyNumber,
    nonce: &'a [u8; NONCE_LEN],
    ciphertext: &'a [u8],
}

fn unpack(wrapped: &[u8]) -> Result<Parts<'_>, SealError> {
    let (number, rest) = match wrapped.split_first() {
        Some((&FIRST, rest)) => (1, rest),
        Some((&NUMBERED, rest)) => {
            let (number, rest) = rest.split_first_chunk().ok_or(SealError::AuthenticationFailed)?;
            (KeyNumber::from_be_bytes(*number), rest)
        }
        _ => return Err(SealError::UnknownFormat),
    };
    match rest.split_first_chunk() {
        Some((nonce, ciphertext)) if ciphertext.len() >= TAG_LEN => Ok(Parts { number, nonce, ciphertext }),
        _ => Err(SealError::AuthenticationFailed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in SealKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            let id = SealDescription::new(kind, "main: 1", Protection::Hsm).id;
            assert_eq!(id.as_str().parse(), Ok(id));
        }
        for wrong in ["", "software", "software:", "paper:main", "pkcs11:a\nb"] {
            assert!(wrong.parse::<SealId>().is_err(), "{wrong}");
        }
    }
}
