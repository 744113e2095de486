//! Who we are to browsers: the relying party, checked once at the start.

use std::fmt;

use url::{Host, Url};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use super::Ceremony;

/// The relying party as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relying {
    /// The domain that passkeys are made for; stored at setup, for a change orphans every passkey.
    pub rp_id: String,
    /// The one origin people use, such as `https://keys.example.com`; a trailing `/` is tolerated.
    pub origin: String,
    /// What browsers show beside the person's name.
    pub name: String,
}

/// Why a configuration cannot be a relying party.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelyingError {
    /// Not an absolute URL.
    #[error("the public URL `{0}` is not a URL")]
    NotAUrl(String),
    /// A path, query, fragment or login in it.
    #[error("the public URL `{0}` must be an origin: scheme, host and port only")]
    NotAnOrigin(String),
    /// Browsers offer passkeys only in secure contexts.
    #[error("passkeys need `https`, or `http` on localhost: the public URL is `{0}`")]
    Insecure(String),
    /// Browsers make no passkeys for addresses.
    #[error("passkeys need a domain name: the public URL is `{0}`")]
    NotADomain(String),
    /// Not a lower-case ASCII domain.
    #[error("the relying party id `{0}` is not a domain in lower-case ASCII")]
    BadRpId(String),
    /// A browser at the origin would refuse this id.
    #[error("the relying party id `{rp_id}` is neither the host of `{origin}` nor a parent domain of it")]
    Mismatch {
        /// As configured.
        rp_id: String,
        /// As configured.
        origin: String,
    },
}

/// The ceremonies of one relying party.
#[derive(Clone)]
pub struct Passkeys {
    pub(super) webauthn: Webauthn,
    pub(super) rp_id: String,
    pub(super) origin: String,
}

impl Passkeys {
    /// Checks the configuration. Strict: one origin with its scheme and port, no sub-domains of it.
    pub fn new(relying: &Relying) -> Result<Self, RelyingError> {
        let Relying { rp_id, origin, name } = relying;
        let url = Url::parse(origin).map_err(|_| RelyingError::NotAUrl(origin.clone()))?;
        let serialised = url.origin().ascii_serialization();
        if origin.strip_suffix('/').unwrap_or(origin) != serialised {
            return Err(RelyingError::NotAnOrigin(origin.clone()));
        }
        let Some(Host::Domain(host)) = url.host() else {
            return Err(RelyingError::NotADomain(origin.clone()));
        };
        let on_this_machine = host == "localhost" || host.ends_with(".localhost");
        if url.scheme() != "https" && !(url.scheme() == "http" && on_this_machine) {
            return Err(RelyingError::Insecure(origin.clone()));
        }
        if !matches!(Host::parse(rp_id), Ok(Host::Domain(domain)) if domain == *rp_id) {
            return Err(RelyingError::BadRpId(rp_id.clone()));
        }
        // Browsers know the list of public suffixes; here it is enough that a parent domain is not a bare label.
        let parent = host.strip_suffix(rp_id.as_str()).is_some_and(|sub| sub.ends_with('.'));
        if host != rp_id && !(parent && (rp_id.contains('.') || rp_id == "localhost")) {
            return Err(RelyingError::Mismatch { rp_id: rp_id.clone(), origin: origin.clone() });
        }
        let mismatch = |_| RelyingError::Mismatch { rp_id: rp_id.clone(), origin: origin.clone() };
        let webauthn = WebauthnBuilder::new(rp_id, &url)
            .map_err(mismatch)?
            .rp_name(name)
            .timeout(Ceremony::LIFETIME)
            .allow_subdomains(false)
            .allow_any_port(false)
            .build()
            .map_err(mismatch)?;
        Ok(Self { webauthn, rp_id: rp_id.clone(), origin: serialised })
    }

    /// The domain that passkeys are made for.
    pub fn rp_id(&self) -> &str {
        &self.rp_id
    }

    /// The one origin answers may come from, as browsers write it.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Debug for Passkeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passkeys")
            .field("rp_id", &self.rp_id)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relying(rp_id: &str, origin: &str) -> Result<Passkeys, RelyingError> {
        Passkeys::new(&Relying { rp_id: rp_id.into(), origin: origin.into(), name: "Keywarden".into() })
    }

    #[test]
    fn takes_what_browsers_take() {
        for (rp_id, origin) in [
            ("localhost", "http://localhost:3000"),
            ("localhost", "http://console.localhost:3000"),
            ("keys.example.com", "https://keys.example.com"),
            ("keys.example.com", "https://keys.example.com/"),
            ("example.com", "https://keys.example.com:8443"),
            ("keywarden", "https://keywarden"),
        ] {
            let passkeys = relying(rp_id, origin).unwrap_or_else(|e| panic!("{rp_id} {origin}: {e}"));
            assert_eq!(passkeys.origin(), origin.trim_end_matches('/'));
        }
    }

    #[test]
    fn says_what_is_wrong() {
        use RelyingError::{BadRpId, Insecure, Mismatch, NotADomain, NotAUrl, NotAnOrigin};
        let wrong = |rp_id, origin| relying(rp_id, origin).expect_err(origin);
        assert!(matches!(wrong("localhost", "localhost:3000/"), NotAnOrigin(_) | NotAUrl(_)));
        assert!(matches!(wrong("localhost", ""), NotAUrl(_)));
        assert!(matches!(wrong("example.com", "https://example.com/console"), NotAnOrigin(_)));
        assert!(matches!(wrong("example.com", "https://user@example.com"), NotAnOrigin(_)));
        assert!(matches!(wrong("example.com", "https://example.com:443"), NotAnOrigin(_)));
        assert!(matches!(wrong("example.com", "http://example.com"), Insecure(_)));
        assert!(matches!(wrong("evillocalhost", "http://evillocalhost:3000"), Insecure(_)));
        assert!(matches!(wrong("127.0.0.1", "http://127.0.0.1:3000"), NotADomain(_)));
        assert!(matches!(wrong("::1", "https://[::1]"), NotADomain(_)));
        assert!(matches!(wrong("Example.com", "https://example.com"), BadRpId(_)));
        assert!(matches!(wrong("", "https://example.com"), BadRpId(_)));
        for rp_id in ["ample.com", "com", "keys.example.com", ".example.com", "example.org"] {
            assert!(matches!(wrong(rp_id, "https://example.com"), Mismatch { .. } | BadRpId(_)), "{rp_id}");
        }
    }
}
