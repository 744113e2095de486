//! Keeps the keyring: once a second it asks the HSM and the records whether they are there, unseals when they are, and
//! says what this node can do now.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, SecondsFormat, Utc};
use keywarden_domain::{
    Domain, Fault,
    backup::Gap,
    system::{CLOCK_ALARM, Node, UnsealFailed},
};
use keywarden_store::StoreError;
use keywarden_vault::{SealError, keyring::KeyringState};
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{http::Condition, seals::Seals, wire::Clock};

const EVERY: Duration = Duration::from_secs(1);
/// And at the soonest, however many keys are missing.
const SOONEST: Duration = Duration::from_millis(100);
/// The change counter is read four times a second; a reading this old means that the records do not answer.
const SILENT: Duration = Duration::from_secs(2);
/// How often nodes tell of themselves, in rounds.
const TELL: u32 = 5;

pub(crate) struct Keeper {
    pub(crate) domain: Domain,
    pub(crate) seals: Seals,
    pub(crate) clock: Arc<Clock>,
    pub(crate) condition: watch::Sender<Condition>,
    pub(crate) node: Node,
    /// Whether the doors may be open as far as restores go. A store that was found open stays so: nothing is restored
    /// into one that is not empty.
    pub(crate) accepted: AtomicBool,
    /// Why no seal answered in the last round.
    pub(crate) missed: Mutex<Option<SealError>>,
}

impl Keeper {
    /// The first round, before anybody is served.
    pub(crate) async fn begin(&self) {
        let found = self.round().await;
        self.announce(found);
    }

    /// Until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut rounds = 0;
        let mut was_behind = false;
        loop {
            let began = Instant::now();
            let found = self.round().await;
            self.announce(found);
            self.domain.keys_were_taken_in();
            was_behind = self.mind_the_clock(was_behind);
            if rounds % TELL == 0 {
                let word = self.condition.borrow().word();
                if let Err(cause) = in_time(self.domain.note_node(&self.node, word)).await {
                    tracing::debug!(%cause, "could not tell the other nodes");
                }
            }
            rounds = rounds.wrapping_add(1);
            if stop.run_until_cancelled(self.rest(began)).await.is_none() {
                break;
            }
        }
        if let Err(cause) = in_time(self.domain.forget_node(&self.node)).await {
            tracing::debug!(%cause, "could not tell the other nodes");
        }
    }

    /// Until the next round: sooner where a key is missing that another node has made.
    async fn rest(&self, began: Instant) {
        let missing = async {
            self.domain.key_is_missing().await;
            sleep(SOONEST.saturating_sub(began.elapsed())).await;
        };
        tokio::select! {
            () = sleep(EVERY.saturating_sub(began.elapsed())) => {}
            () = missing => {}
        }
    }

    async fn round(&self) -> Condition {
        let state = self.observe().await;
        let unsealed = match state {
            KeyringState::Sealed { .. } => self.unseal().await,
            // The HSM is away: keys made elsewhere meanwhile have to wait.
            KeyringState::Degraded { .. } => Ok(()),
            KeyringState::Unsealed => self.catch_up().await,
        };
        let silence = self.domain.last_look().map(|(_, ago)| ago);
        let state = self.domain.keyring().state();
        match (state, unsealed) {
            (KeyringState::Sealed { .. }, Err(Unready::Records(cause))) => no_database(&cause.to_string()),
            (KeyringState::Sealed { reason }, Ok(())) => sealed(reason.in_brief(), &reason),
            (KeyringState::Sealed { .. }, Err(Unready::Seal { brief, cause })) => sealed(brief, &cause),
            (_, Err(Unready::Records(cause))) if is_silent(silence) => no_database(&cause.to_string()),
            (_, _) if is_silent(silence) => no_database("it has not answered for some seconds"),
            (KeyringState::Degraded { until, .. }, _) => self.unless_closed(degraded(until)).await,
            (KeyringState::Unsealed, _) => self.unless_closed(Condition::Ready).await,
        }
    }

    async fn unless_closed(&self, open: Condition) -> Condition {
        if self.accepted.load(Ordering::Acquire) {
            return open;
        }
        match in_time(self.domain.open_gap()).await {
            Ok(Some(gap)) => closed(&gap),
            Ok(None) => {
                self.accepted.store(true, Ordering::Release);
                open
            }
            // Not known yet: the doors stay as shut as they are.
            Err(cause) => {
                tracing::debug!(%cause, "could not ask whether the records were restored");
                match &*self.condition.borrow() {
                    Condition::Closed { why } => Condition::Closed { why: why.clone() },
                    _ => Condition::Starting,
                }
            }
        }
    }

    async fn observe(&self) -> KeyringState {
        let (keyring, seals, now) =
            (Arc::clone(self.domain.keyring()), self.seals.clone(), self.domain.env().now());
        let asked = spawn_blocking(move || {
            let (state, missed) = keyring.observe(&seals.all(), now);
            if missed.is_some() {
                seals.mend();
            }
            (state, missed)
        });
        let state = match asked.await {
            Ok((state, missed)) => {
                self.tell_of(missed);
                state
            }
            Err(_) => self.domain.keyring().state(),
        };
        if matches!(state, KeyringState::Sealed { .. }) {
            self.domain.forget_secrets();
        }
        state
    }

    /// Told once for each cause: it names what strangers are not told.
    fn tell_of(&self, missed: Option<SealError>) {
        let mut known = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cause) = missed.as_ref().filter(|cause| known.as_ref() != Some(*cause)) {
            tracing::warn!(%cause, "no seal answers");
        }
        *known = missed;
    }

    async fn unseal(&self) -> Result<(), Unready> {
        let alone = if in_time(self.domain.has_keyring()).await? {
            None
        } else {
            let turn = in_time(self.domain.turn_at_seals()).await?;
            let brief = "another node is making the first keys";
            Some(turn.ok_or_else(|| Unready::seal(brief, &brief))?)
        };
        // It may have made them just before.
        if alone.is_some() && !in_time(self.domain.has_keyring()).await? {
            let seals = self.seals.clone();
            spawn_blocking(move || seals.create())
                .await
                .map_err(|cause| Unready::seal("its HSM does not answer", &cause))?
                .map_err(|cause| Unready::seal(cause.in_brief(), &cause))?;
        }
        self.domain.unseal(&self.seals.all()).await?;
        let seals = self.seals.clone();
        spawn_blocking(move || seals.keep()).await.ok();
        if let Some(alone) = alone {
            alone.end().await;
        }
        // The counter's first reading, so that the doors need not wait for the job's.
        in_time(self.domain.look()).await?;
        Ok(())
    }

    async fn catch_up(&self) -> Result<(), Unready> {
        if in_time(self.domain.keyring_is_current()).await? {
            return Ok(());
        }
        tracing::info!("the keyring has a new key; taking it in");
        self.domain.unseal(&self.seals.all()).await.map_err(|cause| {
            tracing::error!(%cause, "the keyring's new key could not be taken in");
            cause.into()
        })
    }

    fn announce(&self, found: Condition) {
        let changed = self.condition.send_if_modified(|known| {
            let changed = *known != found;
            known.clone_from(&found);
            changed
        });
        if !changed {
            return;
        }
        match &found {
            Condition::Ready => tracing::info!("ready"),
            Condition::Starting => {}
            Condition::Closed { why } => tracing::warn!(why, "closed"),
            Condition::Degraded { why } => tracing::warn!(why, "degraded"),
            Condition::NoDatabase { why } => tracing::error!(why, "no database"),
            Condition::Sealed { why, .. } => tracing::error!(why, "sealed"),
        }
    }

    /// Told once when it goes wrong and once when it is right again.
    fn mind_the_clock(&self, was_behind: bool) -> bool {
        let behind = self.clock.behind();
        let is_behind = behind > CLOCK_ALARM;
        match (was_behind, is_behind) {
            (false, true) => tracing::error!(
                seconds = behind.num_seconds(),
                "this machine's clock was set back; going on by the monotonic clock until it is right: set it"
            ),
            (true, false) => tracing::info!("this machine's clock is right again"),
            _ => {}
        }
        is_behind
    }
}

/// A database that hangs must not keep this node from saying so.
async fn in_time<T>(asked: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    timeout(SILENT, asked).await.unwrap_or_else(|_| {
        let cause = format!("no answer within {} s", SILENT.as_secs());
        Err(StoreError::Unavailable(cause).into())
    })
}

enum Unready {
    Records(Fault),
    /// What anybody may be told, and all of it.
    Seal {
        brief: &'static str,
        cause: String,
    },
}

impl Unready {
    fn seal(brief: &'static str, cause: &impl ToString) -> Self {
        Self::Seal { brief, cause: cause.to_string() }
    }
}

impl From<Fault> for Unready {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(_) => Self::Records(fault),
            other => Self::seal("its keyring is not what it must be", &other),
        }
    }
}

impl From<UnsealFailed> for Unready {
    fn from(error: UnsealFailed) -> Self {
        match error {
            UnsealFailed::Fault(fault) => fault.into(),
            UnsealFailed::Unseal(cause) => Self::seal(cause.in_brief(), &cause),
            UnsealFailed::Wrap(cause) => Self::seal(cause.in_brief(), &cause),
        }
    }
}

fn is_silent(silence: Option<Duration>) -> bool {
    silence.is_none_or(|ago| ago > SILENT)
}

fn sealed(brief: &'static str, cause: &impl ToString) -> Condition {
    Condition::Sealed { cause: brief, why: cause.to_string() }
}

/// Shut until somebody accepts what is lost by a restore.
pub(crate) fn closed(gap: &Gap) -> Condition {
    let at = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (made, restored, reached) = (at(gap.made_at), at(gap.restored_at), at(gap.reached()));
    let applied = if gap.events_until.is_some() {
        format!(", and what events took away until {reached} is taken away again")
    } else {
        String::new()
    };
    let why = format!(
        "this Keywarden was restored at {restored} from a backup of {made}{applied}. Whatever was changed, revoked or \
         destroyed after {reached} is undone, so that who was locked out since would be let in again. On the server's \
         shell, `keywarden restore apply --events FILE` takes away again what events tell of that were exported \
         elsewhere, and `keywarden restore accept {reached}` opens the doors"
    );
    Condition::Closed { why }
}

fn degraded(until: DateTime<Utc>) -> Condition {
    let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
    Condition::Degraded {
        why: format!("the HSM does not answer; this node goes on with the keys in memory until {until}"),
    }
}

fn no_database(cause: &str) -> Condition {
    Condition::NoDatabase {
        why: format!("the database does not answer: {cause}. This node tries again every second"),
    }
}
