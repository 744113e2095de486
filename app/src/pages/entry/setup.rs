//! `/setup/<link>`: the organization, its first owner, and their passkey.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::people::{LinkKind, SessionChange, SetupState};
use leptos::prelude::*;
use serde::Deserialize;

use super::{WELCOME, counted, not_enrolled, not_opened, set_up_already};
use crate::{
    context::{
        Guest, House,
        json::{self, Answer, Json},
    },
    pages::ceremony::{self, Ask, PasskeyForm, SCRIPT},
    render::{self, page},
    ui::{PageHeader, TextField},
};

/// What is typed.
#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    organization: String,
    name: String,
    passkey: String,
}

pub(super) async fn show(
    State(house): State<House>,
    Guest { shell, op }: Guest,
    Path(link): Path<String>,
) -> Response {
    let t = shell.text;
    match house.domain.setup_state().await {
        Ok(SetupState::Done { .. }) => return set_up_already(&shell),
        Ok(SetupState::Waiting) => {}
        Err(fault) => return render::refused(&shell, fault.into()),
    }
    if let Err(error) = house.domain.look_at_link(&op, LinkKind::Setup, &link).await {
        return not_opened(&shell, LinkKind::Setup, error);
    }
    page(&shell, t.setup()).script(SCRIPT).show(move || {
        view! {
            <PageHeader title=t.setup() lead=t.setup_lead()/>
            <PasskeyForm
                ask=Ask::Create
                start=format!("/setup/{link}/start")
                finish=format!("/setup/{link}/finish")
                submit=t.entry_create()
            >
                <TextField name="organization" label=t.entry_organization() hint=t.entry_organization_hint() required=true maxlength=120 autocomplete="organization"/>
                <TextField name="name" label=t.entry_name() hint=t.entry_name_hint() required=true maxlength=120 autocomplete="name"/>
                <TextField name="passkey" label=t.entry_passkey() hint=t.entry_passkey_hint() required=true maxlength=120 value=t.entry_passkey_first()/>
            </PasskeyForm>
        }
    })
}

pub(super) async fn start(
    State(house): State<House>,
    Guest { shell, op }: Guest,
    Path(link): Path<String>,
    Json(typed): Json<Typed>,
) -> Response {
    let t = shell.text;
    let names = ceremony::name(t, t.entry_organization(), &typed.organization)
        .and_then(|organization| Ok((organization, ceremony::name(t, t.entry_name(), &typed.name)?)))
        .and_then(|names| ceremony::name(t, t.entry_passkey(), &typed.passkey).map(|_| names));
    let (organization, person) = match names {
        Ok(names) => names,
        Err(sentence) => return ceremony::wrong(&sentence),
    };
    match house.domain.start_setup(&op, &link, &organization, &person).await {
        Ok(started) => counted(ceremony::started(&started)),
        Err(error) => not_enrolled(&shell, LinkKind::Setup, error),
    }
}

pub(super) async fn finish(
    State(house): State<House>,
    Guest { shell, op }: Guest,
    Path(link): Path<String>,
    Json(answer): Json<Answer<Typed>>,
) -> Response {
    let t = shell.text;
    let passkey = match ceremony::name(t, t.entry_passkey(), &answer.fields.passkey) {
        Ok(name) => name,
        Err(sentence) => return ceremony::wrong(&sentence),
    };
    let credential = answer.credential();
    match house.domain.finish_setup(&op, &link, answer.ceremony, &credential, &passkey).await {
        Ok(signed_in) => {
            let mut response = json::location(WELCOME);
            response.extensions_mut().insert(SessionChange::from(signed_in));
            response
        }
        Err(error) => not_enrolled(&shell, LinkKind::Setup, error),
    }
}
