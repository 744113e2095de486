//! `GET /permissions?resource=…&action=…&q=…&kind=…&role=…&after=…`: who can do something to a thing, and by what.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Op, Refused, Resource,
    permissions::{Entitled, Sought, WhoCan, WrittenPolicies},
    roles::Holder,
};
use keywarden_model::Role;
use leptos::prelude::*;

use super::{SIMULATOR, WHO_CAN, actions, explained, picture, usual, way};
use crate::{
    cells,
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Banner, Column, EmptyState, FilterBar, FilterChip, FilterInput, FilterSelect, LinkButton, PageHeader,
        Pager, Panel, Row, Table, choice, row,
    },
};

const PAGE: u32 = 50;

pub(super) async fn show(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    let t = shell.text;
    match load(&house, &shell, &op, &params).await {
        Ok(found) => page(&shell, t.permissions()).show(move || view(t, &params, found)),
        Err(refused) => render::refused(&shell, refused),
    }
}

/// Everybody who can, before anything is left out.
pub(super) async fn load(house: &House, shell: &Shell, op: &Op, params: &Params) -> Result<WhoCan, Refused> {
    let thing = match params.some("resource") {
        Some(thing) => thing,
        None => first(house, shell, op).await?,
    };
    let action = match params.some("action") {
        Some(name) => Action::named(&name).ok_or(Refused::NotFound)?,
        None => usual(&house.domain.explained_thing(op, &thing).await?.resource),
    };
    house.domain.who_can(op, action, &thing).await
}

/// Where somebody begins who names no thing: the organization, or the first project that they may look into.
async fn first(house: &House, shell: &Shell, op: &Op) -> Result<String, Refused> {
    if !house.domain.may_explain(op, &Resource::Organization).await? {
        for project in &shell.projects {
            let project = Resource::Project(house.domain.project(op, &project.slug).await?.id);
            if house.domain.may_explain(op, &project).await? {
                return Ok(project.name().1);
            }
        }
    }
    Ok(Resource::Organization.name().1)
}

pub(super) fn sought(params: &Params) -> Sought {
    let workloads = match params.text("kind") {
        "person" => Some(false),
        "workload" => Some(true),
        _ => None,
    };
    Sought { name: params.some("q"), workloads, role: params.read("role") }
}

fn view(t: Text, params: &Params, found: WhoCan) -> AnyView {
    let all = found.entitled.len();
    let found = found.only(&sought(params));
    let (shown, next) = found.page(params.some("after").and_then(|it| Holder::parse(&it)), PAGE);
    let (action, thing) = (found.action.name(), found.thing.id());
    let rows = shown.iter().map(|it| line(t, it, action, &thing, &found.written)).collect();
    let columns = vec![
        Column::text(t.permissions_principal()),
        Column::text(t.permissions_kind()),
        Column::text(t.permissions_paths()),
        Column::text(t.permissions_simulate()),
    ];
    let pager = Pager {
        shown: t.permissions_count(found.entitled.len() as u64),
        first: params.any(&["after"]).then(|| params.first(WHO_CAN)),
        next: next.map(|holder| params.after(WHO_CAN, &holder.to_string())),
    };
    let chips = ["q", "kind", "role"].into_iter().filter_map(|name| {
        let label = params.some(name)?;
        Some(FilterChip { label, remove: params.without(WHO_CAN, name) })
    });
    let empty = if all == 0 {
        let simulator = format!("{SIMULATOR}?action={action}&resource={thing}");
        view! {
            <EmptyState title=t.permissions_none() action=(t.permissions_simulate(), simulator)>{t.permissions_none_why()}</EmptyState>
        }
        .into_any()
    } else {
        let again = format!("{WHO_CAN}?action={action}&resource={thing}");
        view! {
            <EmptyState title=t.permissions_none_match() action=(t.ui_filter_clear(), again)>{t.permissions_none_match_why()}</EmptyState>
        }
        .into_any()
    };
    let title = t.permissions_who_can_do(action);
    let buttons = view! {
        <LinkButton label=t.permissions_decisions() href="/decisions"/>
        <LinkButton label=t.permissions_simulate() href=format!("{SIMULATOR}?action={action}&resource={thing}")/>
        <LinkButton label=t.permissions_export() href=params.first("/permissions.csv")/>
    };
    let drawn = (!found.entitled.is_empty()).then(|| picture::draw(t, &found));
    let picture =
        drawn.map(|drawn| view! { <Panel id="picture" title=t.permissions_picture()>{drawn}</Panel> });
    let moody = found.moody.then(|| {
        view! { <Banner title=t.permissions_moody()>{t.permissions_moody_why()}</Banner> }
    });
    let roles = Role::ALL.into_iter().map(|role| choice(role.as_str(), t.role(role))).collect::<Vec<_>>();
    let (choices, what) = (actions(Some(&found.thing.resource)), explained::thing(t, &found.thing));
    let (kind, by) = (params.text("kind").to_owned(), params.text("role").to_owned());
    view! {
        <PageHeader title=title crumbs=way(t) lead=t.permissions_lead() actions=buttons.into_any()/>
        <p class="permissions-thing">{t.permissions_thing()}": "{what}</p>
        {moody}
        <FilterBar action=WHO_CAN search=params.text("q").to_owned() search_label=t.permissions_search() chips=chips.collect()>
            <FilterInput name="resource" label=t.permissions_thing() value=thing.clone()/>
            <FilterSelect name="action" label=t.permissions_action() chosen=action choices=choices/>
            <FilterSelect name="kind" label=t.permissions_kind() chosen=kind choices=vec![
                choice("person", t.permissions_people()),
                choice("workload", t.permissions_workloads()),
            ]/>
            <FilterSelect name="role" label=t.permissions_role() chosen=by choices=roles/>
        </FilterBar>
        <Table caption=t.permissions_who_can_do(action) columns=columns rows=rows pager=pager empty=empty/>
        {picture}
    }
    .into_any()
}

fn line(t: Text, it: &Entitled, action: &str, thing: &str, written: &WrittenPolicies) -> Row {
    let home = match it.holder {
        Holder::Workload(id) => format!("/workloads/{id}"),
        holder => format!("/people/{holder}"),
    };
    let paths = it.paths.iter().map(|path| view! { <li>{explained::path(t, path, written)}</li> });
    let paths = paths.collect_view();
    let simulate = format!("{SIMULATOR}?principal={}&action={action}&resource={thing}", it.holder);
    let cells = cells![
        t.roles_kind(it.holder.kind()),
        view! { <ul class="paths">{paths}</ul> },
        view! { <a href=simulate aria-label=t.permissions_simulate_for(&it.name)>{t.permissions_simulate()}</a> },
    ];
    row(home, it.name.clone(), cells)
}
