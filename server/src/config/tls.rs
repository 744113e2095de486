use std::path::PathBuf;

use super::{error::ConfigError, source::Values};

/// The certificate files; they come as a pair.
#[derive(Debug, Clone)]
pub struct Tls {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Tls {
    pub(super) fn read(values: &Values) -> Result<Option<Self>, ConfigError> {
        match (values.optional("tls.cert")?, values.optional("tls.key")?) {
            (Some(cert), Some(key)) => Ok(Some(Self { cert, key })),
            (None, None) => Ok(None),
            (Some(_), None) => {
                Err(values.refuse("tls.cert", "it needs its private key too: set KEYWARDEN_TLS_KEY"))
            }
            (None, Some(_)) => {
                Err(values.refuse("tls.key", "it needs its certificate too: set KEYWARDEN_TLS_CERT"))
            }
        }
    }
}
