//! Plain HTTP is for loopback, or for a proxy that is named. Anything else would carry session cookies and new
//! API keys over the network in the clear. Metrics carry neither: they may go so anywhere, and the log says that they do.

use std::net::SocketAddr;

use crate::config::Config;

/// Why nothing was served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    #[error(
        "cannot listen on {address}: {cause}; is another program there? choose another with KEYWARDEN_LISTEN"
    )]
    Bind { address: SocketAddr, cause: std::io::Error },
    #[error(
        "plain HTTP is served on loopback only, and {address} is not: set KEYWARDEN_TLS_CERT and KEYWARDEN_TLS_KEY, or name \
         your TLS proxy in KEYWARDEN_TRUSTED_PROXIES, or leave KEYWARDEN_LISTEN alone and reach this machine with \
         `ssh -L {port}:127.0.0.1:{port} {host}`",
        port = .address.port()
    )]
    Plain { address: SocketAddr, host: String },
}

/// Refuses an address that would need TLS and has none.
pub(crate) fn check(config: &Config) -> Result<(), ListenError> {
    let address = config.listen.address;
    let allowed = address.ip().to_canonical().is_loopback()
        || config.tls.is_some()
        || !config.listen.trusted_proxies.is_empty();
    if allowed { Ok(()) } else { Err(ListenError::Plain { address, host: host(address) }) }
}

/// Where metrics are served in the clear to others than this machine.
pub(crate) fn open_metrics(config: &Config) -> Option<SocketAddr> {
    config.listen.metrics.filter(|address| !address.ip().to_canonical().is_loopback())
}

/// What to write after `ssh -L …`: the machine's own name where it has one.
fn host(address: SocketAddr) -> String {
    let name = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .filter(|name| !name.is_empty());
    name.unwrap_or_else(|| address.ip().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Given, Values};

    fn config(variables: &[(&str, &str)]) -> Config {
        let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        let given = Given { file: Some(file.path().into()), environment, flags: Vec::new() };
        Config::read(&Values::gather(&given).unwrap()).unwrap()
    }

    fn checked(variables: &[(&str, &str)]) -> Result<(), ListenError> {
        check(&config(variables))
    }

    #[test]
    fn metrics_are_open_where_others_reach_them() {
        let open = |address| open_metrics(&config(&[("KEYWARDEN_METRICS_LISTEN", address)])).is_some();
        assert_eq!(open_metrics(&config(&[])), None);
        assert!(!open("127.0.0.1:9090") && !open("[::1]:9090") && !open("[::ffff:127.0.0.1]:9090"));
        assert!(open("0.0.0.0:9090") && open("[::]:9090") && open("192.0.2.1:9090"));
    }

    #[test]
    fn plain_http_stays_on_loopback_unless_a_proxy_is_named() {
        assert!(checked(&[]).is_ok());
        assert!(checked(&[("KEYWARDEN_LISTEN", "[::1]:3000")]).is_ok());
        assert!(checked(&[("KEYWARDEN_LISTEN", "[::ffff:127.0.0.1]:3000")]).is_ok());
        let open = ("KEYWARDEN_LISTEN", "0.0.0.0:3000");
        assert!(checked(&[open, ("KEYWARDEN_TRUSTED_PROXIES", "10.0.0.0/8")]).is_ok());
        assert!(checked(&[open, ("KEYWARDEN_TLS_CERT", "c"), ("KEYWARDEN_TLS_KEY", "k")]).is_ok());
    }

    #[test]
    fn a_refusal_names_both_ways_out() {
        for address in ["0.0.0.0:3000", "[::]:3000", "192.0.2.1:3000"] {
            let refused = checked(&[("KEYWARDEN_LISTEN", address)]).unwrap_err().to_string();
            assert!(
                refused.contains("ssh -L 3000:127.0.0.1:3000") && refused.contains("KEYWARDEN_TLS_CERT"),
                "{refused}"
            );
        }
    }
}
