//! What a request says about how its page should look.

use std::convert::Infallible;

use axum::extract::{FromRef, FromRequestParts, OriginalUri};
use http::{HeaderMap, Method, header, request::Parts};
use keywarden_model::RequestId;

use super::{Flash, Theme, cookies::cookie, flash};
use crate::{
    console::Console,
    text::{Locale, Text},
};

/// An extractor; the state must hand out a [`Console`].
#[derive(Clone, Debug)]
pub struct Visit {
    pub(super) text: Text,
    pub(super) theme: Theme,
    pub(super) path: String,
    pub(super) request_id: String,
    pub(super) flash: Option<Flash>,
    pub(super) posted: bool,
}

impl Visit {
    /// The visitor's words.
    pub fn text(&self) -> Text {
        self.text
    }

    /// Path and query that were asked for.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Reads the headers and nothing else: nothing was posted.
    pub fn read(headers: &HeaderMap, path: &str, request_id: String, console: Console) -> Self {
        let language = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self {
            text: Text::new(Locale::choose(cookie(headers, console, "locale"), language)),
            theme: cookie(headers, console, "theme").and_then(Theme::named).unwrap_or_default(),
            path: path.to_owned(),
            request_id,
            flash: cookie(headers, console, flash::COOKIE).and_then(Flash::from_cookie),
            posted: false,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit
where
    Console: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let request_id = parts.extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default();
        let visit = Self::read(&parts.headers, &path, request_id, Console::from_ref(state));
        Ok(Self { posted: parts.method == Method::POST, ..visit })
    }
}

/// A path as the value of a query parameter.
pub(crate) fn encoded(path: &str) -> String {
    form_urlencoded::byte_serialize(path.as_bytes()).collect()
}

/// A path of this console out of a form's field, else `/`. Browsers read `//host` and `/\host` as other hosts.
pub fn back_path(path: &str) -> &str {
    let own = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 2048
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if own { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_never_leaves_the_console() {
        assert_eq!(back_path("/keys?state=active"), "/keys?state=active");
        for foreign in
            ["", "keys", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nX: y", "/a b"]
        {
            assert_eq!(back_path(foreign), "/", "{foreign:?}");
        }
    }
}
