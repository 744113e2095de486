//! Every request has an id of ours (a caller's own `X-Request-Id` is not taken: ids in logs and events can be relied
//! on), a span that carries it into every log line, and a response header that names it.

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use http::{HeaderName, HeaderValue};
use keywarden_domain::Env;
use keywarden_model::RequestId;
use tracing::Span;

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts a [`RequestId`] into the request; its text is for log and response.
pub(super) fn assign(request: &mut Request, env: &Env) -> String {
    let id: RequestId = env.id(env.now());
    request.extensions_mut().insert(id);
    id.to_string()
}

/// What every log line about the request carries. The route's template, never the path itself: links carry tokens.
pub(super) fn span(request: &Request, id: &str) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    tracing::info_span!("request", id, method = %request.method(), route)
}

/// Puts the id into the response.
pub(super) fn tell(response: &mut Response, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
}
