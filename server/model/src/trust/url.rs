//! Addresses of issuers and of their keys.

use std::fmt;
use std::str::FromStr;

/// An `https` address without user, query or fragment, kept letter by letter: an issuer is compared as it is written
/// (RFC 8414, 3.3), so nothing is normalized.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HttpsUrl(String);

/// Why a text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpsUrlError {
    /// Something else than `https://host/path`.
    #[error("write an address as `https://issuer.example.com/path`, without user, `?` or `#`")]
    Malformed,
    /// Another scheme.
    #[error("use an address that begins with `https://`")]
    NotHttps,
    /// Longer than [`HttpsUrl::MAX`].
    #[error("use at most 500 characters")]
    TooLong,
}

impl HttpsUrl {
    /// The most characters.
    pub const MAX: usize = 500;

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, and the port if one is named.
    pub fn authority(&self) -> &str {
        let rest = self.0.get("https://".len()..).unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }
}

impl FromStr for HttpsUrl {
    type Err = HttpsUrlError;
    fn from_str(text: &str) -> Result<Self, HttpsUrlError> {
        if text.len() > Self::MAX {
            return Err(HttpsUrlError::TooLong);
        }
        let rest = text.strip_prefix("https://").ok_or(HttpsUrlError::NotHttps)?;
        let legal = |c: char| c.is_ascii_graphic() && !r#"?#@\"<>^`{|}"#.contains(c);
        let authority = rest.split('/').next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let in_host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-[]:".contains(c);
        let fits = rest.chars().all(legal)
            && !host.is_empty()
            && host.chars().all(in_host)
            && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
            && !rest.contains("//")
            && !rest.split('/').any(|part| part == "." || part == "..");
        if fits { Ok(Self(text.to_owned())) } else { Err(HttpsUrlError::Malformed) }
    }
}

impl fmt::Display for HttpsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_as_it_is_written() {
        for good in [
            "https://token.actions.githubusercontent.com",
            "https://token.actions.githubusercontent.com/",
            "https://gitlab.example.com:8443/group",
            "https://[2001:db8::1]/keys",
            "https://[2001:db8::1]:8443/keys",
            "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE",
        ] {
            assert_eq!(good.parse::<HttpsUrl>().unwrap().as_str(), good);
        }
        let url: HttpsUrl = "https://kubernetes.default.svc:6443/x".parse().unwrap();
        assert_eq!(url.authority(), "kubernetes.default.svc:6443");
    }

    #[test]
    fn what_two_readers_could_take_for_two_addresses_is_none() {
        for plain in ["http://a.example", "HTTPS://a.example", "ftp://a", "a.example", ""] {
            assert_eq!(plain.parse::<HttpsUrl>(), Err(HttpsUrlError::NotHttps), "{plain}");
        }
        for wrong in [
            "https://",
            "https:///x",
            "https://a.example?x",
            "https://a.example#x",
            "https://a@b.example",
            "https://a.example\\@b.example",
            "https://A.example",
            "https://a.example:0",
            "https://a.example:99999",
            "https://a.example:",
            "https://a.example/../b",
            "https://a.example//b",
            "https://a.example/ b",
            "https://ä.example",
            "https://a.example/\u{0}",
        ] {
            assert_eq!(wrong.parse::<HttpsUrl>(), Err(HttpsUrlError::Malformed), "{wrong}");
        }
        let long = format!("https://a.example/{}", "x".repeat(500));
        assert_eq!(long.parse::<HttpsUrl>(), Err(HttpsUrlError::TooLong));
    }
}
