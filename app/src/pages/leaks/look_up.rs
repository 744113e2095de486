use axum::{extract::State, response::Response};
use keywarden_domain::{
    SecretString,
    keys::{Key, KeyValue, Leak, LookUpError, WhatMay},
    secrets::{CheckError, Held},
    workloads::{LeakedToken, TokenState},
};
use keywarden_model::KeyState;
use leptos::prelude::*;

use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    pages::{keys::shown, secrets::reuse},
    render::page,
    shell::{Section, Shell},
    text::Text,
    ui::{
        Actions, Banner, ButtonKind, Facts, Form, KeyStateBadge, LinkButton, PageHeader, Panel, TextField,
        TextKind, Time, Tone, fact,
    },
};

/// A line of a log may hold it.
const LONGEST: u32 = 4_000;

pub(super) async fn ask(asking: Asking) -> Response {
    draw(&asking.at(Section::Leaks).shell, None, Draft::default())
}

pub(super) async fn look_up(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, mut op } = asking.at(Section::Leaks).once(&posted);
    let mut errors = Errors::new();
    let text = errors.required(shell.text, &posted.fields, "value", LONGEST as usize);
    if errors.any() {
        return draw(&shell, None, Draft::refused(posted.fields, errors));
    }
    let found = match house.domain.look_up_leak(&op, text).await {
        Ok(Leak::Unknown) => {
            // A form without a key is looked up as often as it comes.
            op.once = op.once.and_then(|_| posted.once_for("fingerprint"));
            let value = SecretString::new(text.to_owned());
            match house.domain.check_fingerprint(&op, &value).await {
                Err(CheckError::Refused(refused)) => Err(refused),
                checked => Ok(Answer::Compared(checked)),
            }
        }
        Err(LookUpError::TooMany) => {
            errors.at("value", shell.text.leaks_many());
            return draw(&shell, None, Draft::refused(posted.fields, errors));
        }
        Err(LookUpError::Refused(refused)) => Err(refused),
        Ok(found) => Ok(Answer::Key(found)),
    };
    match found {
        Ok(answer) => draw(&shell, Some(answer), Draft::default()),
        Err(refused) => house.refused(&shell, &op, &posted, refused).await,
    }
}

/// What was learned.
enum Answer {
    /// It is no key's: compared with what secrets hold.
    Compared(Result<Vec<Held>, CheckError>),
    Key(Leak),
}

fn draw(shell: &Shell, answer: Option<Answer>, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.leaks()).of(&draft).show(move || {
        let answer = answer.map(|answer| match answer {
            Answer::Key(Leak::Found { key, state, value, may, more }) => {
                found(t, &key, state, &value, may, more)
            }
            Answer::Key(Leak::Token(leaked)) => found_token(t, &leaked),
            Answer::Compared(Ok(held)) if !held.is_empty() => holding(t, held),
            Answer::Compared(Err(CheckError::Guessable)) => unknown(t, t.leaks_guessable()),
            Answer::Compared(Err(CheckError::TooMany)) => unknown(t, t.leaks_too_many()),
            Answer::Compared(_) | Answer::Key(Leak::Unknown) => unknown(t, ""),
        });
        view! {
            <PageHeader title=t.leaks() lead=t.leaks_lead()/>
            {answer}
            <Form draft=draft submit=t.leaks_look_up()>
                <TextField name="value" label=t.leaks_value() kind=TextKind::Secret required=true maxlength=LONGEST hint=t.leaks_value_hint()/>
            </Form>
        }
    })
}

fn unknown(t: Text, more: &'static str) -> AnyView {
    view! { <Banner tone=Tone::Info title=t.leaks_unknown()>{t.leaks_unknown_why()} " " {more}</Banner> }
        .into_any()
}

/// The secrets that hold the value, or held it.
fn holding(t: Text, held: Vec<Held>) -> AnyView {
    let is_current = held.iter().any(Held::is_current);
    let (tone, title, why) = if is_current {
        (Tone::Bad, t.leaks_in_use(), t.leaks_in_use_why())
    } else {
        (Tone::Warn, t.leaks_was_in_use(), t.leaks_was_in_use_why())
    };
    let found = reuse::table(t, t.leaks_holding(), held);
    view! {
        <Banner tone=tone title=title>{why}</Banner>
        <Panel id="found" title=t.leaks_holding()>{found}</Panel>
    }
    .into_any()
}

/// Why it matters, and that it is not all where there is more.
fn told(t: Text, why: &str, more: bool) -> String {
    if more { format!("{why} {}", t.leaks_more()) } else { why.to_owned() }
}

fn found(t: Text, key: &Key, state: KeyState, value: &KeyValue, may: WhatMay, more: bool) -> AnyView {
    let path = format!("/keys/{}", key.id);
    let facts = vec![
        fact(t.keys_name(), view! { <a href=path.clone() translate="no">{key.name.to_string()}</a> }),
        fact(t.keys_value(), view! { <code translate="no">{shown(t, value)}</code> }),
        fact(t.keys_state(), view! { <KeyStateBadge state=state/> }),
        fact(
            t.keys_place(),
            view! { <span translate="no">{format!("{} / {}", key.project_slug, key.environment_slug)}</span> },
        ),
        fact(t.keys_owner(), view! { <span translate="no">{key.owner_name.clone()}</span> }),
        fact(t.keys_last_used(), view! { <Time at=key.last_used_at/> }),
    ];
    // A value that works in wrong hands is the urgent case; one that does not work needs nobody.
    let works = value.is_living();
    let (tone, title, why) = if works && value.superseded_at.is_some() {
        (Tone::Bad, t.leaks_works(), t.leaks_old_works_why())
    } else if works {
        (Tone::Bad, t.leaks_works(), t.leaks_works_why())
    } else {
        (Tone::Info, t.leaks_stopped(), t.leaks_stopped_why())
    };
    let stop = may.stop_old.then(|| format!("{path}/values/{}/stop?why=key-compromise", value.id));
    view! {
        <Banner tone=tone title=title>{told(t, why, more)}</Banner>
        <Panel id="found" title=t.leaks_found()>
            <Facts facts=facts/>
            <Actions>
                {stop.map(|href| view! { <LinkButton kind=ButtonKind::Danger label=t.drain_stop() href=href/> })}
                {(may.revoke && !may.stop_old).then(|| view! { <LinkButton kind=ButtonKind::Danger label=t.keys_revoke() href=format!("{path}/revoke?reason=key-compromise")/> })}
                {may.rotate.then(|| view! { <LinkButton label=t.keys_rotate() href=format!("{path}/rotate")/> })}
                <LinkButton label=t.leaks_look_at() href=path/>
            </Actions>
        </Panel>
    }
    .into_any()
}

fn found_token(t: Text, leaked: &LeakedToken) -> AnyView {
    let LeakedToken { token, workload, listed, may_revoke, more } = leaked;
    let state = match token.state {
        TokenState::Active => t.tokens_active(),
        TokenState::Expired => t.tokens_expired(),
        TokenState::Revoked => t.tokens_revoked(),
    };
    let path = workload.as_ref().map(|it| format!("/workloads/{}", it.id));
    let name = workload.as_ref().map_or_else(|| t.audit_operator().to_owned(), |it| it.name.clone());
    let facts = vec![
        fact(t.workloads_one(), view! { <span translate="no">{name}</span> }),
        fact(
            t.tokens_value(),
            view! { <code translate="no">{format!("kws_…_{}_…", token.public_id)}</code> },
        ),
        fact(t.keys_state(), state),
        fact(t.tokens_expires(), view! { <Time at=token.expires_at/> }),
        fact(t.keys_last_used(), view! { <Time at=token.last_used_at/> }),
    ];
    let (tone, title, why) = match token.state {
        TokenState::Active if *listed => (Tone::Bad, t.leaks_works(), t.leaks_token_works_why()),
        TokenState::Active => (Tone::Bad, t.leaks_works(), t.leaks_token_short_why()),
        TokenState::Expired | TokenState::Revoked => (Tone::Info, t.leaks_stopped(), t.leaks_stopped_why()),
    };
    let why = told(t, why, *more);
    let revoke =
        path.as_ref().filter(|_| *may_revoke && *listed).map(|path| format!("{path}/tokens/{}", token.id));
    view! {
        <Banner tone=tone title=title>{why}</Banner>
        <Panel id="found" title=t.leaks_found()>
            <Facts facts=facts/>
            <Actions>
                {revoke.map(|href| view! { <LinkButton kind=ButtonKind::Danger label=t.tokens_revoke() href=href/> })}
                {path.map(|href| view! { <LinkButton label=t.leaks_look_at_workload() href=href/> })}
            </Actions>
        </Panel>
    }
    .into_any()
}
