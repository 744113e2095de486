//! A job of GitHub Actions, which has nothing but the address and the token by which its platform gives it another one.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
    sync::{Arc, Mutex},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use keywarden_domain::exchange::shelf::Issuer;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};
use serde_json::{Value, json};

use crate::house::{Server, printed, told};

/// What the job shows where it asks for a token.
const SHOWN: &str = "shown-by-the-job";

/// The address that gives tokens out, over TLS on this machine.
struct Platform {
    address: String,
    certificate: String,
    /// Requests, each as it came.
    asked: Arc<Mutex<Vec<String>>>,
    /// Status and body of each answer.
    says: Arc<Mutex<(String, String)>>,
}

impl Platform {
    fn new() -> Self {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let config = ServerConfig::builder().with_no_client_auth();
        let config = Arc::new(config.with_single_cert(vec![cert.der().clone()], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let says: Arc<Mutex<(String, String)>> = Arc::default();
        let (heard, words) = (Arc::clone(&asked), Arc::clone(&says));
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let (status, body) = words.lock().unwrap().clone();
                // Whoever breaks off gets nothing.
                answer(socket, &config, &heard, &status, &body).ok();
            }
        });
        // As GitHub's addresses are: with a query of their own.
        let address = format!("https://localhost:{port}/abc//idtoken/1f2e?api-version=2.0");
        Self { address, certificate: cert.pem(), asked, says }
    }

    fn says(&self, status: &str, body: &str) {
        *self.says.lock().unwrap() = (status.to_owned(), body.to_owned());
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn answer(
    socket: TcpStream,
    config: &Arc<ServerConfig>,
    heard: &Mutex<Vec<String>>,
    status: &str,
    body: &str,
) -> std::io::Result<()> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, socket);
    let mut asked = [0; 4096];
    let length = stream.read(&mut asked)?;
    // Before it is answered: whoever has the answer may look.
    heard.lock().unwrap().push(String::from_utf8_lossy(&asked[..length]).into_owned());
    let size = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n{body}")?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// A command in a job that GitHub tells this by variables.
fn job(folder: &Path, server: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keywarden"));
    command.args(arguments).current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin");
    command.env("KEYWARDEN_SERVER", server).env("SSL_CERT_FILE", folder.join("platform.pem"));
    command.envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn a_job_gets_a_token_for_this_server_from_its_platform_and_reads_with_it() {
    let (folder, platform) = (tempfile::tempdir().unwrap(), Platform::new());
    let at = folder.path();
    fs::write(at.join("platform.pem"), &platform.certificate).unwrap();
    let server = Server::start(at);
    server.becomes("ready");
    let admin = printed(at, &[], &["operator", "token", "--role", "admin"]);
    let post = |path: &str, asked: Value| -> Value {
        let answer = server.post(path, admin.trim(), &asked.to_string());
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    };
    post("/api/v1/projects", json!({ "slug": "pay", "name": "Payments" }));
    post("/api/v1/projects/pay/environments", json!({ "slug": "live", "name": "Live", "label": "live" }));
    let workload = json!({ "name": "shop", "project": "pay", "role": "manager" });
    let workload = post("/api/v1/workloads", workload)["id"].as_str().unwrap().to_owned();
    let issuer = Issuer::new("https://token.actions.githubusercontent.com", "k1", 7);
    let audience = format!("http://{}", server.address);
    post(
        &format!("/api/v1/workloads/{workload}/rules"),
        json!({
            "issuer": issuer.url, "audience": audience, "jwks": issuer.jwks(),
            "claims": { "repository": "octo-org/octo-repo" },
        }),
    );

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let given = |number: u32| {
        let token = issuer.sign(&json!({
            "iss": issuer.url, "aud": audience, "repository": "octo-org/octo-repo", "jti": number.to_string(),
            "iat": now, "exp": now + 300,
        }));
        (json!({ "count": token.len(), "value": token }).to_string(), token)
    };
    let variables = [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", platform.address.as_str()),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", SHOWN),
    ];
    fs::write(at.join("value"), "hunter2").unwrap();
    let mut last = String::new();
    for (number, arguments) in [
        (1, &["secret", "put", "pay/live/password", "--file", "value"][..]),
        (2, &["secret", "get", "pay/live/password"][..]),
    ] {
        let (body, token) = given(number);
        platform.says("200 OK", &body);
        let done = job(at, &audience, &variables, arguments);
        assert!(done.status.success(), "{}", told(&done));
        assert!(!told(&done).contains(&token) && !told(&done).contains(SHOWN), "{}", told(&done));
        last = String::from_utf8(done.stdout).unwrap();
        // Asked once, for this server alone, with what the job was given; and nothing more is said.
        let asked = platform.asked();
        let [request] = &asked[..] else { panic!("{asked:?}") };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair("audience", &audience).finish();
        let line = format!("GET /abc//idtoken/1f2e?api-version=2.0&{query} HTTP/1.1\r\n");
        assert!(request.starts_with(&line), "{request}");
        let headers = request.to_ascii_lowercase();
        assert!(headers.contains(&format!("\r\nauthorization: bearer {SHOWN}\r\n")), "{request}");
        assert!(request.ends_with("\r\n\r\n") && !headers.contains("content-length"), "{request}");
    }
    assert_eq!(last, "hunter2");
    // One that was shown before counts once: what is wrong with it is the server's to say.
    let again = job(at, &audience, &variables, &["secret", "get", "pay/live/password"]);
    assert!(told(&again).contains("no service token in exchange"), "{}", told(&again));
    let log = server.stop().join("\n");
    assert!(!log.contains(SHOWN) && !log.contains("kws_"), "no token is logged");
}

#[test]
fn a_platform_that_gives_no_token_is_named_with_its_reason_and_no_token_is_shown() {
    let (folder, platform) = (tempfile::tempdir().unwrap(), Platform::new());
    let at = folder.path();
    fs::write(at.join("platform.pem"), &platform.certificate).unwrap();
    let get = |variables: &[(&str, &str)]| {
        let refused = job(at, "http://127.0.0.1:1", variables, &["secret", "get", "pay/live/password"]);
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{}", told(&refused));
        let said = told(&refused);
        assert!(!said.contains(SHOWN) && !said.contains("kept-to-itself"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    };
    let (url, shown) = ("ACTIONS_ID_TOKEN_REQUEST_URL", ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", SHOWN));
    for (status, body, says) in [
        ("403 Forbidden", r#"{"message":"kept-to-itself"}"#, "it answers 403 Forbidden"),
        ("500 Internal Server Error", "", "it answers 500 Internal Server Error"),
        // What the job shows goes to nobody else.
        ("302 Found\r\nLocation: https://localhost:1/", "", "it answers 302 Found"),
        ("200 OK", "<html>kept-to-itself", "decoding"),
        ("200 OK", r#"{"count":1}"#, "missing field `value`"),
    ] {
        platform.says(status, body);
        let said = get(&[(url, platform.address.as_str()), shown]);
        assert!(said.contains("GitHub Actions gives no token") && said.contains(says), "{status}: {said}");
        assert!(said.contains("`permissions: id-token: write`"), "{said}");
        assert_eq!(platform.asked().len(), 1, "{status}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = format!("https://{closed}/");
    for (address, says) in [
        (platform.address.replacen("https:", "http:", 1).as_str(), "its address is not https"),
        ("kept-to-itself", "its address is none"),
        (closed.as_str(), "Connection refused"),
    ] {
        let said = get(&[(url, address), shown]);
        assert!(said.contains("GitHub Actions gives no token") && said.contains(says), "{address}: {said}");
    }
    // Where the job may have no token, one of the two is not there.
    for alone in [(url, platform.address.as_str()), shown] {
        let said = get(&[alone]);
        assert!(said.contains("no token: name a file"), "{said}");
    }
    assert!(platform.asked().is_empty(), "it was asked in vain");
}
