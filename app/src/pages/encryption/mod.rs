//! Encryption keys: what lies under what, a page for each rotation, and how far rewraps are.

mod around;
mod hsm;
mod keyring;
mod offered;
mod project;
mod project_seal;
mod rewrap;
mod tree;

use axum::{Router, routing::get};

use crate::{context::House, pages::elsewhere};

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/system/keys", get(tree::show))
        .route("/system/keys/hsm/rotate", get(hsm::ask_rotate).post(hsm::rotate))
        .route("/system/keys/hsm/{number}/destroy", get(hsm::ask_destroy).post(hsm::destroy))
        .route("/system/keys/offered/{seal}/rotate", get(offered::ask_rotate).post(offered::rotate))
        .route(
            "/system/keys/offered/{seal}/{number}/destroy",
            get(offered::ask_destroy).post(offered::destroy),
        )
        .route("/system/keys/keyring/{purpose}/rotate", get(keyring::ask).post(keyring::rotate))
        .route("/projects/{slug}/key", get(project::show))
        .route("/projects/{slug}/key/seal", get(project_seal::ask).post(project_seal::name))
        .route("/projects/{slug}/key/rotate", get(project::ask).post(project::rotate))
        .route("/rewraps/{id}", get(rewrap::show))
        .route("/rewraps/{id}/pause", elsewhere::up().post(rewrap::pause))
        .route("/rewraps/{id}/resume", elsewhere::up().post(rewrap::resume))
}
