//! What a caller is told when no door took the request: RFC 9457 for machines, one plain page for people.

use axum::{
    Json,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

/// A refusal or failure of the house itself.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub(super) struct Problem {
    /// Where the kind is explained, on this server: `/api/docs/problems#<kind>`.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    /// What to do next.
    detail: String,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self { kind: format!("/api/docs/problems#{kind}"), title, status, detail: detail.into() }
    }

    /// The page for a browser that asked for one, problem+json for everybody else.
    pub(super) fn answer(self, asked: &HeaderMap) -> Response {
        if wants_page(asked) { self.page() } else { self.json() }
    }

    pub(super) fn json(self) -> Response {
        let status = self.status;
        let mut response = (status, Json(self)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }

    fn page(self) -> Response {
        let (title, detail) = (escaped(self.title), escaped(&self.detail));
        let page = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title} · Keywarden</title></head>\
             <body><main><h1>{title}</h1><p>{detail}</p><p><a href=\"/\">Go to the console</a></p></main></body></html>\n"
        );
        (self.status, Html(page)).into_response()
    }
}

/// A response of this status that says when to come back.
pub(super) fn retry_after(mut response: Response, seconds: u64) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

fn wants_page(asked: &HeaderMap) -> bool {
    let accept = asked.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/html")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
