//! What a caller is told when no door took the request: RFC 9457 for machines, one plain page for people.

use axum::{
    Json,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use keywarden_app::text::Text;
use keywarden_model::{ProblemKind as Kind, RequestId};
use serde::Serialize;

use super::assets;

/// What the page needs: its sheet, and the picture that is in the sheet.
const PAGE: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; report-uri /csp-report";

/// A refusal or failure of the house itself. [`name_the_request`] gives it its `instance`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    kind: Kind,
    /// What to do next.
    detail: String,
    /// What the page's sentence names; see [`Text::problem`].
    about: String,
}

/// RFC 9457, as it is sent.
#[derive(Debug, Serialize)]
struct Wire<'a> {
    /// Where the kind is explained, on this server.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    /// The id of this request, as in `X-Request-Id` and the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), about: String::new() }
    }

    /// What the page says of it beside the words of the catalogue.
    pub(super) fn about(self, about: impl ToString) -> Self {
        Self { about: about.to_string(), ..self }
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The page for a browser that asked for one, problem+json for everybody else.
    pub(super) fn answer(self, asked: &HeaderMap) -> Response {
        if wants_page(asked) { self.page(Text::asked(asked)) } else { self.json() }
    }

    pub(super) fn json(self) -> Response {
        let mut response = self.written(None);
        response.extensions_mut().insert(self);
        response
    }

    fn written(&self, request: Option<RequestId>) -> Response {
        let wire = Wire {
            kind: self.kind.address(),
            title: self.kind.title(),
            status: self.kind.status(),
            detail: &self.detail,
            instance: request.map(|id| id.to_string()),
        };
        let mut response = (self.status(), Json(wire)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }

    /// In the console's clothes, without anything that it would have to ask for: it is drawn while doors are shut.
    fn page(&self, text: Text) -> Response {
        let (title, sentence) = text.problem(self.kind, &sentence(&self.about));
        let (title, sentence, home) = (escaped(title), escaped(&sentence), escaped(text.to_console()));
        let sheet = assets::path("keywarden.css").unwrap_or("/assets/missing");
        let lang = text.locale().tag();
        let page = format!(
            "<!doctype html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title} — Keywarden</title>\
             <link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"{sheet}\"></head>\
             <body class=\"bare\"><header class=\"bare-top\"><a class=\"brand\" href=\"/\">Keywarden</a></header>\
             <main><h1>{title}</h1><p>{sentence}</p><p><a class=\"button\" href=\"/\">{home}</a></p></main>\
             </body></html>\n"
        );
        let policy = HeaderValue::from_static(PAGE);
        (self.status(), [(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
    }
}

/// Gives a problem of the house the id of the request as its `instance`.
pub(super) fn name_the_request(response: &mut Response, id: RequestId) {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = problem.written(Some(id)).into_body();
    }
}

/// A reason as people read it: it begins large and ends with a stop. What is no sentence stays as it is.
fn sentence(about: &str) -> String {
    if !about.contains(' ') {
        return about.to_owned();
    }
    let mut letters = about.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if about.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// A response of this status that says when to come back.
pub(super) fn retry_after(mut response: Response, seconds: u64) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

/// Whether a browser asked for a page.
pub(super) fn wants_page(asked: &HeaderMap) -> bool {
    let accept = asked.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/html")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
