//! `GET /decisions?id=…` and `GET /decisions/<id>`: why something was refused.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use keywarden_domain::{
    Refused,
    authz::{Circumstances, SignInMethod},
    decisions::{Answer, Explained, Refusal},
};
use leptos::prelude::*;

use super::{DECISIONS, explained, way};
use crate::{
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::{Section, Shell, encoded},
    text::Text,
    ui::{Banner, EmptyState, Facts, FilterInput, PageHeader, Panel, Time, Tone, crumb, fact},
};

/// The form that takes an id; one that was sent leads to its page.
pub(super) async fn find(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    if let Err(refused) = house.domain.explains_anything(&op).await {
        return render::refused(&shell, refused);
    }
    match params.some("id") {
        Some(id) => render::see_other(&format!("{DECISIONS}/{}", encoded(&id))),
        None => form(&shell, StatusCode::OK, false),
    }
}

pub(super) async fn show(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    let t = shell.text;
    match house.domain.decision(&op, &id).await {
        Ok(refusal) => page(&shell, t.permissions_decision()).show(move || view(t, refusal)),
        // Whoever may look for others is told so beside the form; to all others there is nothing here.
        Err(Refused::NotFound) => match house.domain.explains_anything(&op).await {
            Ok(()) => form(&shell, StatusCode::NOT_FOUND, true),
            Err(Refused::Forbidden(_)) => render::not_found(&shell),
            Err(refused) => render::refused(&shell, refused),
        },
        Err(refused) => render::refused(&shell, refused),
    }
}

fn form(shell: &Shell, status: StatusCode, missed: bool) -> Response {
    let t = shell.text;
    page(shell, t.permissions_decisions()).status(status).show(move || {
        let missed = missed.then(|| {
            view! {
                <EmptyState title=t.permissions_decision_gone()>{t.permissions_decision_gone_why()}</EmptyState>
            }
        });
        view! {
            <PageHeader title=t.permissions_decisions() crumbs=way(t) lead=t.permissions_decisions_lead()/>
            <div class="filter" role="search">
                <form method="get" action=DECISIONS class="filter-form">
                    <FilterInput name="id" label=t.permissions_decision_id() most=400/>
                    <button type="submit" class="button">{t.permissions_decision_open()}</button>
                </form>
            </div>
            {missed}
        }
    })
}

fn view(t: Text, refusal: Refusal) -> AnyView {
    let Refusal { who, name, at, question } = refusal;
    let person = match (who.as_str(), name) {
        ("nobody", _) => t.permissions_decision_nobody().into_any(),
        ("shell", _) => t.permissions_decision_shell().into_any(),
        (id, name) => {
            let called = name.unwrap_or_else(|| id.to_owned());
            let home = if id.starts_with("usr_") { Some("people") } else { None };
            let home = home.or_else(|| id.starts_with("wkl_").then_some("workloads"));
            match home {
                Some(list) => {
                    view! { <a href=format!("/{list}/{id}") translate="no">{called}</a> }.into_any()
                }
                None => view! { <span translate="no">{called}</span> }.into_any(),
            }
        }
    };
    let mut facts = vec![
        fact(t.permissions_principal(), person),
        fact(t.permissions_decision_when(), view! { <Time at=at/> }),
    ];
    let body = match question {
        None => view! { <Banner tone=Tone::Info title=t.permissions_decision_nothing()/> }.into_any(),
        Some(question) => asked(t, question, &mut facts, &who),
    };
    let mut crumbs = way(t);
    crumbs.push(crumb(t.permissions_decisions(), DECISIONS));
    view! {
        <PageHeader title=t.permissions_decision() crumbs=crumbs/>
        <Facts facts=facts/>
        {body}
    }
    .into_any()
}

fn asked(t: Text, it: Explained, facts: &mut Vec<crate::ui::Fact>, who: &str) -> AnyView {
    facts.push(fact(t.permissions_action(), view! { <code translate="no">{it.action.name()}</code> }));
    let there = it.thing.is_some();
    let thing = match &it.thing {
        Some(thing) => explained::thing(t, thing),
        None => {
            view! { {t.permissions_decision_no_thing()}" "<code translate="no">{it.thing_id.clone()}</code> }
                .into_any()
        }
    };
    facts.push(fact(t.permissions_thing(), thing));
    facts.push(fact(
        t.permissions_decision_answer(),
        match it.answer {
            Answer::Forbidden => t.permissions_decision_forbidden(),
            Answer::NotFound => t.permissions_decision_not_found(),
            Answer::StepUp => t.permissions_decision_passkey(),
        },
    ));
    around(t, &it.circumstances, facts);
    if !there {
        return ().into_any();
    }
    let now = if it.allowed { t.permissions_yes() } else { t.permissions_no() };
    facts.push(fact(t.permissions_decision_now(), now));
    let principal = who.starts_with("usr_") || who.starts_with("wkl_");
    if !it.allowed && principal {
        facts.push(fact(t.permissions_enough(), explained::enough(t, it.enough.as_ref(), true)));
    }
    let considered = explained::considered(t, it.considered, &it.written);
    let changed =
        it.changed.then(|| view! { <Banner tone=Tone::Info title=t.permissions_decision_changed()/> });
    view! {
        {changed}
        <Panel id="considered" title=t.permissions_considered()>{considered}</Panel>
    }
    .into_any()
}

/// What policies could see of the moment.
fn around(t: Text, it: &Circumstances, facts: &mut Vec<crate::ui::Fact>) {
    if let Some(address) = it.address {
        let address = address.to_string();
        facts.push(fact(t.permissions_address(), view! { <code translate="no">{address}</code> }));
    }
    let person = matches!(it.method, SignInMethod::Passkey | SignInMethod::Recovery);
    let how = match it.method {
        SignInMethod::Passkey => t.permissions_session_usual(),
        SignInMethod::Recovery => t.permissions_session_recovering(),
        SignInMethod::Shell => t.permissions_decision_shell(),
        SignInMethod::Token => t.permissions_session_token(),
    };
    facts.push(fact(t.permissions_session(), how));
    if person {
        let shown = match it.passkey_age {
            None => t.permissions_passkey_never().to_owned(),
            Some(age) => t.permissions_passkey_ago(u64::try_from(age).unwrap_or(0)),
        };
        facts.push(fact(t.permissions_passkey(), shown));
    }
    let reason = if it.reason { t.permissions_reason_given() } else { t.permissions_reason_none() };
    facts.push(fact(t.permissions_reason(), reason));
}
