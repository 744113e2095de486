//! One listener: takes connections, bounds them, speaks HTTP/1.1 or HTTP/2 on each, and drains when told to stop.

use std::{convert::Infallible, error::Error, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
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

use super::{address_count::AddressCount, http2, idle::Idle};

/// Long enough for any request's head.
pub(crate) const HEAD: Duration = Duration::from_secs(20);
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Longer than any request may take, so that it ends only connections on which nothing happens.
pub(crate) const SILENCE: Duration = Duration::from_secs(75);
/// Bytes of a request head; more is answered 431.
pub(super) const LARGEST_HEAD: u16 = 32 << 10;

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
    /// A request head must arrive in this time; it is also how long a kept-alive connection may wait for its next.
    pub head: Duration,
    /// A connection on which nothing is read or written ends after this time, and so does a stream that stands still.
    pub silence: Duration,
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
    let (room, addresses) = (Arc::new(Semaphore::new(guard.connections)), AddressCount::default());
    let tasks = TaskTracker::new();
    let listening = Arc::new(Listening {
        tls: tls.map(TlsAcceptor::from),
        router,
        head: guard.head,
        silence: guard.silence,
        stop: stop.clone(),
        tasks: tasks.clone(),
    });
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
        let listening = Arc::clone(&listening);
        tasks.spawn(async move {
            if let Err(cause) = listening.connection(stream, peer).await {
                tracing::debug!(%address, %cause, "connection ended early");
            }
            drop((counted, permit));
        });
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(guard.drain, tasks.wait()).await.is_err() {
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

/// What every connection of a listener needs.
pub(super) struct Listening {
    tls: Option<TlsAcceptor>,
    pub(super) router: Router,
    pub(super) head: Duration,
    pub(super) silence: Duration,
    pub(super) stop: CancellationToken,
    /// Connections, and the streams of those that speak HTTP/2.
    pub(super) tasks: TaskTracker,
}

impl Listening {
    async fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        stream.set_nodelay(true)?;
        let stream = Idle::new(stream, self.silence);
        let Some(tls) = &self.tls else { return Ok(self.http1(stream, peer).await?) };
        let stream = tokio::time::timeout(HANDSHAKE, tls.accept(stream))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            http2::serve(stream, peer, self).await
        } else {
            Ok(self.http1(stream, peer).await?)
        }
    }

    async fn http1<S>(&self, stream: S, peer: SocketAddr) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router.clone();
        let service = service_fn(move |request| answer(router.clone(), peer, request));
        let connection = conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head)
            .max_buf_size(usize::from(LARGEST_HEAD))
            .serve_connection(TokioIo::new(stream), service);
        self.to_the_end(connection).await
    }

    /// Once `stop` is called, to the end of what was asked before.
    async fn to_the_end<C: GracefulConnection>(&self, connection: C) -> Result<(), C::Error> {
        let mut connection = pin!(connection);
        match self.stop.run_until_cancelled(connection.as_mut()).await {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    }
}

pub(super) async fn answer(
    router: Router,
    peer: SocketAddr,
    mut request: http::Request<Incoming>,
) -> Result<axum::response::Response, Infallible> {
    request.extensions_mut().insert(Peer(peer));
    router.oneshot(request.map(Body::new)).await
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpSocket,
        task::JoinSet,
    };

    use super::*;

    /// A listener with this guard, for as long as its tasks are kept.
    async fn served(guard: Guard) -> (SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "here" }));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, None, router, guard, CancellationToken::new()));
        (address, tasks)
    }

    fn guard(connections: usize, connections_per_address: usize) -> Guard {
        Guard {
            connections,
            connections_per_address,
            trusted_proxies: Vec::new(),
            head: HEAD,
            silence: SILENCE,
            drain: Duration::from_secs(1),
        }
    }

    /// A connection from one of this machine's own addresses.
    async fn open(to: SocketAddr, from: [u8; 4]) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        socket.connect(to).await.unwrap()
    }

    /// Asks, and says whether an answer came before the connection was closed.
    async fn is_answered(stream: &mut TcpStream) -> bool {
        if stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.is_err() {
            return false;
        }
        let mut answer = [0; 512];
        let mut read = 0;
        while !answer[..read].ends_with(b"here") {
            match stream.read(&mut answer[read..]).await {
                Ok(0) | Err(_) => return false,
                Ok(more) => read += more,
            }
        }
        true
    }

    const HERE: [u8; 4] = [127, 0, 0, 1];
    const THERE: [u8; 4] = [127, 0, 0, 2];

    #[tokio::test]
    async fn an_address_has_no_more_connections_than_its_share_and_others_theirs() {
        let (to, _tasks) = served(guard(100, 2)).await;
        let (mut first, mut second) = (open(to, HERE).await, open(to, HERE).await);
        assert!(is_answered(&mut first).await && is_answered(&mut second).await);
        assert!(!is_answered(&mut open(to, HERE).await).await, "the third is closed");
        assert!(is_answered(&mut open(to, THERE).await).await);
        drop(first);
        // Once the listener has seen it go.
        while !is_answered(&mut open(to, HERE).await).await {
            tokio::task::yield_now().await;
        }
        assert!(is_answered(&mut second).await, "it stays open");
    }

    #[tokio::test]
    async fn a_trusted_proxy_is_not_counted() {
        let trusted_proxies = vec!["127.0.0.0/31".parse().unwrap()];
        let (to, _tasks) = served(Guard { trusted_proxies, ..guard(100, 1) }).await;
        let mut all = [open(to, HERE).await, open(to, HERE).await, open(to, HERE).await];
        for stream in &mut all {
            assert!(is_answered(stream).await);
        }
        let mut counted = [open(to, THERE).await, open(to, THERE).await];
        assert!(is_answered(&mut counted[0]).await && !is_answered(&mut counted[1]).await);
    }

    #[tokio::test]
    async fn heads_that_never_end_hold_their_places_no_longer_than_a_head_may_take() {
        let (to, _tasks) = served(Guard { head: Duration::from_millis(200), ..guard(2, 100) }).await;
        let mut halves = [open(to, HERE).await, open(to, HERE).await];
        for half in &mut halves {
            half.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        }
        assert!(is_answered(&mut open(to, HERE).await).await, "it waits, and is answered");
        for half in &mut halves {
            // 408 or nothing, and then the end.
            half.read_to_end(&mut Vec::new()).await.unwrap();
        }
    }
}
