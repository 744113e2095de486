//! Machine identities and their service tokens.

mod create;
mod deactivate;
mod list;
mod rules;
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
        .route("/workloads/{id}/rules/new", get(rules::create::new).post(rules::create::create))
        .route("/workloads/{id}/rules/{rule}", get(rules::show::show))
        .route("/workloads/{id}/rules/{rule}/edit", get(rules::edit::form).post(rules::edit::save))
        .route("/workloads/{id}/rules/{rule}/delete", get(rules::delete::ask).post(rules::delete::delete))
        .route("/workloads/{id}/tokens/new", get(token::new).post(token::issue))
        .route("/workloads/{id}/tokens/{token}", get(token::ask).post(token::revoke))
}
