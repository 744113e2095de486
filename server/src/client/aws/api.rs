//! The two questions that are put to AWS Secrets Manager, signed (`AWS4-HMAC-SHA256`) and put again where it is too busy.

use std::time::{Duration, SystemTime};

use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use keywarden_vault::{SecretBytes, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::super::ClientError;
use super::settings::Settings;

const SERVICE: &str = "secretsmanager";
const BODY: &str = "application/x-amz-json-1.1";
const TARGET: &str = "x-amz-target";
/// Secrets in a page of the list: as many as AWS gives.
const PAGE: u32 = 100;
/// How long is waited before each further try; the last one is told as it is.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
    Duration::from_millis(3_200),
];
/// How often it is tried in all.
const TRIES: usize = PAUSES.len() + 1;
/// What is told of a text from there, in characters.
const TOLD: usize = 300;

/// What the list is asked for.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AskList<'a> {
    include_planned_deletion: bool,
    max_results: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filters: Option<[Filter<'a>; 1]>,
}

/// One of these values is how it begins.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Filter<'a> {
    key: &'static str,
    values: &'a [String],
}

/// Without a stage: the value that is current.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AskValue<'a> {
    secret_id: &'a str,
}

/// A secret, without its value.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    pub(super) name: String,
    #[serde(rename = "ARN")]
    pub(super) arn: Option<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<Tagged>,
    /// A day is there only if it waits to be deleted.
    #[serde(default, rename = "DeletedDate", deserialize_with = "is_there")]
    pub(super) deleted: bool,
}

/// A tag as AWS has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tagged {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

/// A page of the list.
#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(rename = "SecretList")]
    pub(super) secrets: Vec<Listed>,
    #[serde(rename = "NextToken")]
    pub(super) next: Option<String>,
}

/// What came of asking for a value.
pub(super) enum Answer {
    Binary(SecretBytes),
    /// There is none that is current.
    None,
    /// It is not given, and why.
    Refused(String),
    Text(SecretString),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Current {
    secret_string: Option<String>,
    secret_binary: Option<String>,
}

/// What AWS says instead.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default, rename = "__type")]
    kind: String,
    #[serde(default, alias = "Message")]
    message: String,
}

/// A caller of one region.
pub(super) struct SecretsManager {
    http: reqwest::Client,
    settings: Settings,
}

impl SecretsManager {
    pub(super) fn new(http: reqwest::Client, settings: Settings) -> Self {
        Self { http, settings }
    }

    /// A page of what is there, what waits to be deleted with it. `begins`: what names may begin with; nothing: anything.
    pub(super) async fn list(&self, begins: &[String], page: Option<&str>) -> Result<Page, ClientError> {
        let filters = (!begins.is_empty()).then_some([Filter { key: "name", values: begins }]);
        let asked = AskList { include_planned_deletion: true, max_results: PAGE, next_token: page, filters };
        let listed: Result<Page, Refusal> = self.ask("ListSecrets", &asked).await?;
        listed.map_err(|refusal| self.refuses(refusal.told()))
    }

    /// The current value of a secret.
    pub(super) async fn value(&self, secret: &Listed) -> Result<Answer, ClientError> {
        let asked = AskValue { secret_id: secret.id() };
        let current: Current = match self.ask("GetSecretValue", &asked).await? {
            Ok(current) => current,
            // There is none that bears the label, or it went since it was listed.
            Err(refusal) if refusal.kind() == "ResourceNotFoundException" => return Ok(Answer::None),
            Err(refusal) if refusal.is_of_caller() => return Err(self.refuses(refusal.told())),
            Err(refusal) => return Ok(Answer::Refused(refusal.told())),
        };
        match (current.secret_string, current.secret_binary.map(Zeroizing::new)) {
            (Some(text), None) => Ok(Answer::Text(SecretString::new(text))),
            (None, Some(text)) => match STANDARD.decode(text.as_bytes()) {
                Ok(bytes) => Ok(Answer::Binary(SecretBytes::new(bytes))),
                Err(_) => Ok(Answer::Refused("its value is not in base64".into())),
            },
            _ => Ok(Answer::None),
        }
    }

    /// Asks one thing, again and again where AWS is too busy for it.
    async fn ask<A: DeserializeOwned>(
        &self,
        what: &str,
        asked: &(impl Serialize + Sync),
    ) -> Result<Result<A, Refusal>, ClientError> {
        let broken = |cause: serde_json::Error| self.refuses(cause.to_string());
        let asked = serde_json::to_vec(asked).map_err(broken)?;
        let mut pauses = PAUSES.into_iter();
        loop {
            let (status, bytes) = self.once(what, asked.clone()).await?;
            if status == StatusCode::OK {
                let read = serde_json::from_slice(&bytes);
                return read.map(Ok).map_err(|_| self.refuses("this is no AWS Secrets Manager".into()));
            }
            let refusal = Refusal::of(status, &bytes);
            if !(status.is_server_error() || refusal.is_of_haste(status)) {
                return Ok(Err(refusal));
            }
            let Some(pause) = pauses.next() else {
                return Err(self.refuses(format!("{}, {TRIES} times", refusal.told())));
            };
            // Not all of those that wait come back at once.
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
        }
    }

    /// Asks once.
    async fn once(&self, what: &str, body: Vec<u8>) -> Result<(StatusCode, Zeroizing<Vec<u8>>), ClientError> {
        let target = format!("{SERVICE}.{what}");
        let mut request = self.http.post(self.settings.server.clone());
        for (name, value) in self.signed(&target, &body)? {
            request = request.header(name, value);
        }
        let request = request.header(header::CONTENT_TYPE, BODY).header(TARGET, target).body(body);
        let broken = |cause: reqwest::Error| self.refuses(super::super::error::chain(&cause.without_url()));
        let response = request.send().await.map_err(broken)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(broken)?;
        Ok((status, Zeroizing::new(bytes.to_vec())))
    }

    /// The headers that say who asks.
    #[expect(
        clippy::disallowed_methods,
        reason = "a signature is good for some minutes of this machine's time"
    )]
    fn signed(&self, target: &str, body: &[u8]) -> Result<Vec<(HeaderName, HeaderValue)>, ClientError> {
        let broken =
            |cause: &dyn std::fmt::Display| self.refuses(format!("the request cannot be signed: {cause}"));
        let identity = self.settings.keys.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.settings.region)
            .name(SERVICE)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|cause| broken(&cause))?
            .into();
        let headers = [(header::CONTENT_TYPE.as_str(), BODY), (TARGET, target)];
        let url = self.settings.server.as_str();
        let request = SignableRequest::new("POST", url, headers.into_iter(), SignableBody::Bytes(body));
        let request = request.map_err(|cause| broken(&cause))?;
        let (made, _) = sign(request, &parameters).map_err(|cause| broken(&cause))?.into_parts();
        made.headers()
            .map(|(name, value)| {
                let name = HeaderName::try_from(name).map_err(|cause| broken(&cause))?;
                let mut value = HeaderValue::try_from(value).map_err(|cause| broken(&cause))?;
                value.set_sensitive(true);
                Ok((name, value))
            })
            .collect()
    }

    pub(super) fn refuses(&self, why: String) -> ClientError {
        ClientError::Elsewhere { server: self.settings.server.clone(), why }
    }
}

impl Refusal {
    fn of(status: StatusCode, bytes: &[u8]) -> Self {
        let read: Self = serde_json::from_slice(bytes).unwrap_or_default();
        if read.kind.is_empty() && read.message.is_empty() {
            let about = match status {
                StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                    ": are these its keys, and may they do that?"
                }
                _ => "",
            };
            return Self { kind: String::new(), message: format!("it answers {status}{about}") };
        }
        read
    }

    /// Its name, without the shape's namespace.
    fn kind(&self) -> &str {
        self.kind.rsplit('#').next().unwrap_or(&self.kind)
    }

    /// Whether it is about who asks, and so about every secret.
    fn is_of_caller(&self) -> bool {
        matches!(
            self.kind(),
            "ExpiredToken"
                | "ExpiredTokenException"
                | "IncompleteSignature"
                | "IncompleteSignatureException"
                | "InvalidClientTokenId"
                | "InvalidSignatureException"
                | "MissingAuthenticationToken"
                | "MissingAuthenticationTokenException"
                | "NotAuthorized"
                | "OptInRequired"
                | "RequestExpired"
                | "SignatureDoesNotMatch"
                | "UnrecognizedClientException"
        )
    }

    /// Whether it was asked too much at once.
    fn is_of_haste(&self, status: StatusCode) -> bool {
        let kind = self.kind();
        status == StatusCode::TOO_MANY_REQUESTS
            || kind.contains("Throttl")
            || matches!(kind, "RequestLimitExceeded" | "SlowDown" | "TooManyRequestsException")
    }

    fn told(&self) -> String {
        let text = match (self.kind(), self.message.as_str()) {
            ("", message) => message.to_owned(),
            (kind, "") => kind.to_owned(),
            (kind, message) => format!("{kind}: {message}"),
        };
        text.chars().filter(|c| !c.is_control()).take(TOLD).collect()
    }
}

fn is_there<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<serde::de::IgnoredAny>::deserialize(deserializer)?.is_some())
}
