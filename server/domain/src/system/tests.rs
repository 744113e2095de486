//! The keyring over a real store, with key files for seals.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keywarden_model::Role;
use keywarden_store::copy::CopyError;
use keywarden_store::{Location, Store, StoreError, WriteError, instance, sql};
use keywarden_vault::keyring::{KeyringState, URGENT_AT};
use keywarden_vault::seal::software::SoftwareSeal;
use keywarden_vault::seal::{SealDescription, SealError};
use keywarden_vault::{KeyNumber, Keyring, Purpose, Seal, SealingError, SecretBytes};
use rand::CryptoRng;

use super::*;
use crate::audit::Query;
use crate::cast::{self, both_engines};
use crate::{Domain, Env, Settings, SteadyClock};

struct House {
    folder: tempfile::TempDir,
    domain: Domain,
    seals: Vec<Arc<dyn Seal>>,
}

async fn node(folder: &Path) -> Domain {
    on(Store::open(&Location::Sqlite(folder.join("keywarden.db"))).await.unwrap())
}

fn on(store: Store) -> Domain {
    let env = Env::with_clock(Arc::new(SteadyClock::new(crate::env::SystemClock))).unwrap();
    let settings = Settings {
        origin: "https://keys.example.com".into(),
        rp_id: "keys.example.com".into(),
        verify_max_staleness: Duration::ZERO,
        session: (Duration::from_hours(1), Duration::from_hours(24)),
        admin_session: (Duration::from_mins(15), Duration::from_hours(12)),
        max_value: crate::secrets::MAX_VALUE,
        software_protected: true,
        libraries_as_root: false,
        backups: None,
        drills: None,
        seals: Vec::new(),
        old_seal_keys: None,
        fetch: Arc::new(crate::exchange::shelf::Shelf::default()),
        prover: Arc::new(crate::policy::proof::NoProver),
        carry: Arc::new(crate::messages::NoCarrier),
    };
    let ticks = env.clone();
    let keyring = Arc::new(Keyring::new(Duration::from_mins(5), move || ticks.monotonic()));
    Domain::new(store, keyring, env, settings).unwrap()
}

fn key_file(folder: &Path, name: &str) -> Arc<dyn Seal> {
    let seal = SoftwareSeal::at(folder.join(name), name);
    seal.create_key(&mut Env::system().unwrap().fork()).unwrap();
    Arc::new(seal)
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let domain = node(folder.path()).await;
        let seals = vec![key_file(folder.path(), "first.key")];
        domain.unseal(&seals).await.unwrap();
        Self { folder, domain, seals }
    }

    async fn actions(&self) -> Vec<String> {
        let query = Query { limit: 200, ..Query::default() };
        let page = self.domain.events(&self.domain.shell_op(), &query).await.unwrap();
        page.events.into_iter().map(|event| event.action).collect()
    }
}

#[tokio::test]
async fn the_first_start_makes_a_key_for_each_purpose_with_its_event_and_the_next_one_none() {
    let house = House::new().await;
    let made = house.actions().await;
    assert_eq!(made.iter().filter(|it| *it == "keyring-key.generate").count(), Purpose::ALL.len());
    assert_eq!(made.iter().filter(|it| *it == "seal.add").count(), 1);
    let (id, tag) = house.domain.keyring().mac(Purpose::ApiKeyMac, b"value").unwrap();

    let again = node(house.folder.path()).await;
    again.unseal(&house.seals).await.unwrap();
    assert!(again.keyring().verify_mac(Purpose::ApiKeyMac, id, b"value", &tag).unwrap());
    assert_eq!(house.actions().await.len(), made.len());
    assert!(again.keyring_is_current().await.unwrap());
}

#[tokio::test]
async fn two_nodes_that_start_at_once_agree_on_the_first_keys() {
    let folder = tempfile::tempdir().unwrap();
    let seals = vec![key_file(folder.path(), "first.key")];
    let (one, two) = (node(folder.path()).await, node(folder.path()).await);
    let (first, second) = tokio::join!(one.unseal(&seals), two.unseal(&seals));
    first.unwrap();
    second.unwrap();
    for purpose in Purpose::ALL {
        assert_eq!(one.keyring().newest(purpose).unwrap(), two.keyring().newest(purpose).unwrap());
    }
    assert_eq!(one.system(&one.shell_op()).await.unwrap().keys.len(), Purpose::ALL.len());
}

#[tokio::test]
async fn a_stranger_to_the_keyring_neither_unseals_nor_changes_it() {
    let house = House::new().await;
    let before = house.actions().await.len();
    let stranger = vec![key_file(house.folder.path(), "stranger.key")];
    let node = node(house.folder.path()).await;
    assert!(matches!(node.unseal(&stranger).await, Err(UnsealFailed::Unseal(_))));
    assert!(matches!(node.keyring().state(), KeyringState::Sealed { .. }));
    assert_eq!(house.actions().await.len(), before);
    assert_eq!(house.domain.seals(&house.domain.shell_op()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_seal_that_another_node_was_started_with_stays_while_that_one_runs() {
    both_engines(async |house| {
        let (house, first) = house.with_stored_keyring().await;
        house.add_seal("second.key").await;
        let second: Arc<dyn Seal> =
            Arc::new(SoftwareSeal::at(house.folder().join("second.key"), "second.key"));
        let (own, id) = (first[0].describe().id.clone(), second.describe().id.clone());
        let other = house.neighbour_apart(&[second]).await;
        house.tells_of_itself("one").await;
        other.tells_of_itself("two").await;
        let remove = async || {
            house.domain.remove_seal(&house.domain.shell_op(), &id, std::slice::from_ref(&own)).await
        };
        let refused = remove().await.unwrap_err();
        assert!(refused.to_string().contains("the server on `two`"), "{refused}");
        house.clock.advance(Duration::from_secs(61));
        house.tells_of_itself("one").await;
        remove().await.unwrap();
        assert_eq!(house.domain.seals(&house.domain.shell_op()).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_second_seal_unseals_alone_and_the_last_one_stays() {
    let house = House::new().await;
    let (domain, op) = (&house.domain, house.domain.shell_op());
    let second = key_file(house.folder.path(), "second.key");
    let (first_id, second_id) = (house.seals[0].describe().id.clone(), second.describe().id.clone());
    assert!(matches!(domain.remove_seal(&op, &first_id, &[]).await, Err(RemoveSealError::Loss(_))));
    domain.add_seal(&op, Arc::clone(&second)).await.unwrap();
    assert!(matches!(
        domain.remove_seal(&op, &first_id, std::slice::from_ref(&first_id)).await,
        Err(RemoveSealError::InUse(_))
    ));
    domain.remove_seal(&op, &first_id, std::slice::from_ref(&second_id)).await.unwrap();
    assert!(matches!(domain.remove_seal(&op, &second_id, &[]).await, Err(RemoveSealError::Loss(_))));

    let again = node(house.folder.path()).await;
    assert!(again.unseal(&house.seals).await.is_err());
    again.unseal(&[second]).await.unwrap();
    let told = house.actions().await;
    assert!(told.contains(&"seal.remove".into()));
}

#[tokio::test]
async fn a_seal_that_only_has_the_name_of_another_one_is_refused_and_replaces_nothing() {
    let house = House::new().await;
    let (domain, id) = (&house.domain, house.seals[0].describe().id.clone());
    let elsewhere = tempfile::tempdir().unwrap();
    let twin = key_file(elsewhere.path(), "first.key");
    assert_eq!(twin.describe().id, id);
    let before = house.actions().await.len();
    let refused = domain.add_seal(&domain.shell_op(), twin).await;
    assert!(matches!(&refused, Err(AddSealError::NameTaken(taken)) if *taken == id), "{refused:?}");
    assert_eq!(house.actions().await.len(), before);
    let again = node(house.folder.path()).await;
    again.unseal(&house.seals).await.unwrap();

    // A seal that does not answer is neither taken for itself nor for another one.
    let (file, away) = (house.folder.path().join("first.key"), house.folder.path().join("away"));
    std::fs::rename(&file, &away).unwrap();
    let silent = domain.add_seal(&domain.shell_op(), Arc::clone(&house.seals[0])).await;
    assert!(matches!(silent, Err(AddSealError::Wrap(_))), "{silent:?}");
    std::fs::rename(&away, &file).unwrap();
    domain.add_seal(&domain.shell_op(), Arc::clone(&house.seals[0])).await.unwrap();
}

#[tokio::test]
async fn a_new_key_serves_new_values_and_the_old_one_still_verifies() {
    let house = House::new().await;
    let (domain, op) = (&house.domain, house.domain.shell_op());
    let other = node(house.folder.path()).await;
    other.unseal(&house.seals).await.unwrap();
    let (old, tag) = domain.keyring().mac(Purpose::ApiKeyMac, b"value").unwrap();
    let rotated = domain.rotate_keyring_key(&op, Purpose::ApiKeyMac, &house.seals).await.unwrap();
    assert_eq!(domain.keyring().newest(Purpose::ApiKeyMac).unwrap(), rotated.key);
    assert!(domain.keyring().verify_mac(Purpose::ApiKeyMac, old, b"value", &tag).unwrap());

    assert!(!other.keyring_is_current().await.unwrap());
    other.unseal(&house.seals).await.unwrap();
    assert!(other.keyring_is_current().await.unwrap());

    // A seal that was not there lacks the new key until it is added again.
    let second = key_file(house.folder.path(), "second.key");
    domain.add_seal(&op, Arc::clone(&second)).await.unwrap();
    domain.rotate_keyring_key(&domain.shell_op(), Purpose::Session, &house.seals).await.unwrap();
    let lacks = |seals: Vec<SealStatus>| seals.into_iter().map(|seal| seal.lacks).collect::<Vec<_>>();
    assert_eq!(lacks(domain.seals(&op).await.unwrap()), [0, 1]);
    domain.add_seal(&domain.shell_op(), second).await.unwrap();
    assert_eq!(lacks(domain.seals(&op).await.unwrap()), [0, 0]);
}

/// A seal that wraps a key and proves the wrap, and then goes away.
#[derive(Debug)]
struct Leaving(Arc<dyn Seal>, AtomicBool);

impl Seal for Leaving {
    fn describe(&self) -> &SealDescription {
        self.0.describe()
    }

    fn wrap(&self, context: &[u8], key: &SecretBytes, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError> {
        self.0.wrap(context, key, rng)
    }

    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<SecretBytes, SealError> {
        self.probe()?;
        self.1.store(true, Ordering::Release);
        self.0.unwrap(context, wrapped)
    }

    fn probe(&self) -> Result<(), SealError> {
        if self.1.load(Ordering::Acquire) {
            return Err(SealError::NoAnswer { path: "token.so".into(), limit: Duration::from_secs(5) });
        }
        Ok(())
    }

    fn keys(&self) -> Result<Vec<KeyNumber>, SealError> {
        self.0.keys()
    }

    fn add_key(&self, rng: &mut dyn CryptoRng) -> Result<KeyNumber, SealError> {
        self.0.add_key(rng)
    }

    fn destroy_key(&self, number: KeyNumber) -> Result<(), SealError> {
        self.0.destroy_key(number)
    }
}

#[tokio::test]
async fn a_rotation_that_is_written_is_done_though_its_node_cannot_take_the_key_in_yet() {
    let house = House::new().await;
    let domain = &house.domain;
    let old = domain.keyring().newest(Purpose::Session).unwrap();
    let leaving: Vec<Arc<dyn Seal>> =
        vec![Arc::new(Leaving(Arc::clone(&house.seals[0]), AtomicBool::new(false)))];
    let rotated = domain.rotate_keyring_key(&domain.shell_op(), Purpose::Session, &leaving).await.unwrap();
    assert_eq!(domain.keyring().newest(Purpose::Session).unwrap(), old);
    assert!(!domain.keyring_is_current().await.unwrap());
    // Its keeper does this, once the seal answers again.
    domain.unseal(&house.seals).await.unwrap();
    assert_eq!(domain.keyring().newest(Purpose::Session).unwrap(), rotated.key);
    assert!(domain.keyring_is_current().await.unwrap());
}

#[tokio::test]
async fn uses_of_keys_add_up_over_nodes() {
    let house = House::new().await;
    let uses = async || {
        let system = house.domain.system(&house.domain.shell_op()).await.unwrap();
        system.keys.iter().find(|key| key.purpose == Purpose::Session).unwrap().uses
    };
    let before = uses().await;
    let mut rng = house.domain.env().fork();
    for _ in 0..3 {
        house.domain.keyring().seal(Purpose::Session, b"row", b"secret", &mut rng).unwrap();
    }
    house.domain.note_key_uses().await.unwrap();
    house.domain.note_key_uses().await.unwrap();
    assert_eq!(uses().await, before + 3);

    // What other nodes did counts here, before this one has used the key once more.
    let used_up = house.domain.store().write_silently("a test uses a key up", |tx| {
        let all =
            sql("UPDATE keyring_keys SET uses = $1 WHERE purpose = 'session'").bind(i64::from(u32::MAX));
        Box::pin(async move { all.execute(tx).await })
    });
    used_up.await.map_err(|error: WriteError<StoreError>| error.to_string()).unwrap();
    assert!(house.domain.keyring_is_current().await.unwrap());
    let more = house.domain.keyring().seal(Purpose::Session, b"row", b"secret", &mut rng);
    assert!(matches!(more, Err(SealingError::Exhausted(_))), "{more:?}");
}

/// Writes down how many envelopes the key that serves sessions has sealed.
async fn has_sealed(house: &cast::House, uses: u64) {
    let all = sql("UPDATE keyring_keys SET uses = $1 WHERE purpose = 'session' AND retired_at IS NULL");
    house.put(vec![all.bind(i64::try_from(uses).unwrap())]).await;
}

async fn renews(house: &cast::House) -> Result<u64, crate::Fault> {
    // A key is newer than another one by its instant.
    house.clock.advance(Duration::from_millis(5));
    house.domain.renew_keyring_keys(&house.domain.system_op("renew-keyring-keys")).await
}

#[tokio::test]
async fn a_key_that_has_sealed_half_of_what_it_may_is_renewed_once_and_on_record() {
    both_engines(async |house| {
        let (house, _) = house.with_stored_keyring().await;
        let domain = &house.domain;
        let old = domain.keyring().newest(Purpose::Session).unwrap();
        has_sealed(&house, RENEW_AT - 1).await;
        assert_eq!(renews(&house).await.unwrap(), 0);
        has_sealed(&house, RENEW_AT).await;
        assert_eq!(renews(&house).await.unwrap(), 1);
        let new = domain.keyring().newest(Purpose::Session).unwrap();
        assert_ne!(new, old);
        assert_eq!(renews(&house).await.unwrap(), 0, "the new one has sealed nothing yet");
        let keys = domain.system(&domain.shell_op()).await.unwrap().keys;
        let retired: Vec<_> = keys.iter().filter(|key| key.retired_at.is_some()).map(|key| key.id).collect();
        assert_eq!(retired, [old]);

        let query = Query { resource: Some(new.to_string()), limit: 10, ..Query::default() };
        let events = domain.events(&house.operator(Role::Owner), &query).await.unwrap().events;
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(event.action, "keyring-key.rotate");
        let (actor, facts) = (&event.canonical["actor"], &event.canonical["facts"]);
        assert_eq!((&actor["kind"], &actor["id"]), (&"system".into(), &"renew-keyring-keys".into()));
        assert_eq!((&facts["purpose"], &facts["uses"]), (&"session".into(), &RENEW_AT.into()));
    })
    .await;
}

#[tokio::test]
async fn the_clock_waits_for_people_where_a_seal_would_lack_the_new_key() {
    both_engines(async |house| {
        let (house, _) = house.with_stored_keyring().await;
        let domain = &house.domain;
        let safe = key_file(house.folder(), "safe.key");
        domain.add_seal(&domain.shell_op(), safe).await.unwrap();
        let lacks = async || -> usize {
            domain.seals(&domain.shell_op()).await.unwrap().iter().map(|seal| seal.lacks).sum()
        };
        let first = domain.keyring().newest(Purpose::Session).unwrap();
        has_sealed(&house, RENEW_AT).await;
        let waits = renews(&house).await.unwrap_err().to_string();
        assert!(waits.contains("safe.key") && waits.contains("keywarden seal add"), "{waits}");
        assert_eq!((lacks().await, domain.keyring().newest(Purpose::Session).unwrap()), (0, first));
        // Better a key that one seal lacks than none.
        has_sealed(&house, URGENT_AT).await;
        assert_eq!(renews(&house).await.unwrap(), 1);
        assert_eq!(lacks().await, 1);

        // A node that could not open it at all.
        let second = domain.keyring().newest(Purpose::Session).unwrap();
        has_sealed(&house, URGENT_AT).await;
        let other =
            sql("INSERT INTO nodes (id, name, version, condition, started_at, seen_at, holds, unseals_by)
                         VALUES ('b', 'elsewhere', '1', 'ready', 1, $1, '', 'software:other.key')");
        house.put(vec![other.bind(house.now())]).await;
        let refused = renews(&house).await.unwrap_err().to_string();
        assert!(refused.contains("`elsewhere`"), "{refused}");
        assert_eq!(domain.keyring().newest(Purpose::Session).unwrap(), second);
    })
    .await;
}

#[tokio::test]
async fn a_clock_far_behind_what_was_written_is_refused() {
    let house = House::new().await;
    house.domain.note_clock().await.unwrap();
    let written = house.domain.clock_high_water().await.unwrap();
    let check = async |seconds| house.domain.check_clock(written + chrono::TimeDelta::seconds(seconds)).await;
    assert_eq!(check(-200).await.unwrap(), written);
    assert!(matches!(check(-3_600).await, Err(ClockError::Behind { .. })));
    let unset = chrono::DateTime::UNIX_EPOCH;
    assert!(matches!(house.domain.check_clock(unset).await, Err(ClockError::Unset(_))));
}

#[tokio::test]
async fn a_clock_that_ran_ahead_raises_no_mark_and_an_operator_takes_one_back() {
    both_engines(async |house| {
        let (domain, now) = (&house.domain, house.now());
        let ahead = now - chrono::TimeDelta::seconds(31);
        domain.note_clock_beside(ahead).await.unwrap();
        assert_eq!(domain.clock_high_water().await.unwrap(), chrono::DateTime::UNIX_EPOCH);
        domain.note_clock_beside(now).await.unwrap();
        assert_eq!(domain.clock_high_water().await.unwrap(), now);

        // One that was noted all the same, by a program that did not look or on a machine alone.
        let tomorrow = now + chrono::TimeDelta::days(1);
        let mark = sql("UPDATE instance SET clock_high_water = $1 WHERE id = 1").bind(tomorrow);
        house.put(vec![mark]).await;
        let refused = domain.check_clock(now).await;
        let Err(cause @ ClockError::Behind { .. }) = refused else { panic!("{refused:?}") };
        assert!(cause.to_string().contains("--accept-clock"), "{cause}");
        let start = domain.system_op("start");
        for wrong in [now, tomorrow + chrono::TimeDelta::seconds(1)] {
            let other = domain.accept_clock(&start, wrong).await;
            assert!(matches!(other, Err(ClockError::Behind { written, .. }) if written == tomorrow));
        }
        assert!(domain.check_clock(now).await.is_err(), "nothing was accepted");
        domain.accept_clock(&start, tomorrow).await.unwrap();
        assert_eq!(domain.check_clock(now).await.unwrap(), now);
        // It is said of one instant: a clock that is set back after that is refused as before.
        let back = now - chrono::TimeDelta::days(1);
        assert!(matches!(domain.check_clock(back).await, Err(ClockError::Behind { .. })));
        assert!(domain.accept_clock(&start, tomorrow).await.is_err());
        let query = Query { action: Some("system.accept-clock".into()), limit: 10, ..Query::default() };
        let events = domain.events(&house.operator(Role::Owner), &query).await.unwrap().events;
        assert_eq!(events.len(), 1);
        // And the database's own clock is one: not the epoch, and never behind the one before.
        let mut conn = house.store.read().await.unwrap();
        let first = instance::database_clock(&mut conn).await.unwrap();
        let second = instance::database_clock(&mut conn).await.unwrap();
        assert!(first > 1_750_000_000_000_000 && second >= first, "{first} {second}");
    })
    .await;
}

#[tokio::test]
async fn nodes_tell_of_themselves_until_they_stop() {
    let house = House::new().await;
    let me = Node { id: "a".into(), name: "one".into(), version: "1", started_at: house.domain.env().now() };
    let nodes = async || house.domain.system(&house.domain.shell_op()).await.unwrap().nodes;
    house.domain.note_node(&me, "ready").await.unwrap();
    house.domain.note_node(&me, "degraded").await.unwrap();
    assert_eq!(nodes().await.iter().map(|node| node.condition.as_str()).collect::<Vec<_>>(), ["degraded"]);
    house.domain.forget_node(&me).await.unwrap();
    assert_eq!(nodes().await, []);
}

#[tokio::test]
async fn nothing_is_carried_away_from_a_running_server_or_half() {
    cast::both_engines(async |there| {
        let (there, seals) = there.with_stored_keyring().await;
        let other = cast::House::new(there.store.engine()).await;
        let node = Node { id: "b".into(), name: "elsewhere".into(), version: "1", started_at: there.now() };
        there.domain.note_node(&node, "ready").await.unwrap();
        let running = there.domain.copy_to(&other.store).await;
        assert!(matches!(&running, Err(CopyFailed::Running(who)) if who == "elsewhere"), "{running:?}");
        there.domain.forget_node(&node).await.unwrap();

        // It breaks off at the last table: what was carried before it is not there either.
        let broken = ["DROP TABLE restores", "CREATE TABLE restores (id TEXT PRIMARY KEY)"];
        there.put_by(&broken).await;
        there.put_by(&["INSERT INTO restores (id) VALUES ('x')", "UPDATE instance SET set_up_at = 7"]).await;
        let before = other.rows().await;
        let broken = there.domain.copy_to(&other.store).await;
        assert!(matches!(&broken, Err(CopyFailed::Copy(CopyError::Store(_)))), "{broken:?}");
        assert_eq!(other.rows().await, before);
        let mut conn = other.store.read().await.unwrap();
        assert_eq!(instance::find(&mut conn).await.unwrap().set_up_at, None);
        drop(conn);

        there.put_by(&["DELETE FROM restores"]).await;
        there.domain.copy_to(&other.store).await.unwrap();
        let moved = on(other.store.clone());
        moved.unseal(&seals).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn everything_is_carried_to_the_other_engine_and_back() {
    use keywarden_store::Engine;

    let there = House::new().await;
    let new = crate::projects::NewProject { slug: "pay".parse().unwrap(), name: "Payments".parse().unwrap() };
    let pay = there.domain.create_project(&there.domain.shell_op(), new).await.unwrap();
    let live = crate::environments::NewEnvironment {
        slug: "live".parse().unwrap(),
        name: "Live".parse().unwrap(),
        label: "live".parse().unwrap(),
        terms: crate::environments::Terms::default(),
    };
    there.domain.create_environment(&there.domain.shell_op(), pay, live).await.unwrap();
    // One that was killed long ago: it is carried nowhere.
    let killed = sql("INSERT INTO nodes (id, name, version, condition, started_at, seen_at, holds)
                      VALUES ('a', 'one', '1', 'ready', 1, 1, '')");
    let written = there.domain.store().write_silently("a node of long ago", move |tx| {
        let killed = killed.clone();
        Box::pin(async move { killed.execute(tx).await.map(drop) })
    });
    written.await.map_err(|error: WriteError<StoreError>| error.to_string()).unwrap();
    assert!(there.domain.fsck(&there.seals).await.unwrap().is_clean());

    cast::both_engines(async |other| {
        let copied = there.domain.copy_to(&other.store).await.unwrap();
        assert!(copied.iter().any(|(table, rows)| *table == "events" && *rows > 8), "{copied:?}");
        let again = there.domain.copy_to(&other.store).await.unwrap_err().to_string();
        assert!(again.contains("not empty"), "{again}");
        let moved = on(other.store.clone());
        moved.unseal(&there.seals).await.unwrap();
        let found = moved.fsck(&there.seals).await.unwrap();
        assert!(found.is_clean(), "{:?}", found.findings);
        assert_eq!(moved.system(&moved.shell_op()).await.unwrap().nodes, []);

        // And back, onto the other engine.
        let back = cast::House::new(Engine::Sqlite).await;
        moved.copy_to(&back.store).await.unwrap();
        let home = on(back.store.clone());
        home.unseal(&there.seals).await.unwrap();
        let found = home.fsck(&there.seals).await.unwrap();
        assert!(found.is_clean(), "{:?}", found.findings);
        let query = Query { limit: 200, ..Query::default() };
        let events = home.events(&home.shell_op(), &query).await.unwrap().events;
        assert_eq!(events.iter().filter(|it| it.action == "system.copy").count(), 2);
        let page = there.domain.events(&there.domain.shell_op(), &query).await.unwrap().events;
        for event in page {
            let same = events.iter().find(|it| it.id == event.id).unwrap();
            assert_eq!((&same.canonical, &same.personal), (&event.canonical, &event.personal));
        }
    })
    .await;
}
