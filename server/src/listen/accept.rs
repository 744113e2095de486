//! One listener: takes connections, bounds them, speaks HTTP/1.1 or HTTP/2 on each, and drains when told to stop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{address_count::AddressCount, idle::Idle};

/// A request head must arrive in this time; it is also how long a kept-alive HTTP/1.1 connection may wait for its next.
const HEAD: Duration = Duration::from_secs(20);
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Longer than any request may take, so that it ends only connections on which nothing happens.
pub(crate) const SILENCE: Duration = Duration::from_secs(75);
/// Bytes of a request head; more is answered 431.
const LARGEST_HEAD: usize = 32 << 10;
const STREAMS: u32 = 128;

/// Who is at the other end of the connection: the client, or the last proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub SocketAddr);

/// What connections may take from a listener.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub connections: usize,
    pub connections_per_address: usize,
    /// Their connections are not counted per address: one proxy carries everybody.
    pub trusted_proxies: Vec<IpNet>,
    /// How long open requests may take once `stop` is called.
    pub drain: Duration,
}

/// Serves `router` until `stop`, then answers what is open and returns.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    guard: Guard,
    stop: CancellationToken,
) {
    let tls = tls.map(TlsAcceptor::from);
    let room = Arc::new(Semaphore::new(guard.connections));
    let addresses = AddressCount::default();
    let graceful = GracefulShutdown::new();
    let tasks = TaskTracker::new();
    loop {
        let (stream, peer, permit) = tokio::select! {
            () = stop.cancelled() => break,
            (stream, peer, permit) = next(&listener, &room) => (stream, peer, permit),
        };
        let address = peer.ip().to_canonical();
        let most = if guard.trusted_proxies.iter().any(|proxies| proxies.contains(&address)) {
            usize::MAX
        } else {
            guard.connections_per_address
        };
        let Some(counted) = addresses.enter(address, most) else {
            tracing::debug!(%address, "connection refused: its address has too many open");
            continue;
        };
        let (tls, router, watcher) = (tls.clone(), router.clone(), graceful.watcher());
        tasks.spawn(async move {
            if let Err(cause) = connection(stream, peer, tls, router, watcher).await {
                tracing::debug!(%address, %cause, "connection ended early");
            }
            drop((counted, permit));
        });
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(guard.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(open = tasks.len(), "stopped with requests still open");
    }
}

/// The next connection, once there is room for it: beyond that, clients wait in the kernel's queue.
async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    let permit = Arc::clone(room).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(cause) => {
                // Out of file descriptors, or a client that left while queued: neither is cured by asking at once.
                tracing::warn!(%cause, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    watcher: Watcher,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let stream = Idle::new(stream, SILENCE);
    let Some(tls) = tls else { return http1(stream, peer, router, watcher).await };
    let stream = tokio::time::timeout(HANDSHAKE, tls.accept(stream))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        http2(stream, peer, router, watcher).await
    } else {
        http1(stream, peer, router, watcher).await
    }
}

async fn http1<S>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    watcher: Watcher,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(router.clone(), peer, request));
    let connection = conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    Ok(watcher.watch(connection).await?)
}

async fn http2<S>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    watcher: Watcher,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(router.clone(), peer, request));
    let connection = conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(LARGEST_HEAD)?)
        .max_concurrent_streams(STREAMS)
        .serve_connection(TokioIo::new(stream), service);
    Ok(watcher.watch(connection).await?)
}

async fn answer(
    router: Router,
    peer: SocketAddr,
    mut request: http::Request<Incoming>,
) -> Result<axum::response::Response, std::convert::Infallible> {
    request.extensions_mut().insert(Peer(peer));
    router.oneshot(request.map(Body::new)).await
}
