//! What the nodes on one database remember together of the PINs that tokens refused. A house on SQLite remembers for itself, and
//! takes in what was copied there from such a database.
//!
//! Whoever is about to log in to a token asks from a thread of a library's, which waits here, in time; the database is asked by
//! the runtime. Until the records are open, and whenever they do not answer, nothing can be written down, and no PIN is tried.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use keywarden_store::pins::{self, PinRow};
use keywarden_store::{Basis, Engine, Store, StoreError, Tx, WriteError, Written};
use keywarden_vault::seal::pkcs11::{Change, Place, TriedPin};
use tokio::runtime::Handle;

use crate::audit::Record;
use crate::authz::{Action, Resource};
use crate::refused::carries_refused;
use crate::{Domain, Op, Refused};

/// How long a token's login waits for the database. Twice that, and the login itself, must fit into what a seal may take.
const PATIENCE: Duration = Duration::from_secs(2);

const SECOND: i64 = 1_000_000; // microseconds

/// Why no PIN was forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetPinsError {
    /// They are remembered elsewhere.
    #[error(
        "on SQLite refused PINs are remembered in a file: delete the one that `keywarden status` or `keywarden doctor` names \
         where a PIN is held back"
    )]
    InFiles,
    /// The gate, or ours.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(ForgetPinsError);

/// Tries of PINs, in the records that all nodes share.
#[derive(Debug)]
pub struct PinMemory {
    /// Once they are open.
    store: OnceLock<Store>,
    runtime: Handle,
}

impl PinMemory {
    /// Before the records are open. `runtime` asks them, from threads that wait for no token.
    pub fn new(runtime: Handle) -> Arc<Self> {
        Arc::new(Self { store: OnceLock::new(), runtime })
    }
}

impl Domain {
    /// Has tries of PINs remembered in these records from now on; the first one that says so counts.
    pub fn remembers_pins(&self, memory: &PinMemory) {
        memory.store.get_or_init(|| self.store().clone());
    }

    /// Forgets every try of every PIN, on all nodes: somebody has seen to it that the PINs which are set now are right. What a
    /// token counted stays counted there. Says how many PINs were known. The event tells of nobody: it needs no subject's
    /// key, and the keyring may be sealed, which it is where a PIN is held back.
    pub async fn forget_pins(&self, op: &Op) -> Result<u64, ForgetPinsError> {
        let permit = self.authorize(op, Action::ManageSeals, &Resource::Organization).await?;
        if self.store().engine() == Engine::Sqlite {
            return Err(ForgetPinsError::InFiles);
        }
        let record = Record::new(self.env(), op, Some(&permit), BTreeMap::new());
        let basis = Basis::Permit { counter: permit.counter(), restricts: false };
        let forgotten = self.store().write(basis, move |tx: &mut Tx| {
            let record = record.clone();
            Box::pin(async move {
                let pins = pins::forget(tx).await?;
                let event = record.event("seal.forget-pins", "organization", "organization");
                Ok::<_, Refused>(Written::new(pins, event.fact("pins", pins).finish()?))
            })
        });
        Ok(forgotten.await.map_err(Refused::from)?)
    }
}

impl PinMemory {
    fn store(&self) -> io::Result<Store> {
        self.store.get().cloned().ok_or_else(closed)
    }

    /// What comes of asking the records, in time.
    fn answer<T, E>(&self, asking: impl Future<Output = Result<T, E>> + Send + 'static) -> io::Result<T>
    where
        T: Send + 'static,
        E: ToString + Send + 'static,
    {
        let (answer, answered) = sync_channel(1);
        self.runtime.spawn(async move {
            let said = asking.await;
            let _nobody_waits = answer.send(said).is_err();
        });
        match answered.recv_timeout(PATIENCE) {
            Ok(said) => said.map_err(|cause| io::Error::other(cause.to_string())),
            Err(RecvTimeoutError::Timeout) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {PATIENCE:?}")))
            }
            Err(RecvTimeoutError::Disconnected) => Err(closed()),
        }
    }
}

fn closed() -> io::Error {
    io::Error::other("it is not open, or does not answer")
}

impl Place for PinMemory {
    fn change(&self, token: &str, change: Change) -> io::Result<()> {
        let (store, token) = (self.store()?, token.to_owned());
        let (change, waits) = (Arc::new(Mutex::new(change)), Arc::new(AtomicBool::new(true)));
        let waited = Arc::clone(&waits);
        let kept = self.answer(async move { keep(&store, token, change, waited).await });
        // What was not committed by now need not be any more.
        waits.store(false, Ordering::Release);
        kept
    }

    fn pins(&self, token: &str) -> io::Result<Vec<TriedPin>> {
        let (store, token) = (self.store()?, token.to_owned());
        self.answer(async move {
            let rows = pins::of_token(&mut store.read().await?, &token).await?;
            rows.iter().map(tried).collect::<Result<_, StoreError>>()
        })
    }

    fn name(&self) -> String {
        "the database".to_owned()
    }

    fn remedy(&self) -> String {
        "run `keywarden seal forget-pins` on this server's shell".to_owned()
    }
}

/// Runs the change under a lock that all nodes know, and commits what it leaves, if that is still waited for.
async fn keep(
    store: &Store,
    token: String,
    change: Arc<Mutex<Change>>,
    waits: Arc<AtomicBool>,
) -> Result<(), WriteError<StoreError>> {
    let kept =
        store.write_silently("tries of PINs: tokens count them, and a refused one says so", move |tx| {
            let (token, change, waits) = (token.clone(), Arc::clone(&change), Arc::clone(&waits));
            Box::pin(async move {
                let now = pins::hold(tx, &token).await?;
                let rows = pins::of_token(tx, &token).await?;
                let before = rows.iter().map(tried).collect::<Result<Vec<_>, _>>()?;
                let mut after = before.clone();
                change.lock().unwrap_or_else(PoisonError::into_inner).run(now.div_euclid(SECOND), &mut after);
                let is_there = |pin: &TriedPin| {
                    after.iter().any(|other| (other.salt, other.mark) == (pin.salt, pin.mark))
                };
                for gone in before.iter().filter(|pin| !is_there(pin)) {
                    pins::remove(tx, &token, &row(gone)).await?;
                }
                for new in after.iter().filter(|pin| !before.contains(pin)) {
                    pins::put(tx, &token, &row(new), now).await?;
                }
                if waits.load(Ordering::Acquire) {
                    Ok(())
                } else {
                    Err(StoreError::Unavailable("nobody waits for it any more".into()))
                }
            })
        });
    kept.await
}

fn tried(row: &PinRow) -> Result<TriedPin, StoreError> {
    let damaged = || StoreError::Damaged { table: "pin_attempts", cause: "a mark's length".into() };
    // More than can be counted is as many as can.
    let count = |number: i64| u8::try_from(number).unwrap_or(u8::MAX);
    Ok(TriedPin {
        salt: row.salt.as_slice().try_into().map_err(|_| damaged())?,
        mark: row.mark.as_slice().try_into().map_err(|_| damaged())?,
        refused: count(row.refused),
        unclear: count(row.unclear),
        at: row.tried_at.div_euclid(SECOND),
    })
}

fn row(pin: &TriedPin) -> PinRow {
    PinRow {
        salt: pin.salt.to_vec(),
        mark: pin.mark.to_vec(),
        refused: pin.refused.into(),
        unclear: pin.unclear.into(),
        tried_at: pin.at.saturating_mul(SECOND),
    }
}

#[cfg(test)]
mod tests;
