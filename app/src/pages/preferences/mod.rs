//! What a browser remembers about its visitor: theme and language. Nobody needs to be signed in for it.

mod locale;
mod theme;

use axum::{Router, routing::post};

use crate::console::Console;

pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/theme", post(theme::set)).route("/locale", post(locale::set))
}
