//! Which server, and as whom.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use keywarden_model::Reason;
use keywarden_vault::SecretString;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::{ClientError, exchange, login};

const CONNECT: Duration = Duration::from_secs(10);
/// Longer than a server takes for any answer.
const ANSWER: Duration = Duration::from_secs(40);
/// Three times as long as a stream is silent at most.
const SILENCE: Duration = Duration::from_secs(45);

const TOKEN: &str = "KEYWARDEN_TOKEN";
const TOKEN_FILE: &str = "KEYWARDEN_TOKEN_FILE";
const SERVER: &str = "KEYWARDEN_SERVER";
const EXCHANGE_TOKEN_FILE: &str = "KEYWARDEN_EXCHANGE_TOKEN_FILE";
const EXCHANGE_WORKLOAD: &str = "KEYWARDEN_EXCHANGE_WORKLOAD";
const REASON: &str = "KEYWARDEN_REASON";

/// Where the key lies that opens what `keywarden run --cache` keeps.
pub(crate) const CACHE_KEY_FILE: &str = "KEYWARDEN_CACHE_KEY_FILE";

/// Variables of commands that ask a server; a server itself does not read them.
pub(crate) const VARIABLES: [&str; 7] =
    [SERVER, TOKEN, TOKEN_FILE, EXCHANGE_TOKEN_FILE, EXCHANGE_WORKLOAD, CACHE_KEY_FILE, REASON];

/// What every command that asks a server takes. There is no flag for a token: whoever lists processes sees arguments.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Access {
    /// The server to ask
    #[arg(long, global = true, env = SERVER, default_value = "http://localhost:3000", value_name = "URL")]
    server: Url,
    /// A file that holds a service token; without it the token is in the variable KEYWARDEN_TOKEN
    #[arg(long, global = true, env = TOKEN_FILE, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file with a token of this machine's platform (Kubernetes, GitLab …), exchanged for a service token at each command
    #[arg(long, global = true, env = EXCHANGE_TOKEN_FILE, value_name = "FILE", conflicts_with = "token_file")]
    exchange_token_file: Option<PathBuf>,
    /// The workload to sign in as, where rules of several admit that token
    #[arg(long, global = true, env = EXCHANGE_WORKLOAD, value_name = "ID")]
    exchange_workload: Option<String>,
    /// Why values are read or put, for the audit record; some environments ask for it before a reading
    #[arg(long, global = true, env = REASON, value_name = "TEXT")]
    reason: Option<Reason>,
}

impl Access {
    /// The server, where a token may be sent: by HTTPS, or to this machine itself.
    pub(crate) fn server(&self) -> Result<Url, ClientError> {
        safe(&self.server)
    }

    /// Why values are read, if that was said.
    pub(super) fn reason(&self) -> Option<&Reason> {
        self.reason.as_ref()
    }

    /// The service token: by exchange where a platform's token is named, else from its file or variable, else that of a
    /// person who signed in here, else by exchange of what GitHub Actions gives a job.
    pub(super) async fn token(
        &self,
        http: &reqwest::Client,
        server: &Url,
    ) -> Result<SecretString, ClientError> {
        let workload = self.exchange_workload.as_deref();
        if let Some(path) = &self.exchange_token_file {
            return exchange::exchange(http, server, &one_word(&read(path)?)?, workload).await;
        }
        if let Some(text) = self.kept()? {
            return one_word(&text);
        }
        if let Some(token) = login::kept(server)? {
            return Ok(token);
        }
        match exchange::of_github(http, server).await? {
            Some(token) => exchange::exchange(http, server, &token, workload).await,
            None => Err(ClientError::NoToken),
        }
    }

    /// What the file or the variable of a service token says.
    #[expect(clippy::disallowed_methods, reason = "a token is no setting, and no flag may hold it")]
    fn kept(&self) -> Result<Option<Zeroizing<String>>, ClientError> {
        match &self.token_file {
            Some(path) => read(path).map(Some),
            None => Ok(std::env::var(TOKEN).ok().map(Zeroizing::new)),
        }
    }

    /// A client that follows no redirect, so that the token goes to nobody else.
    pub(super) fn http() -> Result<reqwest::Client, ClientError> {
        builder(AGENT).timeout(ANSWER).build().map_err(ClientError::Http)
    }

    /// As [`Access::http`], for a command that says which one it is: `keywarden/1.2.3 (run)`.
    pub(super) fn http_of(command: &str) -> Result<reqwest::Client, ClientError> {
        builder(&format!("{AGENT} ({command})")).timeout(ANSWER).build().map_err(ClientError::Http)
    }

    /// As [`Access::http`], for an answer without an end: it may last, and is given up when it falls silent.
    pub(super) fn streaming() -> Result<reqwest::Client, ClientError> {
        builder(AGENT).read_timeout(SILENCE).build().map_err(ClientError::Http)
    }
}

/// What the client calls itself; the record of a reading keeps it.
const AGENT: &str = concat!("keywarden/", env!("CARGO_PKG_VERSION"));

fn builder(agent: &str) -> reqwest::ClientBuilder {
    // The second one to install it finds it there.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(agent)
}

pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, ClientError> {
    let text = std::fs::read_to_string(path);
    text.map(Zeroizing::new).map_err(|cause| ClientError::TokenFile { path: path.to_owned(), cause })
}

/// A server where a token may be sent: by HTTPS, or this machine itself. What errors show of it is no secret.
pub(super) fn safe(server: &Url) -> Result<Url, ClientError> {
    let bare = server.username().is_empty() && server.password().is_none();
    if !bare || server.query().is_some() || server.fragment().is_some() {
        return Err(ClientError::Adorned);
    }
    let near = match server.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match server.scheme() {
        "https" => Ok(server.clone()),
        "http" if near => Ok(server.clone()),
        "http" => Err(ClientError::Plain(server.clone())),
        _ => Err(ClientError::Scheme(server.clone())),
    }
}

fn one_word(text: &str) -> Result<SecretString, ClientError> {
    word(text).ok_or(ClientError::NoToken)
}

/// The one word of a text, which a token is.
pub(super) fn word(text: &str) -> Option<SecretString> {
    let word = text.trim();
    let is_one = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
    is_one.then(|| SecretString::new(word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(server: &str, token_file: Option<PathBuf>) -> Access {
        Access {
            server: server.parse().unwrap(),
            token_file,
            exchange_token_file: None,
            exchange_workload: None,
            reason: None,
        }
    }

    #[test]
    fn an_address_with_a_password_is_refused_and_not_repeated() {
        for adorned in
            ["https://u:hunter2@keys.example.com", "http://hunter2@x.example", "https://x.example/?k=hunter2"]
        {
            let refused = access(adorned, None).server().unwrap_err().to_string();
            assert!(refused.contains("scheme, host and port") && !refused.contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn a_token_goes_over_https_or_nowhere_else() {
        for good in [
            "https://keys.example.com",
            "http://localhost:3000",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "http://kw.localhost:3000",
        ] {
            assert!(access(good, None).server().is_ok(), "{good}");
        }
        for plain in ["http://keys.example.com", "http://10.0.0.1:3000", "http://localhost.example.com"] {
            let refused = access(plain, None).server().unwrap_err().to_string();
            assert!(refused.contains("https://"), "{refused}");
        }
        assert!(matches!(access("ftp://localhost", None).server(), Err(ClientError::Scheme(_))));
    }

    #[test]
    fn a_token_is_one_word_of_its_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            let kept = access("http://localhost", Some(file.path().into())).kept();
            one_word(&kept.unwrap().unwrap())
        };
        assert_eq!(read("kws_x\n").unwrap().expose(), "kws_x");
        for none in ["", "\n", "two words", "a\nb"] {
            assert!(matches!(read(none), Err(ClientError::NoToken)), "{none:?}");
        }
        let missing = access("http://localhost", Some("/nowhere/token".into())).kept().unwrap_err();
        assert!(missing.to_string().contains("/nowhere/token"), "{missing}");
    }
}
