//! `GET /api/v1/secrets/watch`

mod streams;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    response::Response,
};
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use keywarden_domain::{
    Actor, Domain, LastRefusal, Op, Refused, SecretString, Source,
    keys::Place,
    secrets::{Look, SecretChange, SecretWatch},
};
use keywarden_model::RequestId;
use serde::Serialize;
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;

pub use self::streams::Streams;
use self::streams::{IN_ALL, PER_CALLER, PER_PROJECT, PER_TOKEN, Seat, Shared};
use crate::{
    caller::{Caller, bearer},
    keys::create::place,
    problem::{Kind, Problem},
    query::Query,
};

/// How often a stream looks, and asks whether it may: what is taken back ends it within a second.
const LOOK: Duration = Duration::from_millis(500);
/// How long a stream is silent at most: connections that are silent for longer are ended.
const HEARTBEAT: Duration = Duration::from_secs(15);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The data of an event `secret`: what changed, and never to what.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretChanged {
    #[schema(example = "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = "database/password")]
    path: String,
    /// The number of the version that `current` points at now; absent if there is none, or the secret is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 4)]
    version: Option<i64>,
    /// What was done; `secret.valid`, `secret.expired`: the time of a version that a label points at began or ended;
    /// `secret.referred`: something that its current version refers to changed, or came to such an instant.
    #[schema(example = "secret.put")]
    action: String,
    /// The number of the version whose time began or ended; absent where that is not what is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 4)]
    turned: Option<i64>,
    deleted: bool,
}

/// Watch secrets
///
/// Server-sent events. `event: secret` tells that a secret of the environment changed: its id, path and current version,
/// never a value. It tells so, too, when a version's `not_before` or `expires_at` has come, though nobody did anything. A
/// template is told of as well when that is so of a secret that it refers to, in whatever environment. With `Last-Event-ID` a
/// stream goes on where another one ended, on whatever node; a change may then be told twice, and none is missed. `event:
/// resync` says that changes may have been missed: list the secrets, then go on reading the stream. A stream says something
/// at least every 15 seconds. It ends when the caller may no longer see the secrets (`event: end`), and when the server
/// stops: then come back. A token may hold 10 streams open, a caller 250, a project 500 and a server 1 000: one more is
/// answered with 429 and `too-many-streams`.
#[utoipa::path(
    get,
    path = "/api/v1/secrets/watch",
    tag = "Secrets",
    operation_id = "watchSecrets",
    params(
        ("project" = String, Query, description = "Slug or `prj_…`"),
        ("environment" = String, Query, description = "Slug or `env_…`"),
        ("folder" = Option<String>, Query, description = "Only in this folder, or one below it", example = "database"),
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was read"),
    ),
    responses((status = 200, description = "A stream of events", body = SecretChanged, content_type = "text/event-stream")),
)]
pub(crate) async fn watch(
    State(domain): State<Domain>,
    Extension(streams): Extension<Streams>,
    caller: Caller,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let (project, environment) = (query.text("project"), query.text("environment"));
    for (name, given) in [("project", &project), ("environment", &environment)] {
        if given.is_none() {
            query.refuse(name, "say which");
        }
    }
    let folder = query.parse("folder");
    query.end()?;
    let (project, environment) = (project.unwrap_or_default(), environment.unwrap_or_default());
    let place = place(&domain, caller.op(), &project, &environment).await?;
    let last = headers.get(LAST_EVENT_ID).map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    let actor = &caller.op().actor;
    let mut seat = streams.enter(actor.id(), token_of(actor)).ok_or_else(too_many)?;
    let mut watch = SecretWatch::new(place.clone(), folder.as_ref(), last.as_deref());
    // Refused before it begins: with a status, as everywhere.
    let first = domain.look_at_secrets(caller.op(), &mut watch).await?;
    // Counted now only: who may not see a project's secrets takes none of its places.
    if watch.project().is_some_and(|project| !seat.watches(project)) {
        return Err(too_many());
    }
    let shared = seat.shares(format!("{project}/{environment}"));
    let token = bearer(headers.get_all(header::AUTHORIZATION).iter()).unwrap_or_default().to_owned();
    let stream = Stream {
        domain,
        watch,
        place,
        shared,
        seat,
        token: SecretString::new(token),
        source: caller.op().source.clone(),
        request: caller.op().request,
        waiting: told(first),
        spoke_at: Instant::now(),
        ended: false,
    };
    let mut response = Response::new(Body::from_stream(stream::unfold(stream, |mut it| async move {
        it.next().await.map(|bytes| (Ok::<_, Infallible>(bytes), it))
    })));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers before they send them would gather this one for ever.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

fn too_many() -> Problem {
    let why = format!(
        "a token may hold {PER_TOKEN} streams open, a caller {PER_CALLER}, a project {PER_PROJECT} and a server {IN_ALL}: \
         close one first"
    );
    Problem::new(Kind::TooManyStreams, why)
}

fn token_of(actor: &Actor) -> String {
    match actor {
        Actor::Workload { token, .. } | Actor::Operator { token: Some(token), .. } => token.to_string(),
        _ => String::new(),
    }
}

/// An open stream.
struct Stream {
    domain: Domain,
    watch: SecretWatch,
    place: Place,
    /// With the other streams of its environment.
    shared: Arc<Shared>,
    seat: Seat,
    token: SecretString,
    source: Source,
    request: RequestId,
    /// What is to be sent at once.
    waiting: String,
    spoke_at: Instant,
    ended: bool,
}

impl Stream {
    /// What is sent next; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        while self.waiting.is_empty() {
            let stop = self.seat.stop();
            stop.run_until_cancelled(sleep(LOOK)).await?;
            match self.look().await {
                Ok(look) => self.waiting = told(look),
                // Nothing is told while nothing can be known.
                Err(Refused::Fault(fault)) if fault.is_passing() => {}
                Err(_) => {
                    self.ended = true;
                    self.waiting = "event: end\ndata: {\"reason\":\"permission\"}\n\n".into();
                }
            }
            if self.waiting.is_empty() && self.spoke_at.elapsed() >= HEARTBEAT {
                self.waiting = ": still here\n\n".into();
            }
        }
        self.spoke_at = Instant::now();
        Some(Bytes::from(std::mem::take(&mut self.waiting)))
    }

    /// The token is proven anew each time, too: it may have been revoked, or run out.
    async fn look(&mut self) -> Result<Look, Refused> {
        let actor = self.domain.authenticate_token(self.token.expose()).await?;
        let (source, request, now) = (self.source.clone(), self.request, self.domain.env().now());
        let op = Op {
            actor,
            source,
            request,
            now,
            once: None,
            reason: None,
            seen: None,
            refusal: LastRefusal::default(),
        };
        match self.shared.recent(&self.domain, &self.place).await? {
            Some(recent) => self.domain.hear_of_secrets(&op, &mut self.watch, &recent).await,
            // Nothing is told while nothing can be known.
            None => Ok(Look::Changes(Vec::new())),
        }
    }
}

/// A look, as it is sent.
fn told(look: Look) -> String {
    match look {
        Look::Changes(changes) => changes.into_iter().map(event).collect(),
        Look::Resync => "event: resync\ndata: {}\n\n".into(),
    }
}

fn event(change: SecretChange) -> String {
    let mark = change.mark;
    let data = SecretChanged {
        id: change.id.to_string(),
        path: change.path.to_string(),
        version: change.version,
        action: change.action,
        turned: change.turned,
        deleted: change.deleted,
    };
    // JSON has no bare line break, so that one line holds it.
    let data = serde_json::to_string(&data).unwrap_or_default();
    format!("id: {mark}\nevent: secret\ndata: {data}\n\n")
}
