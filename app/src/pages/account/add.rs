//! `/account/passkeys/new`: one more passkey.

use axum::{
    extract::{Query, State},
    response::Response,
};
use keywarden_model::Name;
use leptos::prelude::*;
use serde::Deserialize;

use super::{HOME, way};
use crate::{
    context::{
        Asking, House,
        json::{self, Answer, Json},
    },
    pages::ceremony::{self, Ask, PasskeyForm, SCRIPT},
    render::{self, page},
    shell::{Section, encoded},
    ui::{PageHeader, TextField},
};

const PAGE: &str = "/account/passkeys/new";

/// What is typed.
#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    passkey: String,
}

/// What was typed before a passkey had to be shown.
#[derive(Debug, Deserialize)]
pub(super) struct Before {
    #[serde(default)]
    passkey: String,
}

pub(super) async fn show(Asking { mut shell, .. }: Asking, Query(before): Query<Before>) -> Response {
    shell.section = Some(Section::Account);
    let t = shell.text;
    page(&shell, t.account_passkey_add()).script(SCRIPT).show(move || {
        view! {
            <PageHeader title=t.account_passkey_add() crumbs=way(t) lead=t.account_passkey_add_lead()/>
            <PasskeyForm
                ask=Ask::Create
                start="/account/passkeys/start"
                finish="/account/passkeys/finish"
                submit=t.entry_create()
                cancel=HOME
            >
                <TextField name="passkey" label=t.entry_passkey() value=before.passkey hint=t.entry_passkey_hint() required=true maxlength=120/>
            </PasskeyForm>
        }
    })
}

pub(super) async fn start(
    State(house): State<House>,
    Asking { shell, op }: Asking,
    Json(typed): Json<Typed>,
) -> Response {
    let t = shell.text;
    let name = match ceremony::name(t, t.entry_passkey(), &typed.passkey) {
        Ok(name) => name,
        Err(sentence) => return ceremony::wrong(&sentence),
    };
    match house.domain.start_add_passkey(&op, &name).await {
        Ok(started) => ceremony::started(&started),
        Err(error) => ceremony::refused(&shell, error, &filled_in(&name)),
    }
}

/// The page with the form as it was typed.
fn filled_in(name: &Name) -> String {
    format!("{PAGE}?passkey={}", encoded(name.as_str()))
}

pub(super) async fn finish(
    State(house): State<House>,
    Asking { shell, op }: Asking,
    Json(answer): Json<Answer<Typed>>,
) -> Response {
    let t = shell.text;
    let name = match ceremony::name(t, t.entry_passkey(), &answer.fields.passkey) {
        Ok(name) => name,
        Err(sentence) => return ceremony::wrong(&sentence),
    };
    match house.domain.finish_add_passkey(&op, answer.ceremony, &answer.credential(), &name).await {
        Ok(_) => render::told(&shell, json::location(HOME), t.account_passkey_added(name.as_str())),
        Err(error) => ceremony::refused(&shell, error, &filled_in(&name)),
    }
}
