//! Coming in: setting up, joining, signing in, getting back in, and going out.

pub(crate) mod codes;
mod enrol;
mod join;
mod recover;
mod setup;
mod sign_in;
mod sign_out;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use http::StatusCode;
use keywarden_domain::people::{EnrolError, LinkError, LinkKind};
use keywarden_model::KeptForStranger;
use leptos::prelude::*;

use crate::{
    context::{House, SIGN_IN, json},
    pages::{ceremony, elsewhere},
    render::{self, page},
    shell::Shell,
    text::Text,
    ui::EmptyState,
};

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/setup/{link}", get(setup::show))
        .route("/setup/{link}/start", post(setup::start))
        .route("/setup/{link}/finish", post(setup::finish))
        .route("/join/{link}", get(join::show))
        .route("/join/{link}/start", post(join::start))
        .route("/join/{link}/finish", post(join::finish))
        .route("/sign-in", get(sign_in::show))
        .route("/sign-in/start", post(sign_in::start))
        .route("/sign-in/finish", post(sign_in::finish))
        .route("/sign-out", elsewhere::to("/").post(sign_out::sign_out))
        .route("/recover", get(recover::show).post(recover::use_code))
        .route("/recover/{link}", get(recover::show_link).post(recover::use_link))
        .route("/enrol", get(enrol::show))
        .route("/enrol/start", post(enrol::start))
        .route("/enrol/finish", post(enrol::finish))
        .route("/welcome", get(codes::before))
        .route("/welcome/codes", get(codes::before).post(codes::show_once))
}

/// Where newcomers go first.
const WELCOME: &str = "/welcome";

/// What counts against the address it came from: the answer to a code, a link or a ceremony that is none, which is a guess
/// for all that is known, and that to a ceremony which is kept for a stranger from here on.
fn counted(mut response: Response) -> Response {
    response.extensions_mut().insert(KeptForStranger);
    response
}

/// The page of a link that does not serve; which of the reasons is nobody's business.
fn link_gone(shell: &Shell, kind: LinkKind) -> Response {
    let t = shell.text;
    counted(page(shell, t.link_gone()).status(StatusCode::NOT_FOUND).show(move || {
        view! {
            <EmptyState heading=1 title=t.link_gone() action=(t.sign_in(), SIGN_IN)>
                {link_gone_why(t, kind)}
            </EmptyState>
        }
    }))
}

/// Where the next link comes from: before there is anybody to ask, from the server's own shell.
fn link_gone_why(t: Text, kind: LinkKind) -> &'static str {
    if kind == LinkKind::Setup { t.setup_link_gone_why() } else { t.link_gone_why() }
}

fn set_up_already(shell: &Shell) -> Response {
    let t = shell.text;
    page(shell, t.setup_done()).status(StatusCode::NOT_FOUND).show(move || {
        view! {
            <EmptyState heading=1 title=t.setup_done() action=(t.sign_in(), SIGN_IN)>
                {t.setup_done_why()}
            </EmptyState>
        }
    })
}

/// A page that a link leads to, when the link does not.
fn not_opened(shell: &Shell, kind: LinkKind, error: LinkError) -> Response {
    match error {
        LinkError::Gone(_) => link_gone(shell, kind),
        LinkError::Refused(refused) => render::refused(shell, refused),
    }
}

/// The script's answer when a newcomer is not let in.
fn not_enrolled(shell: &Shell, kind: LinkKind, error: EnrolError) -> Response {
    let t = shell.text;
    let no = |sentence| json::error(StatusCode::UNPROCESSABLE_ENTITY, sentence);
    match error {
        EnrolError::AlreadySetUp => no(t.setup_done_why()),
        EnrolError::Gone => counted(no(t.passkey_took_too_long())),
        EnrolError::Link(_) => counted(no(link_gone_why(t, kind))),
        EnrolError::Passkey(error) => ceremony::passkey(t, error),
        EnrolError::Refused(refused) => json::refusal(shell, refused, "/"),
    }
}
