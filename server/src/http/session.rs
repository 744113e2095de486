//! The session cookie: tower-sessions over the domain's sessions.
//!
//! The cookie holds 128 random bits and nothing else; a session's row is found by their SHA-256. Sessions are made and
//! changed by the domain alone, in the transaction of the event that tells of it: a door puts a [`SessionChange`] into
//! its response, and here it becomes a cookie. Each request that comes with a cookie is resolved anew.
//!
//! What a door finds in the request's extensions: an [`Actor`] (a person, or nobody), a [`Source`], and a [`Browser`],
//! which is how ceremonies begun by nobody are tied to the browser that began them.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use http::{HeaderMap, HeaderValue, header};
use keywarden_domain::{
    Actor, Domain, Person, Source,
    people::{Browser, SessionChange, SessionKey},
};
use keywarden_model::{ClientAddress, ProblemKind, RequestId};
use time::OffsetDateTime;
use tower_sessions::{
    Session, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Id, Record},
    session_store::{Error, Result as StoreResult},
};

use super::problem::Problem;

/// The cookie's name, but for its prefix.
const SESSION: &str = "keywarden";
/// Under which a record holds its [`Person`], and a new one its key.
const PERSON: &str = "person";
const KEY: &str = "key";
/// The longest word of a client for itself that is kept.
const AGENT: usize = 200;

/// The domain's sessions, as tower-sessions sees them.
#[derive(Clone)]
struct DomainSessions(Domain);

impl fmt::Debug for DomainSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DomainSessions")
    }
}

#[async_trait]
impl SessionStore for DomainSessions {
    /// Takes up the session that the domain has just opened. There is no other kind.
    async fn create(&self, record: &mut Record) -> StoreResult<()> {
        let key = record.data.remove(KEY).and_then(|key| key.as_str()?.parse::<Id>().ok());
        record.id = key.ok_or_else(|| Error::Backend("sessions are opened by signing in".into()))?;
        Ok(())
    }

    /// Nothing is kept in a session but what the domain put there.
    async fn save(&self, _record: &Record) -> StoreResult<()> {
        Err(Error::Backend("a session changes by proving oneself, not by saving".into()))
    }

    async fn load(&self, id: &Id) -> StoreResult<Option<Record>> {
        let now = self.0.env().now();
        let person = self.0.resolve_session(&key(id), now).await.map_err(backend)?;
        let Some(person) = person else { return Ok(None) };
        let person = serde_json::to_value(person).map_err(|cause| Error::Encode(cause.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data: [(PERSON.to_owned(), person)].into(),
            expiry_date: OffsetDateTime::UNIX_EPOCH,
        }))
    }

    async fn delete(&self, id: &Id) -> StoreResult<()> {
        let now = self.0.env().now();
        let request: RequestId = self.0.env().id(now);
        let op = self.0.op(Actor::Nobody, Source::default(), request);
        self.0.forget_session(&key(id), &op).await.map_err(backend)
    }
}

/// tower-sessions writes its ids in little-endian; so do we, or cookie and row would not be of the same bits.
fn key(id: &Id) -> SessionKey {
    SessionKey::new(id.0.to_le_bytes())
}

fn id(key: &SessionKey) -> Id {
    Id(i128::from_le_bytes(*key.expose()))
}

fn backend(cause: impl fmt::Display) -> Error {
    Error::Backend(cause.to_string())
}

/// How cookies are called and whether they need TLS.
#[derive(Debug, Clone, Copy)]
struct Cookies {
    https: bool,
}

impl Cookies {
    /// Under TLS a sibling host can neither set nor shadow them (RFC 6265bis, 4.1.3.2).
    fn name(self, plain: &str) -> String {
        format!("{}{plain}", if self.https { "__Host-" } else { "" })
    }

    fn layer(self, domain: Domain) -> SessionManagerLayer<DomainSessions> {
        SessionManagerLayer::new(DomainSessions(domain))
            .with_name(self.name(SESSION))
            .with_http_only(true)
            .with_same_site(SameSite::Lax)
            .with_secure(self.https)
            .with_path("/")
    }
}

/// What [`identify`] works with.
#[derive(Debug)]
struct Identify {
    domain: Domain,
    cookies: Cookies,
}

/// A door for people who may be signed in.
pub(crate) fn around(door: Router, domain: &Domain, https: bool) -> Router {
    let cookies = Cookies { https };
    let state = Arc::new(Identify { domain: domain.clone(), cookies });
    door.layer(from_fn_with_state(state, identify))
        .layer(cookies.layer(domain.clone()))
        .layer(from_fn_with_state(cookies, leave))
}

/// Only a door that changed the session changes its cookie. The layer below takes away whatever cookie names no session; but
/// that may be the one from before a step-up, sent meanwhile by another tab, and the browser would lose the new one.
async fn leave(State(cookies): State<Cookies>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.extensions().get::<SessionChange>().is_none() {
        let ours = format!("{}=", cookies.name(SESSION));
        let lines = response.headers().get_all(header::SET_COOKIE).iter();
        let others: Vec<_> =
            lines.filter(|line| !line.as_bytes().starts_with(ours.as_bytes())).cloned().collect();
        response.headers_mut().remove(header::SET_COOKIE);
        response.headers_mut().extend(others.into_iter().map(|line| (header::SET_COOKIE, line)));
    }
    response
}

/// Says who asks, and makes cookies of what doors did to the session.
async fn identify(
    State(identify): State<Arc<Identify>>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let asked = request.headers().clone();
    let person = match session.id() {
        None => None,
        Some(_) => match session.get::<Person>(PERSON).await {
            Ok(person) => person,
            Err(cause) => return closed(&cause, &asked),
        },
    };
    let source = source(&request);
    let (browser, new_browser) = browser(&identify, &asked);
    let extensions = request.extensions_mut();
    extensions.insert(person.map_or(Actor::Nobody, Actor::Person));
    extensions.insert(source);
    extensions.insert(browser);
    let mut response = next.run(request).await;
    if let Some(line) = new_browser {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    match change(&session, response.extensions().get()).await {
        Ok(()) => response,
        Err(cause) => closed(&cause, &asked),
    }
}

async fn change(
    session: &Session,
    change: Option<&SessionChange>,
) -> Result<(), tower_sessions::session::Error> {
    match change {
        None => Ok(()),
        Some(SessionChange::Ended) => session.flush().await,
        Some(SessionChange::Opened(key)) => {
            session.flush().await?;
            session.insert(KEY, id(key).to_string()).await
        }
    }
}

fn closed(cause: &tower_sessions::session::Error, asked: &HeaderMap) -> Response {
    tracing::error!(%cause, "a session could not be read or changed");
    let detail = "Keywarden cannot tell who you are at the moment; try again";
    Problem::new(ProblemKind::Unavailable, detail).answer(asked)
}

fn source(request: &Request) -> Source {
    let address = request.extensions().get::<ClientAddress>().map(|it| it.0);
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Source { address, agent: agent.map(|agent| agent.chars().take(AGENT).collect()) }
}

/// The session that a request's cookie names; whether there is one is not asked.
pub(super) fn shown(headers: &HeaderMap, https: bool) -> Option<SessionKey> {
    let name = Cookies { https }.name(SESSION);
    cookies(headers)
        .filter(|(key, _)| *key == name)
        .find_map(|(_, value)| value.parse::<Id>().ok())
        .map(|id| key(&id))
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// The browser by its cookie; for one that has none, also the line that gives it one.
fn browser(identify: &Identify, headers: &HeaderMap) -> (Browser, Option<HeaderValue>) {
    let name = identify.cookies.name("keywarden-browser");
    let shown = cookies(headers).find_map(|(key, value)| (key == name && value.len() == 32).then_some(value));
    if let Some(shown) = shown {
        return (Browser::known(shown), None);
    }
    let (browser, cookie) = Browser::fresh(identify.domain.env());
    let secure = if identify.cookies.https { "; Secure" } else { "" };
    let line = format!("{name}={}; Path=/; HttpOnly; SameSite=Lax{secure}", cookie.expose());
    (browser, HeaderValue::from_str(&line).ok())
}

#[cfg(test)]
mod tests;
