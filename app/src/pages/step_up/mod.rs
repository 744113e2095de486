//! Stepping up: a person shows their passkey again, and what they asked for goes on.

mod ceremony;
mod show;

use axum::{
    Router,
    routing::{get, post},
};

use crate::context::House;

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/step-up", get(show::show))
        .route("/step-up/start", post(ceremony::start))
        .route("/step-up/finish", post(ceremony::finish))
}
