//! Tries of PINs over nodes that share their records. No token is asked here: what it would say is said by the test.

use std::sync::atomic::AtomicU32;
use std::time::Instant;

use futures_util::future::join_all;
use keywarden_store::backup::{Carried, first_not_empty};
use keywarden_store::count::number;
use keywarden_store::sql;
use keywarden_vault::seal::pkcs11::{Attempt, Attempts, Left};
use keywarden_vault::{SealError, SecretString};
use tokio::task::spawn_blocking;

use super::*;
use crate::cast::{House, both_engines};

const SERIAL: &str = "0123456789abcdef";

/// A node's, which never remembered anything for itself.
fn attempts(house: &House) -> Attempts {
    let memory = PinMemory::new(Handle::current());
    house.domain.remembers_pins(&memory);
    Attempts::shared(memory, house.folder().join("pin-attempts"))
}

fn begin(attempts: &Attempts, pin: &str) -> Result<Attempt, SealError> {
    attempts.begin(SERIAL, "main", &SecretString::new(pin.to_owned()), Left::All)
}

fn is_withheld(begun: &Result<Attempt, SealError>) -> bool {
    matches!(begun, Err(SealError::PinWithheld { .. }))
}

/// On a thread like a library's, while the runtime goes on.
async fn apart<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(act).await.unwrap()
}

/// How many PINs are remembered.
async fn kept(house: &House) -> i64 {
    let mut conn = house.store.read().await.unwrap();
    number(sql("SELECT count(*) AS number FROM pin_attempts"), &mut conn).await.unwrap()
}

#[tokio::test]
async fn all_nodes_together_try_a_refused_pin_twice_also_after_a_restart() {
    both_engines(async |house| {
        let nodes = [attempts(&house), attempts(&house.neighbour().await)];
        apart(move || {
            for node in &nodes {
                begin(node, "wrong").unwrap().refused().unwrap();
            }
            for node in &nodes {
                assert!(is_withheld(&begin(node, "wrong")));
                begin(node, "right").unwrap().accepted().unwrap();
            }
        })
        .await;
        let again = attempts(&house.neighbour().await);
        apart(move || {
            let withheld = begin(&again, "wrong").unwrap_err();
            assert!(withheld.to_string().contains("keywarden seal forget-pins"), "{withheld}");
            let other = SecretString::new("wrong".to_owned());
            again.begin("another token", "main", &other, Left::All).unwrap().not_made().unwrap();
        })
        .await;
        assert_eq!(kept(&house).await, 1, "an accepted PIN, and one that was not looked at, are not kept");
    })
    .await;
}

#[tokio::test]
async fn a_try_without_a_clear_answer_rests_on_every_node() {
    both_engines(async |house| {
        let nodes = [attempts(&house), attempts(&house.neighbour().await)];
        apart(move || {
            drop(begin(&nodes[0], "right").unwrap());
            for node in &nodes {
                let resting = begin(node, "right").unwrap_err();
                assert_eq!(resting, SealError::PinRests { token: "main".into(), seconds: 5 });
                let other = SecretString::new("right".to_owned());
                let seen = node.begin(SERIAL, "main", &other, Left::Fewer);
                assert!(is_withheld(&seen), "the token has seen a wrong one since: {seen:?}");
            }
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn nodes_that_start_in_the_same_second_make_two_tries_in_all() {
    both_engines(async |house| {
        let mut nodes = vec![attempts(&house)];
        for _ in 0..3 {
            nodes.push(attempts(&house.neighbour().await));
        }
        let (tried, began) = (Arc::new(AtomicU32::new(0)), Instant::now());
        let racing = nodes.into_iter().map(|node| {
            let tried = Arc::clone(&tried);
            spawn_blocking(move || {
                while began.elapsed() < Duration::from_mins(1) {
                    match begin(&node, "wrong") {
                        Ok(attempt) => {
                            tried.fetch_add(1, Ordering::Relaxed);
                            attempt.refused().unwrap();
                        }
                        Err(SealError::PinWithheld { .. }) => return,
                        // Another's is under way, or the database is slow.
                        Err(SealError::PinRests { .. } | SealError::Attempts { .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
                panic!("it was never said that the PIN is not tried again");
            })
        });
        for ended in join_all(racing).await {
            ended.unwrap();
        }
        assert_eq!(tried.load(Ordering::Relaxed), 2);
    })
    .await;
}

#[tokio::test]
async fn while_a_try_cannot_be_written_down_none_is_made_and_none_is_counted() {
    both_engines(async |house| {
        let path = house.folder().join("pin-attempts");
        let closed = Attempts::shared(PinMemory::new(Handle::current()), path);
        let untried = apart(move || begin(&closed, "right").unwrap_err()).await;
        assert!(matches!(untried, SealError::Attempts { .. }), "{untried}");
        assert!(untried.to_string().contains("the database, so that none is tried"), "{untried}");
        if house.store.engine() == Engine::Sqlite {
            return; // whose one writer waits for no lock of another node's
        }
        let held = house.store.alone(&pins::held_as(SERIAL)).await.unwrap().unwrap();
        let node = attempts(&house);
        let (node, untried) = apart(move || {
            let untried = begin(&node, "right").unwrap_err();
            (node, untried)
        })
        .await;
        assert!(matches!(untried, SealError::Attempts { .. }), "{untried}");
        held.end().await;
        // It neither rests nor was refused.
        apart(move || begin(&node, "right").unwrap().accepted().unwrap()).await;
    })
    .await;
}

#[tokio::test]
async fn the_shell_of_a_sealed_node_has_pins_forgotten_and_the_record_says_so() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        let mallory = house.person("Mallory", &[]).await;
        let node = attempts(&house);
        let node = apart(move || {
            for _ in 0..2 {
                begin(&node, "wrong").unwrap().refused().unwrap();
            }
            node
        })
        .await;
        house.keyring.zeroize();
        let refused = house.domain.forget_pins(&mallory.op()).await;
        assert!(matches!(refused, Err(ForgetPinsError::Refused(_))), "{refused:?}");
        let forgotten = house.domain.forget_pins(&house.domain.shell_op()).await;
        if house.store.engine() == Engine::Sqlite {
            assert!(matches!(forgotten, Err(ForgetPinsError::InFiles)), "{forgotten:?}");
            return;
        }
        assert_eq!(forgotten.unwrap(), 1);
        let told = "SELECT count(*) AS number FROM events WHERE action = 'seal.forget-pins'";
        let mut conn = house.store.read().await.unwrap();
        assert_eq!(number(sql(told), &mut conn).await.unwrap(), 1);
        drop(conn);
        apart(move || begin(&node, "wrong").unwrap().refused().unwrap()).await;
        house.domain.unseal(&seals).await.unwrap();
        let query = crate::audit::Query { limit: 20, ..crate::audit::Query::default() };
        let events = house.domain.events(&house.domain.shell_op(), &query).await.unwrap().events;
        assert!(events.iter().any(|event| event.action == "seal.forget-pins"), "it can be read");
    })
    .await;
}

#[tokio::test]
async fn a_copy_carries_what_was_refused_and_a_backup_does_not() {
    both_engines(async |house| {
        let node = attempts(&house);
        apart(move || begin(&node, "wrong").unwrap().refused().unwrap()).await;
        let mut conn = house.store.read().await.unwrap();
        assert_eq!(first_not_empty(&mut conn).await.unwrap(), None, "nothing is in a restore's way");
        assert!(Carried::named("pin_attempts").is_none());
        drop(conn);
        let other = House::new(house.store.engine()).await;
        let copied = house.domain.copy_to(&other.store).await.unwrap();
        assert!(copied.contains(&("pin_attempts", 1)), "{copied:?}");
        let there = attempts(&other);
        apart(move || {
            begin(&there, "wrong").unwrap().refused().unwrap();
            assert!(is_withheld(&begin(&there, "wrong")));
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn what_is_copied_to_a_house_of_one_node_is_known_there_before_a_pin_is_tried() {
    both_engines(async |house| {
        let node = attempts(&house);
        apart(move || {
            begin(&node, "wrong").unwrap().refused().unwrap();
            for _ in 0..2 {
                begin(&node, "worse").unwrap().refused().unwrap();
            }
        })
        .await;
        let alone = House::new(Engine::Sqlite).await;
        house.domain.copy_to(&alone.store).await.unwrap();
        let memory = PinMemory::new(Handle::current());
        let file = alone.folder().join("pin-attempts");
        let there =
            Attempts::at_after(&file, &mut alone.domain.env().fork(), Arc::<PinMemory>::clone(&memory));
        let there = apart(move || {
            let closed = begin(&there, "wrong").unwrap_err();
            assert!(matches!(closed, SealError::Attempts { .. }), "{closed}");
            there
        })
        .await;
        alone.domain.remembers_pins(&memory);
        apart(move || {
            let withheld = begin(&there, "worse").unwrap_err();
            assert!(withheld.to_string().contains("pin-attempts"), "the file's remedy: {withheld}");
            begin(&there, "wrong").unwrap().refused().unwrap();
            assert!(is_withheld(&begin(&there, "wrong")));
            begin(&there, "right").unwrap().accepted().unwrap();
        })
        .await;
        assert_eq!(kept(&alone).await, 0, "it is in the file now, in which it can be forgotten");
        std::fs::remove_file(&file).unwrap();
        let again = Attempts::at_after(&file, &mut alone.domain.env().fork(), memory);
        apart(move || begin(&again, "wrong").unwrap().refused().unwrap()).await;
    })
    .await;
}
