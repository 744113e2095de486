use axum::{extract::State, response::Response};
use keywarden_domain::{Action, Resource, workloads::WorkloadQuery};
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

const PATH: &str = "/workloads";

pub(super) async fn list(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads);
    let loaded = async {
        let project = match params.text("project") {
            "" => None,
            slug => Some(house.domain.project(&op, slug).await?.id),
        };
        let query = WorkloadQuery {
            project,
            deactivated: params.text("state") == "deactivated",
            search: params.some("q"),
            token_ends_within_days: params.read("token_ends_within_days"),
            after: params.read("after"),
            limit: 50,
        };
        let home = project.map_or(Resource::Organization, Resource::Project);
        let may_create = house.domain.would(&op, Action::CreateWorkload, &home).await?;
        Ok((house.domain.workloads(&op, &query).await?, may_create))
    };
    let (found, may_create) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    let projects: Vec<_> = shell
        .projects
        .iter()
        .map(|project| choice(project.slug.clone(), project.name.clone()).named())
        .collect();
    // Managers make workloads in their project; which one they choose on the form.
    let may_create = may_create || !projects.is_empty();
    page(&shell, t.workloads()).show(move || {
        let names = ["q", "state", "project", "token_ends_within_days"];
        let filtered = params.any(&names);
        let rows: Vec<_> = found
            .workloads
            .into_iter()
            .map(|it| {
                let state = if it.is_active() {
                    t.workloads_active().into_any()
                } else {
                    view! { <Badge label=t.workloads_deactivated()/> }.into_any()
                };
                let project = match &it.project_slug {
                    Some(slug) => view! { <span translate="no">{slug.clone()}</span> }.into_any(),
                    None => t.workloads_organization().into_any(),
                };
                let cells = cells![
                    project,
                    view! { <Time at=it.last_used_at/> },
                    view! { <Time at=it.tokens_until otherwise=t.workloads_no_token()/> },
                    state,
                ];
                row(format!("{PATH}/{}", it.id), it.name, cells)
            })
            .collect();
        let columns = vec![
            Column::text(t.workloads_name()),
            Column::text(t.workloads_project()),
            Column::text(t.workloads_last_used()),
            Column::text(t.workloads_token_until()),
            Column::text(t.workloads_state()),
        ];
        let said = |name: &str| match name {
            "project" => format!("{}: {}", t.workloads_project(), params.text(name)),
            "state" => format!("{}: {}", t.workloads_state(), t.workloads_deactivated()),
            "token_ends_within_days" => t.workloads_ends_within(params.text(name)),
            _ => format!("{}: {}", t.keys_search_chip(), params.text(name)),
        };
        let chips = names
            .into_iter()
            .filter(|name| !params.text(name).is_empty())
            .map(|name| FilterChip { label: said(name), remove: params.without(PATH, name) })
            .collect::<Vec<_>>();
        // Where there is nothing yet, the page says how to begin, once.
        let begun = filtered || !rows.is_empty();
        let empty = if filtered {
            view! { <EmptyState title=t.workloads_none_match() action=(t.list_clear(), PATH)>{t.workloads_none_match_why()}</EmptyState> }.into_any()
        } else if may_create {
            view! { <EmptyState title=t.workloads_first() action=(t.workloads_create(), "/workloads/new")>{t.workloads_first_why()}</EmptyState> }.into_any()
        } else {
            view! { <EmptyState title=t.workloads_none_yours()>{t.workloads_none_yours_why()}</EmptyState> }.into_any()
        };
        let pager = Pager {
            shown: String::new(),
            first: params.any(&["after"]).then(|| params.first(PATH)),
            next: found.next.map(|place| params.after(PATH, &place.to_string())),
        };
        let actions = (may_create && begun).then(|| view! { <LinkButton kind=ButtonKind::Primary label=t.workloads_create() href="/workloads/new"/> });
        view! {
            <PageHeader title=t.workloads() lead=t.workloads_lead() actions=actions.into_any()/>
            {begun.then(|| view! {
                <FilterBar action=PATH search=params.text("q").to_owned() search_label=t.workloads_search() chips=chips>
                    <FilterSelect name="project" label=t.workloads_project() chosen=params.text("project").to_owned() choices=projects/>
                    <FilterSelect name="state" label=t.workloads_state() chosen=params.text("state").to_owned() choices=vec![choice("deactivated", t.workloads_deactivated())]/>
                </FilterBar>
            })}
            <Table caption=t.workloads() columns=columns rows=rows pager=pager empty=empty/>
        }
    })
}
