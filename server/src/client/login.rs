//! People at a terminal (RFC 8628): a code to be approved in the console, and the token that comes of it, kept for this
//! server alone in a folder that only its user may look into, or in the kernel's keyring of that user.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::PathBuf,
    time::Duration,
};

use chrono::{DateTime, Utc};
use http::StatusCode;
use keywarden_domain::env::{Clock as _, SystemClock};
use keywarden_model::time::{later, seconds};
use keywarden_vault::{SecretString, read_private, replace_beside};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::sleep;
use url::Url;
use zeroize::Zeroizing;

use super::{
    Access, ClientError,
    exchange::{Refused, post},
    keyring,
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What each answer `slow_down` adds to the pause (RFC 8628, 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// Longer than a token is good the kernel keeps it, so that whoever comes late is told.
const LATE: Duration = Duration::from_hours(24);
/// More than a token's file holds.
const MAX_FILE: u64 = 4_096;

/// A terminal that waits to be let in. No `Debug`: its code is a secret.
#[derive(Deserialize)]
pub(crate) struct Asked {
    device_code: Zeroizing<String>,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    pub(crate) verification_uri_complete: Option<String>,
    interval: Option<u64>,
}

/// RFC 6749, 5.1, as far as it is used.
#[derive(Deserialize)]
struct Given {
    access_token: Zeroizing<String>,
    expires_in: i64,
}

/// A token as it is kept. No `Debug`: it is a secret.
#[derive(Serialize, Deserialize)]
struct Kept {
    token: Zeroizing<String>,
    expires_at: DateTime<Utc>,
}

/// Where a token is kept.
enum Place {
    File(PathBuf),
    Keyring,
}

/// Signing in to one server.
#[derive(Debug)]
pub(crate) struct Login {
    http: reqwest::Client,
    server: Url,
    in_keyring: bool,
}

impl Login {
    pub(crate) fn new(access: &Access) -> Result<Self, ClientError> {
        Ok(Self { http: Access::http()?, server: access.server()?, in_keyring: false })
    }

    /// Keeps the token in the kernel's keyring; an error where there is none.
    pub(crate) fn in_keyring(self) -> Result<Self, ClientError> {
        keyring::is_there().map_err(ClientError::NotKept)?;
        Ok(Self { in_keyring: true, ..self })
    }

    /// Asks to be let in.
    pub(crate) async fn ask(&self) -> Result<Asked, ClientError> {
        let asked = post(&self.http, &self.server, "device_authorization", &[("client_id", "keywarden")]);
        let (status, bytes) = asked.await?;
        if status == StatusCode::OK { read(&bytes) } else { Err(refused(status, &bytes)) }
    }

    /// Waits until its person decided, and keeps the token; says until when it is good.
    pub(crate) async fn wait(&self, asked: &Asked) -> Result<DateTime<Utc>, ClientError> {
        let mut pause = Duration::from_secs(asked.interval.unwrap_or(5).max(1));
        loop {
            sleep(pause).await;
            let fields = [("grant_type", GRANT), ("device_code", asked.device_code.as_str())];
            let (status, bytes) = match post(&self.http, &self.server, "token", &fields).await {
                // The code is still good.
                Err(ClientError::Lost { .. } | ClientError::Unreachable { .. }) => continue,
                answer => answer?,
            };
            if status == StatusCode::OK {
                let given: Given = read(&bytes)?;
                let expires_at = later(SystemClock.now(), seconds(given.expires_in));
                let kept = Kept { token: given.access_token, expires_at };
                self.keep(&kept).map_err(ClientError::NotKept)?;
                return Ok(expires_at);
            }
            match serde_json::from_slice::<Refused>(&bytes) {
                Ok(told) if told.error == "authorization_pending" => {}
                Ok(told) if told.error == "slow_down" => pause = pause.saturating_add(SLOWER),
                _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                    pause = pause.saturating_add(SLOWER);
                }
                _ => return Err(refused(status, &bytes)),
            }
        }
    }

    /// One sign-in to a server is kept, in one place.
    fn keep(&self, kept: &Kept) -> io::Result<()> {
        let (text, name) = (Zeroizing::new(serde_json::to_string(kept)?), name(&self.server));
        let folder = folder();
        if self.in_keyring {
            let lasts = kept.expires_at.signed_duration_since(SystemClock.now()).to_std().unwrap_or_default();
            keyring::put(&name, &text, lasts.saturating_add(LATE))?;
            return match folder.map(|folder| fs::remove_file(path_of(folder, &self.server))) {
                Some(Err(cause)) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
                _ => Ok(()),
            };
        }
        let folder = folder.ok_or_else(|| io::Error::other("neither XDG_STATE_HOME nor HOME is set"))?;
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let path = path_of(folder, &self.server);
        private(&path)?;
        replace_beside(&path, &text)?;
        keyring::remove(&name)
    }

    /// Gives the token up, here and there; false if there is none.
    pub(crate) async fn out(&self) -> Result<bool, ClientError> {
        let Some((place, kept)) = find(&self.server).map_err(ClientError::NotKept)? else { return Ok(false) };
        // There first: what is still good is not forgotten.
        let (status, bytes) =
            post(&self.http, &self.server, "revoke", &[("token", kept.token.as_str())]).await?;
        if status != StatusCode::OK {
            return Err(refused(status, &bytes));
        }
        let forgotten = match place {
            Place::File(path) => fs::remove_file(path),
            Place::Keyring => keyring::remove(&name(&self.server)),
        };
        forgotten.map_err(ClientError::NotKept)?;
        Ok(true)
    }
}

/// The token of whoever signed in to this server; one that ran out is an error, so that nobody wonders.
pub(super) fn kept(server: &Url) -> Result<Option<SecretString>, ClientError> {
    let Some((_, kept)) = find(server).map_err(ClientError::NotKept)? else { return Ok(None) };
    if kept.expires_at <= SystemClock.now() {
        return Err(ClientError::SignInOver(server.clone()));
    }
    Ok(Some(SecretString::new(kept.token.to_string())))
}

fn refused(status: StatusCode, bytes: &[u8]) -> ClientError {
    match serde_json::from_slice::<Refused>(bytes) {
        Ok(Refused { error, error_description }) if !status.is_server_error() => {
            ClientError::NotSignedIn(error_description.unwrap_or(error))
        }
        _ => ClientError::told(status, bytes),
    }
}

fn read<A: DeserializeOwned>(bytes: &[u8]) -> Result<A, ClientError> {
    serde_json::from_slice(bytes).map_err(|cause| ClientError::Answer(cause.to_string()))
}

/// `$XDG_STATE_HOME/keywarden`; nowhere without a home.
#[expect(
    clippy::disallowed_methods,
    reason = "the session says where its folders are; that is no setting of ours"
)]
fn folder() -> Option<PathBuf> {
    let named = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")));
    Some(state?.join("keywarden"))
}

/// A server's address, in its one spelling.
fn address(server: &Url) -> &str {
    server.as_str().trim_end_matches('/')
}

/// One file for each server; its name is the server's address, escaped.
fn path_of(folder: PathBuf, server: &Url) -> PathBuf {
    let name: String = url::form_urlencoded::byte_serialize(address(server).as_bytes()).collect();
    folder.join(name)
}

/// What the token for a server is called in the keyring.
fn name(server: &Url) -> String {
    format!("keywarden:{}", address(server))
}

fn find(server: &Url) -> io::Result<Option<(Place, Kept)>> {
    if let Some(text) = keyring::get(&name(server))? {
        return Ok(Some((Place::Keyring, read_kept(&text)?)));
    }
    let Some(path) = folder().map(|folder| path_of(folder, server)) else { return Ok(None) };
    if !path.exists() {
        return Ok(None);
    }
    private(&path)?;
    let text = read_private(&path, MAX_FILE)?;
    Ok(Some((Place::File(path), read_kept(text.expose())?)))
}

/// What is wrong with it is not told: that would show some of it.
fn read_kept(text: &str) -> io::Result<Kept> {
    serde_json::from_str(text).map_err(|_| io::Error::other("it is damaged: sign in anew"))
}

/// A folder that others may look into, or write to, is refused.
fn private(path: &std::path::Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    if fs::metadata(folder)?.mode() & 0o077 != 0 {
        let folder = folder.display();
        return Err(io::Error::other(format!("{folder} is open to group or others: set its mode to 0700")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_a_file_of_its_own() {
        let at = |server: &str| path_of("/state".into(), &server.parse().unwrap());
        assert_eq!(at("https://keys.example.com").to_str(), Some("/state/https%3A%2F%2Fkeys.example.com"));
        assert_eq!(at("https://keys.example.com"), at("https://keys.example.com/"));
        let others =
            ["https://keys.example.com/a", "https://keys.example.com:444", "http://keys.example.com"];
        assert!(others.iter().all(|it| at(it) != at("https://keys.example.com")));
        assert!(others.iter().all(|it| at(it).parent() == at("https://keys.example.com").parent()));
    }
}
