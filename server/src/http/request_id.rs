//! Every request has an id of ours (a caller's own `X-Request-Id` is not taken: ids in logs and events can be relied
//! on), a span that carries it into every log line, and a response header that names it.

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue};
use keywarden_domain::Env;
use keywarden_model::RequestId;
use tracing::Instrument;

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts a [`RequestId`] into the request and its text into the response.
pub(super) async fn assign(State(env): State<Env>, mut request: Request, next: Next) -> Response {
    let id: RequestId = env.id(env.now());
    let text = id.to_string();
    request.extensions_mut().insert(id);
    // The template, never the path itself: links carry tokens.
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let span = tracing::info_span!("request", id = text, method = %request.method(), route);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}
