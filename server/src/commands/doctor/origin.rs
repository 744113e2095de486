use keywarden_domain::{
    Domain,
    passkeys::{Passkeys, RelyingError},
    people::RpIdError,
};

use super::Check;
use crate::config::Public;

const NAME: &str = "passkeys";

/// Browsers make passkeys only over https (or on localhost), never for an IP address, and for no name but the page's own
/// and those above it.
pub(super) fn check(public: &Public) -> Check {
    let Err(cause) = Passkeys::new(&public.relying()) else {
        return Check::fine(NAME, format!("{} with passkeys of `{}`", public.origin(), public.rp_id));
    };
    let advice = match &cause {
        RelyingError::BadRpId(_) | RelyingError::Mismatch { .. } => {
            "leave KEYWARDEN_RP_ID out, or set it to the public URL's host"
        }
        RelyingError::Insecure(_) => {
            "serve it over https: set KEYWARDEN_TLS_CERT and KEYWARDEN_TLS_KEY, or put a TLS proxy before it"
        }
        RelyingError::NotADomain(_) | RelyingError::NotAUrl(_) | RelyingError::NotAnOrigin(_) => {
            "give the machine a name and set KEYWARDEN_PUBLIC_URL to it"
        }
    };
    Check::failed(NAME, cause.to_string(), advice)
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
        Ok(Some(RpIdError::Refused(_) | RpIdError::Relying(_))) | Err(_) => {
            "does the database answer?".to_owned()
        }
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
        let check =
            |url: &str, rp_id: &str| check(&Public { url: url.parse().unwrap(), rp_id: rp_id.into() });
        for (url, rp_id) in [
            ("https://keys.example.com", "keys.example.com"),
            ("https://keys.example.com", "example.com"),
            ("http://localhost:3000", "localhost"),
        ] {
            assert_eq!(check(url, rp_id).outcome, Outcome::Fine, "{url} {rp_id}");
        }
        for (url, rp_id, says) in [
            ("http://keys.example.com", "keys.example.com", "https"),
            ("https://192.0.2.1", "192.0.2.1", "KEYWARDEN_PUBLIC_URL"),
            ("http://[::1]:3000", "[::1]", "KEYWARDEN_PUBLIC_URL"),
            ("https://keys.example", "example", "KEYWARDEN_RP_ID"),
        ] {
            let check = check(url, rp_id);
            assert_eq!(check.outcome, Outcome::Failed, "{check}");
            assert!(check.advice.as_ref().unwrap().contains(says), "{check}");
        }
    }
}
