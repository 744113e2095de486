//! API keys: their list, one of them with its tabs, and a page for every verb.
//!
//! **Invariant:** a value is in the answer to the post that made it, and in no other page.

mod around;
mod audit;
mod bulk_revoke;
mod callers;
mod choices;
mod drain;
mod edit;
mod extend;
mod fields;
mod filter;
mod import;
mod issue;
mod list;
mod moments;
mod overview;
mod reasons;
mod resume;
mod revoke;
mod rotate;
mod show;
mod shown_once;
mod stop_old;
mod suspend;
mod terms;

pub(crate) use around::shown;
use axum::{Router, routing::get};
pub(crate) use choices::{Spot, spots};
pub(crate) use moments::{field as moment_field, minute, read as read_moment};
pub(crate) use terms::optional_moment;

use crate::context::House;

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/keys", get(list::list))
        .route("/keys/import", get(import::new).post(import::import))
        .route("/keys/new", get(issue::new).post(issue::issue))
        .route("/keys/revoke", get(bulk_revoke::ask).post(bulk_revoke::revoke))
        .route("/keys/{id}", get(show::show))
        .route("/keys/{id}/edit", get(edit::form).post(edit::save))
        .route("/keys/{id}/resume", get(resume::ask).post(resume::resume))
        .route("/keys/{id}/revoke", get(revoke::ask).post(revoke::revoke))
        .route("/keys/{id}/rotate", get(rotate::ask).post(rotate::rotate))
        .route("/keys/{id}/suspend", get(suspend::ask).post(suspend::suspend))
        .route("/keys/{id}/values/{value}/extend", get(extend::ask).post(extend::extend))
        .route("/keys/{id}/values/{value}/stop", get(stop_old::ask).post(stop_old::stop))
}
