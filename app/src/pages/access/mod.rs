//! Access for a while: asking, signing, holding, giving back, and the rules about it.

mod approve;
mod deny;
mod edit;
mod end;
mod evidence;
mod form;
mod inbox;
mod list;
mod new;
mod rules;
mod show;
mod withdraw;

use axum::{
    Router,
    routing::{get, post},
};
use keywarden_domain::access::{Grant, Request};
use keywarden_model::{AccessGrantId, AccessRequestId, AccessState, Role};
use leptos::prelude::*;

use crate::{
    context::House,
    text::Text,
    ui::{Crumb, Tone, crumb},
};

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/access", get(list::show))
        .route("/access/new", get(new::form).post(new::create))
        .route("/access/inbox", get(inbox::show))
        .route("/access/rules", get(rules::form).post(rules::save))
        .route("/access/requests/{id}", get(show::show))
        .route("/access/requests/{id}/approve", get(approve::before))
        .route("/access/requests/{id}/approve/start", post(approve::start))
        .route("/access/requests/{id}/approve/finish", post(approve::finish))
        .route("/access/requests/{id}/deny", get(deny::before).post(deny::deny))
        .route("/access/requests/{id}/edit", get(edit::form).post(edit::save))
        .route("/access/requests/{id}/evidence", get(evidence::download))
        .route("/access/requests/{id}/withdraw", get(withdraw::before).post(withdraw::withdraw))
        .route("/access/grants/{id}/give-back", get(end::before_giving_back).post(end::give_back))
        .route("/access/grants/{id}/revoke", get(end::before_revoking).post(end::revoke))
}

const LIST: &str = "/access";
const INBOX: &str = "/access/inbox";

/// A request's page.
fn path(id: AccessRequestId) -> String {
    format!("{LIST}/requests/{id}")
}

fn grant_path(id: AccessGrantId) -> String {
    format!("{LIST}/grants/{id}")
}

fn way(t: Text) -> Vec<Crumb> {
    vec![crumb(t.access(), LIST)]
}

fn way_to(t: Text, request: &Request) -> Vec<Crumb> {
    let mut way = way(t);
    way.push(crumb(what(t, request.role, request.project.as_deref()), path(request.id)));
    way
}

/// `Manager in pay`.
fn what(t: Text, role: Role, project: Option<&str>) -> String {
    t.access_in(t.role(role), project.unwrap_or(t.access_organization()))
}

fn what_of(t: Text, grant: &Grant) -> String {
    what(t, grant.role, grant.project.as_deref())
}

fn tone(state: AccessState) -> Tone {
    match state {
        AccessState::Active => Tone::Good,
        AccessState::Denied => Tone::Bad,
        AccessState::Pending => Tone::Warn,
        AccessState::Ended | AccessState::Expired | AccessState::Withdrawn => Tone::Neutral,
    }
}

/// A name as somebody gave it, or the id where there is none.
fn named(name: &str, id: &str) -> AnyView {
    let shown = if name.is_empty() { id.to_owned() } else { name.to_owned() };
    view! { <span translate="no">{shown}</span> }.into_any()
}
