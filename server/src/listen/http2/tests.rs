use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use futures_util::stream;
use http::{Request, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::TokioExecutor;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    config::Tls,
    listen::{self, Certificates, Guard, HEAD, SILENCE},
};

mod raw;

use raw::{
    CONTINUATION, DATA, END_HEADERS, ENHANCE_YOUR_CALM, HEADERS, NO_WINDOW, REFUSED_STREAM, RST_STREAM, Raw,
    WINDOW_UPDATE, asks, fields, frame, length, resets,
};

const SHORT: Duration = Duration::from_millis(300);
const LONG: usize = 100_000;

/// What takes longer than this does not happen.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it never happened")
}

/// A listener with TLS.
struct Served {
    address: SocketAddr,
    trusted: CertificateDer<'static>,
    stop: CancellationToken,
    /// Requests at `/wait`, each told once.
    begun: Arc<Semaphore>,
    /// Opened, they are answered.
    gate: CancellationToken,
    tasks: JoinSet<()>,
}

impl Served {
    async fn new(head: Duration, silence: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = Tls { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        std::fs::write(&files.cert, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        let tls = listen::server_config(Arc::new(Certificates::load(files).unwrap())).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (begun, gate) = (Arc::new(Semaphore::new(0)), CancellationToken::new());
        let guard = Guard {
            connections: 8,
            connections_per_address: 8,
            trusted_proxies: Vec::new(),
            head,
            silence,
            drain: Duration::from_mins(1),
        };
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let router = router(Arc::clone(&begun), gate.clone());
        tasks.spawn(listen::serve(listener, Some(tls), router, guard, stop.clone()));
        Self { address, trusted: made.cert.der().clone(), stop, begun, gate, tasks }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    async fn raw(&self, settings: &[u8]) -> Raw {
        Raw::open(self.connect().await, settings).await
    }

    async fn client(&self) -> Client {
        let io = TokioIo::new(self.connect().await);
        let (ask, connection) = handshake(TokioExecutor::new(), io).await.unwrap();
        let mut open = JoinSet::new();
        open.spawn(async move { drop(connection.await) });
        Client { ask, open }
    }

    /// Once so many more requests came to `/wait`.
    async fn begun(&self, requests: u32) {
        within(self.begun.acquire_many(requests)).await.unwrap().forget();
    }
}

fn router(begun: Arc<Semaphore>, gate: CancellationToken) -> Router {
    let wait = move || {
        begun.add_permits(1);
        let gate = gate.clone();
        async move {
            gate.cancelled().await;
            "waited"
        }
    };
    let tick = |()| async {
        tokio::time::sleep(SHORT / 10).await;
        Some((Ok::<_, Infallible>("tick"), ()))
    };
    Router::new()
        .route("/", get(|| async { "here" }))
        .route("/long", get(|| async { "x".repeat(LONG) }))
        .route("/wait", get(wait))
        .route("/ticks", get(move || async move { Body::from_stream(stream::unfold((), tick)) }))
        .route("/body", post(|body: String| async move { body }))
}

/// A client that keeps to the protocol.
struct Client {
    ask: SendRequest<Body>,
    /// Ends with the connection.
    open: JoinSet<()>,
}

impl Client {
    async fn send(&mut self, request: http::request::Builder) -> http::Response<hyper::body::Incoming> {
        within(self.ask.send_request(request.body(Body::empty()).unwrap())).await.unwrap()
    }

    async fn get(&mut self, path: &str) -> (StatusCode, Bytes) {
        let response = self.send(Request::get(format!("https://localhost{path}"))).await;
        assert_eq!(response.version(), Version::HTTP_2);
        let status = response.status();
        (status, within(response.into_body().collect()).await.unwrap().to_bytes())
    }
}

#[tokio::test]
async fn requests_are_answered_over_http_2_whole_also_where_an_answer_comes_in_pieces() {
    let served = Served::new(HEAD, SILENCE).await;
    let mut client = served.client().await;
    assert_eq!(client.get("/").await, (StatusCode::OK, Bytes::from_static(b"here")));
    assert_eq!(client.get("/long").await, (StatusCode::OK, Bytes::from("x".repeat(LONG))));
}

#[tokio::test]
async fn more_streams_than_allowed_are_refused_and_the_others_answered() {
    let served = Served::new(HEAD, SILENCE).await;
    let mut raw = served.raw(&[]).await;
    let streams = || (0..u32::from(STREAMS)).map(|number| 2 * number + 1);
    for stream in streams() {
        raw.send(&asks(stream, "/wait")).await;
    }
    served.begun(u32::from(STREAMS)).await;
    let beyond = 2 * u32::from(STREAMS) + 1;
    raw.send(&asks(beyond, "/wait")).await;
    assert_eq!(raw.sees(|frame| frame.is(RST_STREAM, beyond)).await.code(), REFUSED_STREAM);
    served.gate.cancel();
    for _ in streams() {
        raw.sees(|frame| frame.kind == DATA && frame.ends(frame.stream)).await;
    }
    raw.is_answered(beyond + 2).await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_answered_431_and_the_connection_goes_on() {
    let served = Served::new(HEAD, SILENCE).await;
    let mut client = served.client().await;
    let long = "a".repeat(usize::from(LARGEST_HEAD));
    let response = client.send(Request::get("https://localhost/").header("x-long", long)).await;
    assert_eq!(response.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(client.get("/").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_small_head_that_becomes_a_large_one_ends_the_connection() {
    let served = Served::new(HEAD, SILENCE).await;
    let mut raw = served.raw(&[]).await;
    // One field that is remembered, and named forty times by its number, 62.
    let value = [b'a'; 4000];
    let remembered = [&[0x40, 1, b'x'][..], &length(value.len()), &value].concat();
    let bomb = [fields("GET", "/"), remembered, vec![0xbe; 40]].concat();
    raw.send(&frame(HEADERS, END_HEADERS, 1, &bomb)).await;
    assert_eq!(raw.ends().await, Some(ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn a_head_that_goes_on_in_frame_after_frame_ends_the_connection() {
    let served = Served::new(HEAD, SILENCE).await;
    let mut raw = served.raw(&[]).await;
    let mut flood = frame(HEADERS, 0, 1, &fields("GET", "/"));
    for _ in 0..10 {
        flood.extend(frame(CONTINUATION, 0, 1, &[]));
    }
    raw.send(&flood).await;
    assert_eq!(raw.ends().await, Some(ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn streams_reset_as_soon_as_they_are_opened_end_the_connection() {
    let served = Served::new(HEAD, SILENCE).await;
    let mut raw = served.raw(&[]).await;
    let flood: Vec<u8> = (0..100)
        .flat_map(|number| [asks(2 * number + 1, "/wait"), resets(2 * number + 1)].concat())
        .collect();
    raw.send(&flood).await;
    assert_eq!(raw.ends().await, Some(ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn requests_that_are_given_up_one_by_one_end_the_connection() {
    let served = Served::new(HEAD, SILENCE).await;
    let mut raw = served.raw(&[]).await;
    for number in 0..=u32::from(STREAMS) {
        raw.send(&asks(2 * number + 1, "/wait")).await;
        served.begun(1).await;
        raw.send(&resets(2 * number + 1)).await;
    }
    raw.ends().await;
}

#[tokio::test]
async fn requests_that_are_given_up_now_and_then_do_not() {
    let served = Served::new(HEAD, SILENCE).await;
    let mut raw = served.raw(&[]).await;
    for number in 0..2 * u32::from(STREAMS) {
        raw.send(&asks(4 * number + 1, "/wait")).await;
        served.begun(1).await;
        raw.send(&resets(4 * number + 1)).await;
        raw.is_answered(4 * number + 3).await;
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_and_the_connection_goes_on() {
    let served = Served::new(HEAD, SHORT).await;
    let mut raw = served.raw(&[]).await;
    raw.send(&frame(HEADERS, END_HEADERS, 1, &fields("POST", "/body"))).await;
    raw.send(&frame(DATA, 0, 1, b"x")).await;
    raw.sees(|frame| frame.is(RST_STREAM, 1)).await;
    raw.is_answered(3).await;
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_cut_and_the_connection_goes_on() {
    let served = Served::new(HEAD, SHORT).await;
    let mut raw = served.raw(&NO_WINDOW).await;
    raw.send(&asks(1, "/long")).await;
    raw.sees(|frame| frame.is(RST_STREAM, 1)).await;
    // Nor is one that is taken a byte at a time.
    raw.send(&asks(3, "/long")).await;
    raw.beat = frame(WINDOW_UPDATE, 0, 3, &1_u32.to_be_bytes());
    raw.sees(|frame| frame.is(DATA, 3)).await;
    raw.sees(|frame| frame.is(RST_STREAM, 3)).await;
    raw.send(&asks(5, "/")).await;
    raw.beat = frame(WINDOW_UPDATE, 0, 5, &4_u32.to_be_bytes());
    raw.sees(|frame| frame.ends(5)).await;
}

#[tokio::test]
async fn an_answer_without_an_end_goes_on_while_it_is_taken() {
    let served = Served::new(SHORT, SHORT).await;
    let mut client = served.client().await;
    let mut body = client.send(Request::get("https://localhost/ticks")).await.into_body();
    let until = Instant::now() + 4 * SHORT;
    while Instant::now() < until {
        assert!(within(body.frame()).await.unwrap().unwrap().is_data());
    }
}

#[tokio::test]
async fn a_connection_that_asks_nothing_is_closed_though_it_answers_pings() {
    let served = Served::new(SHORT, SILENCE).await;
    let mut client = served.client().await;
    assert_eq!(client.get("/").await.0, StatusCode::OK);
    within(client.open.join_next()).await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_cut_and_so_is_one_that_never_began() {
    let served = Served::new(SHORT, SILENCE).await;
    served.raw(&[]).await.ends().await;
    let mut stream = served.connect().await;
    let read = within(stream.read_to_end(&mut Vec::new())).await;
    // The listener says what it allows, and is gone.
    assert!(read.is_err() || read.is_ok_and(|bytes| bytes < 200));
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_though_another_stream_is_open() {
    let served = Served::new(SHORT, SILENCE).await;
    let mut raw = served.raw(&[]).await;
    raw.send(&asks(1, "/wait")).await;
    served.begun(1).await;
    raw.send(&frame(HEADERS, 0, 3, &fields("GET", "/"))).await;
    raw.ends().await;
}

#[tokio::test]
async fn a_stop_lets_open_streams_be_answered_and_then_closes_their_connection() {
    let mut served = Served::new(HEAD, SILENCE).await;
    let mut client = served.client().await;
    let mut asked = JoinSet::new();
    asked.spawn(async move { (client.get("/wait").await, client) });
    served.begun(1).await;
    served.stop.cancel();
    // It no longer listens, and the request is still open.
    while TcpStream::connect(served.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(asked.try_join_next().is_none());
    served.gate.cancel();
    let (answer, client) = within(asked.join_next()).await.unwrap().unwrap();
    assert_eq!(answer, (StatusCode::OK, Bytes::from_static(b"waited")));
    within(served.tasks.join_next()).await;
    drop(client);
}
