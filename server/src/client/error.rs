//! Why a server was not asked, or what it said instead.

use std::path::PathBuf;

use http::StatusCode;
use keywarden_model::ProblemKind;
use serde::Deserialize;
use url::Url;

use super::aws::AwsSettingsError;

/// Why a command did not get what it asked a server for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("write the server's address as scheme, host and port, without a user, a password or a query")]
    Adorned,
    #[error("the server's answer makes no sense: {0}; is KEYWARDEN_SERVER a Keywarden of this version?")]
    Answer(String),
    #[error(transparent)]
    AwsSettings(#[from] AwsSettingsError),
    #[error("{server} did not give its secrets: {why}; nothing was imported")]
    Elsewhere { server: Url, why: String },
    #[error("GitHub Actions gives no token: {0}; does the job have `permissions: id-token: write`?")]
    Github(String),
    #[error("cannot speak HTTP: {0}")]
    Http(#[source] reqwest::Error),
    #[error(
        "no token: name a file that holds one by --token-file or KEYWARDEN_TOKEN_FILE, put it into KEYWARDEN_TOKEN, name one of your platform by KEYWARDEN_EXCHANGE_TOKEN_FILE, or sign in with `keywarden login`"
    )]
    NoToken,
    #[error(
        "no token for the Vault: name a file that holds one by --vault-token-file, or put it into VAULT_TOKEN or BAO_TOKEN"
    )]
    NoVaultToken,
    #[error("{server} did not answer: {}; whether it was done is not known, so look before you try again", chain(.cause))]
    Lost { server: Url, cause: reqwest::Error },
    #[error("the sign-in that is kept on this machine: {0}")]
    NotKept(std::io::Error),
    #[error("the terminal is not signed in: {0}")]
    NotSignedIn(String),
    #[error("no service token in exchange: {0}; the page of the workload's sign-in rule tells why")]
    NotExchanged(String),
    #[error("{0} would carry the token and the values readably: use https://")]
    Plain(Url),
    #[error("{0} is no address of a Keywarden: use https://…")]
    Scheme(Url),
    #[error("cannot read the token in {path}: {cause}")]
    TokenFile { path: PathBuf, cause: std::io::Error },
    #[error("there is no such secret: `{0}`")]
    NoSecret(String),
    #[error("the server answers {0}, and not as a Keywarden does; is KEYWARDEN_SERVER right?")]
    Status(StatusCode),
    #[error("the sign-in to {0} has run out: `keywarden login` makes a new one")]
    SignInOver(Url),
    #[error("{detail}{}", request(.instance.as_deref()))]
    Told { status: StatusCode, kind: Option<ProblemKind>, detail: String, instance: Option<String> },
    #[error("cannot reach {server}: {}; nothing was done", chain(.cause))]
    Unreachable { server: Url, cause: reqwest::Error },
}

/// RFC 9457, as far as it is told on.
#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type", default)]
    address: String,
    detail: String,
    instance: Option<String>,
    #[serde(default)]
    errors: Vec<Flaw>,
}

#[derive(Deserialize)]
struct Flaw {
    detail: String,
}

impl ClientError {
    /// What an answer says that is not what was asked for.
    pub(super) fn told(status: StatusCode, bytes: &[u8]) -> Self {
        match serde_json::from_slice::<Problem>(bytes) {
            Ok(Problem { address, detail, instance, errors }) => {
                let kind = ProblemKind::ALL.iter().copied().find(|kind| kind.address() == address);
                let flaws: Vec<_> = errors.into_iter().map(|flaw| flaw.detail).collect();
                let detail = if flaws.is_empty() { detail } else { flaws.join("; ") };
                Self::Told { status, kind, detail, instance }
            }
            Err(_) => Self::Status(status),
        }
    }

    /// Whether nothing is known of what the server would have said: it cannot be reached, or is in trouble itself.
    pub(crate) fn is_absence(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::Unreachable { .. } => true,
            Self::Status(status) | Self::Told { status, .. } => status.is_server_error(),
            _ => false,
        }
    }

    /// Whether there is a secret and no value of it that is read now: its time has not begun or is over, or so it is with
    /// something that it refers to.
    pub(crate) fn is_no_value(&self) -> bool {
        let kinds = [ProblemKind::OutsideValidity, ProblemKind::Unresolved];
        matches!(self, Self::Told { kind: Some(kind), .. } if kinds.contains(kind))
    }

    /// Whether the server does not know, or no longer, who asks.
    pub(crate) fn is_unknown_caller(&self) -> bool {
        matches!(self, Self::Told { status: StatusCode::UNAUTHORIZED, .. })
    }
}

/// A question that got no answer. Only where no connection came about is it sure that the server knows of nothing.
pub(super) fn broken(server: &Url, cause: reqwest::Error) -> ClientError {
    let (server, connected) = (server.clone(), !cause.is_connect());
    let cause = cause.without_url();
    if connected { ClientError::Lost { server, cause } } else { ClientError::Unreachable { server, cause } }
}

fn request(instance: Option<&str>) -> String {
    instance.map(|id| format!(" ({id})")).unwrap_or_default()
}

/// The causes of an error, which its own words leave out.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_is_what_the_person_reads() {
        let told = |text: &str| ClientError::told(StatusCode::NOT_FOUND, text.as_bytes());
        let plain = told(
            r#"{"type":"x","title":"Not found","status":404,"detail":"there is no such thing","instance":"req_1"}"#,
        );
        assert_eq!(plain.to_string(), "there is no such thing (req_1)");
        let flaws =
            told(r#"{"detail":"1 field","errors":[{"pointer":"/label","detail":"choose another label"}]}"#);
        assert_eq!(flaws.to_string(), "choose another label");
        assert!(told("<html>").to_string().contains("404"));
    }

    #[test]
    fn only_a_server_that_is_away_or_in_trouble_is_absent() {
        let problem = br#"{"detail":"x"}"#;
        for status in [500, 502, 503, 504] {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(ClientError::told(status, problem).is_absence(), "{status}");
            assert!(ClientError::told(status, b"<html>").is_absence(), "{status}, said by a proxy");
        }
        for status in [400, 401, 403, 404, 409, 429] {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(!ClientError::told(status, problem).is_absence(), "{status}");
            assert!(!ClientError::told(status, b"<html>").is_absence(), "{status}");
        }
        assert!(!ClientError::NoToken.is_absence());
    }

    #[test]
    fn a_value_whose_time_is_over_is_told_from_any_other_conflict() {
        let told = |address: &str| {
            let problem = format!(r#"{{"type":"{address}","detail":"version 1 expired"}}"#);
            ClientError::told(StatusCode::CONFLICT, problem.as_bytes())
        };
        assert!(told(&ProblemKind::OutsideValidity.address()).is_no_value());
        assert!(told(&ProblemKind::Unresolved.address()).is_no_value());
        for other in ["", "about:blank", &*ProblemKind::Conflict.address()] {
            assert!(!told(other).is_no_value(), "{other}");
        }
    }
}
