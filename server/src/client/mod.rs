//! The other side of the API: what `keywarden secret` and `keywarden run` ask of a server. No rules; a token in, answers out.

mod access;
mod answers;
mod error;
mod exchange;
mod files;
mod variables;
mod vault;

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use keywarden_vault::{SecretBytes, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

pub(crate) use access::{Access, VARIABLES};
pub(crate) use answers::{ImportFile, Imported, Listed, Made, Value};
pub(crate) use error::ClientError;
pub(crate) use files::Files;
pub(crate) use variables::{Variable, VariablesError, named};
pub(crate) use vault::VaultAccess;

/// Secrets in a page of a list.
const PAGE: &str = "200";

/// An environment, by the slugs of its project and its own.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) project: String,
    pub(crate) environment: String,
}

/// Which version is read; without either, the `current` one.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Which {
    /// The number of a version
    #[arg(long, value_name = "N", conflicts_with = "label")]
    version: Option<i64>,
    /// A label; `current` without one
    #[arg(long)]
    label: Option<String>,
}

/// A value to be put, and what is said of it.
#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) value: SecretBytes,
    pub(crate) kind: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) expected_version: Option<i64>,
    pub(crate) valid: Valid,
}

/// When a new version is read; it never changes.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Valid {
    /// The version is read from then on, and refused before: an instant as in `2027-01-31T00:00:00Z`
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    not_before: Option<DateTime<Utc>>,
    /// The version is read until then, and refused afterwards: an instant as in `2027-01-31T00:00:00Z`
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    expires_at: Option<DateTime<Utc>>,
}

fn instant(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let read = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    read.map_err(|_| "write an instant as in RFC 3339: 2027-01-31T00:00:00Z")
}

/// A caller of one server.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    server: Url,
    token: SecretString,
}

impl Client {
    /// A caller with the access it was given.
    pub(crate) async fn new(access: &Access) -> Result<Self, ClientError> {
        let (http, server) = (Access::http()?, access.server()?);
        let token = access.token(&http, &server).await?;
        Ok(Self { http, server, token })
    }

    /// Secrets of an environment, or of one of its folders. No value is read.
    pub(crate) async fn list(&self, place: &Place, folder: Option<&str>) -> Result<Vec<Listed>, ClientError> {
        let mut url = address(&self.server, &["secrets"]);
        url.query_pairs_mut()
            .append_pair("project", &place.project)
            .append_pair("environment", &place.environment)
            .append_pair("limit", PAGE);
        if let Some(folder) = folder {
            url.query_pairs_mut().append_pair("folder", folder);
        }
        let mut all = Vec::new();
        let mut cursor = None::<String>;
        loop {
            let mut url = url.clone();
            if let Some(cursor) = &cursor {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
            let page: answers::Page = self.ask(Method::GET, url, None::<&()>).await?;
            all.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// A value. The server records that it was read.
    pub(crate) async fn read(&self, place: &Place, path: &str, which: &Which) -> Result<Value, ClientError> {
        let mut url = value_address(&self.server, place, path);
        if let Some(version) = which.version {
            url.query_pairs_mut().append_pair("version", &version.to_string());
        }
        if let Some(label) = &which.label {
            url.query_pairs_mut().append_pair("label", label);
        }
        let told: answers::Told = self.ask(Method::GET, url, None::<&()>).await?;
        told.value()
    }

    /// Puts a value: a new secret, or a new version of one.
    pub(crate) async fn put(&self, place: &Place, path: &str, put: Put) -> Result<Made, ClientError> {
        self.ask(Method::PUT, value_address(&self.server, place, path), Some(&answers::Body::of(&put))).await
    }

    /// Imports a file, or says what that would do.
    pub(crate) async fn import(&self, place: &Place, file: &ImportFile<'_>) -> Result<Imported, ClientError> {
        let parts = ["projects", &place.project, "environments", &place.environment, "imports"];
        self.ask(Method::POST, address(&self.server, &parts), Some(file)).await
    }

    async fn ask<A: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<A, ClientError> {
        let broken = |cause| error::broken(&self.server, cause);
        let mut request = self.http.request(method, url).bearer_auth(self.token.expose());
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(broken)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(broken)?;
        if status == StatusCode::OK || status == StatusCode::CREATED {
            return serde_json::from_slice(&bytes).map_err(|cause| ClientError::Answer(cause.to_string()));
        }
        Err(ClientError::told(status, &bytes))
    }
}

fn address(server: &Url, parts: &[&str]) -> Url {
    let mut url = server.clone();
    // A server's URL has a path, or it would have been refused.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(["api", "v1"]).extend(parts);
    }
    url
}

/// Where a value lives. Each part of the path is written so that it stays one.
fn value_address(server: &Url, place: &Place, path: &str) -> Url {
    let mut parts = vec!["projects", &place.project, "environments", &place.environment, "secrets"];
    parts.extend(path.split('/'));
    address(server, &parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_path_stays_one_part_of_the_address() {
        let server = Url::parse("https://keys.example.com/console/").unwrap();
        let place = Place { project: "pay".into(), environment: "live".into() };
        assert_eq!(
            value_address(&server, &place, "database/pass word?#%2F").as_str(),
            "https://keys.example.com/console/api/v1/projects/pay/environments/live/secrets/database/pass%20word%3F%23%252F"
        );
    }
}
