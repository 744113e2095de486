//! Secrets: folders of them, one of them with its versions, and a page for every verb.
//!
//! **Invariants:** a value is in the answer to the post that asked for it, and in no other page, and so is what its fields are
//! called; no form begins with one, not even after it was refused. What a page knows of a value is its kind and size. A file that is to be imported is
//! kept sealed between its form and its preview, never in a page.

mod access;
mod alias;
mod around;
mod as_of;
mod audit;
mod beside;
mod browse;
mod compare;
mod copy_as;
mod create;
mod data_key;
mod delete;
mod delivered;
mod destroy;
mod differ;
mod edit;
mod export;
mod fields;
mod filter;
mod found;
mod generate;
mod import;
mod in_backups;
mod label;
mod list;
mod making;
mod object;
mod overview;
mod places;
mod promote;
mod purge;
mod put;
mod reasons;
mod restore;
pub(in crate::pages) mod reuse;
mod reveal;
mod share;
mod shared;
mod show;
mod switch;
mod template;
mod validity;
mod value;
mod version;
mod version_deletion;
mod who;

use axum::{Router, routing::get};

use crate::context::House;

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/secrets", get(list::list))
        .route("/secrets/as-of", get(as_of::show).post(as_of::back))
        .route("/secrets/beside", get(beside::show))
        .route("/secrets/export", get(export::form).post(export::export))
        .route("/secrets/import", get(import::upload::form).post(import::upload::keep))
        .route("/secrets/import/{file}", get(import::preview::show).post(import::preview::import))
        .route("/secrets/new", get(create::new).post(create::create))
        .route("/secrets/{id}", get(show::show))
        .route("/secrets/{id}/aliases/{dialect}", get(alias::form).post(alias::save))
        .route("/secrets/{id}/data-key", get(data_key::ask).post(data_key::rotate))
        .route("/secrets/{id}/delete", get(delete::ask).post(delete::delete))
        .route("/secrets/{id}/edit", get(edit::form).post(edit::save))
        .route("/secrets/{id}/fields", get(object::edit::ask).post(object::edit::edit))
        .route("/secrets/{id}/labels/{label}", get(label::ask).post(label::remove))
        .route("/secrets/{id}/promote/{environment}", get(promote::ask).post(promote::promote))
        .route("/secrets/{id}/purge", get(purge::ask).post(purge::purge))
        .route("/secrets/{id}/restore", get(restore::ask).post(restore::restore))
        .route("/secrets/{id}/shares/{share}/withdraw", get(share::ask).post(share::withdraw))
        .route("/secrets/{id}/versions/new", get(put::new).post(put::put))
        .route("/secrets/{id}/versions/{number}", get(version::show))
        .route("/secrets/{id}/versions/{number}/compare", get(compare::ask).post(compare::compare))
        .route(
            "/secrets/{id}/versions/{number}/delete",
            get(version_deletion::ask_delete).post(version_deletion::delete),
        )
        .route("/secrets/{id}/versions/{number}/destroy", get(destroy::ask).post(destroy::destroy))
        .route("/secrets/{id}/versions/{number}/disable", get(switch::ask_disable).post(switch::disable))
        .route("/secrets/{id}/versions/{number}/download", get(reveal::ask_download).post(reveal::download))
        .route("/secrets/{id}/versions/{number}/enable", get(switch::ask_enable).post(switch::enable))
        .route("/secrets/{id}/versions/{number}/fields", get(object::read::ask).post(object::read::read))
        .route("/secrets/{id}/versions/{number}/label", get(label::form).post(label::set))
        .route("/secrets/{id}/versions/{number}/raw", get(reveal::ask_raw).post(reveal::raw))
        .route(
            "/secrets/{id}/versions/{number}/raw/download",
            get(reveal::ask_download_raw).post(reveal::download_raw),
        )
        .route(
            "/secrets/{id}/versions/{number}/restore",
            get(version_deletion::ask_restore).post(version_deletion::restore),
        )
        .route("/secrets/{id}/versions/{number}/reveal", get(reveal::ask).post(reveal::reveal))
        .route("/secrets/{id}/versions/{number}/share", get(share::form).post(share::make))
        .route("/shared/{link}", get(shared::show).post(shared::open))
}
