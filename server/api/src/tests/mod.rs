//! The door as callers find it: real store, clock that stands still, requests through the whole router.

mod access;
mod aliases;
mod audit;
mod authorize;
mod bombs;
mod bulk;
mod channels;
mod device;
mod differences;
mod document;
mod edges;
mod everybody;
mod examples;
mod exchange;
mod export;
mod fields;
mod fingerprints;
mod imports;
mod introspect;
mod keys;
mod leaks;
mod lists;
mod matches;
mod nodes;
mod once;
mod parsers;
mod patches;
mod paths;
mod permissions;
mod policy_tests;
mod projects;
mod proofs;
mod purged;
mod reasons;
mod refused;
mod rotations;
mod secrets;
mod shares;
mod spellings;
mod standards;
mod strangers;
mod streams;
mod templates;
mod unsaid;
mod users;
mod verify;
mod without_people;
mod workloads;

use axum::{Router, body::Body};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use keywarden_domain::{
    cast::{House, Stage},
    workloads::TokenLifetime,
};
use keywarden_model::{ClientAddress, RequestId, Role, UserId};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

/// A house with its API, two projects, and callers.
pub(crate) struct Api {
    pub(crate) house: House,
    /// The project `pay`.
    pub(crate) pay: Stage,
    /// A token of an organization's owner.
    pub(crate) olga: String,
    /// A token of a manager of the project `pay`.
    pub(crate) alice: String,
    /// A token of a manager of the project `other`, and of nothing else.
    pub(crate) mallory: String,
    /// A token that may verify the keys of `pay`.
    pub(crate) vera: String,
    /// A person who owns keys.
    pub(crate) owner: UserId,
    router: Router,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) extensions: http::Extensions,
    pub(crate) body: String,
}

/// A request under construction.
pub(crate) struct Call<'a> {
    router: &'a Router,
    request: http::request::Builder,
}

impl Api {
    pub(crate) async fn in_house(house: House) -> Self {
        let pay = house.project("pay").await;
        let other = house.project("other").await;
        let olga = token(&house, "olga", Role::Owner, None).await;
        let alice = token(&house, "alice", Role::Manager, Some(&pay)).await;
        let mallory = token(&house, "mallory", Role::Manager, Some(&other)).await;
        let vera = token(&house, "vera", Role::Verifier, Some(&pay)).await;
        let owner = house.person("Olivia", &[]).await.id;
        let router = door(&house);
        Self { house, pay, olga, alice, mallory, vera, owner, router }
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'_> {
        Call::at(&self.router, &self.house, method, path)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("get", path).bearer(&self.olga).send("").await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("post", path).bearer(&self.olga).json(body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call("patch", path).bearer(&self.olga).json(body).await
    }

    /// Puts a value in `pay`, `live`.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        let path = format!("/api/v1/projects/pay/environments/live/secrets/{path}");
        self.call("put", &path).bearer(&self.olga).json(body).await
    }

    /// Issues a key in `pay`, `live`; `more` adds to what it is. Its id and its value.
    pub(crate) async fn issue(&self, name: &str, more: Value) -> (String, String) {
        let mut body = json!({
            "project": "pay", "environment": "live", "name": name, "owner": self.owner, "scopes": ["orders:*"],
        });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        let answer = self.post("/api/v1/keys", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let text = |field: &str| answer.json()[field].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    /// What `vera` is told about a value, wanted for `more`.
    pub(crate) async fn verify(&self, key: &str, more: Value) -> Value {
        let mut body = json!({ "key": key });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        let answer = self.call("post", "/api/v1/keys/verify").bearer(&self.vera).json(body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// How many events there are: everything that is written has one.
    pub(crate) async fn events(&self) -> usize {
        let op = self.house.operator(Role::Owner);
        let query = keywarden_domain::audit::Query { limit: 200, ..Default::default() };
        self.house.domain.events(&op, &query).await.unwrap().events.len()
    }
}

/// The API as the server mounts it, without the server's own layers.
pub(crate) fn door(house: &House) -> Router {
    crate::router(house.domain.clone(), crate::Streams::default()).merge(crate::anyone(house.domain.clone()))
}

impl<'a> Call<'a> {
    pub(crate) fn at(router: &'a Router, house: &House, method: &str, path: &str) -> Self {
        let method: Method = method.to_uppercase().parse().unwrap();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .extension(house.domain.env().id::<RequestId>(house.now()))
            .extension(ClientAddress([192, 0, 2, 7].into()))
            .header(header::USER_AGENT, "curl/8");
        Self { router, request }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Another program than the usual one.
    pub(crate) fn agent(mut self, value: &'static str) -> Self {
        let headers = self.request.headers_mut().unwrap();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(value));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) async fn json(self, body: Value) -> Answer {
        self.header("content-type", "application/json").send(body.to_string()).await
    }

    /// The status alone, of an answer that has no end.
    pub(crate) async fn begin(self) -> StatusCode {
        let request = self.request.body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap().status()
    }

    pub(crate) async fn send(self, body: impl Into<Body>) -> Answer {
        let request = self.request.body(body.into()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, extensions: parts.extensions, body }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status, headers and body without what names this one request: what a stranger could tell apart.
    pub(crate) fn told(&self) -> (StatusCode, Vec<(String, String)>, Value) {
        let headers = self.headers.iter().filter(|(name, _)| *name != "x-request-id");
        let headers =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let mut body = serde_json::from_str(&self.body).unwrap_or(Value::Null);
        if let Some(body) = body.as_object_mut() {
            body.remove("instance");
            // Drawn anew each time, and always as long.
            if let Some(decision) = body.get_mut("decision") {
                *decision = decision.as_str().map(str::len).into();
            }
        }
        (self.status, headers, body)
    }

    /// For snapshots: status, the headers that mean something, and the body.
    pub(crate) fn shown(&self) -> Value {
        let worth = ["allow", "content-type", "etag", "link", "location", "retry-after", "www-authenticate"];
        let headers: serde_json::Map<_, _> = worth
            .into_iter()
            .filter(|name| self.headers.contains_key(*name))
            .map(|name| (name.to_owned(), self.header(name).into()))
            .collect();
        let shown = json!({ "status": self.status.as_u16(), "headers": headers, "body": self.json() });
        without_ids(&shown)
    }
}

/// The same with `…` for what is drawn at random: ids and secrets.
pub(crate) fn without_ids(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_ids).collect(),
        Value::Object(map) => {
            let shown = |(name, value): (&String, &Value)| match name.as_str() {
                "public_id" => (name.clone(), "…".into()),
                _ => (without_id(name), without_ids(value)),
            };
            map.iter().map(shown).collect::<Map<_, _>>().into()
        }
        Value::String(text) => {
            text.split_inclusive(['/', ' ', '`']).map(without_id).collect::<String>().into()
        }
        other => other.clone(),
    }
}

fn without_id(word: &str) -> String {
    let Some((prefix, rest)) = word.split_once('_') else { return word.to_owned() };
    let drawn = rest.chars().take_while(char::is_ascii_alphanumeric).count();
    match (prefix, drawn) {
        ("dec" | "kwk" | "kws" | "kwt", 1..) => format!("{prefix}_…"),
        (_, 26) => format!("{prefix}_…{}", &rest[26..]),
        _ => word.to_owned(),
    }
}

/// A token of a new workload with this role.
pub(crate) async fn token(house: &House, name: &str, role: Role, project: Option<&Stage>) -> String {
    let workload = house.workload(name, role, project.map(|it| it.id)).await;
    let op = house.operator(Role::Owner);
    let issued = house.domain.issue_service_token(&op, workload.id, TokenLifetime::default()).await.unwrap();
    issued.value.expose().to_owned()
}
