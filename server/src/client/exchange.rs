//! A service token in exchange for the token that this process's platform gave it: no secret is stored anywhere.

use http::StatusCode;
use keywarden_vault::SecretString;
use serde::Deserialize;
use url::Url;

use super::{
    ClientError,
    error::{broken, chain},
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Where GitHub Actions gives out tokens to a job, and what the job shows there.
const GITHUB_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const GITHUB_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// RFC 8693, 2.2.1, as far as it is used.
#[derive(Deserialize)]
struct Exchanged {
    access_token: String,
}

/// RFC 6749, 5.2.
#[derive(Deserialize)]
pub(super) struct Refused {
    pub(super) error: String,
    pub(super) error_description: Option<String>,
}

/// What GitHub answers.
#[derive(Deserialize)]
struct Given {
    value: String,
}

/// Exchanges `token` at the server for a service token of a quarter of an hour.
pub(super) async fn exchange(
    http: &reqwest::Client,
    server: &Url,
    token: &SecretString,
    workload: Option<&str>,
) -> Result<SecretString, ClientError> {
    let mut fields =
        vec![("grant_type", GRANT), ("subject_token_type", JWT), ("subject_token", token.expose())];
    fields.extend(workload.map(|workload| ("client_id", workload)));
    let (status, bytes) = post(http, server, "token", &fields).await?;
    if status == StatusCode::OK {
        let exchanged: Exchanged =
            serde_json::from_slice(&bytes).map_err(|cause| ClientError::Answer(cause.to_string()))?;
        return Ok(SecretString::new(exchanged.access_token));
    }
    Err(match serde_json::from_slice::<Refused>(&bytes) {
        Ok(_) if status.is_server_error() => ClientError::Status(status),
        Ok(Refused { error, error_description }) => ClientError::NotExchanged(
            error_description.map_or(error.clone(), |why| format!("{why} ({error})")),
        ),
        Err(_) => ClientError::told(status, &bytes),
    })
}

/// A token of GitHub Actions for this server, where the job may have one (`permissions: id-token: write`).
#[expect(
    clippy::disallowed_methods,
    reason = "GitHub Actions tells a job by variables; they are no settings of ours"
)]
pub(super) async fn of_github(
    http: &reqwest::Client,
    server: &Url,
) -> Result<Option<SecretString>, ClientError> {
    let (Ok(url), Ok(shown)) = (std::env::var(GITHUB_URL), std::env::var(GITHUB_TOKEN)) else {
        return Ok(None);
    };
    let mut url: Url = url.parse().map_err(|_| ClientError::Github("its address is none".into()))?;
    if url.scheme() != "https" {
        return Err(ClientError::Github("its address is not https".into()));
    }
    url.query_pairs_mut().append_pair("audience", &server.origin().ascii_serialization());
    let trouble = |cause: reqwest::Error| ClientError::Github(chain(&cause.without_url()));
    let response = http.get(url).bearer_auth(shown).send().await.map_err(trouble)?;
    if response.status() != StatusCode::OK {
        return Err(ClientError::Github(format!("it answers {}", response.status())));
    }
    let given: Given = response.json().await.map_err(trouble)?;
    Ok(Some(SecretString::new(given.value)))
}

/// Posts a form to one of the server's addresses of OAuth.
pub(super) async fn post(
    http: &reqwest::Client,
    server: &Url,
    what: &str,
    fields: &[(&str, &str)],
) -> Result<(StatusCode, axum::body::Bytes), ClientError> {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = http.post(address(server, what)).body(form);
    let request = request.header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let response = request.send().await.map_err(|cause| broken(server, cause))?;
    let status = response.status();
    Ok((status, response.bytes().await.map_err(|cause| broken(server, cause))?))
}

fn address(server: &Url, what: &str) -> Url {
    let mut url = server.clone();
    // A server's URL has a path, or it would have been refused.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(["oauth2", what]);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_exchange_is_beside_the_api() {
        let at = |server: &str| address(&server.parse().unwrap(), "token").to_string();
        assert_eq!(at("https://keys.example.com"), "https://keys.example.com/oauth2/token");
        assert_eq!(at("https://example.com/keys/"), "https://example.com/keys/oauth2/token");
    }
}
