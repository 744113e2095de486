//! `/shared/<link>`: a page with one button, for whoever was sent a link to a value. Opening the page reads nothing:
//! programs that preview links must not use them up. The answer to the post is the only page that holds the value.

use axum::{
    extract::{Path, State},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use keywarden_domain::{
    Op, SecretString,
    people::LinkError,
    secrets::{OpenShareError, Opener, Revealed, SharedLink},
};
use keywarden_model::KeptForStranger;
use leptos::prelude::*;

use super::reveal::exact;
use crate::{
    context::{Anybody, House, Posted, SIGN_IN},
    form::{Draft, Errors, Fields},
    render::{self, page},
    shell::{Shell, encoded},
    ui::{ButtonKind, EmptyState, Facts, Form, LinkButton, PageHeader, RevealedValue, TextField, Time, fact},
};

/// A passphrase, with everything that people put between its characters.
const LONGEST: u32 = 64;

pub(super) async fn show(
    State(house): State<House>,
    Anybody { shell, op }: Anybody,
    Path(value): Path<String>,
) -> Response {
    match house.domain.look_at_share(&op, &value).await {
        Ok(link) => ask(&shell, &op, &link, &value, Draft::default()),
        Err(LinkError::Gone(_)) => gone(&shell),
        Err(LinkError::Refused(refused)) => render::refused(&shell, refused),
    }
}

pub(super) async fn open(
    State(house): State<House>,
    Anybody { shell, op }: Anybody,
    Path(value): Path<String>,
    posted: Posted,
) -> Response {
    let t = shell.text;
    let link = match house.domain.look_at_share(&op, &value).await {
        Ok(link) => link,
        Err(LinkError::Gone(_)) => return gone(&shell),
        Err(LinkError::Refused(refused)) => return render::refused(&shell, refused),
    };
    let mut errors = Errors::new();
    let mut passphrase = None;
    if link.opener == Opener::Passphrase {
        let typed = errors.required(t, &posted.fields, "passphrase", LONGEST as usize);
        passphrase = Some(SecretString::new(typed.to_owned()));
    }
    if errors.any() {
        return ask(&shell, &op, &link, &value, Draft::refused(Fields::default(), errors));
    }
    match house.domain.open_share(&op, &value, passphrase.as_ref()).await {
        Ok(revealed) => shown(&shell, &revealed),
        Err(OpenShareError::Gone(_)) => gone(&shell),
        Err(OpenShareError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
        Err(OpenShareError::Wrong { left }) => {
            errors.at("passphrase", t.shared_wrong(left));
            // What was typed is a secret, or nearly one: it is not shown again.
            guessed(ask(&shell, &op, &link, &value, Draft::refused(Fields::default(), errors)))
        }
    }
}

/// A guess counts against the address, too.
fn guessed(mut response: Response) -> Response {
    response.extensions_mut().insert(KeptForStranger);
    response
}

/// Which of the reasons it is, is nobody's business.
fn gone(shell: &Shell) -> Response {
    let t = shell.text;
    guessed(page(shell, t.shared_gone()).status(StatusCode::NOT_FOUND).show(move || {
        view! {
            <EmptyState heading=1 title=t.shared_gone() action=(t.sign_in(), SIGN_IN)>{t.shared_gone_why()}</EmptyState>
        }
    }))
}

fn ask(shell: &Shell, op: &Op, link: &SharedLink, value: &str, draft: Draft) -> Response {
    let t = shell.text;
    let person = op.actor.person();
    let needs = match (link.opener, person) {
        (Opener::Passphrase, _) => Needs::Passphrase,
        (Opener::Person(user), Some(person)) if person.id == user => Needs::Nothing,
        (Opener::Person(_), Some(_)) => return gone(shell),
        (Opener::Person(_), None) => Needs::SignIn,
    };
    let expires_at = link.expires_at;
    let sign_in = format!("{SIGN_IN}?next={}", encoded(&format!("/shared/{value}")));
    page(shell, t.shared()).of(&draft).show(move || {
        let body = match needs {
            Needs::Nothing => view! { <Form draft=draft submit=t.shared_open()/> }.into_any(),
            Needs::Passphrase => view! {
                <Form draft=draft submit=t.shared_open()>
                    <TextField name="passphrase" label=t.shares_passphrase() hint=t.shared_passphrase_hint() required=true maxlength=LONGEST mono=true/>
                </Form>
            }
            .into_any(),
            Needs::SignIn => view! {
                <p>{t.shared_sign_in_why()}</p>
                <LinkButton kind=ButtonKind::Primary label=t.shared_sign_in() href=sign_in/>
            }
            .into_any(),
        };
        view! {
            <PageHeader title=t.shared() lead=t.shared_lead()/>
            <Facts facts=vec![fact(t.shared_until(), view! { <Time at=expires_at/> })]/>
            {body}
        }
    })
}

/// What whoever looks at the page must do first.
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    Passphrase,
    SignIn,
}

fn shown(shell: &Shell, revealed: &Revealed) -> Response {
    let t = shell.text;
    let bytes = revealed.value.expose();
    let (label, value, hint) = match exact(bytes) {
        Some(text) => (t.secrets_value(), text.to_owned(), None),
        None => (t.shared_encoded(), STANDARD.encode(bytes), Some(t.shared_encoded_hint())),
    };
    page(shell, t.shared_value()).show(move || {
        let hint = hint.map(|hint| view! { <p class="field-hint">{hint}</p> });
        view! {
            <PageHeader title=t.shared_value() lead=t.shared_value_lead()/>
            <RevealedValue id="secret" label=label value=value/>
            {hint}
        }
    })
}
