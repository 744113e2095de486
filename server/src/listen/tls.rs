//! TLS by certificate files. TLS 1.3, and 1.2 with forward secrecy only (rustls has no other suites); the group
//! X25519MLKEM768 is preferred, so that traffic recorded today stays closed to a quantum computer.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use rustls::{
    crypto::{CryptoProvider, aws_lc_rs},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_util::sync::CancellationToken;

use crate::config::Tls;

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("cannot read the certificate {path}: {cause}")]
    Certificate { path: PathBuf, cause: rustls_pki_types::pem::Error },
    #[error("{path} holds no certificate; it must be PEM, the server's own first, then its chain")]
    Empty { path: PathBuf },
    #[error("cannot read the private key {path}: {cause}")]
    Key { path: PathBuf, cause: rustls_pki_types::pem::Error },
    #[error("the certificate and the private key do not fit: {0}")]
    Mismatch(rustls::Error),
    #[error("TLS cannot start: {0}")]
    Provider(rustls::Error),
}

/// The certificate in force; replaced as a whole when the files change.
#[derive(Debug)]
pub(crate) struct Certificates {
    files: Tls,
    /// The files as they were just before they were first read.
    loaded: Stamps,
    current: ArcSwap<CertifiedKey>,
}

/// When certificate and key were last written, and their lengths.
type Stamps = [Option<(SystemTime, u64)>; 2];

impl Certificates {
    pub(crate) fn load(files: Tls) -> Result<Self, TlsError> {
        let loaded = stamps(&files);
        let current = ArcSwap::from_pointee(read(&files)?);
        Ok(Self { files, loaded, current })
    }

    /// Takes the files as they are now. On an error the certificate in force stays.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(read(&self.files)?));
        Ok(())
    }

    /// Reloads whenever the files change, until `stop`; also if they did since `load`. A pair that does not fit yet (one file
    /// written, the other not) is tried again at the next look.
    pub(crate) async fn follow(&self, every: Duration, stop: CancellationToken) {
        let mut seen = self.loaded;
        let mut told = None;
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            let stamps = stamps(&self.files);
            if stamps == seen {
                continue;
            }
            match self.reload() {
                Ok(()) => {
                    seen = stamps;
                    tracing::info!("took the new TLS certificate");
                }
                // Tried again all the same: a key may be written after its certificate, within one tick of the clock.
                Err(cause) if told.replace(stamps) != Some(stamps) => {
                    tracing::warn!(%cause, "kept the old TLS certificate");
                }
                Err(_) => {}
            }
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

/// The listener's TLS settings. Clients that speak it get HTTP/2.
pub(crate) fn server_config(certificates: Arc<Certificates>) -> Result<Arc<rustls::ServerConfig>, TlsError> {
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TlsError::Provider)?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// aws-lc-rs; its first group is the hybrid one (feature `prefer-post-quantum`, held by a test).
fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

/// The chain in a PEM file, the server's own certificate first.
pub(crate) fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|cause| TlsError::Certificate { path: path.into(), cause })?;
    if chain.is_empty() { Err(TlsError::Empty { path: path.into() }) } else { Ok(chain) }
}

fn read(files: &Tls) -> Result<CertifiedKey, TlsError> {
    let chain = chain(&files.cert)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|cause| TlsError::Key { path: files.key.clone(), cause })?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(TlsError::Mismatch)
}

/// Whether the pair can be served, for `doctor`.
pub(crate) fn check(files: &Tls) -> Result<(), TlsError> {
    read(files).map(drop)
}

fn stamps(files: &Tls) -> Stamps {
    [stamp(&files.cert), stamp(&files.key)]
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests;
