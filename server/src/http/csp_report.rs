//! Browsers tell here what the Content-Security-Policy stopped. Anybody can post, so it is short, bounded, limited per
//! address, and only the parts that cannot hold a secret are logged: never a URL's path or query.

use axum::{Router, body::Bytes, extract::DefaultBodyLimit, routing::post};
use http::StatusCode;
use serde::Deserialize;
use url::Url;

const LARGEST: usize = 16 << 10;

#[derive(Debug, Deserialize)]
struct Envelope {
    #[serde(rename = "csp-report")]
    report: Report,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Report {
    #[serde(default)]
    blocked_uri: String,
    #[serde(default)]
    effective_directive: String,
    #[serde(default)]
    violated_directive: String,
}

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/csp-report", post(receive).layer(DefaultBodyLimit::max(LARGEST)))
}

async fn receive(body: Bytes) -> StatusCode {
    let Some((directive, blocked)) = read(&body) else { return StatusCode::BAD_REQUEST };
    tracing::warn!(directive, blocked, "a browser stopped something on a page");
    StatusCode::NO_CONTENT
}

/// The directive that was hurt, and the origin of what was blocked.
pub(super) fn read(body: &[u8]) -> Option<(String, String)> {
    let Envelope { report } = serde_json::from_slice(body).ok()?;
    let directive =
        [report.effective_directive, report.violated_directive].into_iter().find(|name| !name.is_empty());
    let directive = directive.unwrap_or_default().chars().filter(|c| !c.is_control()).take(40).collect();
    Some((directive, origin(&report.blocked_uri)))
}

/// `inline`, `eval`, or the origin of what was blocked.
pub(super) fn origin(blocked: &str) -> String {
    match Url::parse(blocked) {
        Ok(url) => url.origin().ascii_serialization(),
        Err(_) if blocked.len() <= 20 && blocked.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-') => {
            blocked.into()
        }
        Err(_) => "(unreadable)".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_origin_of_a_blocked_url_is_kept() {
        assert_eq!(origin("https://evil.example/steal?key=kwk_live_secret"), "https://evil.example");
        assert_eq!(origin("inline"), "inline");
        assert_eq!(origin("data"), "data");
        assert_eq!(origin("kwk_live_abc"), "(unreadable)");
    }
}
