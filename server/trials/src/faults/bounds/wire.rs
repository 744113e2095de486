//! Requests byte by byte, from any of this machine's own addresses.

use std::{fmt::Write as _, net::Ipv4Addr, time::Duration};

use anyhow::{Context as _, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::Result;

/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(35);
const CHUNK: usize = 64 << 10;

/// A request's head and what of its body is sent with it.
#[derive(Debug)]
pub(super) struct Request(Vec<u8>);

impl Request {
    pub(super) fn new(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut request = head(method, path, headers);
        write!(request, "Content-Length: {}\r\n\r\n", body.len()).ok();
        Self([request.as_bytes(), body].concat())
    }

    /// The same without saying how long it is.
    pub(super) fn chunked(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut request = head(method, path, headers);
        request.push_str("Transfer-Encoding: chunked\r\n\r\n");
        let mut request = request.into_bytes();
        for chunk in body.chunks(CHUNK) {
            request.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            request.extend(chunk);
            request.extend(b"\r\n");
        }
        request.extend(b"0\r\n\r\n");
        Self(request)
    }
}

fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").ok();
    }
    head
}

/// A connection from one of this machine's own addresses.
pub(super) async fn connect(from: Ipv4Addr, port: u16) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    Ok(socket.connect((Ipv4Addr::LOCALHOST, port).into()).await?)
}

/// Sends a request and gives the answer's head, what of its body came with it, and the connection on which the rest comes.
pub(super) async fn begin(port: u16, request: &Request) -> Result<(String, Vec<u8>, TcpStream)> {
    let mut wire = connect(Ipv4Addr::LOCALHOST, port).await?;
    wire.write_all(&request.0).await?;
    let mut read = Vec::new();
    let head = async {
        loop {
            ensure!(wire.read_buf(&mut read).await? > 0, "the server hung up");
            if let Some(end) = read.windows(4).position(|it| it == b"\r\n\r\n") {
                return Ok(end + 4);
            }
        }
    };
    let end = timeout(PATIENCE, head).await.context("no answer")??;
    let rest = read.split_off(end);
    Ok((String::from_utf8(read)?.to_ascii_lowercase(), rest, wire))
}

/// Sends a request and gives the answer's status; none where the server hung up on it, and its answer went lost with that.
pub(super) async fn send(port: u16, request: &Request) -> Result<Option<u16>> {
    let (mut reads, mut writes) = connect(Ipv4Addr::LOCALHOST, port).await?.into_split();
    // Who is answered before all is sent has the rest left.
    let sending = async {
        writes.write_all(&request.0).await.ok();
    };
    let mut answer = Vec::new();
    let reading = async {
        reads.read_to_end(&mut answer).await.ok();
    };
    timeout(PATIENCE, async { tokio::join!(sending, reading) }).await.context("no answer")?;
    if answer.is_empty() {
        return Ok(None);
    }
    let status = answer.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let Some(status) = status.and_then(|status| std::str::from_utf8(status).ok()) else {
        bail!("no answer of HTTP/1.1: {}", String::from_utf8_lossy(&answer));
    };
    Ok(Some(status.parse()?))
}
