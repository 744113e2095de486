//! `GET /permissions/simulator?principal=…&action=…&resource=…`: what would be if. All of it is in the address.

use axum::{extract::State, response::Response};
use keywarden_domain::{Action, Op, Refused, Resource, permissions::Simulated, roles::Holder};
use leptos::prelude::*;

use super::{
    SIMULATOR, actions,
    asked::{self, Asked},
    choosers::{self, Choosers},
    explained, way,
};
use crate::{
    context::{Asking, House},
    form::Params,
    pages::policies::SAVE_TEST as SAVE,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Banner, Choice, EmptyState, Facts, FilterInput, FilterSelect, LinkButton, PageHeader, Panel,
        TextKind, Tone, choice, fact,
    },
};

/// What came of the question.
enum Came {
    Answered(Box<Simulated>, Option<String>),
    /// Not all of it is there yet.
    Unasked,
    /// Something that is named is not there.
    Unknown,
    /// This part of the moment makes no sense.
    Unreadable(&'static str),
}

pub(super) async fn show(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    let t = shell.text;
    let loaded = async {
        let came = load(&house, t, &op, &params).await?;
        Ok((came, Choosers::load(&house.domain, &op).await?))
    };
    match loaded.await {
        Ok((came, choosers)) => {
            page(&shell, t.permissions_simulator()).show(move || view(t, &params, came, &choosers))
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

async fn load(house: &House, t: Text, op: &Op, params: &Params) -> Result<Came, Refused> {
    let came = match Asked::read(t, params) {
        Asked::Whole(case, under) => match house.domain.simulate(op, &case, under).await {
            Ok(simulated) => {
                // What people draft can be saved as a test, where they draft policies.
                let home = match simulated.thing.resource.project() {
                    Some(project) => Resource::Project(project),
                    None => Resource::Organization,
                };
                let may = house.domain.would(op, Action::DraftPolicy, &home).await?;
                let save = may.then(|| params.carried(SAVE, &["under"]));
                return Ok(Came::Answered(Box::new(simulated), save));
            }
            // Whoever may look is told on the form that there is nothing of that kind.
            Err(Refused::NotFound) => return Ok(Came::Unknown),
            Err(refused) => return Err(refused),
        },
        Asked::Unasked => Came::Unasked,
        Asked::Unknown => Came::Unknown,
        Asked::Unreadable(what) => Came::Unreadable(what),
    };
    house.domain.explains_anything(op).await?;
    Ok(came)
}

fn view(t: Text, params: &Params, came: Came, choosers: &Choosers) -> AnyView {
    let answer = match came {
        Came::Unasked => ().into_any(),
        Came::Unknown => view! {
            <EmptyState title=t.permissions_unknown()>{t.permissions_unknown_why()}</EmptyState>
        }
        .into_any(),
        Came::Unreadable(what) => view! {
            <EmptyState title=t.permissions_unreadable(what)>{t.permissions_unreadable_why()}</EmptyState>
        }
        .into_any(),
        Came::Answered(it, save) => answered(t, *it, save),
    };
    view! {
        <PageHeader title=t.permissions_simulator() crumbs=way(t) lead=t.permissions_simulator_lead()/>
        {question(t, params, choosers)}
        {answer}
    }
    .into_any()
}

fn question(t: Text, params: &Params, choosers: &Choosers) -> AnyView {
    let (principal, thing) = (asked::principal(params), asked::thing(params));
    let (principals, things) = (choosers.principals(t, &principal), choosers.things(t, &thing));
    let under = params.text("under").to_owned();
    let drafts = choosers.drafts(t, &under);
    let age = params.text("passkey_age").to_owned();
    let ages = choosers::with(ages(t), &age);
    let text = |name: &str| params.text(name).to_owned();
    let recovery = vec![choice("recovery", t.permissions_session_recovering())];
    let given = vec![choice("given", t.permissions_reason_given())];
    view! {
        <div class="filter" role="search">
            <form method="get" action=SIMULATOR class="filter-form">
                <FilterSelect name="principal" label=t.permissions_principal() chosen=principal any=t.policies_choose() choices=principals/>
                <FilterInput name="principal_id" label=t.permissions_principal_hint()/>
                <FilterSelect name="action" label=t.permissions_action() chosen=text("action") any=t.policies_choose() choices=actions(None)/>
                <FilterSelect name="resource" label=t.permissions_thing() chosen=thing any=t.policies_choose() choices=things/>
                <FilterInput name="resource_id" label=t.permissions_thing_id()/>
                <FilterInput name="at" label=t.permissions_at() kind=TextKind::DateTime value=text("at")/>
                <FilterInput name="address" label=t.permissions_address() value=text("address")/>
                <FilterSelect name="passkey_age" label=t.permissions_passkey() chosen=age any=t.permissions_passkey_now() choices=ages/>
                <FilterSelect name="method" label=t.permissions_session() chosen=text("method") any=t.permissions_session_usual() choices=recovery/>
                <FilterSelect name="reason" label=t.permissions_reason() chosen=text("reason") any=t.permissions_reason_none() choices=given/>
                <FilterSelect name="under" label=t.permissions_under() chosen=under any=t.permissions_under_in_force() choices=drafts/>
                <button type="submit" class="button">{t.permissions_ask()}</button>
            </form>
        </div>
    }
    .into_any()
}

/// How long ago a passkey may have been shown.
fn ages(t: Text) -> Vec<Choice> {
    vec![
        choice("60", t.permissions_passkey_minute()),
        choice("600", t.permissions_passkey_minutes()),
        choice("3600", t.permissions_passkey_hour()),
        choice("never", t.permissions_passkey_never()),
    ]
}

fn answered(t: Text, it: Simulated, save: Option<String>) -> AnyView {
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
        explained::policies(t, &it.policies, &it.written)
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
    let considered = explained::considered(t, it.considered, &it.written);
    view! {
        <Banner tone=tone title=words/>
        {save.map(|there| view! { <LinkButton label=t.policies_test_save() href=there/> })}
        <Facts facts=facts/>
        <Panel id="considered" title=t.permissions_considered()>{considered}</Panel>
    }
    .into_any()
}
