use std::path::Path;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::mac::hmac_sha256;
use crate::seal::SealError;
use crate::seal::software::SoftwareSeal;

const GRACE: Duration = Duration::from_mins(5);

/// A keyring with a key for each purpose under one key file, and a clock that stands still.
struct Cellar {
    folder: tempfile::TempDir,
    rng: ChaCha20Rng,
    seals: Vec<Arc<dyn Seal>>,
    records: Vec<KeyRecord>,
    wraps: Vec<WrapRecord>,
    tick: Arc<Mutex<Instant>>,
    keyring: Keyring,
}

impl Cellar {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let seals = vec![seal(folder.path(), "one", &mut rng)];
        let tick = Arc::new(Mutex::new(Instant::now()));
        let clock = Arc::clone(&tick);
        let keyring = Keyring::new(GRACE, move || *clock.lock().unwrap());
        let (records, wraps) = (Vec::new(), Vec::new());
        let mut cellar = Self { folder, rng, seals, records, wraps, tick, keyring };
        for purpose in Keyring::missing(&cellar.records) {
            cellar.generate(purpose, 0);
        }
        cellar.unseal().unwrap();
        cellar
    }

    fn generate(&mut self, purpose: Purpose, second: i64) -> KeyringKeyId {
        let (record, wraps) = Keyring::generate(purpose, at(second), &mut self.rng, &self.seals).unwrap();
        let id = record.id;
        self.records.push(record);
        self.wraps.extend(wraps);
        id
    }

    fn unseal(&self) -> Result<(), UnsealError> {
        self.keyring.unseal(&self.records, &self.wraps, &self.seals)
    }

    fn pass(&self, time: Duration) {
        *self.tick.lock().unwrap() += time;
    }

    fn hide(&self, name: &str) {
        std::fs::rename(self.folder.path().join(name), self.folder.path().join("hidden")).unwrap();
    }

    fn bring_back(&self, name: &str) {
        std::fs::rename(self.folder.path().join("hidden"), self.folder.path().join(name)).unwrap();
    }
}

fn seal(folder: &Path, name: &str, rng: &mut ChaCha20Rng) -> Arc<dyn Seal> {
    let seal = SoftwareSeal::at(folder.join(name), name);
    seal.create_key(rng).unwrap();
    Arc::new(seal)
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

#[test]
fn a_tag_verifies_under_its_own_key_purpose_and_data_only() {
    let cellar = Cellar::new();
    let ring = &cellar.keyring;
    let (id, tag) = ring.mac(Purpose::ApiKeyMac, b"value").unwrap();
    let (session, _) = ring.mac(Purpose::Session, b"value").unwrap();
    let stranger = KeyringKeyId::from_parts(at(0), 7);
    let nobodys = hmac_sha256(&NOBODYS_KEY, b"value");
    for (expected, purpose, id, data, tag) in [
        (true, Purpose::ApiKeyMac, id, b"value", &tag),
        (false, Purpose::ApiKeyMac, id, b"valuf", &tag),
        (false, Purpose::ApiKeyMac, session, b"value", &tag),
        (false, Purpose::Session, id, b"value", &tag),
        (false, Purpose::ApiKeyMac, stranger, b"value", &tag),
        (false, Purpose::ApiKeyMac, stranger, b"value", &nobodys),
    ] {
        assert_eq!(ring.verify_mac(purpose, id, data, tag).unwrap(), expected);
    }
    for at in 0..32 {
        let mut changed = tag;
        changed[at] ^= 1;
        assert!(!ring.verify_mac(Purpose::ApiKeyMac, id, b"value", &changed).unwrap());
    }
}

#[test]
fn an_envelope_opens_for_its_purpose_and_context_only() {
    let mut cellar = Cellar::new();
    let sealed = cellar.keyring.seal(Purpose::Personal, b"usr_1", b"alice", &mut cellar.rng).unwrap();
    let ring = &cellar.keyring;
    assert_eq!(ring.open(Purpose::Personal, b"usr_1", &sealed).unwrap().expose(), b"alice");
    let moved = ring.open(Purpose::Personal, b"usr_2", &sealed).unwrap_err();
    assert_eq!(moved, OpenError::AuthenticationFailed);
    assert!(matches!(ring.open(Purpose::Session, b"usr_1", &sealed), Err(OpenError::UnknownKey(_))));
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(ring.open(Purpose::Personal, b"usr_1", &changed).is_err(), "byte {at}");
    }
}

#[test]
fn what_is_sealed_for_somebody_needs_their_input_to_open() {
    let mut cellar = Cellar::new();
    let purpose = Purpose::Idempotency;
    let sealed = cellar.keyring.seal_for(purpose, b"their key", b"req", b"201", &mut cellar.rng).unwrap();
    let ring = &cellar.keyring;
    assert_eq!(ring.open_for(purpose, b"their key", b"req", &sealed).unwrap().expose(), b"201");
    let refused = Some(OpenError::AuthenticationFailed);
    assert_eq!(ring.open_for(purpose, b"another", b"req", &sealed).err(), refused);
    assert_eq!(ring.open_for(purpose, b"their key", b"other", &sealed).err(), refused);
    assert_eq!(ring.open(purpose, b"req", &sealed).err(), refused);
}

#[test]
fn a_new_key_serves_new_values_while_the_old_one_still_verifies() {
    let mut cellar = Cellar::new();
    let (old, tag) = cellar.keyring.mac(Purpose::ApiKeyMac, b"value").unwrap();
    let sealed = cellar.keyring.seal(Purpose::Personal, b"", b"alice", &mut cellar.rng).unwrap();
    let new = cellar.generate(Purpose::ApiKeyMac, 60);
    cellar.generate(Purpose::Personal, 60);
    cellar.unseal().unwrap();
    assert_eq!(cellar.keyring.newest(Purpose::ApiKeyMac).unwrap(), new);
    assert_eq!(cellar.keyring.mac(Purpose::ApiKeyMac, b"value").unwrap().0, new);
    assert!(cellar.keyring.verify_mac(Purpose::ApiKeyMac, old, b"value", &tag).unwrap());
    assert_eq!(cellar.keyring.open(Purpose::Personal, b"", &sealed).unwrap().expose(), b"alice");

    // Retiring the new one brings the old one back; deleting the old row ends it.
    cellar.records.iter_mut().find(|record| record.id == new).unwrap().retired_at = Some(at(90));
    cellar.unseal().unwrap();
    assert_eq!(cellar.keyring.newest(Purpose::ApiKeyMac).unwrap(), old);
    cellar.generate(Purpose::ApiKeyMac, 120);
    cellar.records.retain(|record| record.id != old);
    cellar.unseal().unwrap();
    assert!(!cellar.keyring.verify_mac(Purpose::ApiKeyMac, old, b"value", &tag).unwrap());
}

#[test]
fn changing_what_wraps_leaves_every_tag_valid() {
    let mut cellar = Cellar::new();
    let (id, tag) = cellar.keyring.mac(Purpose::ApiKeyMac, b"value").unwrap();
    let one = cellar.seals[0].describe().id.clone();
    assert_eq!(
        may_remove_seal(&cellar.records, &cellar.wraps, &one),
        Err(RemoveSealError::Last(one.clone()))
    );

    let two = seal(cellar.folder.path(), "two", &mut cellar.rng);
    let wraps = cellar.keyring.wrap_under(&*two, &mut cellar.rng).unwrap();
    assert_eq!(wraps.len(), cellar.records.len());
    cellar.wraps.extend(wraps);
    // A key made meanwhile under the first seal only keeps that one in place.
    let late = cellar.generate(Purpose::Session, 1);
    assert_eq!(
        may_remove_seal(&cellar.records, &cellar.wraps, &one),
        Err(RemoveSealError::WouldLose { key: late, seal: one.clone() })
    );
    cellar.records.retain(|record| record.id != late);
    cellar.wraps.retain(|wrap| wrap.key_id != late);
    assert_eq!(may_remove_seal(&cellar.records, &cellar.wraps, &one), Ok(()));
    assert!(matches!(
        may_remove_seal(&cellar.records, &cellar.wraps, &"software:three".parse().unwrap()),
        Err(RemoveSealError::Unknown(_))
    ));

    cellar.wraps.retain(|wrap| wrap.seal_id != one);
    cellar.seals = vec![two];
    cellar.keyring.zeroize();
    cellar.unseal().unwrap();
    assert!(cellar.keyring.verify_mac(Purpose::ApiKeyMac, id, b"value", &tag).unwrap());
}

#[test]
fn any_one_of_several_seals_unseals() {
    let mut cellar = Cellar::new();
    let two = seal(cellar.folder.path(), "two", &mut cellar.rng);
    cellar.wraps.extend(cellar.keyring.wrap_under(&*two, &mut cellar.rng).unwrap());
    cellar.seals.push(two);
    cellar.hide("one");
    let observed = cellar.keyring.observe(&cellar.seals, at(0));
    assert_eq!(observed, (KeyringState::Unsealed, None), "the other one answers");
    cellar.keyring.zeroize();
    cellar.unseal().unwrap();
    assert_eq!(cellar.keyring.state(), KeyringState::Unsealed);
}

#[test]
fn wraps_do_not_open_under_another_key_or_purpose() {
    let cellar = Cellar::new();
    let keyring = || Keyring::new(GRACE, Instant::now);
    let refused = |wraps: &[WrapRecord], records: &[KeyRecord]| {
        let error = keyring().unseal(records, wraps, &cellar.seals).unwrap_err();
        let about = |source: &SealError| source.is_about_the_bytes();
        assert!(matches!(&error, UnsealError::NotUnwrapped { source, .. } if about(source)), "{error}");
    };
    let mut swapped = cellar.wraps.clone();
    let first = swapped[0].wrapped.clone();
    swapped[0].wrapped = std::mem::replace(&mut swapped[1].wrapped, first);
    refused(&swapped, &cellar.records);

    let mut renamed = cellar.records.clone();
    renamed[0].purpose = Purpose::Session;
    refused(&cellar.wraps, &renamed);

    let mut unknown = cellar.wraps.clone();
    unknown[0].algorithm = "AES-512".to_owned();
    refused(&unknown, &cellar.records);

    for at in 0..cellar.wraps[0].wrapped.len() {
        let mut changed = cellar.wraps.clone();
        changed[0].wrapped[at] ^= 1;
        refused(&changed, &cellar.records);
    }
}

#[test]
fn without_its_seal_it_stays_sealed_and_says_why() {
    let cellar = Cellar::new();
    cellar.keyring.zeroize();
    cellar.hide("one");
    assert!(matches!(cellar.unseal(), Err(UnsealError::NotUnwrapped { .. })));
    let KeyringState::Sealed { reason: SealedReason::Failed(cause) } = cellar.keyring.state() else {
        panic!("{:?}", cellar.keyring.state())
    };
    assert!(cause.contains("software:one") && cause.contains("No such file"), "{cause}");
    assert!(
        cellar.keyring.mac(Purpose::ApiKeyMac, b"value").unwrap_err().to_string().contains("software:one")
    );
    cellar.bring_back("one");
    cellar.unseal().unwrap();
    cellar.keyring.mac(Purpose::ApiKeyMac, b"value").unwrap();
}

#[test]
fn a_purpose_without_a_key_keeps_it_sealed() {
    let mut cellar = Cellar::new();
    cellar.records.retain(|record| record.purpose != Purpose::Session);
    assert_eq!(Keyring::missing(&cellar.records), [Purpose::Session]);
    assert!(matches!(cellar.unseal(), Err(UnsealError::NoActiveKey(Purpose::Session))));
    assert_eq!(cellar.keyring.state(), KeyringState::Unsealed, "what is in memory goes on");
}

#[test]
fn a_seal_that_is_back_within_grace_is_forgiven() {
    let cellar = Cellar::new();
    cellar.hide("one");
    let degraded = KeyringState::Degraded { since: at(0), until: at(300) };
    let (state, missed) = cellar.keyring.observe(&cellar.seals, at(0));
    assert_eq!(state, degraded);
    assert!(missed.is_some_and(|cause| cause.to_string().contains("No such file")));
    cellar.pass(GRACE.saturating_sub(Duration::from_nanos(1)));
    assert_eq!(cellar.keyring.observe(&cellar.seals, at(299)).0, degraded, "grace is not extended");
    cellar.keyring.mac(Purpose::ApiKeyMac, b"value").unwrap();
    cellar.unseal().unwrap();
    assert_eq!(cellar.keyring.state(), degraded, "keys in memory prove no seal");
    cellar.bring_back("one");
    assert_eq!(cellar.keyring.observe(&cellar.seals, at(300)).0, KeyringState::Unsealed);
    cellar.pass(GRACE * 2);
    assert_eq!(cellar.keyring.state(), KeyringState::Unsealed);
}

#[test]
fn after_grace_the_keys_are_gone_even_if_nobody_looks() {
    let cellar = Cellar::new();
    let ring = Arc::downgrade(&cellar.keyring.ring.load_full().unwrap());
    cellar.keyring.note(false, at(0));
    cellar.pass(GRACE);
    let over = Sealed { reason: SealedReason::GraceOver };
    assert_eq!(cellar.keyring.mac(Purpose::ApiKeyMac, b"value"), Err(over.clone()));
    assert!(ring.upgrade().is_none(), "the keys were dropped, and wiped as they were");
    assert_eq!(cellar.keyring.note(true, at(301)), KeyringState::Sealed { reason: over.reason });
    cellar.unseal().unwrap();
    assert_eq!(cellar.keyring.state(), KeyringState::Unsealed);
}

#[test]
fn sealing_by_command_wins_over_an_unsealing_under_way() {
    /// Seals the keyring while it unwraps.
    #[derive(Debug)]
    struct Saboteur(Arc<dyn Seal>, Arc<Keyring>);
    impl Seal for Saboteur {
        fn describe(&self) -> &crate::SealDescription {
            self.0.describe()
        }
        fn wrap(&self, c: &[u8], k: &SecretBytes, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError> {
            self.0.wrap(c, k, rng)
        }
        fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<SecretBytes, SealError> {
            self.1.zeroize();
            self.0.unwrap(context, wrapped)
        }
        fn probe(&self) -> Result<(), SealError> {
            self.0.probe()
        }
        fn keys(&self) -> Result<Vec<crate::seal::KeyNumber>, SealError> {
            self.0.keys()
        }
        fn add_key(&self, rng: &mut dyn CryptoRng) -> Result<crate::seal::KeyNumber, SealError> {
            self.0.add_key(rng)
        }
        fn destroy_key(&self, number: crate::seal::KeyNumber) -> Result<(), SealError> {
            self.0.destroy_key(number)
        }
    }
    let cellar = Cellar::new();
    let keyring = Arc::new(Keyring::new(GRACE, Instant::now));
    let seals: Vec<Arc<dyn Seal>> =
        vec![Arc::new(Saboteur(Arc::clone(&cellar.seals[0]), Arc::clone(&keyring)))];
    let outcome = keyring.unseal(&cellar.records, &cellar.wraps, &seals);
    assert!(matches!(outcome, Err(UnsealError::Interrupted)));
    assert_eq!(keyring.state(), KeyringState::Sealed { reason: SealedReason::ByCommand });
    assert!(keyring.newest(Purpose::Session).is_err());
}

#[test]
fn no_use_goes_uncounted_when_keys_are_wiped_a_report_fails_or_other_nodes_use_them_too() {
    let mut cellar = Cellar::new();
    cellar.unseal().unwrap();
    let of = |cellar: &Cellar| cellar.records.iter().position(|it| it.purpose == Purpose::Personal).unwrap();
    let position = of(&cellar);
    let id = cellar.records[position].id;
    let seal =
        |cellar: &mut Cellar| cellar.keyring.seal(Purpose::Personal, b"", b"", &mut cellar.rng).map(drop);
    seal(&mut cellar).unwrap();
    cellar.keyring.zeroize();
    let taken = cellar.keyring.take_uses();
    assert_eq!(taken, [(id, 1)]);
    cellar.keyring.give_back_uses(&taken);
    cellar.unseal().unwrap();
    seal(&mut cellar).unwrap();
    assert_eq!(cellar.keyring.take_uses(), [(id, 2)]);

    seal(&mut cellar).unwrap();
    cellar.records[position].uses = ring::MAX_USES - 2;
    cellar.keyring.learn_uses(&cellar.records);
    seal(&mut cellar).unwrap();
    assert_eq!(seal(&mut cellar), Err(SealingError::Exhausted(id)), "with the one that is not reported");
    assert_eq!(cellar.keyring.take_uses(), [(id, 2)]);

    // One that was destroyed is forgotten.
    cellar.generate(Purpose::Personal, 60);
    cellar.records.remove(position);
    cellar.unseal().unwrap();
    cellar.keyring.give_back_uses(&[(id, 2)]);
    assert_eq!(cellar.keyring.take_uses(), []);
}

#[test]
fn a_key_seals_fewer_than_two_to_the_thirty_second_envelopes() {
    let mut cellar = Cellar::new();
    let position = cellar.records.iter().position(|it| it.purpose == Purpose::Personal).unwrap();
    cellar.records[position].uses = ring::MAX_USES - 1;
    cellar.unseal().unwrap();
    let id = cellar.records[position].id;
    let mut seal = || cellar.keyring.seal(Purpose::Personal, b"", b"", &mut cellar.rng);
    let last = seal().unwrap();
    assert_eq!(seal(), Err(SealingError::Exhausted(id)));
    assert_eq!(cellar.keyring.take_uses(), [(id, 1)]);
    assert_eq!(cellar.keyring.take_uses(), []);
    cellar.keyring.open(Purpose::Personal, b"", &last).unwrap();
    cellar.generate(Purpose::Personal, 60);
    cellar.unseal().unwrap();
    cellar.keyring.seal(Purpose::Personal, b"", b"", &mut cellar.rng).unwrap();
}

#[test]
fn nothing_secret_is_in_debug() {
    let cellar = Cellar::new();
    assert_eq!(format!("{:?}", cellar.keyring), "Keyring { state: Condition(Unsealed), .. }");
    let ring = cellar.keyring.ring.load_full().unwrap();
    assert!(ring.keys().all(|key| format!("{key:?}") == format!("Key({})", key.id)));
}
