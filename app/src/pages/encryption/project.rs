//! A project's key.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Action, Refused, Resource,
    project_keys::{ProjectKeyView, RotateProjectKeyError},
    projects::Project,
};
use leptos::prelude::*;

use super::around::{self, rewrap_path};
use super::project_seal;
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{ProjectLink, Section, Shell},
    text::Text,
    ui::{
        Badge, ButtonKind, Column, Confirm, Crumb, EmptyState, Form, Id, LinkButton, PageHeader, Panel, Row,
        Table, Time, Tone, crumb,
    },
};

pub(super) async fn show(State(house): State<House>, asking: Asking, Path(slug): Path<String>) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Projects);
    let loaded = async {
        let project = house.domain.project(&op, &slug).await?;
        let view = house.domain.project_key(&op, project.id).await?;
        let may = house.domain.would(&op, Action::RotateProjectKey, &Resource::Project(project.id)).await?;
        let seal = house.domain.project_seal(&op, project.id).await?;
        Ok::<_, Refused>((project, view, may, seal))
    };
    let (project, view, may, seal) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    shell.project = Some(ProjectLink { slug: project.slug.clone(), name: project.name.clone() });
    let t = shell.text;
    page(&shell, t.project_key()).show(move || {
        let action = (may && view.in_service().is_some()).then(|| {
            let href = format!("/projects/{}/key/rotate", project.slug);
            view! { <LinkButton kind=ButtonKind::Primary label=t.project_key_rotate() href=href/> }
        });
        view! {
            <PageHeader title=t.project_key() lead=t.project_key_lead(&project.name) crumbs=crumbs(t, &project) actions=action.into_any()/>
            {rewrap(t, &view)}
            {keys(t, &view)}
            {project_seal::panel(t, &project, &seal)}
        }
    })
}

fn crumbs(t: Text, project: &Project) -> Vec<Crumb> {
    vec![crumb(t.projects(), "/projects"), crumb(project.name.clone(), format!("/projects/{}", project.slug))]
}

fn rewrap(t: Text, view: &ProjectKeyView) -> AnyView {
    let Some(rewrap) = view.rewrap.as_ref() else { return ().into_any() };
    let columns = vec![
        Column::text(t.rewrap_what()),
        Column::text(t.projects_state()),
        Column::text(t.rewrap_progress()),
    ];
    let cells = cells![around::state(t, rewrap.state), around::progress(t, rewrap)];
    let what = t.rewrap_kind(rewrap.kind, rewrap.project_slug.as_deref());
    let rows = vec![crate::ui::row(rewrap_path(rewrap.id, false), what, cells)];
    view! {
        <Panel id="rewrap" title=t.rewrap()><Table caption=t.rewrap() columns=columns rows=rows/></Panel>
    }
    .into_any()
}

fn keys(t: Text, view: &ProjectKeyView) -> AnyView {
    let rows = view
        .keys
        .iter()
        .map(|key| {
            let state = if key.retired_at.is_none() {
                view! { <Badge label=t.workloads_active() tone=Tone::Good/> }
            } else {
                view! { <Badge label=t.project_key_retired()/> }
            };
            let uses = around::uses(t, key.uses.unsigned_abs());
            let cells = cells![state, view! { <Time at=key.created_at/> }, uses];
            Row::plain(view! { <Id value=key.id.to_string()/> }, cells)
        })
        .collect();
    let columns = vec![
        Column::text(t.project_key()),
        Column::text(t.projects_state()),
        Column::text(t.encryption_made()),
        Column::number(t.project_key_uses()),
    ];
    let empty = view! { <EmptyState title=t.project_key_none()>{t.project_key_none_why()}</EmptyState> };
    view! {
        <Panel id="keys" title=t.encryption_project_keys()>
            <Table caption=t.encryption_project_keys() columns=columns rows=rows empty=empty.into_any()/>
        </Panel>
    }
    .into_any()
}

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(slug): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects);
    match house.domain.project(&op, &slug).await {
        Ok(project) => draw(&shell, &project, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn rotate(
    State(house): State<House>,
    asking: Asking,
    Path(slug): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects).once(&posted);
    let t = shell.text;
    let project = match house.domain.project(&op, &slug).await {
        Ok(project) => project,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    match house.domain.rotate_project_key(&op, project.id).await {
        Ok(done) => return render::done(&shell, &rewrap_path(done.rewrap, true), t.project_key_rotated()),
        Err(RotateProjectKeyError::NoKey) => errors.whole(t.project_key_none_why()),
        Err(RotateProjectKeyError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
        Err(RotateProjectKeyError::UnderWay) => errors.whole(t.encryption_under_way()),
    }
    draw(&shell, &project, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, project: &Project, draft: Draft) -> Response {
    let t = shell.text;
    let project = project.clone();
    let consequences = vec![
        t.project_key_rotate_new().to_owned(),
        t.project_key_rotate_rewrap().to_owned(),
        t.project_key_rotate_old().to_owned(),
    ];
    page(shell, t.project_key_rotate()).of(&draft).show(move || {
        let back = format!("/projects/{}/key", project.slug);
        let mut crumbs = crumbs(t, &project);
        crumbs.push(crumb(t.project_key(), back.clone()));
        view! {
            <PageHeader title=t.project_key_rotate() crumbs=crumbs/>
            <Confirm title=t.project_key_rotate_title(&project.name) consequences=consequences calm=true>
                <Form draft=draft submit=t.project_key_rotate() cancel=back/>
            </Confirm>
        }
    })
}
