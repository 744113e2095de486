//! `/device`: the code that a terminal shows, where that terminal is, and whether it may act as whoever is signed in.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use http::StatusCode;
use keywarden_domain::people::{AskingTerminal, TERMINAL_LASTS, TerminalError};
use keywarden_model::KeptForStranger;
use leptos::prelude::*;

use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Fields, Params},
    render::{self, page},
    shell::{Section, Shell, encoded},
    text::Text,
    ui::{Banner, Confirm, Facts, Form, Hidden, PageHeader, TextField, Time, Tone, absolute, fact},
};

const HOME: &str = "/device";
const CODE: &str = "user_code";
const DECISION: &str = "decision";
/// A code, with everything that people put between its letters.
const LONGEST: u32 = 32;

pub(super) async fn ask(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Account);
    let Some(code) = params.some(CODE) else { return draw(&shell, None, Draft::default()) };
    match house.domain.asking_terminal(&op, &code).await {
        Ok(terminal) => draw(&shell, Some(terminal), Draft::default()),
        Err(TerminalError::Gone) => {
            let typed = Fields::parse(format!("{CODE}={}", encoded(&code)).as_bytes());
            let mut response = gone(&shell, typed.unwrap_or_default());
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
        Err(TerminalError::NotYet(from)) => not_yet(&shell, Fields::default(), from),
        Err(TerminalError::Refused(refused)) => render::refused(&shell, refused),
    }
}

/// Looks for the code that was typed, or does with the terminal what its page asked.
pub(super) async fn decide(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, op } = asking.at(Section::Account).once(&posted);
    let t = shell.text;
    let mut errors = Errors::new();
    let code = errors.required(t, &posted.fields, CODE, LONGEST as usize).to_owned();
    if errors.any() {
        return draw(&shell, None, Draft::refused(posted.fields, errors));
    }
    let done = match posted.fields.text(DECISION) {
        "approve" => house.domain.approve_terminal(&op, &code).await.map(|()| t.device_approved()),
        "refuse" => house.domain.refuse_terminal(&op, &code).await.map(|()| t.device_refused()),
        _ => match house.domain.asking_terminal(&op, &code).await {
            Ok(found) => return render::see_other(&format!("{HOME}?{CODE}={}", encoded(&found.code))),
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(told) => render::done(&shell, "/account#sessions", told),
        Err(TerminalError::Gone) => gone(&shell, posted.fields),
        Err(TerminalError::NotYet(from)) => not_yet(&shell, posted.fields, from),
        Err(TerminalError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}

/// No terminal waits with what was typed. It counts against the address: codes are short enough to be guessed at
/// (RFC 8628, 5.1).
fn gone(shell: &Shell, typed: Fields) -> Response {
    let mut errors = Errors::new();
    errors.at(CODE, shell.text.device_gone());
    let mut response = draw(shell, None, Draft::refused(typed, errors));
    response.extensions_mut().insert(KeptForStranger);
    response
}

/// The passkey of whoever let it in may not do so yet.
fn not_yet(shell: &Shell, typed: Fields, from: DateTime<Utc>) -> Response {
    let t = shell.text;
    let mut errors = Errors::new();
    errors.at(CODE, t.device_not_yet(&absolute(t, from, shell.now)));
    draw(shell, None, Draft::refused(typed, errors))
}

fn draw(shell: &Shell, terminal: Option<AskingTerminal>, draft: Draft) -> Response {
    let (t, now) = (shell.text, shell.now);
    page(shell, t.device()).of(&draft).show(move || {
        let body = match terminal {
            Some(terminal) => decision(t, now, terminal, draft),
            None => view! {
                <Form draft=draft submit=t.device_look() action=HOME>
                    <TextField name=CODE label=t.device_code() hint=t.device_code_hint() required=true maxlength=LONGEST mono=true/>
                </Form>
            }
            .into_any(),
        };
        view! {
            <PageHeader title=t.device() lead=t.device_lead()/>
            {body}
        }
    })
}

fn decision(t: Text, now: DateTime<Utc>, terminal: AskingTerminal, draft: Draft) -> AnyView {
    let AskingTerminal { code, address, agent, asked_at, expires_at, not_before } = terminal;
    let unknown = || t.device_unknown().to_owned();
    let address = address.map_or_else(unknown, |it| it.to_string());
    let agent = agent.unwrap_or_else(unknown);
    let facts = vec![
        fact(t.device_code(), view! { <code translate="no">{code.clone()}</code> }),
        fact(t.account_address(), view! { <span translate="no">{address}</span> }),
        fact(t.device_agent(), view! { <span translate="no">{agent}</span> }),
        fact(t.device_asked(), view! { <Time at=asked_at/> }),
        fact(t.device_until(), view! { <Time at=expires_at/> }),
    ];
    let consequences = vec![
        t.device_acts(TERMINAL_LASTS.num_hours()),
        t.device_passkey().to_owned(),
        t.device_yours().to_owned(),
    ];
    let (title, other) = (t.device_title(&code), code.clone());
    let let_in = match not_before {
        Some(from) => {
            let told = t.device_not_yet(&absolute(t, from, now));
            view! { <Banner tone=Tone::Warn title=told/> }.into_any()
        }
        None => view! {
            <Form draft=draft submit=t.device_approve()>
                <Hidden name=CODE value=code/>
                <Hidden name=DECISION value="approve"/>
            </Form>
        }
        .into_any(),
    };
    view! {
        <Facts facts=facts/>
        <Confirm title=title consequences=consequences>
            {let_in}
            <Form submit=t.device_refuse() id="refuse" danger=true>
                <Hidden name=CODE value=other/>
                <Hidden name=DECISION value="refuse"/>
            </Form>
        </Confirm>
    }
    .into_any()
}
