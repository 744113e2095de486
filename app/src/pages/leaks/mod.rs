//! "Found a key?": whose it is, and what to do about it.
//!
//! **Invariant:** the value travels in the body of a post, and comes back in no page and no address.

mod look_up;

use axum::{Router, routing::get};

use crate::context::House;

pub(crate) fn routes() -> Router<House> {
    Router::new().route("/leaks", get(look_up::ask).post(look_up::look_up))
}
