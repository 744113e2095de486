use axum::{extract::State, response::Response};
use http::StatusCode;
use keywarden_domain::audit::{Event, Page};
use leptos::prelude::*;

use super::{FILTERS, Unasked, export, query};
use crate::{
    cells,
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Badge, Column, EmptyState, FilterBar, FilterChip, FilterInput, FilterSelect, Id, LinkButton,
        PageHeader, Pager, Table, TextKind, Time, Tone, choice, row,
    },
};

const PATH: &str = "/audit";

/// What people look for most; a prefix that ends in a dot is all of a noun.
const ACTIONS: [&str; 15] = [
    "key.",
    "key.issue",
    "key.rotate",
    "key.revoke",
    "secret.",
    "secret.read",
    "user.",
    "session.",
    "passkey.",
    "role.",
    "project.",
    "workload.",
    "service-token.",
    "trust-rule.",
    "system.",
];

pub(super) async fn list(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Audit);
    let query = match query(&house, &op, &params, 50).await {
        Ok(query) => query,
        Err(unasked) => return refused(&shell, params, unasked),
    };
    match house.domain.events(&op, &query).await {
        Ok(found) => draw(&shell, params, found, None),
        Err(refused) => render::refused(&shell, refused),
    }
}

/// The list, or its export, of a filter that does not serve: 422 with nothing in it for one that nobody can read.
pub(super) fn refused(shell: &Shell, params: Params, unasked: Unasked) -> Response {
    match unasked {
        Unasked::Filter(name) => draw(shell, params, Page { events: Vec::new(), next: None }, Some(name)),
        Unasked::Refused(refused) => render::refused(shell, refused),
    }
}

fn draw(shell: &Shell, params: Params, found: Page, unread: Option<&'static str>) -> Response {
    let t = shell.text;
    let projects =
        shell.projects.iter().map(|it| choice(it.slug.clone(), it.name.clone()).named()).collect::<Vec<_>>();
    let status = if unread.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page(shell, t.audit()).status(status).show(move || {
        let filtered = params.any(&FILTERS) || params.any(&["q"]);
        let rows = found
            .events
            .iter()
            .map(|event| {
                let cells = cells![
                    who(t, event),
                    what(event),
                    outcome(t, &event.outcome),
                    view! { <Time at=event.at/> },
                ];
                row(format!("{PATH}/{}", event.id), event.action.clone(), cells)
            })
            .collect();
        let columns = vec![
            Column::text(t.audit_action()),
            Column::text(t.audit_who()),
            Column::text(t.audit_what()),
            Column::text(t.audit_outcome()),
            Column::text(t.audit_when()),
        ];
        let chips = FILTERS
            .into_iter()
            .chain(["q"])
            .filter(|name| !params.text(name).is_empty())
            .map(|name| FilterChip { label: format!("{}: {}", filter_name(t, name), params.text(name)), remove: params.without(PATH, name) })
            .collect::<Vec<_>>();
        let empty = if let Some(name) = unread {
            let why = match name {
                "after" => t.audit_unreadable_place().to_owned(),
                _ => t.audit_unreadable_why(filter_name(t, name), params.text(name)),
            };
            let again = if name == "after" { params.first(PATH) } else { params.without(PATH, name) };
            view! { <EmptyState title=t.audit_unreadable() action=(t.list_clear(), again)>{why}</EmptyState> }.into_any()
        } else if filtered {
            view! { <EmptyState title=t.audit_none_match() action=(t.list_clear(), PATH)>{t.audit_none_match_why()}</EmptyState> }.into_any()
        } else {
            view! { <EmptyState title=t.audit_none()>{t.audit_none_why()}</EmptyState> }.into_any()
        };
        let most = found.next.map(|_| view! { <p>{t.audit_export_most(&t.number(export::MOST as u64))}</p> });
        let pager = Pager {
            shown: String::new(),
            first: params.any(&["after"]).then(|| params.first(PATH)),
            next: found.next.map(|place| params.after(PATH, &place.to_string())),
        };
        // A link may have led here that names others: whoever narrows further keeps them.
        let asked = params.text("action");
        let other = (!asked.is_empty() && !ACTIONS.contains(&asked)).then_some(asked);
        let actions = ACTIONS.into_iter().chain(other).map(|it| choice(it, it).named()).collect::<Vec<_>>();
        let export = view! { <LinkButton label=t.audit_export() href=params.first("/audit.csv")/> };
        view! {
            <PageHeader title=t.audit() lead=t.audit_lead() actions=export.into_any()/>
            <FilterBar action=PATH search=params.text("q").to_owned() search_label=t.audit_search() chips=chips>
                <FilterSelect name="action" label=t.audit_action() chosen=params.text("action").to_owned() choices=actions/>
                <FilterSelect name="project" label=t.workloads_project() chosen=params.text("project").to_owned() choices=projects/>
                <FilterSelect name="outcome" label=t.audit_outcome() chosen=params.text("outcome").to_owned() choices=vec![
                    choice("allowed", t.audit_allowed()),
                    choice("refused", t.audit_refused()),
                    choice("failed", t.audit_failed()),
                ]/>
                <FilterInput name="actor" label=t.audit_who() value=params.text("actor").to_owned()/>
                <FilterInput name="since" label=t.audit_since() kind=TextKind::DateTime value=params.text("since").to_owned()/>
                <FilterInput name="until" label=t.audit_until() kind=TextKind::DateTime value=params.text("until").to_owned()/>
            </FilterBar>
            <Table caption=t.audit() columns=columns rows=rows pager=pager empty=empty/>
            {most}
        }
    })
}

fn filter_name(t: Text, filter: &str) -> &'static str {
    match filter {
        "action" => t.audit_action(),
        "actor" => t.audit_who(),
        "outcome" => t.audit_outcome(),
        "project" => t.workloads_project(),
        "since" => t.audit_since(),
        "until" => t.audit_until(),
        _ => t.audit_what(),
    }
}

/// Who did it, by name where there is one.
pub(in crate::pages) fn who(t: Text, event: &Event) -> AnyView {
    let (kind, id) = &event.actor;
    let said = match (kind.as_str(), id.as_str()) {
        ("operator", "shell") => t.audit_shell().to_owned(),
        ("operator", _) => t.audit_operator().to_owned(),
        ("link", _) => t.audit_link().to_owned(),
        ("system", job) => t.audit_system(job),
        ("nobody", _) => t.audit_nobody().to_owned(),
        (_, id) => return called(event.names.get(id), id),
    };
    // Whose id it is exactly, the event's own page tells.
    said.into_any()
}

/// What it was about: its kind, and the name that it had then, or has now.
pub(super) fn what(event: &Event) -> AnyView {
    let (kind, id) = &event.resource;
    let then = event.personal.values().find_map(|fields| fields.get("name"));
    let name = called(then.or_else(|| event.names.get(id)), id);
    view! { <span translate="no" class="audit-kind">{kind.clone()}</span> " " {name} }.into_any()
}

fn called(name: Option<&String>, id: &str) -> AnyView {
    match name {
        Some(name) => view! { <span translate="no" title=id.to_owned()>{name.clone()}</span> }.into_any(),
        None => view! { <Id value=id plain=true/> }.into_any(),
    }
}

pub(in crate::pages) fn outcome(t: Text, outcome: &str) -> AnyView {
    match outcome {
        "allowed" => view! { <Badge label=t.audit_allowed() tone=Tone::Good/> }.into_any(),
        "refused" => view! { <Badge label=t.audit_refused() tone=Tone::Warn/> }.into_any(),
        _ => view! { <Badge label=t.audit_failed() tone=Tone::Bad/> }.into_any(),
    }
}
