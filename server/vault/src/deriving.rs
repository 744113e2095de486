//! Keys that seal as often as it takes: each message under a key of its own, derived by HKDF-SHA-256 (RFC 5869).
//!
//! ```text
//! version 1 | algorithm 3 | n | key id (n bytes) | message id (16) | nonce (12) | ciphertext | tag (16)
//! ```
//! The message id is random, and drawn for one message. What is derived is bound to it and to all that the envelope is bound
//! to ([`crate::envelope`]): header, purpose and context. AES-256-GCM never sees the key itself, so that no number of messages
//! brings it near a bound: two of them share key and nonce where 28 random bytes are the same, and their places as well.
//!
//! Before, such a key sealed by itself, as algorithm 1. What lies there opens, and a program that runs beside an older one goes
//! on like that, as [`DerivingKey::as_older_programs`].

use std::fmt;

use rand::CryptoRng;

use crate::envelope::{
    Algorithm, EnvelopeKey, Head, LengthError, MESSAGE_ID_LEN, NONCE_LEN, OpenError, Parts, frame,
};
use crate::mac::derive;
use crate::secret::SecretBytes;

/// A key for bytes that do not live under the keyring directly: for example a subject's own key, kept sealed under
/// [`crate::Purpose::Personal`] and destroyed to forget the subject.
pub struct DerivingKey {
    secret: SecretBytes,
    direct: EnvelopeKey,
    derives: bool,
}

impl DerivingKey {
    /// From 32 random bytes.
    pub fn new(secret: SecretBytes) -> Result<Self, LengthError> {
        Ok(Self { direct: EnvelopeKey::new(&secret)?, secret, derives: true })
    }

    /// Seals by the key itself, for as long as programs run on the same records that open nothing else. It opens both.
    #[must_use]
    pub fn as_older_programs(self) -> Self {
        Self { derives: false, ..self }
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
        if !self.derives {
            return self.direct.seal(key_id, purpose, context, plaintext, rng);
        }
        let (mut message_id, mut nonce) = ([0; MESSAGE_ID_LEN], [0; NONCE_LEN]);
        rng.fill_bytes(&mut message_id);
        rng.fill_bytes(&mut nonce);
        let Head { header, aad } = Head::of(Algorithm::HkdfSha256Aes256Gcm, key_id, purpose, context)?;
        let ciphertext = self.key_of(&message_id, &aad)?.encrypt(&nonce, &aad, plaintext)?;
        Ok([&header[..], &message_id, &nonce, &ciphertext].concat())
    }

    /// Opens what [`DerivingKey::seal`] sealed for the same purpose and context under this key, either way.
    pub fn open(&self, purpose: &str, context: &[u8], envelope: &[u8]) -> Result<SecretBytes, OpenError> {
        let parts = Parts::of(envelope)?;
        if parts.algorithm != Algorithm::HkdfSha256Aes256Gcm {
            return self.direct.open(purpose, context, envelope);
        }
        let aad = parts.associated_data(purpose, context);
        let key = self.key_of(parts.message_id, &aad).map_err(|LengthError| OpenError::Malformed)?;
        key.decrypt(parts.nonce, &aad, parts.ciphertext).ok_or(OpenError::AuthenticationFailed)
    }

    /// The key of one message.
    fn key_of(&self, message_id: &[u8], aad: &[u8]) -> Result<EnvelopeKey, LengthError> {
        EnvelopeKey::new(&derive(&self.secret, &frame(&[b"keywarden/envelope/3", message_id, aad])))
    }
}

impl fmt::Debug for DerivingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivingKey")
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::envelope::key_id;
    use crate::envelope::tests::{algorithm, refuses_every_change};

    /// Where a message id begins: behind three bytes and `usr_1`.
    const MESSAGE_ID: usize = 8;
    const PLACE: &[u8] = b"event_personal.sealed/evt_1/usr_1";

    fn key_of(byte: u8) -> DerivingKey {
        DerivingKey::new(SecretBytes::new(vec![byte; 32])).unwrap()
    }

    fn key() -> DerivingKey {
        key_of(7)
    }

    fn sealed_by(key: &DerivingKey) -> Vec<u8> {
        key.seal("usr_1", "event-personal", PLACE, b"alice", &mut ChaCha20Rng::seed_from_u64(1)).unwrap()
    }

    fn sealed() -> Vec<u8> {
        sealed_by(&key())
    }

    fn opened(envelope: &[u8]) -> Result<SecretBytes, OpenError> {
        key().open("event-personal", PLACE, envelope)
    }

    #[test]
    fn what_is_sealed_opens_and_says_by_what_and_whose_it_is() {
        assert_eq!(opened(&sealed()).unwrap().expose(), b"alice");
        assert_eq!((algorithm(&sealed()), key_id(&sealed()).unwrap()), (3, "usr_1"));
        assert!(DerivingKey::new(SecretBytes::new(vec![7; 31])).is_err());
    }

    #[test]
    fn a_flipped_bit_in_any_byte_is_an_error() {
        refuses_every_change(&sealed(), opened);
    }

    #[test]
    fn an_envelope_opens_only_where_it_belongs() {
        let refused = Some(OpenError::AuthenticationFailed);
        let open = |key: DerivingKey, purpose, place: &[u8]| key.open(purpose, place, &sealed()).err();
        assert_eq!(open(key(), "event-personal", b"event_personal.sealed/evt_2/usr_1"), refused);
        assert_eq!(open(key(), "event-personal", b"event_personal.sealed/evt_1/usr_2"), refused);
        assert_eq!(open(key(), "refused-token", PLACE), refused);
        assert_eq!(open(key(), "event-personale", &PLACE[1..]), refused);
        assert_eq!(open(key_of(8), "event-personal", PLACE), refused);
    }

    #[test]
    fn what_an_older_program_sealed_opens_and_one_that_runs_beside_it_seals_as_it_does() {
        let older = EnvelopeKey::new(&SecretBytes::new(vec![7; 32])).unwrap();
        let rng = || ChaCha20Rng::seed_from_u64(1);
        let theirs = older.seal("usr_1", "event-personal", PLACE, b"alice", &mut rng()).unwrap();
        assert_eq!(opened(&theirs).unwrap().expose(), b"alice");
        let beside = key().as_older_programs();
        assert_eq!(sealed_by(&beside), theirs);
        assert_eq!(beside.open("event-personal", PLACE, &sealed()).unwrap().expose(), b"alice");
    }

    #[test]
    fn a_header_that_names_another_algorithm_opens_nothing() {
        let text = [b'a'; 64];
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        for key in [key(), key().as_older_programs()] {
            let sealed = key.seal("usr_1", "event-personal", PLACE, &text, &mut rng).unwrap();
            for named in (0..=u8::MAX).filter(|named| *named != algorithm(&sealed)) {
                let mut confused = sealed.clone();
                confused[1] = named;
                let error = opened(&confused).unwrap_err();
                match named {
                    1..=3 => assert_eq!(error, OpenError::AuthenticationFailed, "{named}"),
                    _ => assert_eq!(error, OpenError::UnknownAlgorithm(named)),
                }
            }
        }
    }

    #[test]
    fn each_message_has_a_key_that_opens_no_other_and_is_not_the_subjects() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut seal = || key().seal("usr_1", "event-personal", PLACE, b"alice", &mut rng).unwrap();
        let (one, other) = (seal(), seal());
        let parts = Parts::of(&one).unwrap();
        let aad = parts.associated_data("event-personal", PLACE);
        let try_with = |key: &EnvelopeKey| key.decrypt(parts.nonce, &aad, parts.ciphertext);
        let of = |message_id: &[u8], aad: &[u8]| key().key_of(message_id, aad).unwrap();
        assert_eq!(try_with(&of(parts.message_id, &aad)).unwrap().expose(), b"alice");
        assert!(try_with(&of(Parts::of(&other).unwrap().message_id, &aad)).is_none());
        assert!(try_with(&of(parts.message_id, b"elsewhere")).is_none());
        assert!(try_with(&key().direct).is_none());
        // The message id of one on the rest of the other.
        let ids = MESSAGE_ID..MESSAGE_ID + MESSAGE_ID_LEN;
        let mixed = [&one[..ids.start], &other[ids.clone()], &one[ids.end..]].concat();
        assert_eq!(opened(&mixed).err(), Some(OpenError::AuthenticationFailed));
        assert_ne!(one[ids.clone()], other[ids]);
    }

    #[test]
    fn a_key_that_derives_none_opens_no_such_envelope() {
        let plain = EnvelopeKey::new(&SecretBytes::new(vec![7; 32])).unwrap();
        let refused = Some(OpenError::AuthenticationFailed);
        assert_eq!(plain.open("event-personal", PLACE, &sealed()).err(), refused);
    }
}
