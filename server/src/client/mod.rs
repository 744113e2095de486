//! The other side of the API: what `keywarden secret` and `keywarden run` ask of a server. No rules; a token in, answers out.

mod access;
mod answers;
mod audit;
mod aws;
mod error;
mod exchange;
mod files;
mod keyring;
mod login;
mod policies;
mod requests;
mod running;
mod variables;
mod vault;
mod versions;
mod watch;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::builder::NonEmptyStringValueParser;
use http::{Method, StatusCode, header};
use keywarden_model::{Reason, time};
use keywarden_vault::{SecretBytes, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;
use zeroize::Zeroizing;

pub(crate) use access::{Access, CACHE_KEY_FILE, VARIABLES};
pub(crate) use answers::{ImportFile, Imported, Listed, Made, Value, Version, Whole};
pub(crate) use error::ClientError;
pub(crate) use files::Files;
pub(crate) use login::{Asked, Login};
pub(crate) use policies::{Policy, PolicyCase, PolicyVersion};
pub(crate) use requests::{AccessRequest, NewAccessRequest};
pub(crate) use running::{Aside, Running, Taken, Told};
pub(crate) use variables::{Variable, VariablesError, named};
pub(crate) use versions::Switch;
pub(crate) use watch::{News, Stream};

/// Secrets in a page of a list.
const PAGE: &str = "200";
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const REASON: &str = "Keywarden-Reason";
const MERGE_PATCH: &str = "application/merge-patch+json";
/// How often a put is sent, and how long between; the connection broke, and the server may or may not have heard.
const TRIES: u32 = 3;
const BETWEEN: Duration = Duration::from_secs(1);

/// An environment, by the slugs of its project and its own.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) project: String,
    pub(crate) environment: String,
}

impl Place {
    /// Asks for what is in here, or in a folder of it.
    fn narrow(&self, url: &mut Url, folder: Option<&str>) {
        let mut query = url.query_pairs_mut();
        query.append_pair("project", &self.project).append_pair("environment", &self.environment);
        if let Some(folder) = folder {
            query.append_pair("folder", folder);
        }
    }
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
    /// A template as it was put: what it refers to is not resolved
    #[arg(long)]
    raw: bool,
    /// Only this field of a value that is a JSON object: a string's text, of anything else its JSON
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    field: Option<String>,
}

/// A value to be put, and what is said of it.
#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) value: SecretBytes,
    pub(crate) kind: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) expected_version: Option<i64>,
    pub(crate) template: bool,
    pub(crate) valid: Valid,
}

/// A field of a value that is a JSON object, to be written, and what is said of the version that this makes. No `Debug`: it
/// is a secret.
pub(crate) struct Field {
    pub(crate) name: String,
    /// As JSON; `null` takes it away.
    pub(crate) json: Zeroizing<String>,
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
    time::instant(text).ok_or("write an instant as in RFC 3339: 2027-01-31T00:00:00Z")
}

/// A caller of one server.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    server: Url,
    token: SecretString,
    reason: Option<Reason>,
}

impl Client {
    /// A caller with the access it was given, for a command of this name.
    pub(crate) async fn new(access: &Access, command: &str) -> Result<Self, ClientError> {
        let (http, server) = (Access::http_of(command)?, access.server()?);
        let token = access.token(&http, &server).await?;
        Ok(Self { http, server, token, reason: access.reason().cloned() })
    }

    /// Secrets of an environment, or of one of its folders. No value is read.
    pub(crate) async fn list(&self, place: &Place, folder: Option<&str>) -> Result<Vec<Listed>, ClientError> {
        let mut url = address(&self.server, &["secrets"]);
        place.narrow(&mut url, folder);
        self.listed(url).await
    }

    /// All pages of a list.
    async fn listed(&self, mut url: Url) -> Result<Vec<Listed>, ClientError> {
        url.query_pairs_mut().append_pair("limit", PAGE);
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
        if which.raw {
            url.query_pairs_mut().append_pair("raw", "true");
        }
        if let Some(field) = &which.field {
            url.query_pairs_mut().append_pair("field", field);
        }
        self.answer(self.http.get(url)).await?.value()
    }

    /// The `current` value, unless it still is the one that `held` says: then nothing is read, and `None` comes back.
    pub(crate) async fn read_anew(
        &self,
        place: &Place,
        path: &str,
        held: Option<&str>,
    ) -> Result<Option<Value>, ClientError> {
        let mut request = self.http.get(value_address(&self.server, place, path));
        if let Some(tag) = held {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let answer = self.answer(request).await?;
        if answer.status == StatusCode::NOT_MODIFIED { Ok(None) } else { answer.value().map(Some) }
    }

    /// Puts a value: a new secret, or a new version of one. Where the connection breaks, it is put again; the server knows
    /// it by its key and makes no second version.
    pub(crate) async fn put(&self, place: &Place, path: &str, put: Put) -> Result<Made, ClientError> {
        let (url, body) = (value_address(&self.server, place, path), answers::Body::of(&put));
        self.once(|| self.http.put(url.clone()).json(&body)).await
    }

    /// Writes a field of a value: a new version of it, the rest of which stays as it is. As of a put, it is done once.
    pub(crate) async fn put_field(&self, place: &Place, path: &str, put: Field) -> Result<Made, ClientError> {
        let mut url = value_address(&self.server, place, path);
        {
            let mut query = url.query_pairs_mut();
            let mut say = |name: &str, value: Option<String>| {
                if let Some(value) = value {
                    query.append_pair(name, &value);
                }
            };
            say("label", put.label);
            say("expected_version", put.expected_version.map(|it| it.to_string()));
            let written = |it: DateTime<Utc>| it.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            say("not_before", put.valid.not_before.map(written));
            say("expires_at", put.valid.expires_at.map(written));
        }
        let name = serde_json::Value::from(put.name);
        let body = Zeroizing::new(format!("{{{name}:{}}}", *put.json));
        let send = || self.http.patch(url.clone()).header(header::CONTENT_TYPE, MERGE_PATCH);
        self.once(|| send().body(body.as_bytes().to_vec())).await
    }

    /// Sends what makes a version until there is an answer.
    async fn once(&self, request: impl Fn() -> reqwest::RequestBuilder) -> Result<Made, ClientError> {
        let key = format!("{:032x}", rand::random::<u128>());
        let mut tries = 1..TRIES;
        loop {
            match self.answer(request().header(IDEMPOTENCY_KEY, &key)).await {
                Err(ClientError::Lost { .. }) if tries.next().is_some() => tokio::time::sleep(BETWEEN).await,
                answer => return answer?.read(),
            }
        }
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
        let request = self.http.request(method, url);
        let request = if let Some(body) = body { request.json(body) } else { request };
        self.answer(request).await?.read()
    }

    /// What the server answers, unless that is a problem.
    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Answer, ClientError> {
        let broken = |cause| error::broken(&self.server, cause);
        let request = match &self.reason {
            Some(reason) => request.header(REASON, reason.as_str().as_bytes()),
            None => request,
        };
        let response = request.bearer_auth(self.token.expose()).send().await.map_err(broken)?;
        let status = response.status();
        let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let bytes = response.bytes().await.map_err(broken)?;
        match status {
            StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => {
                Ok(Answer { status, tag, bytes })
            }
            _ => Err(ClientError::told(status, &bytes)),
        }
    }
}

/// What came back. No `Debug`: it may be a secret.
struct Answer {
    status: StatusCode,
    tag: Option<String>,
    bytes: axum::body::Bytes,
}

impl Answer {
    fn read<A: DeserializeOwned>(&self) -> Result<A, ClientError> {
        serde_json::from_slice(&self.bytes).map_err(|cause| ClientError::Answer(cause.to_string()))
    }

    fn value(self) -> Result<Value, ClientError> {
        self.read::<answers::Told>()?.value(self.tag)
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
