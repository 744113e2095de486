//! A slice of the same over TLS and HTTP/2: other code reads those requests, and says what it likes of them.

use std::{fmt::Write as _, fs, sync::Arc, time::Duration};

use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::generate_simple_self_signed;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use serde_json::json;
use tokio::{net::TcpStream, task::JoinSet};
use tokio_rustls::TlsConnector;

use super::{
    TALKATIVE,
    door::Answer,
    marks::{Hunt, Marks},
};
use crate::house::{Server, printed};

struct Client {
    ask: SendRequest<Body>,
    open: JoinSet<()>,
}

impl Client {
    async fn new(address: &str, trusted: CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(trusted).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        let (ask, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        let mut open = JoinSet::new();
        open.spawn(async move { drop(connection.await) });
        Self { ask, open }
    }

    async fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = http::Request::builder().method(method).uri(format!("https://localhost{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (head, body) = self.ask.send_request(request).await.unwrap().into_parts();
        assert_eq!(head.version, http::Version::HTTP_2);
        let mut whole = String::new();
        for (name, value) in &head.headers {
            write!(whole, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
        }
        let body = body.collect().await.unwrap().to_bytes();
        write!(whole, "\r\n{}", String::from_utf8_lossy(&body)).unwrap();
        Answer { status: head.status.as_u16(), whole }
    }

    /// Asks in JSON what must be granted.
    async fn does(&mut self, method: &str, path: &str, bearer: &str, body: &str) -> Answer {
        let headers = [("authorization", bearer), ("content-type", "application/json")];
        let answer = self.ask(method, path, &headers, body).await;
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
        answer
    }
}

/// A certificate for `localhost`, and the server that shows it.
fn server(folder: &std::path::Path) -> (Server, CertificateDer<'static>, Vec<(&'static str, String)>) {
    let made = generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&cert, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut variables: Vec<_> = TALKATIVE.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    variables.push(("KEYWARDEN_SEAL", "software".to_owned()));
    variables.push(("KEYWARDEN_TLS_CERT", cert.display().to_string()));
    variables.push(("KEYWARDEN_TLS_KEY", key.display().to_string()));
    let given: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    (Server::start_with(folder, &given), made.cert.der().clone(), variables)
}

/// Whatever is refused tells nothing of what it was asked with.
async fn asks_badly(client: &mut Client, marks: &Marks, bearer: &str) -> Vec<(String, Answer)> {
    let at = "/api/v1/projects/pay/environments/live/secrets/db/password";
    let of = |what: &str| marks.secret(format!("refused: {what}"));
    let long = format!("{}{}", of("a long header"), "a".repeat(40_000));
    let [token, other, cookie] = ["a token", "another token", "a cookie"].map(of);
    let (token, cookie) = (format!("Bearer kws_{token}"), format!("__Host-session={cookie}"));
    let json = ("content-type", "application/json");
    let cases = [
        (
            "PUT",
            at.to_owned(),
            vec![("authorization", bearer), json],
            format!("{{\"value\": \"{}\"", of("half a body")),
        ),
        ("PUT", at.to_owned(), vec![json], json!({ "value": of("a value of nobody") }).to_string()),
        ("GET", at.to_owned(), vec![("authorization", &*token)], String::new()),
        ("GET", at.to_owned(), vec![("x-keywarden-token", &*other)], String::new()),
        ("GET", "/keys".to_owned(), vec![("cookie", &*cookie)], String::new()),
        ("GET", format!("/api/v1/nothing?token={}", of("a query")), Vec::new(), String::new()),
        ("GET", format!("/nothing/{}", of("a path")), Vec::new(), String::new()),
        ("GET", at.to_owned(), vec![("authorization", bearer), ("x-long", &*long)], String::new()),
    ];
    let mut answers = Vec::new();
    for (method, path, headers, body) in cases {
        let answer = client.ask(method, &path, &headers, &body).await;
        assert!(answer.status >= 300, "{method} {path}: {answer:?}");
        answers.push((format!("{method} {path}"), answer));
    }
    assert_eq!(answers.last().map(|(_, answer)| answer.status), Some(431));
    answers
}

#[tokio::test]
async fn no_secret_that_came_over_http_2_is_logged_or_told_to_who_was_refused() {
    let (folder, marks) = (tempfile::tempdir().unwrap(), Marks::default());
    let (server, trusted, variables) = server(folder.path());
    let mut client = Client::new(&server.address, trusted).await;
    while !client.ask("GET", "/readyz", &[], "").await.body().contains("\"ready\"") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let given: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let operator = printed(folder.path(), &given, &["operator", "token", "--role", "admin"]);
    marks.note_token("an operator's token", &operator);
    let bearer = format!("Bearer {}", operator.trim());

    let project = json!({ "slug": "pay", "name": marks.told("a project") }).to_string();
    client.does("POST", "/api/v1/projects", &bearer, &project).await;
    let environment = json!({ "slug": "live", "name": marks.told("an environment"), "label": "live" });
    client.does("POST", "/api/v1/projects/pay/environments", &bearer, &environment.to_string()).await;
    let at = "/api/v1/projects/pay/environments/live/secrets/db/password";
    let (value, told) = (marks.secret("a value"), marks.told("a description"));
    let put = json!({ "value": value, "description": told }).to_string();
    client.does("PUT", at, &bearer, &put).await;
    let read = client.does("GET", at, &bearer, "").await;
    assert!(read.body().contains(&value), "{read:?}");
    let refused = asks_badly(&mut client, &marks, &bearer).await;

    client.open.shutdown().await;
    let log = server.stop().join("\n");
    assert!(log.contains("END_HEADERS"), "nothing is said of HTTP/2");
    let hunt: Hunt<'_> = marks.search();
    hunt.nothing_in("the log", log.as_bytes());
    for (name, answer) in &refused {
        hunt.no_secret_in(&format!("the answer {} to {name}", answer.status), answer.whole.as_bytes());
    }
    hunt.end();
}
