//! Sealed bytes as they are stored: AES-256-GCM (NIST SP 800-38D) under a named key.
//!
//! ```text
//! version 1 | algorithm | n | key id (n bytes) | nonce (12) | ciphertext | tag (16)
//! ```
//! Where the algorithm derives a key for each message ([`crate::DerivingKey`]), 16 bytes stand before the nonce.
//!
//! The associated data is the header, the purpose and the caller's context, each after its length as eight
//! bytes, so that no two combinations read alike: an envelope moved to another row does not open, nor does one whose header
//! names another algorithm.
//!
//! **Another algorithm** is one more `Algorithm`: old envelopes open by the one that their header names, new ones are sealed by
//! the newest, and a rotation brings what is stored over. Tests do it with a second one. Older programs do not open what it
//! sealed: `keywarden_store::node` says when none of them runs any more.

use std::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
#[cfg(test)]
use aes_gcm_siv::Aes256GcmSiv;
use rand::CryptoRng;

use crate::secret::SecretBytes;

/// Length of a key in bytes.
pub const KEY_LEN: usize = 32;
pub(crate) const NONCE_LEN: usize = 12;
pub(crate) const TAG_LEN: usize = 16;
pub(crate) const MESSAGE_ID_LEN: usize = 16;

const VERSION: u8 = 1;

/// What seals, as a header names it. Bytes are stored: they never mean another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Aes256Gcm = 1,
    /// Of the tests: a second one beside the first.
    #[cfg(test)]
    Aes256GcmSiv = 2,
    /// AES-256-GCM under a key that HKDF-SHA-256 derived for one message: see [`crate::DerivingKey`].
    HkdfSha256Aes256Gcm = 3,
}

impl Algorithm {
    /// What an [`EnvelopeKey`] seals by.
    const NEWEST: Self = Self::Aes256Gcm;

    fn named(byte: u8) -> Result<Self, OpenError> {
        match byte {
            1 => Ok(Self::Aes256Gcm),
            #[cfg(test)]
            2 => Ok(Self::Aes256GcmSiv),
            3 => Ok(Self::HkdfSha256Aes256Gcm),
            unknown => Err(OpenError::UnknownAlgorithm(unknown)),
        }
    }
}

/// Why an envelope does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Wrong key, purpose or context, or the bytes were changed; which, cannot be known.
    #[error("authentication failed: the bytes were changed or belong elsewhere")]
    AuthenticationFailed,
    /// Shorter than an envelope, or its key id is not text.
    #[error("envelope is malformed")]
    Malformed,
    /// The seal of the project whose key this takes does not answer, or was taken away.
    #[error("the project's own seal `{seal}` is away: {cause}")]
    SealAway {
        /// Which.
        seal: String,
        /// What it said.
        cause: String,
    },
    /// The keyring is sealed.
    #[error(transparent)]
    Sealed(#[from] crate::keyring::Sealed),
    /// Written by a newer version.
    #[error("algorithm {0} is unknown: written by a newer version")]
    UnknownAlgorithm(u8),
    /// The keyring holds no such key for this purpose.
    #[error("key `{0}` is not in the keyring")]
    UnknownKey(String),
    /// Written by a newer version.
    #[error("envelope version {0} is unknown: written by a newer version")]
    UnknownVersion(u8),
}

/// A key has 32 bytes and a plaintext at most 64 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("length is outside what AES-256-GCM takes")]
pub struct LengthError;

/// A key that seals by itself.
///
/// Nonces are random: a key must seal fewer than 2^32 messages. The keyring counts for its own keys, and rows for those of
/// projects; a data key seals once. What nobody counts is a [`crate::DerivingKey`].
pub struct EnvelopeKey {
    gcm: Box<Aes256Gcm>,
    #[cfg(test)]
    siv: Box<Aes256GcmSiv>,
    seals_by: Algorithm,
}

impl EnvelopeKey {
    /// From 32 bytes.
    pub fn new(key: &SecretBytes) -> Result<Self, LengthError> {
        Ok(Self {
            gcm: Box::new(Aes256Gcm::new_from_slice(key.expose()).map_err(|_| LengthError)?),
            #[cfg(test)]
            siv: Box::new(tests::second(key)),
            seals_by: Algorithm::NEWEST,
        })
    }

    /// Seals for one purpose and context. `key_id` is at most 255 bytes; it is stored readably.
    pub fn seal(
        &self,
        key_id: &str,
        purpose: &str,
        context: &[u8],
        plaintext: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, LengthError> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let Head { header, aad } = Head::of(self.seals_by, key_id, purpose, context)?;
        let ciphertext = match self.seals_by {
            Algorithm::Aes256Gcm | Algorithm::HkdfSha256Aes256Gcm => self.encrypt(&nonce, &aad, plaintext)?,
            #[cfg(test)]
            Algorithm::Aes256GcmSiv => self.encrypt_by_second(&nonce, &aad, plaintext),
        };
        Ok([&header[..], &nonce, &ciphertext].concat())
    }

    /// Opens what [`EnvelopeKey::seal`] sealed for the same purpose and context under this key.
    pub fn open(&self, purpose: &str, context: &[u8], envelope: &[u8]) -> Result<SecretBytes, OpenError> {
        let parts = Parts::of(envelope)?;
        let aad = parts.associated_data(purpose, context);
        let opened = match parts.algorithm {
            Algorithm::Aes256Gcm => self.decrypt(parts.nonce, &aad, parts.ciphertext),
            #[cfg(test)]
            Algorithm::Aes256GcmSiv => self.decrypt_by_second(parts.nonce, &aad, parts.ciphertext),
            Algorithm::HkdfSha256Aes256Gcm => None, // this key derives none
        };
        opened.ok_or(OpenError::AuthenticationFailed)
    }

    /// AES-256-GCM, without an envelope.
    pub(crate) fn encrypt(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        msg: &[u8],
    ) -> Result<Vec<u8>, LengthError> {
        self.gcm.encrypt(nonce.into(), Payload { msg, aad }).map_err(|_| LengthError)
    }

    /// Opens what [`EnvelopeKey::encrypt`] made.
    pub(crate) fn decrypt(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], msg: &[u8]) -> Option<SecretBytes> {
        self.gcm.decrypt(nonce.into(), Payload { msg, aad }).ok().map(SecretBytes::new)
    }
}

impl fmt::Debug for EnvelopeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvelopeKey")
    }
}

/// The id of the key that an envelope names; nothing is proven yet.
pub fn key_id(envelope: &[u8]) -> Result<&str, OpenError> {
    Ok(Parts::of(envelope)?.key_id)
}

/// Concatenates so that the parts can be told apart: each after its length as eight bytes, big-endian.
pub(crate) fn frame(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len().saturating_add(8)).sum());
    for part in parts {
        out.extend((part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

/// What an envelope begins with, and what it is bound to.
pub(crate) struct Head {
    pub(crate) header: Vec<u8>,
    pub(crate) aad: Vec<u8>,
}

impl Head {
    pub(crate) fn of(
        algorithm: Algorithm,
        key_id: &str,
        purpose: &str,
        context: &[u8],
    ) -> Result<Self, LengthError> {
        let id_len = u8::try_from(key_id.len()).map_err(|_| LengthError)?;
        let header = [&[VERSION, algorithm as u8, id_len], key_id.as_bytes()].concat();
        Ok(Self { aad: associated_data(&header, purpose, context), header })
    }
}

fn associated_data(header: &[u8], purpose: &str, context: &[u8]) -> Vec<u8> {
    frame(&[header, purpose.as_bytes(), context])
}

pub(crate) struct Parts<'a> {
    pub(crate) algorithm: Algorithm,
    header: &'a [u8],
    key_id: &'a str,
    /// Empty where the algorithm derives no key.
    pub(crate) message_id: &'a [u8],
    pub(crate) nonce: &'a [u8; NONCE_LEN],
    pub(crate) ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(crate) fn of(envelope: &'a [u8]) -> Result<Self, OpenError> {
        let [version, algorithm, id_len, ..] = *envelope else { return Err(OpenError::Malformed) };
        if version != VERSION {
            return Err(OpenError::UnknownVersion(version));
        }
        let algorithm = Algorithm::named(algorithm)?;
        let (header, rest) =
            envelope.split_at_checked(usize::from(id_len).saturating_add(3)).ok_or(OpenError::Malformed)?;
        let key_id =
            header.get(3..).and_then(|id| std::str::from_utf8(id).ok()).ok_or(OpenError::Malformed)?;
        let drawn = if algorithm == Algorithm::HkdfSha256Aes256Gcm { MESSAGE_ID_LEN } else { 0 };
        let (message_id, rest) = rest.split_at_checked(drawn).ok_or(OpenError::Malformed)?;
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(OpenError::Malformed)?;
        if ciphertext.len() < TAG_LEN {
            return Err(OpenError::Malformed);
        }
        Ok(Self { algorithm, header, key_id, message_id, nonce, ciphertext })
    }

    /// What it is bound to, if it belongs here.
    pub(crate) fn associated_data(&self, purpose: &str, context: &[u8]) -> Vec<u8> {
        associated_data(self.header, purpose, context)
    }
}

#[cfg(test)]
pub(crate) mod tests;
