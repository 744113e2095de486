//! Another system on its way out: a Vault or OpenBao with a KV engine of version 2, read as one file to be imported.
//!
//! Only what is current is read. A secret that is deleted there is passed over.

use std::path::PathBuf;

use http::StatusCode;
use keywarden_domain::secrets::files::MOST_ENTRIES;
use keywarden_model::SecretPath;
use keywarden_vault::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use url::Url;
use zeroize::Zeroizing;

use super::{
    Access, ClientError,
    access::{read, safe, word},
};

/// Where its token is, the first one that is set.
const TOKENS: [&str; 2] = ["VAULT_TOKEN", "BAO_TOKEN"];

/// Which engine is read, and as whom. There is no flag for a token: whoever lists processes sees arguments.
#[derive(Debug, clap::Args)]
pub(super) struct VaultAccess {
    /// Import from a running Vault or OpenBao instead of a file
    #[arg(long, value_name = "URL")]
    from_vault: Option<Url>,
    /// Where its KV engine (version 2) is mounted
    #[arg(long, value_name = "MOUNT", default_value = "secret", requires = "from_vault")]
    mount: String,
    /// A file that holds its token; without it the token is in VAULT_TOKEN or BAO_TOKEN
    #[arg(long, value_name = "FILE", requires = "from_vault")]
    vault_token_file: Option<PathBuf>,
}

/// A caller of one engine.
struct Engine {
    http: reqwest::Client,
    server: Url,
    mount: String,
    token: SecretString,
}

/// What every answer has.
#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<String>,
}

#[derive(Deserialize)]
struct Version {
    /// `null` where the current version is deleted.
    data: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<String>,
}

impl VaultAccess {
    /// All that it gives, as one JSON object: paths, and the object of each. `None` if nothing was asked for.
    pub(super) async fn file(&self, below: &str) -> Result<Option<SecretString>, ClientError> {
        let Some(server) = &self.from_vault else { return Ok(None) };
        let engine = Engine {
            http: Access::http()?,
            server: safe(server)?,
            mount: self.mount.trim_matches('/').to_owned(),
            token: self.token()?,
        };
        let all = engine.all(below.trim_matches('/')).await?;
        let text = serde_json::to_string(&Value::Object(all));
        let text = text.map_err(|cause| ClientError::Answer(cause.to_string()))?;
        Ok(Some(SecretString::new(text)))
    }

    #[expect(clippy::disallowed_methods, reason = "a token is no setting, and no flag may hold it")]
    fn token(&self) -> Result<SecretString, ClientError> {
        let text = match &self.vault_token_file {
            Some(path) => read(path)?,
            None => {
                Zeroizing::new(TOKENS.iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default())
            }
        };
        word(&text).ok_or(ClientError::NoVaultToken)
    }
}

impl Engine {
    /// Every secret below a path, told from there.
    async fn all(&self, below: &str) -> Result<Map<String, Value>, ClientError> {
        let mut all = Map::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            if folder.split('/').count() > SecretPath::MAX_FOLDERS + 1 {
                return Err(self.refuses(format!("`{folder}` lies too deep")));
            }
            let at = within(below, &folder);
            let listed: Option<Answer<Keys>> = self.ask("metadata", &at, true).await?;
            for key in listed.map(|it| it.data.keys).unwrap_or_default() {
                let path = within(&folder, key.trim_end_matches('/'));
                if key.ends_with('/') {
                    folders.push(path);
                    continue;
                }
                if all.len() == MOST_ENTRIES {
                    return Err(
                        self.refuses(format!("more than {MOST_ENTRIES} secrets: choose some by --below"))
                    );
                }
                let read: Option<Answer<Version>> = self.ask("data", &within(below, &path), false).await?;
                if let Some(data) = read.and_then(|it| it.data.data) {
                    all.insert(path, Value::Object(data));
                }
            }
        }
        Ok(all)
    }

    /// Asks one thing; `None`: there is nothing.
    async fn ask<A: DeserializeOwned>(
        &self,
        what: &str,
        path: &str,
        list: bool,
    ) -> Result<Option<A>, ClientError> {
        let mut url = self.server.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(self.mount.split('/')).push(what);
            segments.extend(path.split('/').filter(|part| !part.is_empty()));
        }
        if list {
            url.query_pairs_mut().append_pair("list", "true");
        }
        let broken = |cause: reqwest::Error| self.refuses(cause.without_url().to_string());
        let request = self.http.get(url).header("X-Vault-Token", self.token.expose());
        let response = request.send().await.map_err(broken)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(broken)?;
        match status {
            StatusCode::OK => {
                let read = serde_json::from_slice(&bytes).map(Some);
                read.map_err(|_| self.refuses("this is no KV engine of version 2".into()))
            }
            StatusCode::NOT_FOUND => Ok(None),
            other => {
                let told = serde_json::from_slice::<Refusal>(&bytes).map(|it| it.errors.join("; "));
                Err(self.refuses(told.ok().filter(|it| !it.is_empty()).unwrap_or_else(|| other.to_string())))
            }
        }
    }

    fn refuses(&self, why: String) -> ClientError {
        ClientError::Elsewhere { server: self.server.clone(), why }
    }
}

fn within(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", name) => name.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, name) => format!("{folder}/{name}"),
    }
}
