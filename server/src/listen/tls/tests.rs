use std::{fs, net::SocketAddr};

use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsConnector;

use super::*;
use crate::listen::{Guard, HEAD, SILENCE, serve};

struct Pair {
    folder: tempfile::TempDir,
}

impl Pair {
    fn new() -> Self {
        let pair = Self { folder: tempfile::tempdir().unwrap() };
        pair.renew();
        pair
    }

    fn files(&self) -> Tls {
        Tls { cert: self.folder.path().join("cert.pem"), key: self.folder.path().join("key.pem") }
    }

    /// Writes a new self-signed pair and returns the certificate.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        fs::write(self.files().cert, made.cert.pem()).unwrap();
        fs::write(self.files().key, made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    }
}

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    certificates: Arc<Certificates>,
    tasks: tokio::task::JoinSet<()>,
}

async fn served(pair: &Pair) -> Served {
    served_with(pair, SILENCE).await
}

async fn served_with(pair: &Pair, silence: Duration) -> Served {
    let certificates = Arc::new(Certificates::load(pair.files()).unwrap());
    let tls = server_config(Arc::clone(&certificates)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let router = axum::Router::new()
        .route("/", axum::routing::get(|| async { "hello" }))
        .route("/long", axum::routing::get(|| async { vec![b'x'; 32 << 20] }));
    let guard = Guard {
        connections: 8,
        connections_per_address: 8,
        trusted_proxies: Vec::new(),
        head: HEAD,
        silence,
        drain: Duration::from_secs(5),
    };
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(serve(listener, Some(tls), router, guard, stop.clone()));
    Served { address, stop, certificates, tasks }
}

impl Served {
    async fn connect(
        &self,
        trusted: &CertificateDer<'static>,
        change: impl FnOnce(&mut CryptoProvider),
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let mut provider = provider();
        change(&mut provider);
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }

    async fn comes_to_serve(&self, new: &CertificateDer<'static>) {
        for _ in 0..500 {
            if self.connect(new, |_| (), &[&rustls::version::TLS13]).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the new certificate was never served");
    }

    async fn end(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

#[tokio::test]
async fn a_modern_client_agrees_on_the_hybrid_group_and_an_older_one_still_connects() {
    let pair = Pair::new();
    let trusted = pair.renew();
    let served = served(&pair).await;
    let group = |stream: &tokio_rustls::client::TlsStream<TcpStream>| {
        stream.get_ref().1.negotiated_key_exchange_group().unwrap().name()
    };
    let modern = served.connect(&trusted, |_| (), &[&rustls::version::TLS13]).await.unwrap();
    assert_eq!(group(&modern), rustls::NamedGroup::X25519MLKEM768);
    let old = |provider: &mut CryptoProvider| provider.kx_groups = vec![aws_lc_rs::kx_group::SECP256R1];
    let older = served.connect(&trusted, old, &[&rustls::version::TLS12]).await.unwrap();
    assert_eq!(group(&older), rustls::NamedGroup::secp256r1);
    drop((modern, older));
    served.end().await;
}

#[tokio::test]
async fn a_changed_certificate_is_taken_without_a_restart() {
    let pair = Pair::new();
    let old = pair.renew();
    let served = served(&pair).await;
    let following = CancellationToken::new();
    let mut follower = tokio::task::JoinSet::new();
    let (certificates, stop) = (Arc::clone(&served.certificates), following.clone());
    follower.spawn(async move { certificates.follow(Duration::from_millis(10), stop).await });
    let versions: &[_] = &[&rustls::version::TLS13];
    assert!(served.connect(&old, |_| (), versions).await.is_ok());
    let new = pair.renew();
    served.comes_to_serve(&new).await;
    assert!(served.connect(&old, |_| (), versions).await.is_err());
    following.cancel();
    while follower.join_next().await.is_some() {}
    served.end().await;
}

#[tokio::test]
async fn a_certificate_renewed_while_the_server_starts_is_taken() {
    let pair = Pair::new();
    let served = served(&pair).await;
    let new = pair.renew();
    let written = fs::File::options().append(true).open(pair.files().cert).unwrap();
    written.set_modified(SystemTime::UNIX_EPOCH).unwrap(); // another moment, however coarse the file system's clock is
    let following = CancellationToken::new();
    let mut follower = tokio::task::JoinSet::new();
    let (certificates, stop) = (Arc::clone(&served.certificates), following.clone());
    follower.spawn(async move { certificates.follow(Duration::from_millis(10), stop).await });
    served.comes_to_serve(&new).await;
    following.cancel();
    while follower.join_next().await.is_some() {}
    served.end().await;
}

#[tokio::test]
async fn a_broken_pair_leaves_the_old_certificate_in_force() {
    let pair = Pair::new();
    let old = pair.renew();
    let served = served(&pair).await;
    fs::write(pair.files().cert, "nonsense").unwrap();
    assert!(matches!(served.certificates.reload(), Err(TlsError::Empty { .. })));
    let other = Pair::new();
    fs::copy(other.files().cert, pair.files().cert).unwrap();
    assert!(matches!(served.certificates.reload(), Err(TlsError::Mismatch(_))));
    assert!(served.connect(&old, |_| (), &[&rustls::version::TLS13]).await.is_ok());
    served.end().await;
}

/// It asks for more than the kernels between hold, takes nothing of it, and begins a record that it never ends.
#[tokio::test]
async fn who_takes_no_response_is_not_kept_by_bytes_beneath_tls() {
    let pair = Pair::new();
    let trusted = pair.renew();
    let served = served_with(&pair, Duration::from_millis(300)).await;
    let mut stream = served.connect(&trusted, |_| (), &[&rustls::version::TLS13]).await.unwrap();
    stream.write_all(b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    stream.flush().await.unwrap();
    let (mut raw, _session) = stream.into_inner();
    // Application data of 16 KiB, a byte at a time.
    raw.write_all(&[23, 3, 3, 0x40, 0]).await.unwrap();
    let cut = tokio::time::timeout(Duration::from_secs(20), async {
        while raw.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    cut.await.expect("it is kept for ever");
    served.end().await;
}
