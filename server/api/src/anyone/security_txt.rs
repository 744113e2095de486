//! `GET /.well-known/security.txt` (RFC 9116): whoever found a value is led to the page that takes it.

use axum::{extract::State, response::Response};
use chrono::{DateTime, SecondsFormat, TimeDelta, Timelike, Utc};
use http::{HeaderValue, header};
use keywarden_domain::Domain;
use keywarden_model::time::later;

pub(super) async fn show(State(domain): State<Domain>) -> Response {
    let text = text(&domain.settings().origin, domain.env().now());
    let mut response = Response::new(text.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response
}

/// The file asks for a date after which nobody should trust it; whoever reads it here reads it fresh.
fn text(origin: &str, now: DateTime<Utc>) -> String {
    let expires = later(now, TimeDelta::days(90));
    let expires = expires.with_nanosecond(0).unwrap_or(expires).to_rfc3339_opts(SecondsFormat::Secs, true);
    format!(
        "Contact: {origin}/leaks\nExpires: {expires}\nPreferred-Languages: en\n\
         Canonical: {origin}/.well-known/security.txt\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_what_rfc_9116_demands() {
        let now = "2026-11-24T10:00:00.5Z".parse().unwrap();
        assert_eq!(
            text("https://keys.example.com", now),
            "Contact: https://keys.example.com/leaks\nExpires: 2027-02-22T10:00:00Z\n\
             Preferred-Languages: en\nCanonical: https://keys.example.com/.well-known/security.txt\n"
        );
    }
}
