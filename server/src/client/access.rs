//! Which server, and as whom.

use std::{path::PathBuf, time::Duration};

use keywarden_vault::SecretString;
use url::{Host, Url};

use super::ClientError;

const CONNECT: Duration = Duration::from_secs(10);
/// Longer than a server takes for any answer.
const ANSWER: Duration = Duration::from_secs(40);

const TOKEN: &str = "KEYWARDEN_TOKEN";
const TOKEN_FILE: &str = "KEYWARDEN_TOKEN_FILE";
const SERVER: &str = "KEYWARDEN_SERVER";

/// Variables of commands that ask a server; a server itself does not read them.
pub(crate) const VARIABLES: [&str; 3] = [SERVER, TOKEN, TOKEN_FILE];

/// What every command that asks a server takes. There is no flag for a token: whoever lists processes sees arguments.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Access {
    /// The server to ask
    #[arg(long, global = true, env = SERVER, default_value = "http://localhost:3000", value_name = "URL")]
    server: Url,
    /// A file that holds a service token; without it the token is in the variable KEYWARDEN_TOKEN
    #[arg(long, global = true, env = TOKEN_FILE, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Access {
    /// The server, where a token may be sent: by HTTPS, or to this machine itself.
    pub(super) fn server(&self) -> Result<Url, ClientError> {
        let near = match self.server.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match self.server.scheme() {
            "https" => Ok(self.server.clone()),
            "http" if near => Ok(self.server.clone()),
            "http" => Err(ClientError::Plain(self.server.clone())),
            _ => Err(ClientError::Scheme(self.server.clone())),
        }
    }

    /// The token, from its file or variable.
    #[expect(clippy::disallowed_methods, reason = "a token is no setting, and no flag may hold it")]
    pub(super) fn token(&self) -> Result<SecretString, ClientError> {
        let text = match &self.token_file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|cause| ClientError::TokenFile { path: path.clone(), cause })?,
            None => std::env::var(TOKEN).map_err(|_| ClientError::NoToken)?,
        };
        let token = text.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ClientError::NoToken);
        }
        Ok(SecretString::new(token.to_owned()))
    }

    /// A client that follows no redirect, so that the token goes to nobody else.
    pub(super) fn http() -> Result<reqwest::Client, ClientError> {
        // The second one to install it finds it there.
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("keywarden/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ClientError::Http)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(server: &str, token_file: Option<PathBuf>) -> Access {
        Access { server: server.parse().unwrap(), token_file }
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
            access("http://localhost", Some(file.path().into())).token()
        };
        assert_eq!(read("kws_x\n").unwrap().expose(), "kws_x");
        for none in ["", "\n", "two words", "a\nb"] {
            assert!(matches!(read(none), Err(ClientError::NoToken)), "{none:?}");
        }
        let missing = access("http://localhost", Some("/nowhere/token".into())).token().unwrap_err();
        assert!(missing.to_string().contains("/nowhere/token"), "{missing}");
    }
}
