//! The domain as one value: what every use-case works with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use keywarden_model::{RequestId, TypedId};
use keywarden_store::keys::public_ids;
use keywarden_store::{Changed, Counter, Store, change};
use keywarden_vault::{DerivingKey, Keyring, Seal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::audit::{Record, Subjects};

use crate::authz::{Action, Gate, Permit, Reach, Resource};
use crate::backup::{Drills, Schedule};
use crate::decisions::{Decisions, LastRefusal};
use crate::exchange::{Fetch, Keeping, KeySets};
use crate::freshness::{Freshness, MAX_AGE};
use crate::keys;
use crate::lately::Lately;
use crate::messages::{Carry, Watched};
use crate::passkeys::{Passkeys, Relying, RelyingError};
use crate::people::Turns;
use crate::policy::proof::Prover;
use crate::refusals::Refusals;
use crate::system::{Marking, Missing};
use crate::tokens::Tokens;
use crate::{Actor, Env, Fault, Op, Refused, Source};

/// Steps of the change counter that are read at once; more than that and everything is forgotten.
const STEPS: i64 = 1_000;
/// Comparisons of what policies would change that run at once: each may hold everybody and everything in memory.
const COMPARED_AT_ONCE: usize = 2;

/// What the domain is told about this deployment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The public URL's origin, `https://keys.example.com`.
    pub origin: String,
    /// The relying party's id that passkeys are bound to.
    pub rp_id: String,
    /// How old an answer of `verify` may be while the database does not answer.
    pub verify_max_staleness: Duration,
    /// Sessions of people without an organization role: idle, absolute.
    pub session: (Duration, Duration),
    /// Sessions of owners, admins and auditors: idle, absolute.
    pub admin_session: (Duration, Duration),
    /// The longest value of a secret that is put, and of a template that is resolved, in bytes.
    pub max_value: usize,
    /// Whether keys are protected by software only (the embedded token or a key file).
    pub software_protected: bool,
    /// Whether a PKCS#11 library runs as root on this node.
    pub libraries_as_root: bool,
    /// When backups are made by themselves.
    pub backups: Option<Schedule>,
    /// How the newest backup is drilled; none: no backup has a key for it.
    pub drills: Option<Drills>,
    /// The seals that this server unseals with; none for commands that wrap nothing.
    pub seals: Vec<Arc<dyn Seal>>,
    /// How long an old key of these seals stays after a rotation took its place; none: until somebody destroys it.
    pub old_seal_keys: Option<Duration>,
    /// How issuers of other tokens are reached.
    pub fetch: Arc<dyn Fetch>,
    /// Who shows what a policy would change.
    pub prover: Arc<dyn Prover>,
    /// How messages leave the house.
    pub carry: Arc<dyn Carry>,
}

/// What is remembered of issuers, and of the tokens that were refused.
#[derive(Debug)]
pub(crate) struct Exchanging {
    pub(crate) key_sets: KeySets,
    pub(crate) keeping: Keeping,
}

/// The rules. Cheap to clone.
#[derive(Clone)]
pub struct Domain(Arc<Inner>);

struct Inner {
    checking: tokio::sync::Mutex<()>,
    comparing: Arc<Semaphore>,
    decisions: Decisions,
    env: Env,
    exchange: Exchanging,
    freshness: Freshness,
    gate: Gate,
    keyring: Arc<Keyring>,
    keys: keys::Memory,
    lately: Lately,
    marking: Marking,
    missing: Missing,
    passkeys: Result<Passkeys, RelyingError>,
    refusals: Refusals,
    settings: Settings,
    store: Store,
    subjects: Subjects,
    tokens: Tokens,
    turns: Turns,
    watched: Watched,
}

impl Domain {
    /// Puts the parts together; nothing is read yet.
    pub fn new(store: Store, keyring: Arc<Keyring>, env: Env, settings: Settings) -> Result<Self, Fault> {
        // People may have to wait for a better public URL; machines do not: an error here is told when it matters.
        let passkeys = Passkeys::new(&Relying {
            rp_id: settings.rp_id.clone(),
            origin: settings.origin.clone(),
            name: "Keywarden".into(),
        });
        Ok(Self(Arc::new(Inner {
            checking: tokio::sync::Mutex::default(),
            comparing: Arc::new(Semaphore::new(COMPARED_AT_ONCE)),
            decisions: Decisions::default(),
            env,
            exchange: Exchanging { key_sets: KeySets::new(), keeping: Keeping::default() },
            freshness: Freshness::default(),
            gate: Gate::new()?,
            keyring,
            keys: keys::Memory::new(),
            lately: Lately::new(),
            marking: Marking::default(),
            missing: Missing::default(),
            passkeys,
            refusals: Refusals::default(),
            settings,
            store,
            subjects: Subjects::new(),
            tokens: Tokens::new(),
            turns: Turns::default(),
            watched: Watched::default(),
        })))
    }

    /// Clock and randomness.
    pub fn env(&self) -> &Env {
        &self.0.env
    }

    /// The keyring.
    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.0.keyring
    }

    /// What this deployment is.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The passkey ceremonies, or why browsers would refuse them at this public URL.
    pub fn passkeys(&self) -> &Result<Passkeys, RelyingError> {
        &self.0.passkeys
    }

    /// Until the records' disk failed and this process must end ([`Store::lost`]).
    pub async fn lost(&self) {
        self.0.store.lost().await;
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    pub(crate) fn key_memory(&self) -> &keys::Memory {
        &self.0.keys
    }

    /// Held by whoever asks about a leaked value: one after the other.
    pub(crate) fn checking(&self) -> &tokio::sync::Mutex<()> {
        &self.0.checking
    }

    pub(crate) fn decisions(&self) -> &Decisions {
        &self.0.decisions
    }

    pub(crate) fn exchanging(&self) -> &Exchanging {
        &self.0.exchange
    }

    pub(crate) fn lately(&self) -> &Lately {
        &self.0.lately
    }

    pub(crate) fn marking(&self) -> &Marking {
        &self.0.marking
    }

    pub(crate) fn missing(&self) -> &Missing {
        &self.0.missing
    }

    pub(crate) fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(crate) fn watched(&self) -> &Watched {
        &self.0.watched
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.0.turns
    }

    /// A door's operation, now.
    pub fn op(&self, actor: Actor, source: Source, request: RequestId) -> Op {
        Op {
            actor,
            source,
            request,
            now: self.env().now(),
            once: None,
            reason: None,
            seen: None,
            refusal: LastRefusal::default(),
        }
    }

    /// A job's operation, now.
    pub fn system_op(&self, job: &'static str) -> Op {
        let now = self.env().now();
        Op::system(job, self.env().id::<RequestId>(now), now)
    }

    // ---- the one staleness rule -------------------------------------------------------------------------------

    /// Reads the change counter and forgets what has changed. Called every 250 ms, and after each restricting write.
    pub async fn look(&self) -> Result<Counter, Fault> {
        let asked = self.env().monotonic();
        let mut conn = self.store().read().await?;
        let counter = change::counter(&mut conn).await?;
        let before = self.0.freshness.last().map(|(known, _)| known);
        if let Some(before) = before.filter(|known| known.value < counter.value) {
            let steps = change::since(&mut conn, before.value, STEPS).await?;
            self.0.keys.begin_forgetting();
            let keys: Vec<_> =
                steps.iter().filter(|step| step.kind == "key").map(|step| step.thing.as_str()).collect();
            let values = public_ids(&mut conn, &keys).await?;
            self.forget(before, counter, &steps);
            self.0.keys.forget(&values);
        } else if before.is_none() {
            self.forget_everything();
        }
        self.0.freshness.note(counter, asked);
        Ok(counter)
    }

    /// The counter as of less than a second ago: asks the store only if memory is older.
    pub(crate) async fn counter(&self) -> Result<Counter, Fault> {
        match self.0.freshness.counter(self.env().monotonic(), MAX_AGE) {
            Some(counter) => Ok(counter),
            None => Box::pin(self.look()).await,
        }
    }

    /// The counter as last read, and how long ago that was.
    pub fn last_look(&self) -> Option<(i64, Duration)> {
        let (counter, at) = self.0.freshness.last()?;
        Some((counter.value, self.env().monotonic().saturating_duration_since(at)))
    }

    /// The counter as it was last read, however long ago, and when.
    pub(crate) fn last_counter(&self) -> Option<(Counter, std::time::Instant)> {
        self.0.freshness.last()
    }

    fn forget(&self, before: Counter, now: Counter, steps: &[Changed]) {
        let whole = i64::try_from(steps.len()).ok() == now.value.checked_sub(before.value);
        if !whole {
            self.forget_everything();
            return;
        }
        for step in steps {
            match step.kind.as_str() {
                "authority" => {
                    self.gate().forget();
                    self.tokens().forget();
                    self.0.keys.forget_verifiers();
                }
                "key" | "session" => {}
                _ => self.forget_everything(),
            }
        }
    }

    pub(crate) fn forget_everything(&self) {
        self.gate().forget();
        self.tokens().forget();
        self.0.keys.forget_everything();
    }

    /// Forgets what was unwrapped from the keyring; for the moment it is sealed.
    pub fn forget_secrets(&self) {
        self.0.subjects.forget();
    }

    // ---- deciding -----------------------------------------------------------------------------------------------

    /// Asks whether the caller may do this. A stranger learns only that there is nothing.
    pub async fn authorize(&self, op: &Op, action: Action, resource: &Resource) -> Result<Permit, Refused> {
        let counter = self.counter().await?;
        let answer = self.gate().authorize(op, self.store(), counter, action, resource).await;
        self.decisions().note(op, action, resource, &answer);
        self.refusals().note_answer(op, action, resource, &answer);
        op.refusal.note(op, counter.value, action, resource, &answer);
        answer
    }

    /// Where the caller may do this at all: the scope of lists.
    pub async fn reach(&self, op: &Op, action: Action) -> Result<Reach, Refused> {
        let counter = self.counter().await?;
        self.gate().reach(op, self.store(), counter, action).await
    }

    /// Whether the answer would be yes, aside from a fresh passkey: for showing or hiding a button.
    pub async fn would(&self, op: &Op, action: Action, resource: &Resource) -> Result<bool, Refused> {
        let counter = self.counter().await?;
        self.gate().would(op, self.store(), counter, action, resource).await
    }

    /// Whether the person who asks holds a role of the organization: the shorter limits of sessions are theirs.
    pub(crate) async fn is_privileged(&self, op: &Op) -> Result<bool, Fault> {
        let counter = self.counter().await?;
        self.gate().is_privileged(op, self.store(), counter).await
    }

    // ---- the record ---------------------------------------------------------------------------------------------

    /// What events of this operation are made with: under its permit, with the keys of the subjects they tell of.
    pub(crate) async fn record(
        &self,
        op: &Op,
        permit: Option<&Permit>,
        subjects: &[String],
    ) -> Result<Record, Fault> {
        let mut keys = BTreeMap::new();
        for subject in subjects.iter().cloned().chain([op.actor.subject()]) {
            let key = self.subject_key(&subject, op.now).await?;
            keys.insert(subject, key);
        }
        Ok(Record::new(self.env(), op, permit, keys))
    }

    /// The key of a subject, or of the house; `None` once erased.
    pub(crate) async fn subject_key(
        &self,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<DerivingKey>>, Fault> {
        let inner = &self.0;
        inner.subjects.key(id, &inner.store, &inner.keyring, &inner.env, now).await
    }

    /// Waits for a turn to compare; it lasts for as long as what is returned is kept.
    pub(crate) async fn turn_to_compare(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let turn = Arc::clone(&self.0.comparing).acquire_owned().await;
        turn.map_err(|cause| Fault::Unexpected(format!("a turn to compare: {cause}")))
    }

    /// The key of a subject as stored now; none is made.
    pub(crate) async fn subject_key_if_there(&self, id: &str) -> Result<Option<DerivingKey>, Fault> {
        self.0.subjects.stored(id, &self.0.store, &self.0.keyring).await
    }

    /// A fresh id at the operation's instant.
    pub(crate) fn fresh<I: TypedId>(&self, op: &Op) -> I {
        self.env().id(op.now)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Domain")
    }
}
