use std::{
    io,
    path::{Path, PathBuf},
};

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;

/// Why a command could not ask the server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperatorError {
    #[error("the server's answer makes no sense: {0}; is it another version of this program?")]
    Answer(String),
    #[error("no server runs on {path}; start it with `keywarden serve`, or say which one with --data-dir")]
    NotRunning { path: PathBuf },
    #[error("{path} belongs to another user; run this as the server's user or as root")]
    Refused { path: PathBuf },
    #[error("{0}")]
    Told(String),
    #[error("cannot speak to the server on {path}: {cause}")]
    Unreachable { path: PathBuf, cause: Box<dyn std::error::Error + Send + Sync> },
}

/// Asks the server that holds this socket.
pub(crate) async fn call<Q: Serialize + ?Sized, A: DeserializeOwned>(
    socket: &Path,
    method: Method,
    path: &str,
    question: Option<&Q>,
) -> Result<A, OperatorError> {
    let broken = |cause: Box<dyn std::error::Error + Send + Sync>| OperatorError::Unreachable {
        path: socket.into(),
        cause,
    };
    let stream = UnixStream::connect(socket).await.map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            OperatorError::NotRunning { path: socket.into() }
        }
        io::ErrorKind::PermissionDenied => OperatorError::Refused { path: socket.into() },
        _ => broken(cause.into()),
    })?;
    let body = match question {
        Some(question) => Body::from(serde_json::to_vec(question).map_err(|cause| broken(cause.into()))?),
        None => Body::empty(),
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "operator")
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|cause| broken(cause.into()))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|cause| broken(cause.into()))?;
    let exchange = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        Ok::<_, hyper::Error>((status, response.into_body().collect().await?.to_bytes()))
    };
    // A server that hangs up at once (another user's) fails both; the exchange's error is the one that says so.
    let (exchanged, _) = tokio::join!(exchange, connection);
    let (status, bytes) = exchanged.map_err(|cause| broken(cause.into()))?;
    if status == StatusCode::OK {
        return serde_json::from_slice(&bytes).map_err(|cause| OperatorError::Answer(cause.to_string()));
    }
    let told: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    let detail = told.as_ref().and_then(|problem| problem.get("detail")).and_then(|detail| detail.as_str());
    Err(detail.map_or_else(
        || OperatorError::Answer(status.to_string()),
        |detail| OperatorError::Told(detail.into()),
    ))
}
