//! Terminals that ask to be signed in: `keywarden login` leads its person here.

mod decide;

use axum::{Router, routing::get};

use crate::context::House;

pub(crate) fn routes() -> Router<House> {
    Router::new().route("/device", get(decide::ask).post(decide::decide))
}
