//! `GET /standards?q=…&project=…&state=…&after=…`.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Resource,
    authz::PolicyScope,
    projects::Project,
    standards::{ListedStandard, StandardQuery},
};
use keywarden_model::PolicyState;
use leptos::prelude::*;

use super::{LIST, path, tone};
use crate::{
    cells,
    context::{Asking, House},
    form::Params,
    pages::listing::href,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Badge, ButtonKind, Column, EmptyState, FilterBar, FilterChip, FilterSelect, LinkButton, PageHeader,
        Pager, Row, Table, Time, choice, row,
    },
};

const PAGE: u32 = 50;
/// Projects whose names are shown.
const PROJECTS: u32 = 200;
/// What a standard can be looked for by: where one of its versions is.
const STATES: [PolicyState; 3] = [PolicyState::Active, PolicyState::Draft, PolicyState::InReview];

pub(super) async fn show(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Policies);
    let loaded = async {
        let scope = match params.text("project") {
            "" => None,
            slug => Some(PolicyScope::Project(house.domain.project(&op, slug).await?.id)),
        };
        let query = StandardQuery {
            scope,
            state: params.read("state"),
            search: params.some("q"),
            after: params.read("after"),
            limit: PAGE,
        };
        let home = match scope {
            Some(PolicyScope::Project(project)) => Resource::Project(project),
            _ => Resource::Organization,
        };
        let may_write = house.domain.would(&op, Action::DraftPolicy, &home).await?;
        let may_see_all = house.domain.would(&op, Action::ViewPolicy, &Resource::Organization).await?;
        let projects = house.domain.projects_in_sight(&op, PROJECTS).await?;
        Ok((house.domain.standards(&op, &query).await?, (may_write, may_see_all), projects))
    };
    let (found, (may_write, may_see_all), names) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let slug = params.text("project").to_owned();
    shell.project = shell.projects.iter().find(|it| it.slug == slug).cloned();
    let t = shell.text;
    let projects: Vec<_> =
        shell.projects.iter().map(|it| choice(it.slug.clone(), it.name.clone()).named()).collect();
    page(&shell, t.standards()).show(move || {
        let filters = ["q", "state", "project"];
        let new = href("/standards/new", &[("project", params.text("project"))]);
        let state = params.read::<PolicyState>("state");
        let said = |name: &str| match name {
            "project" => format!("{}: {}", t.standards_where(), params.text(name)),
            "state" => {
                format!("{}: {}", t.policies_state(), state.map(|it| t.standard_state(it)).unwrap_or_default())
            }
            _ => format!("{}: {}", t.keys_search_chip(), params.text(name)),
        };
        let chips: Vec<_> = filters
            .into_iter()
            .filter(|name| !params.text(name).is_empty())
            .map(|name| FilterChip { label: said(name), remove: params.without(LIST, name) })
            .collect();
        let columns = vec![
            Column::text(t.policies_name()),
            Column::text(t.policies_state()),
            Column::text(t.standards_where()),
            Column::minor(t.policies_when_written()),
        ];
        let rows: Vec<Row> = found.standards.into_iter().map(|it| line(t, it, &names)).collect();
        let begun = params.any(&filters) || !rows.is_empty();
        let empty = if params.any(&filters) {
            view! { <EmptyState title=t.standards_none_found() action=(t.list_clear(), LIST)>{t.standards_none_found_why()}</EmptyState> }.into_any()
        } else if may_write {
            view! { <EmptyState title=t.standards_none() action=(t.standards_new(), new.clone())>{t.standards_none_why()}</EmptyState> }.into_any()
        } else if may_see_all {
            view! { <EmptyState title=t.standards_none()>{t.standards_none_why()}</EmptyState> }.into_any()
        } else {
            view! { <EmptyState title=t.standards_none_seen()>{t.standards_none_seen_why()}</EmptyState> }.into_any()
        };
        let pager = Pager {
            shown: String::new(),
            first: params.any(&["after"]).then(|| params.first(LIST)),
            next: found.next.map(|place| params.after(LIST, &place.to_string())),
        };
        let make = (may_write && begun)
            .then(|| view! { <LinkButton kind=ButtonKind::Primary label=t.standards_new() href=new/> });
        let actions = view! { <LinkButton label=t.standards_see_policies() href="/policies"/> {make} };
        let states = Vec::from(STATES.map(|it| choice(it.as_str(), t.standard_state(it))));
        view! {
            <PageHeader title=t.standards() lead=t.standards_lead() actions=actions.into_any()/>
            {begun.then(|| view! {
                <FilterBar action=LIST search=params.text("q").to_owned() search_label=t.standards_search() chips=chips>
                    <FilterSelect name="project" label=t.standards_where() chosen=params.text("project").to_owned() choices=projects/>
                    <FilterSelect name="state" label=t.policies_state() chosen=params.text("state").to_owned() choices=states/>
                </FilterBar>
            })}
            <Table caption=t.standards() columns=columns rows=rows pager=pager empty=empty/>
        }
    })
}

fn line(t: Text, listed: ListedStandard, projects: &[Project]) -> Row {
    let ListedStandard { standard, active, newest } = listed;
    let newer = active.is_none_or(|number| number != standard.newest);
    let deciding = active
        .is_some()
        .then(|| view! { <Badge label=t.standards_state_active() tone=tone(PolicyState::Active)/> " " });
    let newest = newer.then(|| view! { <Badge label=t.standard_state(newest) tone=tone(newest)/> });
    let home = match standard.scope {
        PolicyScope::Organization => t.standards_everywhere().into_any(),
        PolicyScope::Project(id) => {
            let name =
                projects.iter().find(|it| it.id == id).map_or_else(|| id.to_string(), |it| it.name.clone());
            view! { <span translate="no">{name}</span> }.into_any()
        }
    };
    let cells = cells![view! { {deciding}{newest} }, home, view! { <Time at=standard.created_at/> }];
    row(path(&standard), standard.name.clone(), cells)
}
