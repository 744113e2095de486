//! The only place where concrete things are built: clock, randomness, store, vault → domain.

use std::{
    fmt,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use chrono::{DateTime, Utc};
use keywarden_connectors::{Carrier, Cvc5, Mailer, MailerError, Web, WebError};
use keywarden_domain::{
    Domain, Env, Fault, Refused, Settings, SteadyClock,
    backup::Drills,
    env::{Clock as _, SystemClock},
    people::RpIdError,
    policy::proof::{NoProver, Prover},
    system::{ClockError, Node},
};
use keywarden_jobs::{Driver, Reports};
use keywarden_store::{Location, OpenError, Store};
use keywarden_vault::{Custody, Keyring, Protection};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::{Config, Database},
    custody,
    http::{Condition, metrics::Metrics},
    keeper::Keeper,
    seals::{Seals, SealsError},
    setup_link,
};

/// Where drills restore to, in the data folder.
const DRILL: &str = "drill";

/// The clock that the whole house goes by.
pub(crate) type Clock = SteadyClock<SystemClock>;

/// How long a start waits for a database that is not there yet: both may start together.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why the house could not be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("cannot read the certificates in {path}: {cause}; is KEYWARDEN_EXCHANGE_CA_FILE right?")]
    Certificates { path: PathBuf, cause: std::io::Error },
    #[error(transparent)]
    Clock(#[from] ClockError),
    #[error("{cause}; is KEYWARDEN_DATABASE_URL right, and does the database run?")]
    Database { cause: OpenError },
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("the operating system gives no randomness: {0}")]
    Randomness(String),
    #[error("{0}; is KEYWARDEN_MAIL_URL right?")]
    Mail(String),
    #[error(transparent)]
    Mailer(#[from] MailerError),
    #[error(transparent)]
    RpId(#[from] RpIdError),
    #[error(transparent)]
    Seals(#[from] SealsError),
    #[error(transparent)]
    Web(#[from] WebError),
}

/// What stands before the doors: enough to tell anybody how this node is.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) config: Arc<Config>,
    pub(crate) env: Env,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) condition: watch::Sender<Condition>,
    reports: Reports,
}

/// What whoever starts this node says beside its settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    /// This machine's clock is right, and this instant, which was noted, is not.
    pub(crate) accept_clock: Option<DateTime<Utc>>,
    /// Passkeys of another relying party may be orphaned.
    pub(crate) change_rp_id: bool,
}

/// What lies behind the doors.
pub(crate) struct Cellars {
    pub(crate) domain: Domain,
    pub(crate) seals: Seals,
    clock: Arc<Clock>,
    node: Node,
    change_rp_id: bool,
}

impl House {
    /// The house without its cellars.
    pub(crate) fn build(config: Arc<Config>, env: Env) -> Self {
        let (condition, _) = watch::channel(Condition::Starting);
        let reports = Reports::default();
        Self { config, env, metrics: Arc::new(Metrics::new(reports.clone())), condition, reports }
    }

    /// The house before it has a store: enough for what stands before the doors.
    #[cfg(test)]
    pub(crate) fn without_cellars(config: Arc<Config>) -> Self {
        Self::build(config, Env::seeded(Arc::new(SystemClock), 7))
    }
}

/// The clock and the randomness.
pub(crate) fn world() -> Result<(Arc<Clock>, Env), WireError> {
    let clock = Arc::new(SteadyClock::new(SystemClock));
    let env = Env::with_clock(Arc::<Clock>::clone(&clock))
        .map_err(|cause| WireError::Randomness(cause.to_string()))?;
    Ok((clock, env))
}

impl Cellars {
    /// Opens the records, brings their schema up to date and puts the domain together. The keyring is still sealed.
    pub(crate) async fn build(
        config: &Config,
        clock: Arc<Clock>,
        env: Env,
        told: Told,
    ) -> Result<Self, WireError> {
        sweep(&config.data_dir.join(DRILL));
        let seals = Seals::prepare(config, &env)?;
        let store = open_patiently(&location(&config.database)).await?;
        let domain = domain(config, store, env.clone(), Some(&seals))?;
        let mut written = domain.check_clock(SystemClock.now()).await;
        if let (Err(cause @ ClockError::Behind { .. }), Some(wrong)) = (&written, told.accept_clock) {
            domain.accept_clock(&domain.system_op("start"), wrong).await?;
            tracing::warn!(%cause, "the clock was taken for right, as was said");
            written = domain.check_clock(SystemClock.now()).await;
        }
        clock.raise(written?);
        let node = Node {
            id: hex::encode(env.bytes::<8>()),
            name: nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned(),
            version: env!("CARGO_PKG_VERSION"),
            started_at: env.now(),
        };
        Ok(Self { domain, seals, clock, node, change_rp_id: told.change_rp_id })
    }

    /// Unseals, if the HSM is there, and starts what runs in the background; that stops by a token of its own: after
    /// the last request.
    pub(crate) async fn start(
        &self,
        house: &House,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<(), WireError> {
        let keeper = Keeper {
            domain: self.domain.clone(),
            seals: self.seals.clone(),
            clock: Arc::clone(&self.clock),
            condition: house.condition.clone(),
            node: self.node.clone(),
            accepted: AtomicBool::new(false),
            missed: Mutex::default(),
        };
        keeper.begin().await;
        self.check_rp_id(&house.config.public.rp_id, self.change_rp_id).await?;
        if let Err(cause) = self.domain.passkeys() {
            tracing::warn!(%cause, "nobody can sign in: is KEYWARDEN_PUBLIC_URL right?");
        }
        tasks.spawn(keeper.run(stop.clone()));
        tasks.spawn(custody::keep(self.domain.clone(), stop.clone()));
        let (domain, condition) = (self.domain.clone(), house.condition.subscribe());
        let ready = *condition.borrow() == Condition::Ready;
        let path = house.config.data_dir.join(setup_link::FILE);
        let offer = setup_link::offer(domain.clone(), condition, path.clone(), stop.clone());
        let stopping = stop.clone();
        let watch = move |until| setup_link::until_over(domain, path, until, stopping);
        if ready {
            tasks.spawn(watch(offer.await)); // whoever is told that this node is ready finds the link
        } else {
            tasks.spawn(async move { watch(offer.await).await });
        }
        let driver = Driver::new(self.domain.clone(), house.reports.clone());
        driver.start(keywarden_jobs::all(), tasks, stop);
        Ok(())
    }

    async fn check_rp_id(&self, rp_id: &str, change: bool) -> Result<(), WireError> {
        let op = self.domain.system_op("start");
        match self.domain.check_rp_id(&op, rp_id, change).await {
            // Without keys nothing can be noted; as nobody can sign in either, it waits for the next start.
            Err(RpIdError::Refused(Refused::Fault(fault))) if fault.is_passing() && !change => {
                tracing::warn!(%fault, "the passkeys' domain was not noted");
                Ok(())
            }
            checked => Ok(checked?),
        }
    }
}

impl fmt::Debug for Cellars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cellars").field("domain", &self.domain).finish_non_exhaustive()
    }
}

/// The rules over these records, with an empty, sealed keyring. Without seals nothing can be wrapped anew, and the secrets of
/// projects that name one cannot be opened. From now on the seals given may try PINs, and remember that where they must.
pub(crate) fn domain(
    config: &Config,
    store: Store,
    env: Env,
    given: Option<&Seals>,
) -> Result<Domain, WireError> {
    let (ticks, same) = (env.clone(), env.clone());
    let seals = given.map_or_else(Vec::new, |it| it.all().to_vec());
    let custody =
        Custody::new(given.map_or_else(Vec::new, Seals::of_projects), config.seal.grace, move || {
            same.monotonic()
        });
    let keyring = Keyring::new(config.seal.grace, move || ticks.monotonic()).with_custody(custody);
    let session = &config.session;
    let tokens = given.map_or_else(|| Err("no seal is at hand".to_owned()), Seals::scratch);
    let settings = Settings {
        origin: config.public.origin(),
        rp_id: config.public.rp_id.clone(),
        verify_max_staleness: config.verify.max_staleness,
        session: (session.idle, session.absolute),
        admin_session: (session.admin_idle, session.admin_absolute),
        max_value: config.secrets.max_value,
        software_protected: seals.iter().any(|seal| seal.describe().protection == Protection::Software),
        libraries_as_root: given.is_some_and(|it| it.runs_as().root().is_some()),
        backups: config.backup.clone(),
        drills: config.drills.map(|due| Drills { folder: config.data_dir.join(DRILL), due, tokens }),
        seals,
        old_seal_keys: config.seal.old_keys,
        fetch: Arc::new(web(config)?),
        prover: prover(config),
        carry: Arc::new(carrier(config)?),
    };
    let domain = Domain::new(store, Arc::new(keyring), env, settings)?;
    if let Some(seals) = given {
        seals.remember_in(&domain);
    }
    Ok(domain)
}

/// Removes what a drill left that was cut off with its server. Nothing opens it, and it takes room.
fn sweep(folder: &Path) {
    match std::fs::remove_dir_all(folder) {
        Ok(()) => tracing::info!(folder = %folder.display(), "removed what a cut-off drill had left"),
        Err(cause) if cause.kind() == ErrorKind::NotFound => {}
        Err(cause) => tracing::warn!(folder = %folder.display(), %cause, "a cut-off drill left something"),
    }
}

/// The solver, as it is set up: whether it is there is found out by whoever asks.
pub(crate) fn prover(config: &Config) -> Arc<dyn Prover> {
    match &config.proofs.cvc5 {
        Some(program) => Arc::new(Cvc5::at(program.clone())),
        None => Arc::new(NoProver),
    }
}

/// The way to issuers of other tokens.
fn web(config: &Config) -> Result<Web, WireError> {
    Ok(Web::new(config.exchange.networks.clone(), certificates(config)?.as_deref())?)
}

/// The ways that messages leave by.
pub(crate) fn carrier(config: &Config) -> Result<Carrier, WireError> {
    let mailer = match &config.mail {
        Some(mail) => {
            let server = mail.server().map_err(WireError::Mail)?;
            Some(Mailer::new(server, certificates(config)?.as_deref())?)
        }
        None => None,
    };
    // Not the way to issuers: that leads where managers may let it lead, and this is for everybody.
    let web = Web::new(config.webhooks.networks.clone(), certificates(config)?.as_deref())?;
    Ok(Carrier::new(web, mailer))
}

/// Those beside the system's.
fn certificates(config: &Config) -> Result<Option<Vec<u8>>, WireError> {
    let read = config.exchange.ca_file.as_ref().map(|path| {
        std::fs::read(path).map_err(|cause| WireError::Certificates { path: path.clone(), cause })
    });
    read.transpose()
}

/// Where the records are.
pub(crate) fn location(database: &Database) -> Location {
    match database {
        Database::Postgres(url) => Location::Postgres(url.expose().to_owned()),
        Database::Sqlite(path) => Location::Sqlite(path.clone()),
    }
}

/// A database that is not there yet is waited for; one that refuses is not.
async fn open_patiently(location: &Location) -> Result<Store, WireError> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(250);
    loop {
        match Store::open(location).await {
            Ok(store) => return Ok(store),
            Err(OpenError::Connect { what, cause, passing: true })
                if began.elapsed().saturating_add(pause) < PATIENCE =>
            {
                tracing::warn!(%what, %cause, again_in_ms = pause.as_millis(), "the database is not there yet");
                sleep(pause).await;
                pause = pause.saturating_mul(2).min(Duration::from_secs(5));
            }
            Err(cause) => return Err(WireError::Database { cause }),
        }
    }
}
