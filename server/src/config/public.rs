use std::net::SocketAddr;

use keywarden_domain::passkeys::{Passkeys, Relying, RelyingError};
use url::{Host, Url};

use super::{error::ConfigError, source::Values, tls::Tls};

/// How the world sees this server.
#[derive(Debug, Clone)]
pub struct Public {
    pub url: Url,
    /// The domain that passkeys belong to (WebAuthn's relying-party id).
    pub rp_id: String,
}

impl Public {
    pub(super) fn read(values: &Values, listen: SocketAddr, tls: Option<&Tls>) -> Result<Self, ConfigError> {
        let url = match values.optional::<String>("public_url")? {
            Some(text) => parse(&text).map_err(|why| values.refuse("public_url", why))?,
            None => {
                let scheme = if tls.is_some() { "https" } else { "http" };
                parse(&format!("{scheme}://localhost:{}", listen.port())).map_err(ConfigError::Conflict)?
            }
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        let given: Option<String> = values.optional("rp_id")?;
        let is_given = given.is_some();
        let public = Self { rp_id: given.unwrap_or_else(|| host.clone()), url };
        // A public URL without passkeys is no reason not to serve machines: the log and `doctor` tell of it.
        match Passkeys::new(&public.relying()) {
            Err(RelyingError::BadRpId(_) | RelyingError::Mismatch { .. }) if is_given => {
                let why = format!(
                    "`{}` is not `{host}` nor a domain above it, so browsers would refuse every passkey",
                    public.rp_id
                );
                Err(values.refuse("rp_id", why))
            }
            _ => Ok(public),
        }
    }

    /// What passkeys are made for.
    pub fn relying(&self) -> Relying {
        Relying { rp_id: self.rp_id.clone(), origin: self.origin(), name: "Keywarden".into() }
    }

    /// Scheme, host and port as browsers write them in `Origin`.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Whether people come over TLS: cookies are `Secure` and HSTS is sent.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub fn is_localhost(&self) -> bool {
        matches!(self.url.host(), Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost"))
    }
}

pub(super) fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|cause| format!("`{text}` is not a URL: {cause}"))?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("write `https://` and a host, for example `https://keys.example.com`".into());
    }
    if !bare || !anonymous {
        return Err("write only scheme, host and port; Keywarden lives at the root of its host".into());
    }
    Ok(url)
}
