//! `/enrol`: the one thing that a recovering session can do.

use axum::{extract::State, response::Response};
use keywarden_domain::people::SessionChange;
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    context::{
        ENROL, House, Signed,
        json::{self, Answer, Json},
    },
    pages::ceremony::{self, Ask, PasskeyForm, SCRIPT},
    render::{self, page},
    ui::{Button, PageHeader, TextField},
};

const ADD: &str = "/account/passkeys/new";

/// What is typed.
#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    passkey: String,
}

pub(super) async fn show(Signed { shell, op }: Signed) -> Response {
    let t = shell.text;
    if op.actor.person().is_some_and(|person| !person.recovering) {
        return render::see_other(ADD);
    }
    page(&shell, t.enrol()).script(SCRIPT).show(move || {
        view! {
            <PageHeader title=t.enrol() lead=t.enrol_lead()/>
            <PasskeyForm ask=Ask::Create start="/enrol/start" finish="/enrol/finish" submit=t.entry_create()>
                <TextField name="passkey" label=t.entry_passkey() hint=t.entry_passkey_hint() required=true maxlength=120/>
            </PasskeyForm>
            <form method="post" action="/sign-out"><Button label=t.enrol_cancel()/></form>
        }
    })
}

pub(super) async fn start(
    State(house): State<House>,
    Signed { shell, op }: Signed,
    Json(typed): Json<Typed>,
) -> Response {
    let t = shell.text;
    let name = match ceremony::name(t, t.entry_passkey(), &typed.passkey) {
        Ok(name) => name,
        Err(sentence) => return ceremony::wrong(&sentence),
    };
    match house.domain.start_add_passkey(&op, &name).await {
        Ok(started) => ceremony::started(&started),
        Err(error) => ceremony::refused(&shell, error, ENROL),
    }
}

pub(super) async fn finish(
    State(house): State<House>,
    Signed { shell, op }: Signed,
    Json(answer): Json<Answer<Typed>>,
) -> Response {
    let t = shell.text;
    let name = match ceremony::name(t, t.entry_passkey(), &answer.fields.passkey) {
        Ok(name) => name,
        Err(sentence) => return ceremony::wrong(&sentence),
    };
    match house.domain.finish_add_passkey(&op, answer.ceremony, &answer.credential(), &name).await {
        Ok(added) => {
            let mut response = render::told(&shell, json::location("/account"), t.enrol_done());
            if let Some(signed_in) = added.recovered {
                response.extensions_mut().insert(SessionChange::from(signed_in));
            }
            response
        }
        Err(error) => ceremony::refused(&shell, error, ENROL),
    }
}
