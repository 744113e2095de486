//! A project's environments side by side: what each of them holds at a path, and where a value is the same.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Op, Refused,
    environments::Environment,
    projects::Project,
    secrets::{BesideQuery, BesideRow, Cell, CellState, Only, SecretListError, SideBySide},
};
use keywarden_model::SecretPath;
use leptos::prelude::*;

use super::{around, found};
use crate::{
    context::{Asking, House},
    form::Params,
    pages::listing::href,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{Badge, Column, EmptyState, FilterSelect, PageHeader, Pager, Row, Table, Tone, choice},
};

const PATH: &str = "/secrets/beside";
const PAGE: u32 = 50;

/// What an address asks for.
#[derive(Debug)]
struct Asked {
    project: Project,
    folder: Option<SecretPath>,
    only: Option<Only>,
    params: Params,
}

pub(super) async fn show(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    let loaded = async {
        let asked = read(&house, &op, params.clone()).await?;
        let query = BesideQuery {
            project: asked.project.id,
            folder: asked.folder.clone(),
            only: asked.only,
            cursor: params.some("after"),
            limit: PAGE,
        };
        let found = house.domain.secrets_side_by_side(&op, &query).await?;
        let reach = house.domain.reach(&op, Action::CreateSecret).await?;
        let may_create = asked.project.archived_at.is_none() && reach.covers(asked.project.id);
        Ok::<_, SecretListError>((asked, found, may_create))
    };
    let (asked, found, may_create) = match loaded.await {
        Ok(loaded) => loaded,
        Err(SecretListError::Cursor) => return render::see_other(&params.first(PATH)),
        Err(SecretListError::Refused(refused)) => return render::refused(&shell, refused),
    };
    around::place(&mut shell, &asked.project.slug);
    let t = shell.text;
    page(&shell, t.secrets_beside()).show(move || view(t, &asked, found, may_create))
}

async fn read(house: &House, op: &Op, params: Params) -> Result<Asked, Refused> {
    let slug = params.some("project").ok_or(Refused::NotFound)?;
    let only = params.some("only").map(|text| Only::parse(&text).ok_or(Refused::NotFound)).transpose()?;
    let folder = params.some("folder").map(|text| text.parse().map_err(|_| Refused::NotFound)).transpose()?;
    Ok(Asked { project: house.domain.project(op, &slug).await?, folder, only, params })
}

fn view(t: Text, asked: &Asked, found: SideBySide, may_create: bool) -> AnyView {
    let project = asked.project.slug.clone();
    let folder = asked.folder.as_ref().map_or("", |folder| folder.as_str());
    let environment = asked.params.text("environment").to_owned();
    let (some, more) = (!found.rows.is_empty(), found.next.is_some());
    let pager = Pager {
        shown: if some { found::said(t, found.rows.len(), more) } else { String::new() },
        first: asked.params.any(&["after"]).then(|| asked.params.first(PATH)),
        next: found.next.as_ref().map(|place| asked.params.after(PATH, place)),
    };
    let mut columns = vec![Column::text(t.secrets_path())];
    columns.extend(found.environments.iter().map(|it| Column::named(it.name.clone())));
    let environments = &found.environments;
    let rows = found.rows.iter().map(|row| line(t, &project, environments, row, may_create)).collect();
    let ways = around::ways(t, &project, &environment, folder, true);
    let title = asked.folder.as_ref().map_or_else(|| asked.project.name.clone(), ToString::to_string);
    let mut crumbs = around::crumbs_to(t, &project, &environment, "");
    if environment.is_empty() {
        crumbs.pop();
    }
    if folder.is_empty() {
        crumbs.pop();
    }
    let empty = empty(t, asked, &found.environments, more);
    view! {
        <PageHeader title=title named=true lead=t.secrets_beside_lead() crumbs=crumbs/>
        {ways}
        {bar(t, asked)}
        <Table caption=t.secrets_beside() columns=columns rows=rows pager=pager empty=empty/>
    }
    .into_any()
}

fn bar(t: Text, asked: &Asked) -> AnyView {
    let params = &asked.params;
    let kept = ["project", "environment", "folder"]
        .into_iter()
        .filter_map(|name| Some((name, params.some(name)?)))
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    let named = |only| match only {
        Only::Differences => t.secrets_beside_differences(),
        Only::Missing => t.secrets_beside_missing_ones(),
    };
    let choices = Only::ALL.map(|only| choice(only.as_str(), named(only))).to_vec();
    let chosen = params.text("only").to_owned();
    view! {
        <form method="get" action=PATH class="filter-form beside-filter">
            {kept}
            <FilterSelect name="only" label=t.secrets_beside_show() any=t.secrets_beside_all() chosen=chosen choices=choices/>
            <button type="submit" class="button">{t.ui_filter()}</button>
        </form>
    }
    .into_any()
}

fn empty(t: Text, asked: &Asked, environments: &[Environment], more: bool) -> AnyView {
    let all = asked.params.without(PATH, "only");
    match asked.only {
        _ if more => view! {
            <EmptyState title=t.secrets_beside_none_so_far()>{t.secrets_beside_none_so_far_why()}</EmptyState>
        }
        .into_any(),
        Some(Only::Differences) => view! {
            <EmptyState title=t.secrets_beside_alike() action=(t.secrets_beside_all(), all)>{t.secrets_beside_alike_why()}</EmptyState>
        }
        .into_any(),
        Some(Only::Missing) => view! {
            <EmptyState title=t.secrets_beside_complete() action=(t.secrets_beside_all(), all)>{t.secrets_beside_complete_why()}</EmptyState>
        }
        .into_any(),
        None if environments.is_empty() => view! {
            <EmptyState title=t.environments_none()>{t.environments_none_why()}</EmptyState>
        }
        .into_any(),
        None => view! {
            <EmptyState title=t.secrets_none_here()>{t.secrets_none_here_why()}</EmptyState>
        }
        .into_any(),
    }
}

fn line(t: Text, project: &str, environments: &[Environment], row: &BesideRow, may_create: bool) -> Row {
    let cells = environments.iter().zip(&row.cells).map(|(environment, cell)| {
        let new = may_create.then(|| new_path(project, environment, &row.path));
        view! { {state(t, cell, new)} {same(t, environments, cell)} }.into_any()
    });
    Row::plain(view! { <span translate="no">{row.path.to_string()}</span> }, cells.collect())
}

/// Where a secret is made that an environment lacks.
fn new_path(project: &str, environment: &Environment, path: &SecretPath) -> String {
    let place = [("project", project), ("environment", environment.slug.as_str()), ("path", path.as_str())];
    href("/secrets/new", &place)
}

/// What callers get there, leading to the secret, or to where one is made.
pub(super) fn state(t: Text, cell: &Cell, new: Option<String>) -> AnyView {
    let (words, tone) = match cell.state {
        CellState::Deleted => (t.secrets_beside_deleted().to_owned(), Tone::Neutral),
        CellState::Missing => (t.secrets_beside_missing().to_owned(), Tone::Warn),
        CellState::Set(number) => (t.secrets_version_n(number), Tone::Neutral),
        CellState::Unreadable => (t.secrets_beside_unreadable().to_owned(), Tone::Warn),
    };
    let shown =
        if cell.is_set() { words.into_any() } else { view! { <Badge label=words tone=tone/> }.into_any() };
    match cell.secret.map(|id| format!("/secrets/{id}")).or(new) {
        Some(href) => view! { <a href=href>{shown}</a> }.into_any(),
        None => shown,
    }
}

/// Where the value is the same.
pub(super) fn same(t: Text, environments: &[Environment], cell: &Cell) -> Option<AnyView> {
    let names: Vec<_> =
        cell.same_as.iter().filter_map(|n| environments.get(*n)).map(|it| it.name.clone()).collect();
    (!names.is_empty()).then(|| {
        view! { <span class="beside-same">{t.secrets_beside_same(&names.join(", "))}</span> }.into_any()
    })
}
