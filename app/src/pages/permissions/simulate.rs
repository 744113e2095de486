//! `GET /permissions/simulator?principal=…&action=…&resource=…`: what would be if. All of it is in the address.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Op, Refused,
    permissions::{Circumstances, PasskeyAge, Simulated},
    roles::Holder,
};
use leptos::prelude::*;

use super::{SIMULATOR, actions, explained, way};
use crate::{
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{Banner, EmptyState, Facts, FilterInput, FilterSelect, PageHeader, Panel, Tone, choice, fact},
};

/// What came of the question.
enum Came {
    Answered(Box<Simulated>),
    /// Not all of it is there yet.
    Unasked,
    /// Something that is named is not there.
    Unknown,
}

pub(super) async fn show(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    let t = shell.text;
    match load(&house, &op, &params).await {
        Ok(came) => page(&shell, t.permissions_simulator()).show(move || view(t, &params, came)),
        Err(refused) => render::refused(&shell, refused),
    }
}

async fn load(house: &House, op: &Op, params: &Params) -> Result<Came, Refused> {
    let (Some(principal), Some(action), Some(thing)) =
        (params.some("principal"), params.some("action"), params.some("resource"))
    else {
        house.domain.explains_anything(op).await?;
        return Ok(Came::Unasked);
    };
    let (Some(holder), Some(action)) = (Holder::parse(&principal), Action::named(&action)) else {
        house.domain.explains_anything(op).await?;
        return Ok(Came::Unknown);
    };
    let passkey = if params.text("passkey") == "old" { PasskeyAge::Old } else { PasskeyAge::Fresh };
    let circumstances = Circumstances { recovering: params.text("session") == "recovering", passkey };
    match house.domain.simulate(op, holder, action, &thing, circumstances).await {
        Ok(simulated) => Ok(Came::Answered(Box::new(simulated))),
        // Whoever may look is told on the form that there is nothing of that kind.
        Err(Refused::NotFound) => Ok(Came::Unknown),
        Err(refused) => Err(refused),
    }
}

fn view(t: Text, params: &Params, came: Came) -> AnyView {
    let answer = match came {
        Came::Unasked => ().into_any(),
        Came::Unknown => view! {
            <EmptyState title=t.permissions_unknown()>{t.permissions_unknown_why()}</EmptyState>
        }
        .into_any(),
        Came::Answered(it) => answered(t, *it),
    };
    let text = |name: &str| params.text(name).to_owned();
    view! {
        <PageHeader title=t.permissions_simulator() crumbs=way(t) lead=t.permissions_simulator_lead()/>
        <div class="filter" role="search">
            <form method="get" action=SIMULATOR class="filter-form">
                <FilterInput name="principal" label=t.permissions_principal_hint() value=text("principal")/>
                <FilterSelect name="action" label=t.permissions_action() chosen=text("action") choices=actions(None)/>
                <FilterInput name="resource" label=t.permissions_thing_hint() value=text("resource")/>
                <FilterSelect name="passkey" label=t.permissions_passkey() chosen=text("passkey") any=t.permissions_passkey_fresh() choices=vec![
                    choice("old", t.permissions_passkey_old()),
                ]/>
                <FilterSelect name="session" label=t.permissions_session() chosen=text("session") any=t.permissions_session_usual() choices=vec![
                    choice("recovering", t.permissions_session_recovering()),
                ]/>
                <button type="submit" class="button">{t.permissions_ask()}</button>
            </form>
        </div>
        {answer}
    }
    .into_any()
}

fn answered(t: Text, it: Simulated) -> AnyView {
    let (tone, words) = match (it.allowed, it.needs_passkey) {
        (true, false) => (Tone::Good, t.permissions_yes()),
        (true, true) => (Tone::Warn, t.permissions_yes_passkey()),
        (false, _) => (Tone::Bad, t.permissions_no()),
    };
    let home = match it.holder {
        Holder::Workload(id) => format!("/workloads/{id}"),
        holder => format!("/people/{holder}"),
    };
    let decided = if it.policies.is_empty() {
        t.permissions_decided_by_none().to_owned()
    } else {
        explained::policies(t, &it.policies)
    };
    let mut facts = vec![
        fact(t.permissions_principal(), view! { <a href=home translate="no">{it.name.clone()}</a> }),
        fact(t.permissions_action(), view! { <code translate="no">{it.action.name()}</code> }),
        fact(t.permissions_thing(), explained::thing(t, &it.thing)),
        fact(t.permissions_decided_by(), decided),
    ];
    if !it.allowed {
        facts.push(fact(t.permissions_enough(), explained::enough(t, it.enough.as_ref(), it.active)));
    }
    view! {
        <Banner tone=tone title=words/>
        <Facts facts=facts/>
        <Panel id="considered" title=t.permissions_considered()>{explained::considered(t, it.considered)}</Panel>
    }
    .into_any()
}
