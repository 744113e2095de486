//! The binary with certificate files: what it serves, by which certificate, and what it tells browsers.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::Arc,
    thread::sleep,
    time::Duration,
};

use nix::sys::signal::Signal;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName},
};

use crate::house::Server;

/// Writes a new self-signed pair and gives its certificate.
fn renew(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    for (name, text) in [("cert.pem", made.cert.pem()), ("key.pem", made.signing_key.serialize_pem())] {
        let new = folder.join("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, folder.join(name)).unwrap();
    }
    made.cert.der().clone()
}

/// What is answered over TLS to who trusts this certificate.
fn get(server: &Server, path: &str, trusted: &CertificateDer<'static>) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, TcpStream::connect(&server.address)?);
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    match stream.read_to_string(&mut answer) {
        Err(cause) if answer.is_empty() => Err(cause),
        _ => Ok(answer),
    }
}

#[test]
fn a_server_with_a_certificate_speaks_tls_only_and_takes_a_renewed_one_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = renew(folder.path());
    let at = |name: &str| folder.path().join(name).into_os_string().into_string().unwrap();
    let (cert, key) = (at("cert.pem"), at("key.pem"));
    let server = Server::start_with(
        folder.path(),
        &[
            ("KEYWARDEN_SEAL", "software"),
            ("KEYWARDEN_PUBLIC_URL", "https://localhost"),
            ("KEYWARDEN_TLS_CERT", &cert),
            ("KEYWARDEN_TLS_KEY", &key),
        ],
    );
    server.waits_for("readiness", || {
        get(&server, "/readyz", &first).is_ok_and(|answer| answer.contains("\"ready\""))
    });
    let page = get(&server, "/sign-in", &first).unwrap();
    let (head, _) = page.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let head = head.to_ascii_lowercase();
    assert!(head.contains("strict-transport-security: max-age="), "{head}");
    let cookies: Vec<_> = head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")).collect();
    assert!(!cookies.is_empty(), "{head}");
    for cookie in cookies {
        assert!(cookie.starts_with("__host-") && cookie.contains("secure"), "{cookie}");
    }

    let mut plain = TcpStream::connect(&server.address).unwrap();
    write!(plain, "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).ok();
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1"), "{answer:?}");

    let second = renew(folder.path());
    // By itself, within seconds.
    server.waits_for("the new certificate", || get(&server, "/livez", &second).is_ok());
    assert!(get(&server, "/livez", &first).is_err(), "the old one is not served any more");

    fs::write(&cert, "no certificate").unwrap();
    server.signal(Signal::SIGHUP);
    sleep(Duration::from_millis(300));
    assert!(get(&server, "/livez", &second).is_ok(), "a broken file leaves the last good one in force");
    let said = server.stop().join("\n");
    assert!(said.contains("cert.pem"), "{said}");
}
