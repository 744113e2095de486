//! Known answers: what other implementations computed from fixed keys opens here, today and in every later version.
//!
//! `known/answers.txt` says how they were made. A test that fails here means that stored records, backups or recovery keys
//! would not open any more: the code is wrong, never the file.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::DateTime;
use hpke::kem::{Kem as _, XWing};
use hpke::{Deserializable, Serializable};
use rand::{SeedableRng, TryCryptoRng, TryRng};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

use crate::project_key::{SealedValue, ValuePlace};
use crate::recovery::{RecoveryKey, Share, ShareError, Shares};
use crate::seal::ALGORITHM;
use crate::seal::software::SoftwareSeal;
use crate::{
    DerivingKey, KeyRecord, Keyring, OpenError, ProjectKey, Purpose, Seal, SecretBytes, SecretString,
    WrapRecord,
};

const ANSWERS: &str = include_str!("known/answers.txt");

fn answer(name: &str) -> &'static str {
    let mut lines = ANSWERS.lines().filter_map(|line| line.split_once(' '));
    lines.find_map(|(of, value)| (of == name).then_some(value)).unwrap_or_else(|| panic!("no `{name}`"))
}

fn bytes(name: &str) -> Vec<u8> {
    hex::decode(answer(name)).unwrap()
}

/// Draws these bytes, once.
struct Drawn(Vec<u8>);

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word).map(|()| u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word).map(|()| u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(into.len());
        into.copy_from_slice(&std::mem::replace(&mut self.0, rest));
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

#[test]
fn x_wing_answers_as_its_specification_says() {
    for n in 1..=3 {
        let of = |what: &str| bytes(&format!("x-wing.{n}.{what}"));
        let private = <XWing as hpke::kem::Kem>::PrivateKey::from_bytes(&of("seed")).unwrap();
        let public = XWing::sk_to_pk(&private);
        assert_eq!(&public.to_bytes()[..], of("pk"), "{n}");
        let (secret, encapsulated) = XWing::encap_with_rng(&public, None, &mut Drawn(of("eseed"))).unwrap();
        assert_eq!((&secret.0[..], &encapsulated.to_bytes()[..]), (&of("ss")[..], &of("ct")[..]), "{n}");
        let theirs = <XWing as hpke::kem::Kem>::EncappedKey::from_bytes(&of("ct")).unwrap();
        assert_eq!(&XWing::decap(&private, None, &theirs).unwrap().0[..], of("ss"), "{n}");
        // Another ciphertext is another secret, and no error: that is what the tag behind it is for.
        let mut changed = of("ct");
        *changed.first_mut().unwrap() ^= 1;
        let changed = <XWing as hpke::kem::Kem>::EncappedKey::from_bytes(&changed).unwrap();
        assert_ne!(&XWing::decap(&private, None, &changed).unwrap().0[..], of("ss"), "{n}");
    }
}

#[test]
fn what_was_sealed_for_a_recovery_key_opens_for_ever() {
    let key = RecoveryKey::parse(&SecretString::new(answer("recovery.key").to_owned())).unwrap();
    assert_eq!(key.text().expose(), answer("recovery.key"));
    let recipient = Sha256::digest(key.recipient().to_string());
    assert_eq!(hex::encode(recipient), answer("recovery.recipient-digest"));
    let sealed = [bytes("x-wing.1.ct"), bytes("hpke.1.ciphertext")].concat();
    assert_eq!(key.open("known", b"row 1", &sealed).unwrap().expose(), b"opened for ever, 1");
    assert!(key.open("known", b"row 2", &sealed).is_err());
    let other = [bytes("x-wing.2.ct"), bytes("hpke.2.ciphertext")].concat();
    assert!(key.open("known", b"row 2", &other).is_err(), "it is another recipient's");
}

#[test]
fn shares_that_were_written_down_make_the_same_key_for_ever() {
    let read = |of: &str, numbers: &[usize]| -> Vec<Share> {
        let text = |n: &usize| SecretString::new(answer(&format!("share.{of}.{n}")).to_owned());
        numbers.iter().map(|n| Share::parse(&text(n)).unwrap()).collect()
    };
    let enough: [(&str, u8, &[&[usize]]); 2] = [
        ("2-of-3", 2, &[&[1, 2], &[1, 3], &[3, 2], &[1, 2, 3]]),
        ("3-of-5", 3, &[&[1, 2, 3], &[5, 1, 3], &[2, 4, 5], &[1, 2, 3, 4, 5]]),
    ];
    for (of, needed, sets) in enough {
        for numbers in sets {
            let key = Shares::combine(&read(of, numbers)).unwrap();
            assert_eq!(key.text().expose(), answer("recovery.key"), "{of} {numbers:?}");
        }
        for given in 1..usize::from(needed) {
            let too_few: Vec<usize> = (1..=given).collect();
            let refused = Shares::combine(&read(of, &too_few)).unwrap_err();
            assert_eq!(refused, ShareError::TooFew { needed, given }, "{of}");
        }
    }
    let mut mixed = read("2-of-3", &[1]);
    mixed.extend(read("3-of-5", &[2]));
    assert_eq!(Shares::combine(&mixed).unwrap_err(), ShareError::Different);
}

/// A keyring whose keys were wrapped elsewhere, by both keys of a key file. Purposes of which there is no answer get a key now.
fn keyring() -> Keyring {
    let text = format!("{}\n2:{}\n", answer("seal.1"), answer("seal.2"));
    let seal = SoftwareSeal::given(SecretString::new(text), "known");
    let id = seal.describe().id.clone();
    let seals: Vec<Arc<dyn Seal>> = vec![Arc::new(seal)];
    let created_at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let (mut records, mut wraps) = (Vec::new(), Vec::new());
    for (purpose, key) in [
        (Purpose::ApiKeyMac, "krk_01JDB2W1N9F6Q3R8T5V7X9Z0AA"),
        (Purpose::Personal, "krk_01JDB2W1N9F6Q3R8T5V7X9Z0AB"),
        (Purpose::ProjectKey, "krk_01JDB2W1N9F6Q3R8T5V7X9Z0AC"),
        (Purpose::Idempotency, "krk_01JDB2W1N9F6Q3R8T5V7X9Z0AD"),
    ] {
        let key = key.parse().unwrap();
        records.push(KeyRecord { id: key, purpose, created_at, retired_at: None, uses: 0 });
        let (algorithm, wrapped) = (ALGORITHM.to_owned(), bytes(&format!("wrap.{purpose}")));
        wraps.push(WrapRecord { key_id: key, seal_id: id.clone(), algorithm, wrapped });
    }
    for purpose in Keyring::missing(&records) {
        let mut rng = ChaCha20Rng::seed_from_u64(purpose as u64);
        let (record, made) = Keyring::generate(purpose, created_at, &mut rng, &seals).unwrap();
        records.push(record);
        wraps.extend(made);
    }
    let keyring = Keyring::new(Duration::from_mins(5), Instant::now);
    keyring.unseal(&records, &wraps, &seals).unwrap();
    keyring
}

#[test]
fn tags_and_envelopes_of_the_keyring_are_what_they_always_were() {
    let keyring = keyring();
    let (_, tag) = keyring.mac(Purpose::ApiKeyMac, b"kwk_live_value").unwrap();
    assert_eq!(hex::encode(tag), answer("mac.value"));
    let personal = bytes("envelope.personal");
    let opened = keyring.open(Purpose::Personal, b"subjects.sealed/usr_1", &personal).unwrap();
    assert_eq!(opened.expose(), "Alice Ärmel".as_bytes());
    let astray = keyring.open(Purpose::Personal, b"subjects.sealed/usr_2", &personal);
    assert_eq!(astray.err(), Some(OpenError::AuthenticationFailed));
    let kept = bytes("envelope.idempotency");
    let open = |input: &[u8]| keyring.open_for(Purpose::Idempotency, input, b"answer", &kept);
    assert_eq!(open(b"0123456789abcdef").unwrap().expose(), br#"{"value":"kwk_live"}"#);
    assert_eq!(open(b"0123456789abcdeg").err(), Some(OpenError::AuthenticationFailed));
}

#[test]
fn what_events_tell_of_a_subject_is_sealed_as_it_always_was_and_opens_both_ways() {
    let (subject, event) = ("usr_01JDB2W1N9F6Q3R8T5V7X9Z0AJ", "evt_01JDB2W1N9F6Q3R8T5V7X9Z0AK");
    let place = format!("event_personal.sealed/{event}/{subject}").into_bytes();
    let text = "Alice Ärmel".as_bytes();
    let key = DerivingKey::new(SecretBytes::new(bytes("subject.key"))).unwrap();
    let sealed =
        key.seal(subject, "event-personal", &place, text, &mut Drawn(bytes("subject.drawn"))).unwrap();
    assert_eq!(hex::encode(&sealed), answer("subject.derived"));
    for sealed in [sealed, bytes("subject.direct")] {
        assert_eq!(key.open("event-personal", &place, &sealed).unwrap().expose(), text);
        let astray = format!("event_personal.sealed/{event}/usr_1").into_bytes();
        let refused = key.open("event-personal", &astray, &sealed).err();
        assert_eq!(refused, Some(OpenError::AuthenticationFailed));
    }
}

#[test]
fn a_secrets_value_opens_from_the_seal_down_as_it_was_stored() {
    let (keyring, project) = (keyring(), "prj_01JDB2W1N9F6Q3R8T5V7X9Z0AE".parse().unwrap());
    let key = "pjk_01JDB2W1N9F6Q3R8T5V7X9Z0AF".parse().unwrap();
    let key = ProjectKey::open(&keyring, key, project, &bytes("project.key")).unwrap();
    let place = ValuePlace {
        secret: "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AG".parse().unwrap(),
        version: "sev_01JDB2W1N9F6Q3R8T5V7X9Z0AH".parse().unwrap(),
    };
    let stored =
        SealedValue { wrapped_key: bytes("value.wrapped-key"), ciphertext: bytes("value.ciphertext") };
    assert_eq!(key.open_value(place, &stored).unwrap().expose(), b"hunter2\0\xff");
    // What is written today lies beside it and opens by the same key.
    let value = SecretBytes::copy_of(b"new");
    let new = key.seal_value(place, &value, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
    assert_eq!(key.open_value(place, &new).unwrap().expose(), b"new");
    let mixed = SealedValue { wrapped_key: stored.wrapped_key, ciphertext: new.ciphertext };
    assert_eq!(key.open_value(place, &mixed).err(), Some(OpenError::AuthenticationFailed));
}
