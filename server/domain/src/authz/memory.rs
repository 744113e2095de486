//! What is in force, kept in memory by the one staleness rule and swapped as a whole.

use std::sync::Arc;

use arc_swap::ArcSwap;
use cedar_policy::Validator;
use keywarden_store::{Conn, Counter, Store, policies as rows};
use tokio::sync::Mutex;

use super::{Checked, InForce, PolicyScope, Rules, TextError, check};
use crate::Fault;

/// The set, and what looks whether texts fit the schema.
pub(super) struct Memory {
    validator: Validator,
    held: ArcSwap<Held>,
    /// One reads at a time; the others then find what it read.
    reading: Mutex<()>,
}

struct Held {
    /// Where the change counter stood before it was read; nothing was read yet at `i64::MIN`.
    counter: i64,
    set: Arc<InForce>,
}

impl Memory {
    pub(super) fn new() -> Result<Self, Fault> {
        let held = Held { counter: i64::MIN, set: Arc::new(InForce::default()) };
        let validator = Validator::new(Rules::schema()?);
        Ok(Self { validator, held: ArcSwap::from_pointee(held), reading: Mutex::default() })
    }

    /// Reads a text as one that may decide there.
    pub(super) fn check(&self, scope: PolicyScope, text: &str) -> Result<Checked, Vec<TextError>> {
        check(&self.validator, scope, text)
    }

    /// As of `counter`.
    pub(super) async fn at(&self, store: &Store, counter: Counter) -> Result<Arc<InForce>, Fault> {
        if let Some(set) = self.known(counter) {
            return Ok(set);
        }
        let _turn = self.reading.lock().await;
        if let Some(set) = self.known(counter) {
            return Ok(set);
        }
        let set = self.now(&mut store.read().await?).await?;
        self.held.store(Arc::new(Held { counter: counter.value, set: Arc::clone(&set) }));
        Ok(set)
    }

    /// As of now, nothing taken on trust: inside a write it holds for that write.
    pub(super) async fn now(&self, conn: &mut Conn) -> Result<Arc<InForce>, Fault> {
        let held = self.held.load_full();
        let revision = rows::set(conn).await?.revision;
        let never = held.counter == i64::MIN && held.set.revision == 0;
        if held.set.revision == revision && !never {
            return Ok(Arc::clone(&held.set));
        }
        let rows = rows::in_force(conn).await?;
        Ok(Arc::new(InForce::read(&self.validator, revision, rows, &held.set)?))
    }

    /// As it was last read.
    pub(super) fn last(&self) -> Arc<InForce> {
        Arc::clone(&self.held.load().set)
    }

    /// What is known is to be asked for again before it counts.
    pub(super) fn forget(&self) {
        let set = self.last();
        self.held.store(Arc::new(Held { counter: i64::MIN, set }));
    }

    fn known(&self, counter: Counter) -> Option<Arc<InForce>> {
        let held = self.held.load();
        (held.counter >= counter.authority).then(|| Arc::clone(&held.set))
    }
}
