//! Every request has an id of ours (a caller's own `X-Request-Id` is not taken: ids in logs and events can be relied
//! on), which its log lines carry and a response header names.

use axum::{extract::Request, response::Response};
use http::{HeaderName, HeaderValue};
use keywarden_domain::Env;
use keywarden_model::RequestId;

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts a [`RequestId`] into the request.
pub(super) fn assign(request: &mut Request, env: &Env) -> RequestId {
    let id: RequestId = env.id(env.now());
    request.extensions_mut().insert(id);
    id
}

/// Puts the id into the response.
pub(super) fn tell(response: &mut Response, id: RequestId) {
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
}
