//! From a view to a response: a whole HTML document with its headers, or a redirect.

mod document;
mod done_before;
mod trouble;

use std::borrow::Cow;

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};
use leptos::prelude::*;

pub(crate) use document::Islands;
pub use trouble::{fault, gone, not_found, refused, refused_form, unavailable};

use crate::{
    form::Draft,
    shell::{Flash, Shell},
    ui::Words,
};

/// No inline script, no inline style, nothing from elsewhere. Islands are WebAssembly from our own origin.
pub const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
    base-uri 'none'; report-uri /csp-report";

/// A page that is about to be drawn.
#[derive(Debug)]
pub struct Page<'a> {
    shell: &'a Shell,
    title: Cow<'static, str>,
    status: StatusCode,
    scripts: Vec<&'static str>,
    address: Option<String>,
}

/// Starts a page. The title is its own name (`pay-prod`); section and product are added.
pub fn page(shell: &Shell, title: impl Into<Cow<'static, str>>) -> Page<'_> {
    Page { shell, title: title.into(), status: StatusCode::OK, scripts: Vec::new(), address: None }
}

impl Page<'_> {
    /// Answers with this status; see [`Page::of`] for forms.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Answers 422 if the form on the page was refused.
    #[must_use]
    pub fn of(self, draft: &Draft) -> Self {
        if draft.errors().any() { self.status(StatusCode::UNPROCESSABLE_ENTITY) } else { self }
    }

    /// Loads this file of `style/public/` as a module script (`passkey.js`). No island runs beside it.
    #[must_use]
    pub fn script(mut self, name: &'static str) -> Self {
        self.scripts.push(name);
        self
    }

    /// For the answer to a post that shows something this once: where what was made can be looked at. That, and not the
    /// form, is what a reload of the page leads to.
    #[must_use]
    pub fn lives_at(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Draws the page. The view is made here, because components find the shell's words and time in the
    /// reactive owner that lives meanwhile.
    pub fn show<V: IntoView + 'static>(self, view: impl FnOnce() -> V) -> Response {
        let (shell, status) = (self.shell, self.status);
        let html = document::draw(self, view);
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if shell.flash.is_some()
            && let Some(taken) = Flash::taken(shell.console)
        {
            headers.append(header::SET_COOKIE, taken);
        }
        response
    }
}

/// Draws a view alone, as pages do; for tests of components.
pub fn fragment<V: IntoView + 'static>(shell: &Shell, view: impl FnOnce() -> V) -> String {
    document::within(shell, || view().into_view().to_html())
}

/// 303: the post was taken, the browser gets the page that shows what is now true.
pub fn see_other(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let location = HeaderValue::from_str(path).unwrap_or_else(|_| HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// [`see_other`], and the next page says what was done.
pub fn done(shell: &Shell, path: &str, sentence: impl Into<String>) -> Response {
    told(shell, see_other(path), sentence)
}

/// The next page says what was done: for answers that are no redirects.
pub(crate) fn told(shell: &Shell, mut response: Response, sentence: impl Into<String>) -> Response {
    if let Some(cookie) = Flash::new(sentence).to_cookie(shell.console) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// What components find in the owner while a page is drawn.
fn words(shell: &Shell) -> Words {
    Words { text: shell.text, now: shell.now, seed: shell.seed.clone() }
}
