//! A server of an issuer, well behaved and otherwise.

use std::sync::Arc;

use keywarden_domain::SecretString;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// What a server sends back: its pieces, with a pause after each.
type Answer = (Vec<Vec<u8>>, Duration);

/// Serves `answer` to everybody; its port and the certificate that proves it.
async fn serve(answer: Answer) -> (u16, String) {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    #[expect(clippy::disallowed_methods, reason = "a test's own server")]
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else { continue };
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked).await;
            for piece in &answer.0 {
                if stream.write_all(piece).await.is_err() {
                    break;
                }
                tokio::time::sleep(answer.1).await;
            }
            let _ = stream.shutdown().await;
        }
    });
    (port, cert.pem())
}

fn whole(head: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    (vec![[head.as_bytes(), body].concat()], Duration::ZERO)
}

fn near(pem: &str) -> Web {
    Web::new(vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()], Some(pem.as_bytes())).unwrap()
}

async fn fetched(web: &Web, port: u16) -> Result<String, String> {
    let url = format!("https://localhost:{port}/keys").parse().unwrap();
    web.fetch(&url).await.map(|it| String::from_utf8(it).unwrap()).map_err(|why| why.to_string())
}

#[tokio::test]
async fn a_document_comes_from_a_server_that_is_proven_and_allowed() {
    let (port, pem) = serve(whole("200 OK", b"{\"keys\":[]}")).await;
    assert_eq!(fetched(&near(&pem), port).await.unwrap(), "{\"keys\":[]}");
    let unproven = Web::new(vec!["127.0.0.0/8".parse().unwrap()], None).unwrap();
    assert!(fetched(&unproven, port).await.is_err(), "its certificate is nobody's");
    let far = Web::new(vec![], Some(pem.as_bytes())).unwrap();
    let refused = fetched(&far, port).await.unwrap_err();
    assert!(refused.contains("not public") && !refused.contains("127.0.0.1"), "{refused}");
}

#[tokio::test]
async fn an_address_in_the_url_is_judged_in_every_spelling() {
    let web = Web::new(vec![], None).unwrap();
    for host in [
        "127.0.0.1",
        "0177.0.0.1",
        "2130706433",
        "0x7f.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:7f00:1]",
        "10.0.0.1",
    ] {
        let url: HttpsUrl = format!("https://{host}/keys").parse().unwrap();
        let refused = web.fetch(&url).await.unwrap_err().to_string();
        assert!(refused.contains("not public"), "{host}: {refused}");
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let (there, pem) = serve(whole("200 OK", b"stolen")).await;
    for place in [
        format!("https://localhost:{there}/"),
        "http://169.254.169.254/latest/".to_owned(),
        "/other".to_owned(),
    ] {
        let (port, own) = serve(whole(&format!("302 Found\r\nLocation: {place}"), b"")).await;
        let web = near(&format!("{pem}{own}"));
        let refused = fetched(&web, port).await.unwrap_err();
        assert!(refused.contains("302"), "{refused}");
    }
}

#[tokio::test]
async fn a_document_without_end_is_given_up() {
    let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    let mut pieces = vec![head];
    pieces.extend(std::iter::repeat_n(vec![b' '; 64 * 1024], 64));
    let (port, pem) = serve((pieces, Duration::ZERO)).await;
    let refused = fetched(&near(&pem), port).await.unwrap_err();
    assert!(refused.contains("longer than 262144 bytes"), "{refused}");
}

#[tokio::test]
async fn a_server_that_drips_is_given_up() {
    let mut pieces = vec![b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec()];
    pieces.extend(std::iter::repeat_n(b" ".to_vec(), 3_600));
    let (port, pem) = serve((pieces, Duration::from_secs(1))).await;
    let refused = fetched(&near(&pem), port).await.unwrap_err();
    assert!(refused.contains("timed out") || refused.contains("timeout"), "{refused}");
}

fn post(port: u16, host: &str) -> HookPost {
    HookPost {
        url: SecretString::new(format!("https://{host}:{port}/services/T0/s3cr3t?token=s3cr3t")),
        headers: vec![("webhook-id", "msg_1".into())],
        content_type: "application/json",
        body: b"{\"hush\":1}".to_vec(),
    }
}

#[tokio::test]
async fn a_post_is_taken_by_a_2xx_alone_and_errors_say_the_host_and_nothing_secret() {
    for (status, taken, for_good) in [
        ("200 OK", true, false),
        ("204 No Content", true, false),
        ("302 Found", false, false),
        ("404 Not Found", false, false),
        ("410 Gone", false, true),
        ("503 Service Unavailable", false, false),
    ] {
        let (port, pem) = serve(whole(status, b"")).await;
        let sent = near(&pem).post(&post(port, "localhost")).await;
        assert_eq!(sent.is_ok(), taken, "{status}");
        if let Err(error) = sent {
            assert_eq!(error.for_good, for_good, "{status}");
            assert!(error.says.contains("localhost") && !error.says.contains("s3cr3t"), "{error}");
        }
    }
    let nobody = near(&serve(whole("200 OK", b"")).await.1).post(&post(1, "localhost")).await.unwrap_err();
    assert!(!nobody.says.contains("s3cr3t"), "{nobody}");
}

#[tokio::test]
async fn a_post_goes_to_no_private_address_however_it_is_named() {
    let (port, pem) = serve(whole("200 OK", b"")).await;
    let far = Web::new(vec![], Some(pem.as_bytes())).unwrap();
    // A name that leads to a private address is judged by what it leads to.
    for host in
        ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]", "169.254.169.254"]
    {
        let refused = far.post(&post(port, host)).await.unwrap_err();
        assert!(refused.says.contains("not public") && !refused.says.contains("s3cr3t"), "{host}: {refused}");
    }
}
