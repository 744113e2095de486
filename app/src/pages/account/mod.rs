//! The account of whoever is signed in: passkeys, recovery codes, sessions, roles.

mod add;
mod agent;
mod codes;
mod passkey;
mod sessions;
mod show;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{
    context::House,
    pages::elsewhere,
    text::Text,
    ui::{Crumb, crumb},
};

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/account", get(show::show))
        .route("/account/passkeys/new", get(add::show))
        .route("/account/passkeys/start", post(add::start))
        .route("/account/passkeys/finish", post(add::finish))
        .route("/account/passkeys/{id}", get(passkey::show).post(passkey::rename))
        .route("/account/passkeys/{id}/remove", get(passkey::before_removal).post(passkey::remove))
        .route("/account/recovery-codes", get(codes::show).post(codes::renew))
        .route("/account/sessions/others/end", elsewhere::to(HOME).post(sessions::end_others))
        .route("/account/sessions/{id}/end", elsewhere::to(HOME).post(sessions::end))
}

pub(super) const HOME: &str = "/account";

fn way(t: Text) -> Vec<Crumb> {
    vec![crumb(t.account(), HOME)]
}
