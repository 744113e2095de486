//! Signing in without a static secret, over real sockets: an issuer with its own certificate, a server, and the client.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
    sync::Arc,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use keywarden_app::snippets::{Spot, Way};
use keywarden_domain::exchange::shelf::Issuer;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};
use serde_json::{Value, json};

use crate::house::{Server, printed, told};

/// Serves an issuer's documents over TLS until the test ends; the issuer, and the certificate that proves it.
fn issuer() -> (Issuer, String) {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config = ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let issuer = Issuer::new(&url, "k1", 7);
    let (discovery, keys) =
        (json!({ "issuer": url, "jwks_uri": issuer.keys_url() }).to_string(), issuer.jwks());
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            // Whoever breaks off gets nothing.
            answer(socket, &config, &discovery, &keys).ok();
        }
    });
    (issuer, cert.pem())
}

fn answer(socket: TcpStream, config: &Arc<ServerConfig>, discovery: &str, keys: &str) -> std::io::Result<()> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, socket);
    let mut asked = [0; 4096];
    let length = stream.read(&mut asked)?;
    let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
    let body = if asked.starts_with("GET /keys ") { keys } else { discovery };
    write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn body(answer: &str) -> Value {
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap_or_else(|_| panic!("{answer}"))
}

/// A command that has nothing but its platform's token.
fn client(folder: &Path, server: &Server, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keywarden"));
    command.args(arguments).current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin");
    command.env("KEYWARDEN_SERVER", format!("http://{}", server.address));
    command.env("KEYWARDEN_EXCHANGE_TOKEN_FILE", folder.join("platform-token"));
    command.output().unwrap()
}

/// A job's script, whose platform gives it a token in a variable.
fn job(folder: &Path, server: &Server, token: &str, script: &str) -> Output {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let client = bin.join("keywarden");
    if !client.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_keywarden"), client).unwrap();
    }
    let deploy = folder.join("deploy");
    fs::write(&deploy, "#!/bin/sh\nprintf %s \"$PASSWORD\"\n").unwrap();
    fs::set_permissions(&deploy, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-ec", script]).current_dir(folder).env_clear();
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    command.env("KEYWARDEN_SERVER", format!("http://{}", server.address));
    command.env("KEYWARDEN_ID_TOKEN", token).env("KEYWARDEN_EXCHANGE_TOKEN_FILE", ".keywarden-id-token");
    command.output().unwrap()
}

#[test]
fn a_machine_reads_a_secret_with_the_token_that_its_platform_gave_it() {
    let folder = tempfile::tempdir().unwrap();
    let (issuer, certificate) = issuer();
    let ca_file = folder.path().join("issuer.pem");
    fs::write(&ca_file, certificate).unwrap();
    let variables = [
        ("KEYWARDEN_EXCHANGE_NETWORKS", "127.0.0.0/8, ::1"),
        ("KEYWARDEN_EXCHANGE_CA_FILE", ca_file.to_str().unwrap()),
    ];
    let server = Server::start_with(folder.path(), &variables);
    server.becomes("ready");
    let admin = printed(folder.path(), &[], &["operator", "token", "--role", "admin"]);
    let post = |path: &str, asked: Value| {
        let answer = server.post(path, admin.trim(), &asked.to_string());
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
        body(&answer)
    };
    post("/api/v1/projects", json!({ "slug": "pay", "name": "Payments" }));
    post("/api/v1/projects/pay/environments", json!({ "slug": "live", "name": "Live", "label": "live" }));
    let workload = json!({ "name": "shop", "project": "pay", "role": "manager" });
    let workload = post("/api/v1/workloads", workload)["id"].as_str().unwrap().to_owned();
    let rule = json!({ "issuer": issuer.url, "audience": "keywarden", "claims": { "sub": "shop" }, "single_use": false });
    post(&format!("/api/v1/workloads/{workload}/rules"), rule);

    #[expect(clippy::disallowed_methods, reason = "the server that is asked goes by the machine's clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let token = |sub: &str| {
        let claims =
            json!({ "iss": issuer.url, "aud": "keywarden", "sub": sub, "iat": now, "exp": now + 600 });
        issuer.sign(&claims)
    };
    let file = folder.path().join("platform-token");
    fs::write(&file, token("shop")).unwrap();
    fs::write(folder.path().join("value"), "hunter2").unwrap();
    let put = client(folder.path(), &server, &["secret", "put", "pay/live/password", "--file", "value"]);
    assert!(put.status.success(), "{}", told(&put));
    let got = client(folder.path(), &server, &["secret", "get", "pay/live/password"]);
    assert_eq!(got.stdout, b"hunter2", "{}", told(&got));

    // What the console offers to copy for a pipeline, where the platform's token is in a variable.
    let of = Spot { project: "pay", environment: "live", path: "password", binary: false, asks_why: false };
    let pipeline = |way: Way| {
        let text = way.text(of);
        let lines = text.lines().skip_while(|it| !["  script:", "  run: |"].contains(it)).skip(1);
        // Of a list of commands, and of a block; GitHub gives its token by an address that is not here.
        let lines = lines.map(|line| line.trim().trim_start_matches("- ")).filter(|line| *line != "|");
        let lines = lines.skip_while(|line| way == Way::GitHubCurl && !line.starts_with("KEYWARDEN_TOKEN="));
        let script = lines.collect::<Vec<_>>().join("\n");
        job(folder.path(), &server, &token("shop"), &script)
    };
    assert_eq!(pipeline(Way::GitLab).stdout, b"hunter2", "{}", told(&pipeline(Way::GitLab)));
    for way in [Way::GitHubCurl, Way::GitLabCurl] {
        let output = pipeline(way);
        let answer = String::from_utf8(output.stdout.clone()).unwrap();
        let answer =
            answer.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{}", told(&output)));
        assert_eq!(serde_json::from_str::<Value>(answer).unwrap()["value"], "hunter2");
    }

    fs::write(&file, token("somebody")).unwrap();
    let refused = client(folder.path(), &server, &["secret", "get", "pay/live/password"]);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
    assert!(
        told(&refused).contains("not accepted") && told(&refused).contains("sign-in rule"),
        "{}",
        told(&refused)
    );
    let log = server.stop().join("\n");
    assert!(!log.contains(&token("shop")) && !log.contains("kws_"), "no token is logged");
}
