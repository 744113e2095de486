//! A wire that can be cut: a TCP proxy on loopback.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use crate::Result;

/// What the wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Whole,
    /// Bytes go nowhere and nothing is closed, as behind a firewall that drops.
    Silent,
    /// Every connection is closed, and new ones as well.
    Cut,
}

/// A proxy to one address; gone when dropped.
#[derive(Debug)]
pub struct Proxy {
    pub address: SocketAddr,
    state: watch::Sender<Wire>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub async fn to(target: String) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr().context("the proxy's address")?;
        let (state, seen) = watch::channel(Wire::Whole);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, target, seen));
        Ok(Self { address, state, _tasks: tasks })
    }

    pub fn set(&self, wire: Wire) {
        self.state.send_replace(wire);
    }
}

async fn accept(listener: TcpListener, target: String, state: watch::Receiver<Wire>) {
    let mut open = JoinSet::new();
    loop {
        let Ok((caller, _)) = listener.accept().await else { return };
        open.spawn(carry(caller, target.clone(), state.clone()));
        while open.try_join_next().is_some() {}
    }
}

/// Carries one connection. One that fell silent never speaks again: what it held is lost, as on a real wire.
async fn carry(mut caller: TcpStream, target: String, mut state: watch::Receiver<Wire>) {
    if *state.borrow() == Wire::Whole
        && let Ok(mut far) = TcpStream::connect(&target).await
    {
        tokio::select! {
            _ = copy_bidirectional(&mut caller, &mut far) => return,
            changed = state.wait_for(|wire| *wire != Wire::Whole) => if changed.is_err() { return },
        }
    }
    // Closing after the silence, so that a client that waits learns of it some time.
    if *state.borrow() == Wire::Silent {
        state.wait_for(|wire| *wire != Wire::Silent).await.ok();
    }
}
