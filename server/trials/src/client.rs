//! A caller of the API.

use std::time::Duration;

use anyhow::{Context as _, bail};
use http::{Method, Request, StatusCode, header, request::Builder};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::Result;

/// Longer than any answer may take; a client that waits for ever proves nothing.
const PATIENCE: Duration = Duration::from_secs(35);

type Body = Full<std::io::Cursor<Vec<u8>>>;

#[derive(Debug, Clone)]
pub struct Client {
    pool: Pool<HttpConnector, Body>,
    url: String,
    token: Option<String>,
    patience: Duration,
    doubts: bool,
}

/// What came back, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    /// What the server calls the request.
    pub request: String,
    /// The media type of its body.
    pub kind: String,
    pub body: Value,
}

/// No whole answer came: nobody knows what was done.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error("no answer: {0}")]
    Broken(String),
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("503: {0}")]
    Unable(Value),
}

impl NoAnswer {
    fn broken(cause: impl std::error::Error) -> Self {
        Self::Broken(cause.to_string())
    }
}

impl Client {
    pub fn new(url: String, token: Option<&str>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool = Pool::builder(TokioExecutor::new()).build(connector);
        Self { pool, url, token: token.map(str::to_owned), patience: PATIENCE, doubts: false }
    }

    /// The same caller, who takes a 503 for no answer: what was asked for was done, or not.
    #[must_use]
    pub fn doubting(&self) -> Self {
        Self { doubts: true, ..self.clone() }
    }

    /// The same caller with a shorter patience.
    #[must_use]
    pub fn patient(&self, patience: Duration) -> Self {
        Self { patience, ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.send(self.ask(Method::GET, path), Vec::new()).await
    }

    pub async fn delete(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.send(self.ask(Method::DELETE, path), Vec::new()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, NoAnswer> {
        self.send(self.json(Method::POST, path), body.to_string().into_bytes()).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer, NoAnswer> {
        self.send(self.json(Method::PUT, path), body.to_string().into_bytes()).await
    }

    /// A request that is done once, however often it is sent under the same key.
    pub async fn post_once(&self, key: &str, path: &str, body: &Value) -> Result<Answer, NoAnswer> {
        let ask = self.json(Method::POST, path).header("Idempotency-Key", key);
        self.send(ask, body.to_string().into_bytes()).await
    }

    /// Sends a form from a page of the console's, as a stranger whom a proxy vouches for: each time another one.
    pub async fn post_form(&self, path: &str, form: &str) -> Result<Answer, NoAnswer> {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 | rand::random::<u32>() >> 8);
        let ask = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.url))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("Sec-Fetch-Site", "same-origin")
            .header("X-Forwarded-For", address.to_string());
        self.send(ask, form.as_bytes().to_vec()).await
    }

    /// Asks whether a value is good.
    pub async fn verify(&self, value: &str) -> Result<Answer, NoAnswer> {
        self.post("/api/v1/keys/verify", &json!({ "key": value, "caller": "trial" })).await
    }

    fn ask(&self, method: Method, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    fn json(&self, method: Method, path: &str) -> Builder {
        self.ask(method, path).header(header::CONTENT_TYPE, "application/json")
    }

    async fn send(&self, request: Builder, body: Vec<u8>) -> Result<Answer, NoAnswer> {
        let request = request.body(Full::new(std::io::Cursor::new(body))).map_err(NoAnswer::broken)?;
        let whole = async {
            let answer = self.pool.request(request).await.map_err(NoAnswer::broken)?;
            let (parts, body) = answer.into_parts();
            let bytes = body.collect().await.map_err(NoAnswer::broken)?.to_bytes();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
            let told = |name: &str| {
                let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
                value.unwrap_or_default().to_owned()
            };
            let (kind, request) = (told(header::CONTENT_TYPE.as_str()), told("x-request-id"));
            Ok::<_, NoAnswer>(Answer { status: parts.status, request, kind, body })
        };
        let answer = timeout(self.patience, whole).await.map_err(|_| NoAnswer::Late(self.patience))??;
        if self.doubts && answer.status == StatusCode::SERVICE_UNAVAILABLE {
            return Err(NoAnswer::Unable(answer.body));
        }
        Ok(answer)
    }
}

impl Answer {
    /// Its body, if it says that all went well.
    pub fn good(self) -> Result<Value> {
        if !self.status.is_success() {
            bail!("{}: {}", self.status, self.body);
        }
        Ok(self.body)
    }

    /// A text of a good answer's body.
    pub fn text(self, field: &str) -> Result<String> {
        let body = self.good()?;
        let text =
            body.get(field).and_then(Value::as_str).with_context(|| format!("no `{field}` in {body}"))?;
        Ok(text.to_owned())
    }
}
