use std::{collections::BTreeSet, convert::Infallible, fmt::Write, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    response::Redirect,
    routing::{get, post},
};
use futures_util::stream;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use keywarden_model::{ClientAddress, KeptForStranger, ProblemKind};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{Condition, Doors, metrics, router};
use crate::{
    config::{Config, Given, Values},
    listen::{self, Guard, Peer},
    wire::House,
};

mod shut;
mod stopped;

const OWN: &str = "https://keys.example.com";

fn config(more: &[(&str, &str)]) -> Arc<Config> {
    let variables = [("KEYWARDEN_PUBLIC_URL", OWN)];
    let environment = variables.iter().chain(more).map(|(name, value)| (name.into(), value.into())).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    let given = Given { file: Some(file.path().into()), environment, flags: Vec::new() };
    Arc::new(Config::read(&Values::gather(&given).unwrap()).unwrap())
}

fn doors() -> Doors {
    let machines = Router::new()
        .route("/api/v1/things/{id}", get(|| async { "thing" }).post(|body: String| async move { body }))
        .route(
            "/api/v1/whose",
            get(|Extension(address): Extension<ClientAddress>| async move { address.to_string() }),
        )
        .route("/api/v1/closed", get(|| async { StatusCode::UNAUTHORIZED }))
        .route("/api/v1/slow", get(|| async { tokio::time::sleep(Duration::from_hours(1)).await }));
    let page = || async {
        let csp = HeaderValue::from_static("default-src 'none'; script-src 'nonce-x'");
        ([(header::CONTENT_SECURITY_POLICY, csp)], "page")
    };
    let people = Router::new()
        .route("/", get(page))
        .route("/moved", get(|| async { Redirect::to("/") }))
        .route("/panic", get(panics))
        .route("/kept", get(|| async { (Extension(KeptForStranger), "kept") }))
        .route("/posted", post(|| async { "posted" }));
    Doors { machines, people, ..Doors::default() }
}

async fn panics() -> &'static str {
    panic!("kwk_live_secret")
}

struct Server {
    house: House,
    router: Router,
}

impl Server {
    fn new(more: &[(&str, &str)]) -> Self {
        let house = House::without_cellars(config(more));
        house.condition.send_replace(Condition::Ready);
        let router = router(&house, doors());
        Self { house, router }
    }

    async fn send(&self, request: http::request::Builder, body: &str) -> (http::response::Parts, String) {
        self.stream(request, Body::from(body.to_owned())).await
    }

    async fn stream(&self, request: http::request::Builder, body: Body) -> (http::response::Parts, String) {
        let peer = Peer("192.0.2.1:1234".parse().unwrap());
        let request = request.extension(peer).body(body).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        (parts, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> (http::response::Parts, String) {
        self.send(Request::get(path), "").await
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_whatever_its_status() {
    let server = Server::new(&[]);
    let mut seen = String::new();
    for (name, path) in [
        ("page", "/"),
        ("redirect", "/moved"),
        ("panic", "/panic"),
        ("wrong method", "/posted"),
        ("nothing", "/nothing"),
        ("api", "/api/v1/things/1"),
        ("health", "/livez"),
    ] {
        let (parts, _) = server.get(path).await;
        writeln!(seen, "{name}: {}", parts.status.as_u16()).unwrap();
        let mut headers: Vec<_> = parts.headers.iter().collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        for (name, value) in headers {
            let value = match name.as_str() {
                "permissions-policy" => "(policy)",
                "x-request-id" => "(id)",
                _ => value.to_str().unwrap(),
            };
            writeln!(seen, "    {name}: {value}").unwrap();
        }
    }
    insta::assert_snapshot!(seen);
}

#[tokio::test]
async fn hsts_is_sent_only_where_people_come_over_https() {
    let plain = Server::new(&[("KEYWARDEN_PUBLIC_URL", "http://localhost:3000")]);
    assert!(!plain.get("/livez").await.0.headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    assert!(Server::new(&[]).get("/livez").await.0.headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
}

#[tokio::test]
async fn the_console_refuses_other_sites_and_the_api_reads_no_cookie_to_be_tricked() {
    let server = Server::new(&[]);
    let form = "application/x-www-form-urlencoded";
    let post = |path: &str| Request::post(path).header(header::CONTENT_TYPE, form).header("cookie", "a=b");
    assert_eq!(server.send(post("/posted"), "").await.0.status, StatusCode::FORBIDDEN);
    assert_eq!(
        server.send(post("/posted").header("sec-fetch-site", "cross-site"), "").await.0.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(server.send(post("/posted").header("origin", OWN), "").await.0.status, StatusCode::OK);
    assert_eq!(server.send(post("/api/v1/things/1"), "").await.0.status, StatusCode::OK);
    let (parts, body) = server.send(post("/posted").header("accept", "text/html"), "").await;
    assert_eq!(parts.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert!(body.contains("open the console at https://keys.example.com"), "{body}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_or_not_it_says_so() {
    let server = Server::new(&[("KEYWARDEN_LIMITS_BODY", "10")]);
    let announced = server
        .send(Request::post("/api/v1/things/1").header(header::CONTENT_LENGTH, 11), "01234567890")
        .await;
    assert_eq!(announced.0.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(announced.0.headers[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(
        server.send(Request::post("/api/v1/things/1"), "01234567890").await.0.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(server.send(Request::post("/api/v1/things/1"), "0123456789").await.0.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let server = Server::new(&[("KEYWARDEN_LIMITS_REQUEST", "1s")]);
    let (parts, body) = server.get("/api/v1/slow").await;
    assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("#timeout"), "{body}");
}

/// A byte now and then is no reason to keep a connection: not for a head, nor for a body that is read, or that is not.
#[tokio::test]
async fn over_a_socket_what_trickles_ends_its_connection_when_its_time_is_up() {
    let server = Server::new(&[("KEYWARDEN_LIMITS_REQUEST", "1s")]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let guard = Guard {
        connections: 8,
        connections_per_address: 8,
        trusted_proxies: Vec::new(),
        head: Duration::from_millis(300),
        silence: Duration::from_secs(1),
        drain: Duration::from_secs(1),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(listen::serve(listener, None, server.router.clone(), guard, CancellationToken::new()));
    for (begins, goes_on) in [
        ("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "x"),
        ("POST /api/v1/things/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", "x"),
        ("POST /api/v1/things/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
        ("POST /api/v1/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", "x"),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(begins.as_bytes()).await.unwrap();
        let cut = tokio::time::timeout(Duration::from_secs(20), async {
            while stream.write_all(goes_on.as_bytes()).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        cut.await.unwrap_or_else(|_| panic!("it is kept for ever: {begins}"));
    }
}

#[tokio::test]
async fn a_panic_is_one_500_that_tells_nothing() {
    let server = Server::new(&[]);
    let (parts, body) = server.get("/panic").await;
    assert_eq!(parts.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!body.contains("kwk_live_secret"), "{body}");
    assert_eq!(parts.headers[header::CONTENT_TYPE], "application/problem+json");
    let (parts, page) = server.send(Request::get("/panic").header(header::ACCEPT, "text/html"), "").await;
    assert_eq!(parts.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(parts.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert!(!page.contains("kwk_live_secret"), "{page}");
    assert_eq!(server.get("/").await.0.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_trickles_is_waited_for_no_longer_than_a_request_may_take() {
    let server = Server::new(&[("KEYWARDEN_LIMITS_REQUEST", "1s")]);
    let trickle = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, Infallible>("x"), ()))
    });
    let asked = server.stream(Request::post("/api/v1/things/1"), Body::from_stream(trickle));
    assert_eq!(asked.await.0.status.as_u16(), ProblemKind::Timeout.status());
}

fn sealed() -> Condition {
    Condition::Sealed { cause: "the HSM does not answer", why: "token `acme` is not present".into() }
}

#[tokio::test]
async fn while_sealed_every_door_is_shut_with_the_reason_and_health_says_so() {
    let server = Server::new(&[]);
    let ready = server.get("/readyz").await;
    assert_eq!((ready.0.status, ready.1.as_str()), (StatusCode::OK, r#"{"status":"ready"}"#));
    server.house.condition.send_replace(sealed());
    for path in ["/", "/api/v1/things/1", "/readyz"] {
        let (parts, body) = server.get(path).await;
        assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(parts.headers[header::CONTENT_TYPE], "application/problem+json", "{path}");
        assert!(body.contains("the HSM does not answer") && !body.contains("acme"), "{body}");
    }
    assert_eq!(server.get("/livez").await.0.status, StatusCode::OK);
    server.house.condition.send_replace(Condition::Closed { why: "restored from a backup".into() });
    for path in ["/", "/api/v1/things/1", "/readyz"] {
        let (parts, body) = server.get(path).await;
        assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(body.contains("restored from a backup") && body.contains("problems#closed"), "{body}");
    }
    server.house.condition.send_replace(Condition::Degraded { why: "the HSM does not answer".into() });
    assert_eq!(server.get("/api/v1/things/1").await.0.status, StatusCode::OK);
    assert_eq!(server.get("/readyz").await.0.status, StatusCode::OK);
    server.house.condition.send_replace(Condition::NoDatabase { why: "no role `kw_owner`".into() });
    let (parts, body) = server.get("/readyz").await;
    assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("the database does not answer") && !body.contains("kw_owner"), "{body}");
}

/// Each problem of the house leads to its words and to its line in the log.
#[tokio::test]
async fn every_problem_before_the_doors_is_of_a_known_kind_and_names_its_request() {
    let server = Server::new(&[("KEYWARDEN_LIMITS_BODY", "10"), ("KEYWARDEN_LIMITS_REQUEST", "1s")]);
    let form = "application/x-www-form-urlencoded";
    let post = |kind: &str| Request::post("/posted").header(header::CONTENT_TYPE, kind);
    let mut answers = vec![
        server.get("/nothing").await,
        server.get("/panic").await,
        server.get("/api/v1/slow").await,
        server.send(post(form), "").await,
        server.send(post("text/plain").header("origin", OWN), "x").await,
        server.send(Request::options("/posted"), "").await,
        server
            .send(Request::post("/api/v1/things/1").header(header::CONTENT_LENGTH, 11), "01234567890")
            .await,
    ];
    let why = || "it does not answer".to_owned();
    for condition in [
        Condition::Closed { why: why() },
        Condition::NoDatabase { why: why() },
        Condition::Sealed { cause: "it does not answer", why: why() },
        Condition::Starting,
    ] {
        server.house.condition.send_replace(condition);
        answers.push(server.get("/readyz").await);
        answers.push(server.get("/api/v1/things/1").await);
    }
    server.house.condition.send_replace(Condition::Ready);
    while answers.last().unwrap().0.status != StatusCode::TOO_MANY_REQUESTS {
        assert!(answers.len() < 5_000, "nobody stops it");
        answers.push(server.get("/kept").await);
    }
    let mut slugs = BTreeSet::new();
    for (parts, body) in answers.into_iter().filter(|(parts, _)| !parts.status.is_success()) {
        let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
        let kind = ProblemKind::ALL.iter().find(|kind| problem["type"] == kind.address().as_str());
        let kind = kind.unwrap_or_else(|| panic!("{problem}"));
        assert_eq!(
            (problem["status"].as_u64(), parts.status.as_u16()),
            (Some(kind.status().into()), kind.status())
        );
        assert_eq!(problem["instance"], parts.headers["x-request-id"].to_str().unwrap());
        slugs.insert(kind.slug());
    }
    let wanted = [
        "closed",
        "cross-site",
        "internal",
        "method-not-allowed",
        "no-database",
        "not-found",
        "sealed",
        "starting",
        "timeout",
        "too-large",
        "too-many-requests",
        "unsupported-media-type",
    ];
    assert_eq!(slugs.into_iter().collect::<Vec<_>>(), wanted);
}

#[tokio::test]
async fn pages_before_the_doors_speak_the_visitors_language() {
    let server = Server::new(&[]);
    let asked =
        |path: &str| Request::get(path).header("accept", "text/html").header("accept-language", "en-XA");
    let (_, nothing) = server.send(asked("/nothing"), "").await;
    server.house.condition.send_replace(sealed());
    let (parts, sealed) = server.send(asked("/"), "").await;
    assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(sealed.contains("The HSM does not answer."), "what is put in stays: {sealed}");
    assert!(!sealed.contains("unseals"), "{sealed}");
    for page in [nothing, sealed] {
        assert!(page.contains("<html lang=\"en-XA\">"), "{page}");
        assert!(!page.contains("Not found") && !page.contains("node") && !page.contains("console"), "{page}");
    }
}

#[tokio::test]
async fn metrics_count_by_template_and_never_by_path() {
    let server = Server::new(&[]);
    server.get("/api/v1/things/secret-id").await;
    server.get("/no/such/secret-path").await;
    server.send(Request::builder().method(Method::from_bytes(b"SECRET").unwrap()).uri("/"), "").await;
    let page = metrics::routes(Arc::clone(&server.house.metrics));
    let response = page.oneshot(Request::get("/metrics").body(Body::empty()).unwrap()).await.unwrap();
    let text = String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let line = r#"keywarden_http_requests_total{method="GET",route="/api/v1/things/{id}",status="200"} 1"#;
    assert!(text.contains(line), "{text}");
    assert!(text.contains(r#"route="unmatched",status="404"} 1"#), "{text}");
    assert!(text.contains("keywarden_http_request_seconds_bucket"), "{text}");
    assert!(!text.to_lowercase().contains("secret"), "{text}");
}

#[tokio::test]
async fn a_request_id_is_ours_and_never_the_callers() {
    let server = Server::new(&[]);
    let (parts, _) = server.send(Request::get("/livez").header("x-request-id", "req_forged"), "").await;
    let id = parts.headers["x-request-id"].to_str().unwrap();
    assert!(id.parse::<keywarden_model::RequestId>().is_ok(), "{id}");
}

#[tokio::test]
async fn a_policy_report_is_taken_short_and_counted() {
    let server = Server::new(&[]);
    let report = r#"{"csp-report":{"blocked-uri":"inline","effective-directive":"script-src-elem"}}"#;
    assert_eq!(server.send(Request::post("/csp-report"), report).await.0.status, StatusCode::NO_CONTENT);
    assert_eq!(server.send(Request::post("/csp-report"), "{}").await.0.status, StatusCode::BAD_REQUEST);
    let long = "x".repeat(17 << 10);
    assert_eq!(
        server.send(Request::post("/csp-report"), &long).await.0.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let mut last = StatusCode::OK;
    for _ in 0..70 {
        last = server.send(Request::post("/csp-report"), report).await.0.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}
