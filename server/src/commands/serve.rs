//! `keywarden serve`: locks the data folder, builds the house, opens its doors, and closes them in order: no new
//! requests, the open ones answered, what was not written yet written, the end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use keywarden_api::Streams;
use keywarden_app::{
    console::Console,
    context::{House as Rooms, Standing},
    routes as console_routes,
    shell::{Condition, Protection},
};
use keywarden_domain::{Domain, system::KeyringState};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Failure;
use crate::{
    config::Config,
    data_dir,
    http::{Doors, assets, metrics, router, session},
    listen::{self, Certificates, Guard, ListenError, OperatorDoor, serve},
    operator::{self, Desk, Facts, Letterbox},
    wire::{self, Cellars, House, Told},
};

/// How often the certificate files are looked at.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Take this machine's clock for right although it is behind INSTANT, which was written: a node's clock ran ahead then
    #[arg(long, value_name = "INSTANT")]
    accept_clock: Option<DateTime<Utc>>,
    /// Take KEYWARDEN_RP_ID although passkeys were made for another domain: none of those works any more
    #[arg(long)]
    change_rp_id: bool,
}

pub(super) async fn run(config: Config, arguments: Arguments) -> Result<(), Failure> {
    listen::check(&config)?;
    listen::allow_open_files();
    data_dir::prepare(&config.data_dir)?;
    let _lock = data_dir::lock(&config.data_dir)?;
    let mut signals = Signals::new().map_err(Failure::io("listen for signals"))?;
    let certificates = config.tls.clone().map(Certificates::load).transpose()?.map(Arc::new);
    let tls = certificates.clone().map(listen::server_config).transpose()?;
    let listener = bind(config.listen.address).await?;
    let metrics_listener = match config.listen.metrics {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    // Before anything is opened: without it nobody could be let back in, and no seal be changed.
    let operator_door = OperatorDoor::bind(&config.operator_socket())
        .map_err(|cause| Failure::OperatorDoor { path: config.operator_socket(), cause })?;
    let config = Arc::new(config);
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let (clock, env) = wire::world()?;
    let house = House::build(Arc::clone(&config), env.clone());
    let Arguments { accept_clock, change_rp_id } = arguments;
    // What works in the background outlives the doors, so that what the last request left is written.
    let (behind, last) = (TaskTracker::new(), CancellationToken::new());
    let started = async {
        let cellars = Cellars::build(&config, clock, env, Told { accept_clock, change_rp_id }).await?;
        cellars.start(&house, &behind, &last).await.map(|()| cellars)
    };
    // A database or an HSM that is not there is waited for, and nobody need wait with it.
    let cellars = tokio::select! {
        cellars = started => cellars?,
        () = signals.stop() => {
            tracing::info!("stopped before the start was over");
            end(&behind, &last).await;
            return Ok(());
        }
    };

    let address = listener.local_addr().unwrap_or(config.listen.address);
    let facts = Facts {
        public_url: config.public.origin(),
        listen: address.to_string(),
        engine: config.database.engine(),
        started_at: house.env.now(),
        condition: house.condition.subscribe(),
    };
    let (domain, seals) = (cellars.domain.clone(), cellars.seals.clone());
    let desk = Desk { facts, domain, seals, letterbox: Letterbox::default() };
    tasks.spawn(operator_door.serve(operator::routes(desk), config.limits.drain, stop.clone()));
    if let Some(listener) = metrics_listener {
        let address = listener.local_addr().ok().or(config.listen.metrics);
        tracing::info!(address = address.map(tracing::field::display), "metrics are open");
        if let Some(address) = listen::open_metrics(&config) {
            tracing::warn!(%address, "metrics go in the clear to whoever reaches their address; they hold no secrets");
        }
        let router = metrics::routes(Arc::clone(&house.metrics));
        tasks.spawn(serve(listener, None, router, guard(&config), stop.clone()));
    }
    if let Some(certificates) = certificates.clone() {
        let stop = stop.clone();
        tasks.spawn(async move { certificates.follow(CERTIFICATE_LOOK, stop).await });
    }
    tasks.spawn(serve(
        listener,
        tls,
        router(&house, doors(&house, &cellars, &stop)),
        guard(&config),
        stop.clone(),
    ));
    tracing::info!(%address, public_url = config.public.origin(), "Keywarden is open");

    let lost = loop {
        let received = tokio::select! {
            received = signals.next() => received,
            () = cellars.domain.lost() => break true,
        };
        if matches!(received, Received::Stop) {
            break false;
        }
        match certificates.as_deref().map(Certificates::reload) {
            Some(Ok(())) => tracing::info!("took the TLS certificate anew"),
            Some(Err(cause)) => tracing::warn!(%cause, "kept the old TLS certificate"),
            None => tracing::info!("nothing to reload: no TLS here"),
        }
    };
    tracing::info!("closing: open requests are answered first");
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    end(&behind, &last).await;
    tracing::info!("closed");
    if lost { Err(Failure::Disk) } else { Ok(()) }
}

/// Lets what works in the background write what it has.
async fn end(behind: &TaskTracker, last: &CancellationToken) {
    last.cancel();
    behind.close();
    behind.wait().await;
}

/// The doors as other crates built them.
fn doors(house: &House, cellars: &Cellars, stop: &CancellationToken) -> Doors {
    let https = house.config.public.is_https();
    let domain = &cellars.domain;
    let console = Console::new(https, assets::path);
    let openapi = Arc::new(keywarden_api::openapi());
    let asked = domain.clone();
    let standing = move || standing(&asked);
    let rooms = console_routes::router(Rooms::new(domain.clone(), console, openapi, standing));
    Doors {
        strangers: keywarden_api::anyone(domain.clone()),
        machines: keywarden_api::router(domain.clone(), Streams::until(stop.clone())),
        people: session::around(rooms, domain, https),
        domain: Some(domain.clone()),
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

pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|cause| ListenError::Bind { address, cause })
}

pub(super) fn guard(config: &Config) -> Guard {
    Guard {
        connections: config.limits.connections,
        connections_per_address: config.limits.connections_per_address,
        trusted_proxies: config.listen.trusted_proxies.clone(),
        head: listen::HEAD,
        silence: listen::SILENCE,
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

    /// The first that ends a server; of others nothing is done.
    async fn stop(&mut self) {
        while let Received::Reload = self.next().await {}
    }

    async fn next(&mut self) -> Received {
        tokio::select! {
            _ = self.hangup.recv() => Received::Reload,
            _ = self.interrupt.recv() => Received::Stop,
            _ = self.terminate.recv() => Received::Stop,
        }
    }
}
