//! Every component on pages of their own, with made-up data: for tests, and for a look
//! (`cargo run -p keywarden-app --example gallery --features gallery`).

mod components;
mod keys;
mod shell;
mod troubles;
mod words;

use axum::{Router, routing::get};

use crate::{console::Console, routes};

/// The gallery as a small console, in the visitor's theme and language.
pub fn routes(console: Console) -> Router {
    Router::new()
        .route("/", get(components::show))
        .route("/keys", get(keys::list))
        .route("/keys/new", get(keys::new).post(keys::create))
        .route("/keys/{id}", get(keys::show))
        .route("/empty", get(keys::list_of_none))
        .route("/sign-in", get(troubles::bare))
        .route("/degraded", get(troubles::degraded))
        .route("/missing", get(troubles::missing))
        .route("/fault", get(troubles::fault))
        .route("/unavailable", get(troubles::unavailable))
        .route("/palette", get(shell::palette))
        .with_state(console)
        .merge(routes::anyone(console))
}

#[cfg(test)]
mod tests;
