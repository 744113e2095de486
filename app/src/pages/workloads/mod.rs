//! Machine identities and their service tokens.

mod create;
mod deactivate;
mod list;
mod show;
mod token;

use axum::{Router, routing::get};

use crate::context::House;

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/workloads", get(list::list))
        .route("/workloads/new", get(create::new).post(create::create))
        .route("/workloads/{id}", get(show::show))
        .route("/workloads/{id}/deactivate", get(deactivate::ask).post(deactivate::deactivate))
        .route("/workloads/{id}/tokens/new", get(token::new).post(token::issue))
        .route("/workloads/{id}/tokens/{token}", get(token::ask).post(token::revoke))
}
