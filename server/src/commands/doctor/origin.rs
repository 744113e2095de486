use keywarden_domain::{Domain, people::RpIdError};
use url::Host;

use super::Check;
use crate::config::Public;

const NAME: &str = "passkeys";

/// Browsers make passkeys only over https (or on localhost), and never for an IP address.
pub(super) fn check(public: &Public) -> Check {
    let origin = public.origin();
    match public.url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => {
            let advice = "give the machine a name and set KEYWARDEN_PUBLIC_URL to it";
            Check::failed(NAME, format!("{origin}: passkeys belong to names, not to addresses"), advice)
        }
        Some(Host::Domain(_)) if !public.is_https() && !public.is_localhost() => {
            let advice = "serve it over https: set KEYWARDEN_TLS_CERT and KEYWARDEN_TLS_KEY, or put a TLS proxy before it";
            Check::failed(NAME, format!("{origin}: browsers make passkeys over https only"), advice)
        }
        Some(Host::Domain(_)) => Check::fine(NAME, format!("{origin} with passkeys of `{}`", public.rp_id)),
    }
}

/// The passkeys that are there were made for the name that is configured: a start refuses another.
pub(super) async fn stored(domain: Option<&Domain>, public: &Public) -> Option<Check> {
    let found = domain?.would_orphan(&public.rp_id).await;
    let advice = match &found {
        Ok(None) => return None,
        Ok(Some(RpIdError::Orphans { stored, .. })) => format!(
            "set KEYWARDEN_RP_ID to `{stored}`, or give those passkeys up: start a server once with `keywarden serve \
             --change-rp-id`, and let everybody in by `keywarden operator recover`"
        ),
        Ok(Some(RpIdError::Refused(_))) | Err(_) => "does the database answer?".to_owned(),
    };
    let finding =
        found.map_or_else(|fault| fault.to_string(), |it| it.map_or_else(String::new, |it| it.to_string()));
    Some(Check::failed(NAME, finding, advice))
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    #[test]
    fn passkeys_need_a_name_and_https_except_on_localhost() {
        let outcome = |url: &str| check(&Public { url: url.parse().unwrap(), rp_id: String::new() }).outcome;
        assert_eq!(outcome("https://keys.example.com"), Outcome::Fine);
        assert_eq!(outcome("http://localhost:3000"), Outcome::Fine);
        assert_eq!(outcome("http://keys.example.com"), Outcome::Failed);
        assert_eq!(outcome("https://192.0.2.1"), Outcome::Failed);
        assert_eq!(outcome("http://[::1]:3000"), Outcome::Failed);
    }
}
