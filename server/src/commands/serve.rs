//! `keywarden serve`: locks the data folder, builds the house, opens its doors, and closes them in order: no new
//! requests, the open ones answered, what was not written yet written, the end.

use std::{
    io::{IsTerminal as _, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use keywarden_app::{
    console::Console,
    context::{House as Rooms, Standing},
    routes as console_routes,
    shell::{Condition, Protection},
};
use keywarden_domain::{Domain, people::SetupState, system::KeyringState};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Failure;
use crate::{
    config::Config,
    data_dir,
    http::{Condition as Ready, Doors, assets, metrics, router, session},
    listen::{self, Certificates, Guard, ListenError, serve, serve_operator},
    operator::{self, Desk, Facts},
    seals,
    wire::{self, Cellars, House},
};

/// How often the certificate files are looked at.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Take KEYWARDEN_RP_ID although passkeys were made for another domain: none of those works any more
    #[arg(long)]
    change_rp_id: bool,
}

/// What has to be done before any thread is there.
pub(super) fn before_threads(config: &Config) -> Result<(), Failure> {
    listen::check(config)?;
    data_dir::prepare(&config.data_dir)?;
    let lock = data_dir::lock(&config.data_dir)?;
    let variable = seals::needed_variable(config).map_err(Failure::io("prepare the embedded token"))?;
    drop(lock);
    super::with_variable(variable)
}

pub(super) async fn run(config: Config, arguments: Arguments) -> Result<(), Failure> {
    let _lock = data_dir::lock(&config.data_dir)?;
    let mut signals = Signals::new().map_err(Failure::io("listen for signals"))?;
    let certificates = config.tls.clone().map(Certificates::load).transpose()?.map(Arc::new);
    let tls = certificates.clone().map(listen::server_config).transpose()?;
    let listener = bind(config.listen.address).await?;
    let metrics_listener = match config.listen.metrics {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let config = Arc::new(config);
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let (clock, env) = wire::world()?;
    let house = House::build(Arc::clone(&config), env.clone());
    let cellars = Cellars::build(&config, clock, env).await?;
    // What works in the background outlives the doors, so that what the last request left is written.
    let (behind, last) = (TaskTracker::new(), CancellationToken::new());
    cellars.start(&house, arguments.change_rp_id, &behind, &last).await?;

    tasks.spawn(invite_when_ready(
        Arc::clone(&config),
        cellars.domain.clone(),
        house.condition.subscribe(),
        stop.clone(),
    ));

    let address = listener.local_addr().unwrap_or(config.listen.address);
    let facts = Facts {
        public_url: config.public.origin(),
        listen: address.to_string(),
        engine: config.database.engine(),
        started_at: house.env.now(),
        condition: house.condition.subscribe(),
    };
    let desk = Desk { facts, domain: cellars.domain.clone(), seals: cellars.seals.clone() };
    let socket = config.operator_socket();
    let operator_stop = stop.clone();
    tasks.spawn(async move {
        if let Err(cause) = serve_operator(&socket, operator::routes(desk), operator_stop).await {
            tracing::error!(%cause, path = %socket.display(), "the operator's socket is closed");
        }
    });
    if let Some(listener) = metrics_listener {
        let router = metrics::routes(Arc::clone(&house.metrics));
        tasks.spawn(serve(listener, None, router, guard(&config), stop.clone()));
    }
    if let Some(certificates) = certificates.clone() {
        let stop = stop.clone();
        tasks.spawn(async move { certificates.follow(CERTIFICATE_LOOK, stop).await });
    }
    tasks.spawn(serve(listener, tls, router(&house, doors(&house, &cellars)), guard(&config), stop.clone()));
    tracing::info!(%address, public_url = config.public.origin(), "Keywarden is open");

    while let Received::Reload = signals.next().await {
        match certificates.as_deref().map(Certificates::reload) {
            Some(Ok(())) => tracing::info!("took the TLS certificate anew"),
            Some(Err(cause)) => tracing::warn!(%cause, "kept the old TLS certificate"),
            None => tracing::info!("nothing to reload: no TLS here"),
        }
    }
    tracing::info!("closing: open requests are answered first");
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    last.cancel();
    behind.close();
    behind.wait().await;
    tracing::info!("closed");
    Ok(())
}

/// The link needs the keyring, which the keeper unseals when the HSM is there.
async fn invite_when_ready(
    config: Arc<Config>,
    domain: Domain,
    mut condition: watch::Receiver<Ready>,
    stop: CancellationToken,
) {
    let ready = condition.wait_for(|it| matches!(it, Ready::Ready));
    let Some(Ok(_)) = stop.run_until_cancelled(ready).await else { return };
    if let Err(error) = invite_first_owner(&config, &domain).await {
        tracing::error!(%error, "no setup link was made: start again when the cause is mended");
    }
}

/// While there is no owner, whoever starts the server gets a link to become the first one: on the terminal, or in a
/// file that only the server's user can read. Never in a log.
async fn invite_first_owner(config: &Config, domain: &Domain) -> Result<(), Failure> {
    let path = config.data_dir.join("setup-link");
    match domain.setup_state().await {
        Ok(SetupState::Done { .. }) => {
            return remove(&path).map_err(Failure::io("remove the used setup link"));
        }
        Ok(SetupState::Waiting) => {}
        Err(fault) => return Err(Failure::Domain(fault.to_string())),
    }
    let link = domain.open_setup(&domain.system_op("start")).await;
    let link = link.map_err(|error| Failure::Domain(error.to_string()))?;
    let minutes = (link.expires_at - domain.env().now()).num_minutes() + 1;
    if std::io::stdout().is_terminal() {
        println!(
            "\nNobody owns this Keywarden yet. Open this link within {minutes} minutes to become its first owner:\n\n  {}\n",
            link.url.expose()
        );
        return Ok(());
    }
    remove(&path).map_err(Failure::io("replace the setup link"))?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(Failure::io("write the setup link"))?;
    writeln!(file, "{}", link.url.expose()).map_err(Failure::io("write the setup link"))?;
    tracing::info!(path = %path.display(), minutes, "nobody owns this Keywarden yet: the link to become its first owner is in this file");
    Ok(())
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The doors as other crates built them.
fn doors(house: &House, cellars: &Cellars) -> Doors {
    let https = house.config.public.is_https();
    let domain = &cellars.domain;
    let console = Console::new(https, assets::path);
    let openapi = Arc::new(keywarden_api::openapi());
    let asked = domain.clone();
    let standing = move || standing(&asked);
    let rooms = console_routes::router(Rooms::new(domain.clone(), console, openapi, standing));
    Doors {
        strangers: keywarden_api::anyone(domain.clone()),
        machines: keywarden_api::router(domain.clone()),
        people: session::around(rooms, domain, https),
    }
}

/// How this node stands, for the frame of every page.
fn standing(domain: &Domain) -> Standing {
    let protection =
        if domain.settings().software_protected { Protection::Software } else { Protection::Hardware };
    let condition = match domain.keyring().state() {
        KeyringState::Unsealed => Condition::Ready,
        KeyringState::Degraded { since, until } => Condition::Degraded { since, until },
        KeyringState::Sealed { .. } => Condition::Sealed { since: domain.env().now() },
    };
    Standing { condition, protection }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|cause| ListenError::Bind { address, cause })
}

fn guard(config: &Config) -> Guard {
    Guard {
        connections: config.limits.connections,
        connections_per_address: config.limits.connections_per_address,
        trusted_proxies: config.listen.trusted_proxies.clone(),
        drain: config.limits.drain,
    }
}

enum Received {
    Reload,
    Stop,
}

struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Received {
        tokio::select! {
            _ = self.hangup.recv() => Received::Reload,
            _ = self.interrupt.recv() => Received::Stop,
            _ = self.terminate.recv() => Received::Stop,
        }
    }
}
