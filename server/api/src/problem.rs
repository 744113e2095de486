//! What a caller is told when it did not get what it asked for: RFC 9457 problem+json.
//!
//! To add a kind: one row in [`Kind`]'s table, which is the dictionary's. A use-case's errors become problems in the file of its endpoint, by one
//! exhaustive `match`; what every use-case shares is [`Refused`], here.

use std::borrow::Cow;

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use keywarden_domain::{Domain, Fault, LastRefusal, Refused, Replayed};
pub(crate) use keywarden_model::ProblemKind as Kind;
use keywarden_model::RequestId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{etag, flaw::Flaw};

/// A refusal on its way out. The layer [`name_the_request`] gives it its `instance`.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    errors: Vec<Flaw>,
    id: Option<String>,
    decision: Option<String>,
}

/// RFC 9457, as it is sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "/api/docs/problems#invalid",
    "title": "Invalid request",
    "status": 422,
    "detail": "1 field is not what it must be",
    "instance": "req_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
    "errors": [{ "pointer": "/slug", "detail": "use lower-case letters, digits and single dashes between them" }]
}))]
pub(crate) struct Wire<'a> {
    /// Where this kind is explained, on this server. The part after `#` is stable.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// What happened and what to do next.
    detail: &'a str,
    /// The id of this request, as in `X-Request-Id` and the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// Each thing that is wrong with the request.
    #[serde(skip_serializing_if = "<[Flaw]>::is_empty")]
    errors: &'a [Flaw],
    /// With `already-done`: the id of what was made the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    /// With `forbidden` and `not-found`: give it to somebody who may see why (`GET /api/v1/decisions/{decision}`). It tells you
    /// nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'a str>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), id: None, decision: None }
    }

    pub(crate) fn with(mut self, errors: Vec<Flaw>) -> Self {
        self.errors = errors;
        self
    }

    /// One thing about the body that is not as it must be.
    pub(crate) fn invalid(flaw: Flaw) -> Self {
        Self::from(vec![flaw])
    }

    /// Nothing there, or nothing that the caller may know of: always the same words.
    pub(crate) fn not_found() -> Self {
        Refused::NotFound.into()
    }

    pub(crate) fn conflict(why: impl std::fmt::Display) -> Self {
        Self::new(Kind::Conflict, why.to_string())
    }

    /// A value was asked for without the reason that its environment asks for.
    pub(crate) fn no_reason(why: impl std::fmt::Display) -> Self {
        let flaw = Flaw::parameter(
            "Keywarden-Reason",
            "say why the value is read, in 3 to 200 characters (`--reason` of the client)",
        );
        Self::new(Kind::NoReason, why.to_string()).with(vec![flaw])
    }

    /// A field's value belongs to another thing already.
    pub(crate) fn taken(pointer: &'static str, why: impl std::fmt::Display) -> Self {
        Self::conflict(&why).with(vec![Flaw::at(pointer, why)])
    }

    /// With what those who may see why find this refusal by, if it is one.
    #[must_use]
    pub(crate) fn decided(mut self, domain: &Domain, refusal: &LastRefusal) -> Self {
        if matches!(self.kind, Kind::Forbidden | Kind::NotFound) {
            self.decision = domain.decision_id(refusal);
        }
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The whole answer, for the one door that has no layer around it.
    pub(crate) fn answer(&self, request: Option<RequestId>) -> Response {
        let wire = Wire {
            kind: self.kind.address(),
            title: self.kind.title(),
            status: self.kind.status(),
            detail: &self.detail,
            instance: request.map(|id| id.to_string()),
            errors: &self.errors,
            id: self.id.as_deref(),
            decision: self.decision.as_deref(),
        };
        let mut response = Response::new(Body::from(serde_json::to_vec(&wire).unwrap_or_default()));
        *response.status_mut() = self.status();
        self.headers(&mut response);
        response
    }

    fn headers(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.kind {
            Kind::Unauthenticated => {
                let challenge = HeaderValue::from_static(r#"Bearer realm="keywarden""#);
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            Kind::TooManyChecks => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            Kind::ProjectSealed | Kind::TooManyExports | Kind::TooManyStreams => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            }
            Kind::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Kind::UnsupportedType => {
                headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
            }
            _ => {}
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.answer(None);
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives a problem the id of the request as its `instance`, and a refusal its `decision`.
pub(crate) async fn name_the_request(
    State(domain): State<Domain>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request.extensions().get::<RequestId>().copied();
    let refusal = LastRefusal::default();
    request.extensions_mut().insert(refusal.clone());
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let mut named = problem.decided(&domain, &refusal).answer(id);
    // What others said about the refusal stays: `Allow`, rate limits.
    for (name, value) in response.headers() {
        if *name != header::CONTENT_LENGTH {
            named.headers_mut().insert(name.clone(), value.clone());
        }
    }
    named
}

/// For a route that has other methods; axum names them in `Allow`.
pub(crate) async fn other_method() -> Problem {
    Problem::new(Kind::Method, "this address has other methods: see the Allow header")
}

/// The same, where no layer names the request.
pub(crate) async fn other_method_named(request: Option<Extension<RequestId>>) -> Response {
    other_method().await.answer(request.map(|Extension(id)| id))
}

impl From<Vec<Flaw>> for Problem {
    fn from(flaws: Vec<Flaw>) -> Self {
        let kind = if flaws.iter().any(Flaw::is_parameter) { Kind::Parameter } else { Kind::Invalid };
        let detail = match flaws.len() {
            1 => "1 field is not what it must be".into(),
            many => format!("{many} fields are not what they must be"),
        };
        Self::new(kind, detail).with(flaws)
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Fault(fault) => fault.into(),
            Refused::Forbidden(_) => Self::new(Kind::Forbidden, refused.to_string()),
            // A person's terminal: there is nothing here to show a passkey to.
            Refused::StepUp => Self::new(
                Kind::Forbidden,
                "this needs your passkey, shown at most five minutes ago: sign in anew (`keywarden login`)",
            ),
            Refused::NotFound => Self::new(Kind::NotFound, refused.to_string()),
            Refused::Stale => etag::changed(),
            Refused::Replayed(Replayed::OtherRequest) => Self::new(Kind::Reused, refused.to_string()),
            Refused::Replayed(Replayed::Done { ref thing }) => {
                let id = Some(thing.clone());
                Self { id, ..Self::new(Kind::Done, refused.to_string()) }
            }
        }
    }
}

impl Problem {
    /// The change was made, and reading it back failed: nobody is told that nothing was done.
    pub(crate) fn after_all(refused: Refused) -> Self {
        match refused {
            Refused::Fault(fault) if fault.is_passing() => {
                tracing::warn!(%fault, "a change that was made could not be shown");
                let told = "it was done; but the database or the HSM stopped answering, and how things are now cannot \
                            be shown: do not send it again";
                Self::new(Kind::Unavailable, told)
            }
            other => other.into(),
        }
    }
}

impl From<Fault> for Problem {
    /// What is ours is logged here, where it is handled, and not told.
    fn from(fault: Fault) -> Self {
        if fault.leaves_doubt() {
            tracing::error!(%fault, "a request may have been done");
            let told = "the database went away in the middle: whether it was done is not known; look, or send it again \
                        under the same `Idempotency-Key`";
            return Self::new(Kind::Unavailable, told);
        }
        if let Fault::ProjectSealed { seal, .. } = &fault {
            tracing::warn!(%fault, "a request waits for a project's own seal");
            let told = format!(
                "the seal of this project, `{seal}`, is away; nothing was done; try again when whoever keeps it has brought it \
                 back"
            );
            return Self::new(Kind::ProjectSealed, told);
        }
        if fault.is_passing() {
            tracing::warn!(%fault, "a request waits for the database or the HSM");
            return Self::new(
                Kind::Unavailable,
                "the database or the HSM does not answer; nothing was done; try again",
            );
        }
        tracing::error!(%fault, "a request failed");
        Self::new(Kind::Internal, "something went wrong on our side; `instance` finds it in the log")
    }
}
