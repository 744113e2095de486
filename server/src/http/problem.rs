//! What a caller is told when no door took the request: RFC 9457 for machines, one plain page for people.

use axum::{
    Json,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::assets;

/// What the page needs: its sheet, and the picture that is in the sheet.
const PAGE: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; report-uri /csp-report";

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

    /// In the console's clothes, without anything that it would have to ask for: it is drawn while doors are shut.
    fn page(self) -> Response {
        let (title, detail) = (escaped(self.title), escaped(&sentence(&self.detail)));
        let sheet = assets::path("keywarden.css").unwrap_or("/assets/missing");
        let page = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title} — Keywarden</title>\
             <link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"{sheet}\"></head>\
             <body class=\"bare\"><header class=\"bare-top\"><a class=\"brand\" href=\"/\">Keywarden</a></header>\
             <main><h1>{title}</h1><p>{detail}</p><p><a class=\"button\" href=\"/\">Go to the console</a></p></main>\
             </body></html>\n"
        );
        let policy = HeaderValue::from_static(PAGE);
        (self.status, [(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
    }
}

/// A detail as people read it: it begins large and ends with a stop.
fn sentence(detail: &str) -> String {
    let mut letters = detail.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if detail.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
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
