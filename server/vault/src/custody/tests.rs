use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use chrono::TimeZone as _;
use keywarden_model::TypedId;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::keyring::{Keyring, Purpose};
use crate::project_key::{BodyError, KeyBody, ProjectKey, ValuePlace};
use crate::seal::memory::MemorySeal;
use crate::seal::software::SoftwareSeal;
use crate::seal::{Protection, SealKind};

const GRACE: Duration = Duration::from_mins(5);

/// A keyring with two seals of projects, key files, and a clock that stands still.
struct Cellar {
    folder: tempfile::TempDir,
    rng: ChaCha20Rng,
    tick: Arc<Mutex<Instant>>,
    keyring: Keyring,
}

impl Cellar {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let tick = Arc::new(Mutex::new(Instant::now()));
        let mut own: Vec<Arc<dyn Seal>> = Vec::new();
        for name in ["acme", "zeta"] {
            let seal = SoftwareSeal::at(folder.path().join(name), name);
            seal.create_key(&mut rng).unwrap();
            own.push(Arc::new(seal));
        }
        let clock = Arc::clone(&tick);
        let custody = Custody::new(own, GRACE, move || *clock.lock().unwrap());
        let clock = Arc::clone(&tick);
        let keyring = Keyring::new(GRACE, move || *clock.lock().unwrap()).with_custody(custody);
        let house: Vec<Arc<dyn Seal>> = vec![Arc::new(MemorySeal::generate("house", &mut rng))];
        let (mut records, mut wraps) = (Vec::new(), Vec::new());
        for purpose in Purpose::ALL {
            let (record, wrapped) = Keyring::generate(purpose, at(0), &mut rng, &house).unwrap();
            records.push(record);
            wraps.extend(wrapped);
        }
        keyring.unseal(&records, &wraps, &house).unwrap();
        Self { folder, rng, tick, keyring }
    }

    fn custodian(&self, name: &str) -> &Custodian {
        self.keyring.custody().of(&format!("software:{name}").parse().unwrap()).unwrap()
    }

    /// A project key under one of the seals, as it is stored.
    fn stored(&mut self, name: &str) -> Vec<u8> {
        let mut rng = self.rng.clone();
        let body = KeyBody::draw(self.custodian(name), id(1), id(1), &mut rng).unwrap();
        self.rng = rng;
        body.seal(&self.keyring, id(1), id(1), &mut self.rng).unwrap()
    }

    fn open(&self, sealed: &[u8]) -> Result<ProjectKey, OpenError> {
        ProjectKey::open(&self.keyring, id(1), id(1), sealed)
    }

    /// As a use-case does it: what is not at hand is fetched once.
    fn fetched(&self, name: &str, sealed: &[u8]) -> Result<ProjectKey, OpenError> {
        let seen = self.custodian(name).fetches();
        self.open(sealed).or_else(|_| {
            self.custodian(name).fetch(seen, at(0));
            self.open(sealed)
        })
    }

    fn pass(&self, time: Duration) {
        *self.tick.lock().unwrap() += time;
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn take_away(&self, name: &str) {
        std::fs::rename(self.file(name), self.file("hidden")).unwrap();
    }

    fn bring_back(&self, name: &str) {
        std::fs::rename(self.file("hidden"), self.file(name)).unwrap();
    }
}

fn id<I: TypedId>(n: u128) -> I {
    I::from_parts(DateTime::<Utc>::UNIX_EPOCH, n)
}

fn at(second: i64) -> DateTime<Utc> {
    Utc.timestamp_opt(second, 0).unwrap()
}

fn is_away(opened: &Result<ProjectKey, OpenError>, named: &str) -> bool {
    matches!(opened, Err(OpenError::SealAway { seal, .. }) if seal == named)
}

#[test]
fn a_key_under_a_seal_of_its_own_opens_once_it_is_fetched_and_is_then_held() {
    let mut cellar = Cellar::new();
    let sealed = cellar.stored("acme");
    assert!(is_away(&cellar.open(&sealed), "software:acme"), "nothing is asked while something waits");
    let place = ValuePlace { secret: id(1), version: id(1) };
    let key = cellar.fetched("acme", &sealed).unwrap();
    let value = key.seal_value(place, &SecretBytes::copy_of(b"hunter2"), &mut cellar.rng).unwrap();
    let again = cellar.open(&sealed).unwrap();
    assert_eq!(again.open_value(place, &value).unwrap().expose(), b"hunter2");
    assert_eq!((cellar.custodian("acme").held(), cellar.custodian("zeta").held()), (1, 0));
    assert_eq!(
        KeyBody::seal_of(&cellar.keyring, id(1), id(1), &sealed).unwrap().as_deref(),
        Some("software:acme")
    );
    // It is nobody's but this project's and this key's.
    for (key, project) in [(2, 1), (1, 2)] {
        let elsewhere = ProjectKey::open(&cellar.keyring, id(key), id(project), &sealed);
        assert_eq!(elsewhere.unwrap_err(), OpenError::AuthenticationFailed);
    }
}

#[test]
fn a_wrap_that_was_moved_into_another_projects_envelope_is_refused_by_the_seal() {
    let mut cellar = Cellar::new();
    let sealed = cellar.stored("acme");
    // Somebody with the keyring puts the wrap of project 1 into an envelope of project 2.
    let context = |n: u128| {
        let (key, project): (ProjectKeyId, ProjectId) = (id(1), id(n));
        format!("project_keys.sealed/{key}/{project}").into_bytes()
    };
    let body = cellar.keyring.open(Purpose::ProjectKey, &context(1), &sealed).unwrap();
    let moved =
        cellar.keyring.seal(Purpose::ProjectKey, &context(2), body.expose(), &mut cellar.rng).unwrap();
    let open = || ProjectKey::open(&cellar.keyring, id(1), id(2), &moved);
    assert!(is_away(&open(), "software:acme"));
    assert!(cellar.custodian("acme").fetch(0, at(0)));
    assert_eq!(open().unwrap_err(), OpenError::AuthenticationFailed);
    assert!(!cellar.custodian("acme").fetch(1, at(0)), "it is not asked for again");
}

#[test]
fn a_seal_that_is_away_leaves_its_keys_for_the_grace_and_then_nobody_has_them() {
    let mut cellar = Cellar::new();
    let sealed = cellar.stored("acme");
    let other = cellar.stored("zeta");
    cellar.fetched("acme", &sealed).unwrap();
    cellar.fetched("zeta", &other).unwrap();
    cellar.take_away("acme");
    let away = cellar.custodian("acme").observe(at(7));
    assert!(matches!(away, Standing::Away { since, .. } if since == at(7)), "{away:?}");
    cellar.pass(GRACE / 2);
    cellar.custodian("acme").observe(at(8));
    assert!(cellar.open(&sealed).is_ok(), "grace lasts");
    cellar.pass(GRACE / 2);
    assert!(is_away(&cellar.fetched("acme", &sealed), "software:acme"));
    assert_eq!(cellar.custodian("acme").held(), 0);
    assert!(cellar.open(&other).is_ok(), "other seals are as they were");
    cellar.bring_back("acme");
    assert!(
        is_away(&cellar.fetched("acme", &sealed), "software:acme"),
        "it is asked once a second, not by each use"
    );
    assert_eq!(cellar.custodian("acme").observe(at(9)), Standing::Present);
    assert!(cellar.fetched("acme", &sealed).is_ok());
}

#[test]
fn a_seal_whose_key_was_destroyed_is_wiped_at_once_and_comes_back_with_its_key() {
    let mut cellar = Cellar::new();
    let sealed = cellar.stored("acme");
    cellar.fetched("acme", &sealed).unwrap();
    let before = std::fs::read(cellar.file("acme")).unwrap();
    let seal = SoftwareSeal::at(cellar.file("acme"), "acme");
    seal.add_key(&mut cellar.rng).unwrap();
    seal.destroy_key(1).unwrap();
    // What is held goes on while the seal answers; a wiped process finds the key gone.
    cellar.keyring.custody().zeroize();
    let gone = cellar.fetched("acme", &sealed).unwrap_err();
    assert!(gone.to_string().contains("has no key 1 any more"), "{gone}");
    assert!(matches!(cellar.custodian("acme").standing(), Standing::Away { .. }));
    std::fs::write(cellar.file("acme"), before).unwrap();
    assert_eq!(cellar.custodian("acme").observe(at(1)), Standing::Present);
    assert!(cellar.fetched("acme", &sealed).is_ok());
}

#[test]
fn another_key_under_the_same_name_is_told_when_it_appears_and_opens_and_wraps_nothing() {
    let mut cellar = Cellar::new();
    let sealed = cellar.stored("acme");
    let stored = |cellar: &Cellar| {
        KeyBody::witness(&cellar.keyring, id(1), id(1), &sealed).unwrap().into_iter().collect::<Vec<_>>()
    };
    cellar.fetched("acme", &sealed).unwrap();
    assert_eq!(cellar.custodian("acme").observe(at(6)), Standing::Present);
    let before = std::fs::read(cellar.file("acme")).unwrap();
    std::fs::remove_file(cellar.file("acme")).unwrap();
    SoftwareSeal::at(cellar.file("acme"), "acme").create_key(&mut cellar.rng).unwrap();
    let replaced = |standing: Standing, since| {
        let expected = Standing::Away { since: at(since), cause: SealError::KeyReplaced("acme".into()) };
        assert_eq!(standing, expected);
    };
    cellar.custodian("acme").observe(at(7));
    assert!(cellar.custodian("acme").lacks_witness());
    replaced(cellar.custodian("acme").prove(stored(&cellar), at(7)), 7);
    assert_eq!(cellar.custodian("acme").held(), 0, "no grace");
    // That it answers changes nothing, and nobody gets a key under what came in its place.
    replaced(cellar.custodian("acme").observe(at(8)), 7);
    assert!(cellar.custodian("acme").lacks_witness());
    replaced(cellar.custodian("acme").prove(stored(&cellar), at(8)), 7);
    assert!(is_away(&cellar.fetched("acme", &sealed), "software:acme"));
    let drawn = KeyBody::draw(cellar.custodian("acme"), id(2), id(1), &mut ChaCha20Rng::seed_from_u64(3));
    assert!(matches!(drawn, Err(WrapError::Seal { source: SealError::KeyReplaced(_), .. })), "{drawn:?}");
    assert_eq!(cellar.custodian("zeta").observe(at(9)), Standing::Present);

    let after = std::fs::read(cellar.file("acme")).unwrap();
    std::fs::write(cellar.file("acme"), &before).unwrap();
    assert_eq!(cellar.custodian("acme").observe(at(10)), Standing::Present);
    assert!(!cellar.custodian("acme").lacks_witness());
    cellar.fetched("acme", &sealed).unwrap();
    // Where nobody tells what is stored, it is believed to be replaced when it is asked again.
    std::fs::write(cellar.file("acme"), &after).unwrap();
    assert_eq!(cellar.custodian("acme").observe(at(11)), Standing::Present);
    replaced(cellar.custodian("acme").observe(at(12)), 12);
    assert_eq!(cellar.custodian("acme").held(), 0);
}

#[test]
fn a_process_that_opened_nothing_yet_learns_from_what_is_stored_whether_a_seal_has_its_key() {
    let mut cellar = Cellar::new();
    let sealed = cellar.stored("acme");
    let stored: Vec<_> =
        KeyBody::witness(&cellar.keyring, id(1), id(1), &sealed).unwrap().into_iter().collect();
    let fresh = |cellar: &Cellar| {
        let seal: Arc<dyn Seal> = Arc::new(SoftwareSeal::at(cellar.file("acme"), "acme"));
        Custody::new(vec![seal], GRACE, Instant::now)
    };
    let custody = fresh(&cellar);
    let [acme] = custody.all() else { panic!("one seal") };
    assert_eq!((acme.observe(at(1)), acme.lacks_witness()), (Standing::Present, true));
    assert_eq!(acme.prove(stored.clone(), at(1)), Standing::Present);
    assert!(!acme.lacks_witness());
    // A newer key of its own, and the first one destroyed: what was wrapped anew tells that it is the same seal.
    let seal = SoftwareSeal::at(cellar.file("acme"), "acme");
    seal.add_key(&mut cellar.rng).unwrap();
    cellar.fetched("acme", &sealed).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let body =
        KeyBody::rewrap(&cellar.keyring, id(1), id(1), &sealed, Some(cellar.custodian("acme")), &mut rng);
    let anew = body.unwrap().seal(&cellar.keyring, id(1), id(1), &mut rng).unwrap();
    seal.destroy_key(1).unwrap();
    assert_eq!(
        (acme.observe(at(2)), acme.lacks_witness()),
        (Standing::Present, true),
        "no secret waits for it"
    );
    let anew = KeyBody::witness(&cellar.keyring, id(1), id(1), &anew).unwrap();
    assert_eq!(acme.prove(anew.into_iter().collect(), at(2)), Standing::Present);

    std::fs::remove_file(cellar.file("acme")).unwrap();
    SoftwareSeal::at(cellar.file("acme"), "acme").create_key(&mut cellar.rng).unwrap();
    let custody = fresh(&cellar);
    let [acme] = custody.all() else { panic!("one seal") };
    assert_eq!(acme.observe(at(3)), Standing::Present, "as far as anybody knows");
    let told = acme.prove(stored, at(3));
    assert_eq!(told, Standing::Away { since: at(3), cause: SealError::KeyReplaced("acme".into()) });
    assert_eq!(acme.prove(Vec::new(), at(4)), Standing::Present, "nothing is stored under it any more");
}

/// A seal that is away, and comes back while it is asked: who asks again meanwhile is told.
struct ComesBack {
    description: SealDescription,
    custody: OnceLock<Custody>,
    asked: AtomicU64,
}

impl fmt::Debug for ComesBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ComesBack")
    }
}

impl Seal for ComesBack {
    fn describe(&self) -> &SealDescription {
        &self.description
    }
    fn wrap(&self, _: &[u8], _: &SecretBytes, _: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError> {
        unreachable!("it is only asked whether it is there")
    }
    fn unwrap(&self, _: &[u8], _: &[u8]) -> Result<SecretBytes, SealError> {
        unreachable!("it is only asked whether it is there")
    }
    fn probe(&self) -> Result<(), SealError> {
        let missing = Err(SealError::TokenMissing("acme".into()));
        match self.asked.fetch_add(1, Ordering::AcqRel) {
            0 => missing,
            1 => {
                // Somebody else asks, and gets an answer before this one is given.
                let [again] = self.custody.get().unwrap().all() else { panic!("one seal") };
                assert_eq!(again.observe(at(2)), Standing::Present);
                missing
            }
            _ => Ok(()),
        }
    }
    fn keys(&self) -> Result<Vec<KeyNumber>, SealError> {
        unreachable!("it is only asked whether it is there")
    }
    fn add_key(&self, _: &mut dyn CryptoRng) -> Result<KeyNumber, SealError> {
        unreachable!("it is only asked whether it is there")
    }
    fn destroy_key(&self, _: KeyNumber) -> Result<(), SealError> {
        unreachable!("it is only asked whether it is there")
    }
}

#[test]
fn an_answer_that_comes_late_takes_nothing_from_one_that_was_asked_for_later() {
    let seal = Arc::new(ComesBack {
        description: SealDescription::new(SealKind::Software, "acme", Protection::Software),
        custody: OnceLock::new(),
        asked: AtomicU64::new(0),
    });
    let given: Arc<dyn Seal> = Arc::<ComesBack>::clone(&seal);
    let custody = seal.custody.get_or_init(|| Custody::new(vec![given], GRACE, Instant::now));
    let [acme] = custody.all() else { panic!("one seal") };
    assert!(matches!(acme.observe(at(1)), Standing::Away { .. }));
    assert_eq!(acme.observe(at(1)), Standing::Present, "the question of before is answered now");
    assert_eq!(acme.standing(), Standing::Present);
}

#[test]
fn wiping_the_keyring_wipes_what_seals_of_projects_unwrapped() {
    let mut cellar = Cellar::new();
    let sealed = cellar.stored("acme");
    cellar.fetched("acme", &sealed).unwrap();
    assert_eq!(cellar.custodian("acme").held(), 1);
    cellar.keyring.zeroize();
    assert_eq!(cellar.custodian("acme").held(), 0);
    assert!(matches!(cellar.open(&sealed), Err(OpenError::Sealed(_))));
}

#[test]
fn a_key_moves_between_seals_and_to_none_and_stays_the_same_key() {
    let mut cellar = Cellar::new();
    let under_acme = cellar.stored("acme");
    let place = ValuePlace { secret: id(1), version: id(1) };
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let away = KeyBody::rewrap(&cellar.keyring, id(1), id(1), &under_acme, None, &mut rng);
    assert!(matches!(away, Err(BodyError::Open(OpenError::SealAway { .. }))), "{away:?}");
    let key = cellar.fetched("acme", &under_acme).unwrap();
    let value = key.seal_value(place, &SecretBytes::copy_of(b"hunter2"), &mut rng).unwrap();
    let mut stored = under_acme;
    for to in [Some("zeta"), None, Some("acme")] {
        let seal = to.map(|name| cellar.custodian(name));
        let body = KeyBody::rewrap(&cellar.keyring, id(1), id(1), &stored, seal, &mut rng).unwrap();
        stored = body.seal(&cellar.keyring, id(1), id(1), &mut rng).unwrap();
        let named = KeyBody::seal_of(&cellar.keyring, id(1), id(1), &stored).unwrap();
        assert_eq!(named, to.map(|name| format!("software:{name}")));
        let key = match to {
            Some(name) => cellar.fetched(name, &stored).unwrap(),
            None => cellar.open(&stored).unwrap(),
        };
        assert_eq!(key.open_value(place, &value).unwrap().expose(), b"hunter2", "{to:?}");
    }
    // The keyring's key goes round it without any seal.
    cellar.take_away("acme");
    cellar.keyring.custody().zeroize();
    let resealed = ProjectKey::reseal(&cellar.keyring, id(1), id(1), &stored, &mut rng).unwrap();
    cellar.bring_back("acme");
    assert!(cellar.fetched("acme", &resealed).is_ok());
}

#[test]
fn every_flipped_bit_of_a_body_is_refused_and_a_seal_that_is_not_here_is_named() {
    let mut cellar = Cellar::new();
    let sealed = cellar.stored("acme");
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 1;
        }
        let opened = cellar.open(&changed);
        assert!(!is_away(&opened, "software:acme"), "byte {at}: {opened:?}");
    }
    let keyring = std::mem::replace(&mut cellar.keyring, Keyring::new(GRACE, Instant::now));
    let without = keyring.with_custody(Custody::default());
    let opened = ProjectKey::open(&without, id(1), id(1), &sealed);
    assert!(is_away(&opened, "software:acme"), "{opened:?}");
}
