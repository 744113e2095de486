//! The operator's door: a Unix socket in the data folder. Whoever may speak there has a shell on this machine as the
//! server's own user, or is root; the socket's mode says so, and the peer's uid is asked for as well.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::os::unix::fs::PermissionsExt;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// The socket, taken and not served yet: who comes meanwhile waits.
#[derive(Debug)]
pub(crate) struct OperatorDoor {
    path: PathBuf,
    listener: UnixListener,
}

impl OperatorDoor {
    /// Takes the socket. The caller holds the data folder's lock, so a socket found there is a dead server's and is
    /// replaced. A path beyond the system's 107 bytes cannot be taken.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { path: path.into(), listener })
    }

    /// Serves `router` until `stop`, then waits for what was asked before, `drain` at most.
    pub(crate) async fn serve(self, router: Router, drain: Duration, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        while let Some(stream) = stop.run_until_cancelled(next(&self.listener)).await {
            match stream.peer_cred() {
                Ok(peer) if may_enter(peer.uid(), nix::unistd::geteuid().as_raw()) => {
                    tasks.spawn(connection(stream, router.clone(), stop.clone()));
                }
                Ok(peer) => tracing::warn!(uid = peer.uid(), "refused another user on the operator's socket"),
                Err(cause) => tracing::warn!(%cause, "refused a nameless peer on the operator's socket"),
            }
        }
        drop(self);
        tasks.close();
        if tokio::time::timeout(drain, tasks.wait()).await.is_err() {
            tracing::warn!(open = tasks.len(), "stopped with operator's requests still open");
        }
    }
}

impl Drop for OperatorDoor {
    fn drop(&mut self) {
        if let Err(cause) = std::fs::remove_file(&self.path) {
            tracing::warn!(%cause, path = %self.path.display(), "the operator's socket stays behind");
        }
    }
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

/// Until the other end has what it asked for and goes; once `stop` is called, until it has what it asked for.
async fn connection(stream: UnixStream, router: Router, stop: CancellationToken) {
    let service =
        service_fn(move |request: http::Request<Incoming>| router.clone().oneshot(request.map(Body::new)));
    let served =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    let ended = match stop.run_until_cancelled(served.as_mut()).await {
        Some(ended) => ended,
        None => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(cause) = ended {
        tracing::debug!(%cause, "operator connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::Notify,
    };

    use super::*;

    /// A socket in a folder of its own.
    fn socket() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("operator.sock");
        (folder, path)
    }

    #[tokio::test]
    async fn what_was_asked_before_the_end_is_answered_and_who_says_nothing_is_not_waited_for() {
        let (_folder, path) = socket();
        let (began, go_on) = (std::sync::Arc::new(Notify::new()), std::sync::Arc::new(Notify::new()));
        let (begins, goes_on) = (std::sync::Arc::clone(&began), std::sync::Arc::clone(&go_on));
        let slow = move || async move {
            begins.notify_one();
            goes_on.notified().await;
            "made"
        };
        let (stop, door) = (CancellationToken::new(), OperatorDoor::bind(&path).unwrap());
        let router = Router::new().route("/slow", get(slow));
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(door.serve(router, Duration::from_mins(1), stop.clone()));

        let silent = UnixStream::connect(&path).await.unwrap();
        let mut asking = UnixStream::connect(&path).await.unwrap();
        asking.write_all(b"GET /slow HTTP/1.1\r\nHost: operator\r\n\r\n").await.unwrap();
        began.notified().await;
        stop.cancel();
        while path.exists() {
            tokio::task::yield_now().await;
        }
        assert!(serving.try_join_next().is_none(), "somebody still waits for an answer");
        go_on.notify_one();
        let mut answer = String::new();
        asking.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("made"), "{answer}");
        serving.join_next().await.unwrap().unwrap();
        drop(silent);
    }

    #[tokio::test]
    async fn a_dead_servers_socket_is_replaced_and_a_path_too_long_is_refused() {
        let (folder, path) = socket();
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(OperatorDoor::bind(&path).unwrap());
        assert!(!path.exists(), "nobody listens any more");
        let long = folder.path().join("x".repeat(108));
        assert_eq!(OperatorDoor::bind(&long).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn only_the_servers_own_user_and_root_may_enter() {
        assert!(may_enter(1000, 1000));
        assert!(may_enter(0, 1000));
        assert!(!may_enter(1001, 1000));
        assert!(!may_enter(1000, 0));
    }
}
