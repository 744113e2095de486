//! Projects and their environments.

mod archive;
mod create;
mod edit;
mod environment;
mod list;
mod retention;
mod roles;
mod show;
mod terms;

use axum::{Router, routing::get};

pub(super) use terms::span;

use crate::context::House;

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/projects", get(list::list))
        .route("/projects/new", get(create::new).post(create::create))
        .route("/projects/{slug}", get(show::show))
        .route("/projects/{slug}/edit", get(edit::form).post(edit::save))
        .route("/projects/{slug}/archive", get(archive::ask).post(archive::archive))
        .route("/projects/{slug}/roles", get(roles::form).post(roles::grant))
        .route("/projects/{slug}/roles/{binding}", get(roles::ask).post(roles::revoke))
        .route("/projects/{slug}/environments/new", get(environment::new).post(environment::create))
        .route("/projects/{slug}/environments/{environment}", get(environment::form).post(environment::save))
        .route(
            "/projects/{slug}/environments/{environment}/secrets",
            get(retention::form).post(retention::save),
        )
}
