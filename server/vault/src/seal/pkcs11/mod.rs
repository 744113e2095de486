//! A seal whose key never leaves a token: any PKCS#11 module, AES-256-GCM by `C_Encrypt` and `C_Decrypt`.
//!
//! (`C_WrapKey` with GCM is refused by many tokens, and `AES_KEY_WRAP` binds no context.)
//!
//! * One [`Module`] for each library: all calls into it are made by one process, which holds nothing else and need not be
//!   root's.
//! * The token is found by its label, and by its serial number where two share one; slot numbers change.
//! * A session that was lost (token removed, network away, library restarted) is opened again by the next call.
//! * A PIN that was refused is never tried a third time, also after a restart, and by all nodes together where they share a
//!   place to remember it in; one that got no clear answer is tried again more and more slowly: see [`Attempts`].

mod attempts;
mod keys;
mod login;
mod met;
mod module;
mod opened;
mod process;
mod protocol;
mod serve;
mod target;
mod trouble;
mod user;
mod worker;

use std::io;
use std::path::PathBuf;

use rand::CryptoRng;

pub use attempts::{Attempt, Attempts, Change, MARK_LEN, Place, SALT_LEN, TriedPin};
pub use module::Module;
pub use process::Launch;
pub use protocol::Left;
use protocol::{Answer, Does};
pub use serve::{keep_memory_private, serve_library};
pub use user::User;

use super::file::{read_secret, sync_below};
use super::{KeyNumber, Protection, Seal, SealDescription, SealError, SealKind, pack, unpack};
use crate::envelope::NONCE_LEN;
use crate::secret::{SecretBytes, SecretString};

/// The label of our first key on a token; a later one's has its number behind a hyphen, `keywarden-kek-2`.
pub const KEY_LABEL: &str = "keywarden-kek";

/// Longer than any token's PIN.
const MAX_PIN: u64 = 1024;

/// Which token, and how to log in.
#[derive(Debug)]
pub struct Token {
    /// Its label, without the padding.
    pub label: String,
    /// Its serial number, if several tokens share the label.
    pub serial: Option<String>,
    /// The user's PIN.
    pub pin: Pin,
    /// Where refused PINs are remembered, durably: in the data folder, or in what its nodes share.
    pub attempts: Attempts,
}

/// A token's PIN.
#[derive(Debug)]
pub enum Pin {
    /// In a file, read anew for each login, so that a corrected one is taken without a restart. An end of
    /// line is not part of it.
    File(PathBuf),
    /// Known already.
    Given(SecretString),
}

impl Pin {
    fn read(&self) -> Result<SecretString, SealError> {
        let (path, text) = match self {
            Self::Given(pin) => return Ok(SecretString::new(pin.expose().to_owned())),
            Self::File(path) => (path, read_secret(path, MAX_PIN)),
        };
        let missing =
            |cause: io::Error| SealError::PinMissing { path: path.clone(), cause: cause.to_string() };
        let text = text.map_err(missing)?;
        match text.expose().trim_end_matches(['\r', '\n']) {
            "" => Err(missing(io::Error::other("is empty"))),
            pin => Ok(SecretString::new(pin.to_owned())),
        }
    }
}

/// A key on a token. Cheap to make: the token is opened by the first call, and need not be there yet.
#[derive(Debug)]
pub struct Pkcs11Seal {
    module: Module,
    token: std::sync::Arc<Token>,
    description: SealDescription,
    /// Where a token of software keeps its keys.
    files: Option<PathBuf>,
}

impl Pkcs11Seal {
    /// A seal on an HSM's token; taken for software if the module is SoftHSM2.
    pub fn new(module: &Module, token: Token) -> Self {
        let name = module.path().file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let protection = if name.contains("softhsm") { Protection::Software } else { Protection::Hsm };
        Self::of_kind(SealKind::Pkcs11, protection, module, token)
    }

    pub(super) fn of_kind(kind: SealKind, protection: Protection, module: &Module, token: Token) -> Self {
        let description = SealDescription::new(kind, &token.label, protection);
        Self { module: module.clone(), token: token.into(), description, files: None }
    }

    /// The token's library leaves what it writes into this folder to the page cache: whatever is made there is put on the
    /// disk before it is said to be there.
    pub(super) fn with_files(self, files: PathBuf) -> Self {
        Self { files: Some(files), ..self }
    }

    fn settle(&self) -> Result<(), SealError> {
        let Some(files) = &self.files else { return Ok(()) };
        sync_below(files)
            .map_err(|cause| SealError::TokenFiles { path: files.clone(), cause: cause.to_string() })
    }

    /// Makes the key-encryption key in the token (AES-256, sensitive, not extractable) unless it is there. To
    /// be called when the seal is added, never at a start: a token that lost its key must be noticed.
    pub fn create_key(&self) -> Result<(), SealError> {
        self.module.does(&self.token, Does::CreateKey)?;
        self.settle()
    }

    /// Makes the token itself, with this PIN for its security officer, in an empty slot, unless it is there.
    pub(super) fn create_token(&self, so_pin: &SecretString) -> Result<(), SealError> {
        self.module.does(&self.token, Does::CreateToken { so_pin: so_pin.expose() })
    }
}

impl Seal for Pkcs11Seal {
    fn describe(&self) -> &SealDescription {
        &self.description
    }

    fn wrap(&self, context: &[u8], key: &SecretBytes, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let does = Does::Encrypt { nonce, context, plaintext: key.expose() };
        self.module.call(&self.token, does, |answer| match answer {
            Answer::Sealed { number, nonce, ciphertext } => Some(pack(number, &nonce, ciphertext)),
            _ => None,
        })
    }

    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<SecretBytes, SealError> {
        let parts = unpack(wrapped)?;
        let (number, nonce, ciphertext) = (parts.number, *parts.nonce, parts.ciphertext);
        self.module.call(&self.token, Does::Decrypt { number, nonce, context, ciphertext }, |answer| {
            match answer {
                Answer::Opened(bytes) => Some(SecretBytes::copy_of(bytes)),
                _ => None,
            }
        })
    }

    fn probe(&self) -> Result<(), SealError> {
        self.module.does(&self.token, Does::Probe)
    }

    fn keys(&self) -> Result<Vec<KeyNumber>, SealError> {
        self.module.call(&self.token, Does::Keys, |answer| match answer {
            Answer::Keys(numbers) => Some(numbers),
            _ => None,
        })
    }

    fn add_key(&self, _: &mut dyn CryptoRng) -> Result<KeyNumber, SealError> {
        let number = self.module.call(&self.token, Does::AddKey, |answer| match answer {
            Answer::Number(number) => Some(number),
            _ => None,
        })?;
        self.settle().map(|()| number)
    }

    fn destroy_key(&self, number: KeyNumber) -> Result<(), SealError> {
        self.module.does(&self.token, Does::DestroyKey { number })?;
        self.settle()
    }
}

#[cfg(test)]
mod tests;
