//! What anybody may read: how to recognise our values, and where to report one.

mod secret_patterns;
mod security_txt;

use axum::{Router, routing::get};
use keywarden_domain::Domain;

/// Routes without a caller; the server counts every request to them against its address.
pub fn anyone(domain: Domain) -> Router {
    Router::new()
        .route("/.well-known/keywarden/secret-patterns.json", get(secret_patterns::show))
        .route("/.well-known/security.txt", get(security_txt::show))
        .with_state(domain)
}
