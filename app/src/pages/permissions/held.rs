//! `GET /people/<id>/permissions` and `GET /workloads/<id>/permissions`: what somebody can do, where, and by what.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    permissions::{Allowed, Permissions, Where, WrittenPolicies},
    roles::Holder,
};
use keywarden_model::{UserId, WorkloadId};
use leptos::prelude::*;

use super::explained;
use crate::{
    cells,
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Column, Crumb, EmptyState, FilterBar, FilterChip, FilterSelect, PageHeader, Pager, Row, Table,
        choice, crumb,
    },
};

/// Rows of a page.
const PAGE: usize = 100;
const PLACES: [&str; 6] =
    ["organization", "every-project", "project", "own-keys", "team-keys", "own-account"];

pub(super) async fn of_person(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Ok(user) = id.parse::<UserId>() else { return render::not_found(&asking.shell) };
    let list = crumb(asking.shell.text.people(), "/people");
    show(&house, asking.at(Section::People), Holder::Person(user), list, format!("/people/{user}"), params)
        .await
}

pub(super) async fn of_workload(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Ok(workload) = id.parse::<WorkloadId>() else { return render::not_found(&asking.shell) };
    let list = crumb(asking.shell.text.workloads(), "/workloads");
    let home = format!("/workloads/{workload}");
    show(&house, asking.at(Section::Workloads), Holder::Workload(workload), list, home, params).await
}

async fn show(
    house: &House,
    asking: Asking,
    holder: Holder,
    list: Crumb,
    home: String,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking;
    let t = shell.text;
    match house.domain.permissions_of(&op, holder).await {
        Ok(found) => page(&shell, t.permissions()).show(move || {
            let crumbs = vec![list, crumb(found.name.clone(), home.clone())];
            view(t, &params, found, crumbs, &format!("{home}/permissions"))
        }),
        Err(refused) => render::refused(&shell, refused),
    }
}

fn view(t: Text, params: &Params, found: Permissions, crumbs: Vec<Crumb>, here: &str) -> AnyView {
    let (name, active, written) = (found.name.clone(), found.active, found.written.clone());
    let mut allowed = found.only(params.some("q").as_deref()).allowed;
    let wanted = params.text("place");
    allowed.retain(|it| wanted.is_empty() || it.place.word() == wanted);
    let from = params.read::<usize>("after").unwrap_or(0).min(allowed.len());
    let shown = allowed.get(from..).unwrap_or_default();
    let shown = shown.get(..PAGE).unwrap_or(shown);
    let until = from.saturating_add(shown.len());
    let pager = Pager {
        shown: String::new(),
        first: (from > 0).then(|| params.first(here)),
        next: (until < allowed.len()).then(|| params.after(here, &until.to_string())),
    };
    let rows = shown.iter().map(|it| line(t, it, &written)).collect();
    let columns = vec![
        Column::text(t.permissions_action()),
        Column::text(t.permissions_place()),
        Column::text(t.permissions_paths()),
    ];
    let chips = ["q", "place"].into_iter().filter_map(|name| {
        let label = params.some(name)?;
        Some(FilterChip { label, remove: params.without(here, name) })
    });
    let empty = if active {
        view! { <EmptyState title=t.permissions_of_none()>{t.permissions_of_none_why()}</EmptyState> }
            .into_any()
    } else {
        view! { <EmptyState title=t.permissions_of_inactive()>{t.permissions_of_none_why()}</EmptyState> }
            .into_any()
    };
    let places = PLACES.into_iter().map(|it| choice(it, kind_of_place(t, it))).collect::<Vec<_>>();
    let chosen = wanted.to_owned();
    view! {
        <PageHeader title=t.permissions_of(&name) crumbs=crumbs lead=t.permissions_of_lead()/>
        <FilterBar action=here.to_owned() search=params.text("q").to_owned() search_label=t.permissions_action_search() chips=chips.collect()>
            <FilterSelect name="place" label=t.permissions_place() chosen=chosen choices=places/>
        </FilterBar>
        <Table caption=t.permissions_of(&name) columns=columns rows=rows pager=pager empty=empty/>
    }
    .into_any()
}

fn line(t: Text, it: &Allowed, written: &WrittenPolicies) -> Row {
    let place = match &it.place {
        Where::Project(id, name) => {
            view! { <a href=format!("/projects/{id}") translate="no">{name.clone()}</a> }.into_any()
        }
        Where::TeamKeys(_, name) => t.permissions_place_team_keys(name).into_any(),
        other => kind_of_place(t, other.word()).into_any(),
    };
    let paths = it.paths.iter().map(|path| view! { <li>{explained::path(t, path, written)}</li> });
    let paths = paths.collect_view();
    let action = view! { <code translate="no">{it.action.name()}</code> };
    Row::plain(action, cells![place, view! { <ul class="paths">{paths}</ul> }])
}

fn kind_of_place(t: Text, word: &str) -> &'static str {
    match word {
        "every-project" => t.permissions_place_every_project(),
        "project" => t.permissions_place_project(),
        "own-keys" => t.permissions_place_own_keys(),
        "team-keys" => t.permissions_place_any_team_keys(),
        "own-account" => t.permissions_place_account(),
        _ => t.permissions_place_organization(),
    }
}
