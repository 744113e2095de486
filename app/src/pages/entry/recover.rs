//! `/recover`: back in by one of the ten codes, or by a link from the server's own shell. A link is spent by a
//! click, not by being opened: programs that preview links must not use them up.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    SecretString,
    people::{LinkKind, RecoverError, SessionChange, SignedIn},
};
use leptos::prelude::*;

use super::{counted, link_gone, not_opened};
use crate::{
    context::{ENROL, Guest, House, SIGN_IN},
    form::{Draft, Errors, Fields},
    render::{self, page},
    shell::Shell,
    ui::{Form, PageHeader, TextField},
};

pub(super) async fn show(Guest { shell, .. }: Guest) -> Response {
    form(&shell, Draft::default())
}

pub(super) async fn use_code(
    State(house): State<House>,
    Guest { shell, op }: Guest,
    fields: Fields,
) -> Response {
    let t = shell.text;
    let mut errors = Errors::new();
    errors.required(t, &fields, "code", 200);
    if !errors.any() {
        let code = SecretString::new(fields.text("code").to_owned());
        match house.domain.use_recovery_code(&op, &code).await {
            Ok(signed_in) => return go_on(signed_in),
            Err(RecoverError::Unknown) => {
                errors.at("code", t.recover_unknown());
                return counted(form(&shell, Draft::refused(Fields::default(), errors)));
            }
            Err(RecoverError::Refused(refused)) => return render::refused(&shell, refused),
        }
    }
    // What was typed is a secret, or nearly one: it is not shown again.
    form(&shell, Draft::refused(Fields::default(), errors))
}

fn form(shell: &Shell, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.recover()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.recover() lead=t.recover_lead()/>
            <Form draft=draft submit=t.recover_do() cancel=SIGN_IN>
                <TextField name="code" label=t.recover_code() hint=t.recover_code_hint() required=true mono=true/>
            </Form>
            <p>{t.recover_no_code()}</p>
        }
    })
}

pub(super) async fn show_link(
    State(house): State<House>,
    Guest { shell, op }: Guest,
    Path(link): Path<String>,
) -> Response {
    let t = shell.text;
    if let Err(error) = house.domain.look_at_link(&op, LinkKind::Recovery, &link).await {
        return not_opened(&shell, LinkKind::Recovery, error);
    }
    page(&shell, t.recover()).show(move || {
        view! {
            <PageHeader title=t.recover() lead=t.recover_link_lead()/>
            <Form submit=t.recover_link_do() cancel=SIGN_IN/>
        }
    })
}

pub(super) async fn use_link(
    State(house): State<House>,
    Guest { shell, op }: Guest,
    Path(link): Path<String>,
) -> Response {
    match house.domain.use_recovery_link(&op, &link).await {
        Ok(signed_in) => go_on(signed_in),
        Err(RecoverError::Unknown) => link_gone(&shell, LinkKind::Recovery),
        Err(RecoverError::Refused(refused)) => render::refused(&shell, refused),
    }
}

fn go_on(signed_in: SignedIn) -> Response {
    let mut response = render::see_other(ENROL);
    response.extensions_mut().insert(SessionChange::from(signed_in));
    response
}
