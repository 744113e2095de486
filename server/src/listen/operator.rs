//! The operator's door: a Unix socket in the data folder. Whoever may speak there has a shell on this machine as the
//! server's own user, or is root; the socket's mode says so, and the peer's uid is asked for as well.

use std::{io, path::Path, time::Duration};

use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::os::unix::fs::PermissionsExt;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// Serves `router` on the socket until `stop`. The caller holds the data folder's lock, so a socket found there is a
/// dead server's and is replaced.
pub(crate) async fn serve_operator(path: &Path, router: Router, stop: CancellationToken) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let tasks = TaskTracker::new();
    while let Some(stream) = stop.run_until_cancelled(next(&listener)).await {
        match stream.peer_cred() {
            Ok(peer) if may_enter(peer.uid(), nix::unistd::geteuid().as_raw()) => {
                tasks.spawn(connection(stream, router.clone()));
            }
            Ok(peer) => tracing::warn!(uid = peer.uid(), "refused another user on the operator's socket"),
            Err(cause) => tracing::warn!(%cause, "refused a nameless peer on the operator's socket"),
        }
    }
    tasks.close();
    std::fs::remove_file(path)
}

/// The next connection. That one cannot be taken, for want of file descriptors mostly, passes.
async fn next(listener: &UnixListener) -> UnixStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(cause) => {
                tracing::warn!(%cause, "cannot accept an operator connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn may_enter(peer: u32, own: u32) -> bool {
    peer == own || peer == 0
}

async fn connection(stream: UnixStream, router: Router) {
    let service =
        service_fn(move |request: http::Request<Incoming>| router.clone().oneshot(request.map(Body::new)));
    let served =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
    if let Err(cause) = served {
        tracing::debug!(%cause, "operator connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_servers_own_user_and_root_may_enter() {
        assert!(may_enter(1000, 1000));
        assert!(may_enter(0, 1000));
        assert!(!may_enter(1001, 1000));
        assert!(!may_enter(1000, 0));
    }
}
