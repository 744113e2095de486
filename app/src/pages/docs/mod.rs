//! The API as pages: our own reading of its OpenAPI description, drawn on the server.

mod operation;
mod problems;
mod read;
mod schema;
mod show;

use axum::{Router, routing::get};

use crate::context::House;

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/api/docs", get(show::show))
        .route("/api/docs/operations/{id}", get(operation::show))
        .route("/api/docs/problems", get(problems::show))
}
