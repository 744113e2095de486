use axum::{extract::State, response::Response};
use keywarden_domain::{Action, Resource, projects::ProjectQuery};
use leptos::prelude::*;

use crate::{
    cells,
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::Section,
    ui::{
        Badge, ButtonKind, Column, EmptyState, FilterBar, FilterChip, FilterSelect, LinkButton, PageHeader,
        Pager, Table, Time, choice, row,
    },
};

const PATH: &str = "/projects";

pub(super) async fn list(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects);
    let query = ProjectQuery {
        archived: params.text("state") == "archived",
        search: params.some("q"),
        after: params.some("after"),
        limit: 50,
    };
    let found = house.domain.projects(&op, &query).await;
    let may_create = house.domain.would(&op, Action::CreateProject, &Resource::Organization).await;
    let (found, may_create) = match (found, may_create) {
        (Ok(found), Ok(may_create)) => (found, may_create),
        (Err(refused), _) | (_, Err(refused)) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    page(&shell, t.projects()).show(move || {
        let filtered = params.any(&["q", "state"]);
        let rows: Vec<_> = found
            .projects
            .into_iter()
            .map(|listed| {
                let keys = listed.keys.map(|count| {
                    let more = if count.more { "+" } else { "" };
                    format!("{}{more}", t.number(count.counted))
                });
                let project = listed.project;
                let state = match project.archived_at {
                    None => t.workloads_active().into_any(),
                    Some(_) => view! { <Badge label=t.projects_archived()/> }.into_any(),
                };
                let cells = cells![
                    view! { <code translate="no">{project.slug.clone()}</code> },
                    keys.unwrap_or_else(|| "—".into()),
                    state,
                    view! { <Time at=project.created_at/> },
                ];
                row(format!("/projects/{}", project.slug), project.name, cells)
            })
            .collect();
        let columns = vec![
            Column::text(t.projects_name()),
            Column::text(t.projects_slug()),
            Column::number(t.keys()),
            Column::text(t.projects_state()),
            Column::minor(t.projects_created()),
        ];
        let mut chips = Vec::new();
        if let Some(text) = params.some("q") {
            chips.push(FilterChip { label: format!("{}: {text}", t.keys_search_chip()), remove: params.without(PATH, "q") });
        }
        if params.any(&["state"]) {
            let label = format!("{}: {}", t.projects_state(), t.projects_archived());
            chips.push(FilterChip { label, remove: params.without(PATH, "state") });
        }
        // Where there is nothing yet, the page says how to begin, once.
        let begun = filtered || !rows.is_empty();
        let empty = if filtered {
            view! { <EmptyState title=t.projects_none_match() action=(t.list_clear(), PATH)>{t.projects_none_match_why()}</EmptyState> }.into_any()
        } else if may_create {
            view! {
                <EmptyState title=t.projects_first() action=(t.projects_create(), "/projects/new") cli="curl -X POST $KEYWARDEN/api/v1/projects -H \"Authorization: Bearer $KEYWARDEN_TOKEN\" -H 'Content-Type: application/json' -d '{\"slug\":\"pay\",\"name\":\"Payments\"}'">
                    {t.projects_first_why()}
                </EmptyState>
            }
            .into_any()
        } else {
            view! { <EmptyState title=t.projects_none_yours()>{t.projects_none_yours_why()}</EmptyState> }.into_any()
        };
        let pager = Pager {
            shown: String::new(),
            first: params.any(&["after"]).then(|| params.first(PATH)),
            next: found.next.map(|place| params.after(PATH, &place)),
        };
        let actions = (may_create && begun)
            .then(|| view! { <LinkButton kind=ButtonKind::Primary label=t.projects_create() href="/projects/new"/> }.into_any());
        view! {
            <PageHeader title=t.projects() lead=t.projects_lead() actions=actions.into_any()/>
            {begun.then(|| view! {
                <FilterBar action=PATH search=params.text("q").to_owned() search_label=t.projects_search() chips=chips>
                    <FilterSelect name="state" label=t.projects_state() chosen=params.text("state").to_owned() choices=vec![choice("archived", t.projects_archived())]/>
                </FilterBar>
            })}
            <Table caption=t.projects() columns=columns rows=rows pager=pager empty=empty/>
        }
    })
}
