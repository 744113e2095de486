//! `GET /.well-known/keywarden/secret-patterns.json`: for secret scanners.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use keywarden_domain::keys::patterns::secret_patterns;

use crate::json;

pub(super) async fn show() -> Response {
    let mut response = json::written(StatusCode::OK, secret_patterns().to_string());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response
}
