//! `/join/<link>`: an invited person and their passkey.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::people::{LinkKind, SessionChange, SetupState};
use leptos::prelude::*;
use serde::Deserialize;

use super::{WELCOME, counted, not_enrolled, not_opened};
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
    name: String,
    passkey: String,
}

pub(super) async fn show(
    State(house): State<House>,
    Guest { shell, op }: Guest,
    Path(value): Path<String>,
) -> Response {
    let t = shell.text;
    let link = match house.domain.look_at_link(&op, LinkKind::Invitation, &value).await {
        Ok(link) => link,
        Err(error) => return not_opened(&shell, LinkKind::Invitation, error),
    };
    let organization = match house.domain.setup_state().await {
        Ok(SetupState::Done { organization }) => organization,
        Ok(SetupState::Waiting) => String::new(),
        Err(fault) => return render::refused(&shell, fault.into()),
    };
    let name = link.name.unwrap_or_default();
    let role = link.role.map_or(t.role_member(), |role| t.role(role));
    let lead = match &link.project {
        Some((_, project)) => t.join_lead_in(&name, role, project),
        None => t.join_lead(&name, role),
    };
    let title = t.join(&organization);
    page(&shell, title.clone()).script(SCRIPT).show(move || {
        view! {
            <PageHeader title=title lead=lead/>
            <PasskeyForm
                ask=Ask::Create
                start=format!("/join/{value}/start")
                finish=format!("/join/{value}/finish")
                submit=t.entry_create()
            >
                <TextField name="name" label=t.entry_name() hint=t.entry_name_hint() required=true maxlength=120 autocomplete="name" value=name/>
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
    let name = ceremony::name(t, t.entry_name(), &typed.name)
        .and_then(|name| ceremony::name(t, t.entry_passkey(), &typed.passkey).map(|_| name));
    let name = match name {
        Ok(name) => name,
        Err(sentence) => return ceremony::wrong(&sentence),
    };
    match house.domain.start_accept(&op, &link, &name).await {
        Ok(started) => counted(ceremony::started(&started)),
        Err(error) => not_enrolled(&shell, LinkKind::Invitation, error),
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
    match house.domain.finish_accept(&op, &link, answer.ceremony, &credential, &passkey).await {
        Ok(signed_in) => {
            let mut response = json::location(WELCOME);
            response.extensions_mut().insert(SessionChange::from(signed_in));
            response
        }
        Err(error) => not_enrolled(&shell, LinkKind::Invitation, error),
    }
}
