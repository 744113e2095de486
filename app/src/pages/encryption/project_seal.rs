//! A project's own seal: on the page of its key, and the page on which it is chosen.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use keywarden_domain::{
    Op, Refused,
    project_seals::{At, NameSealError, ProjectSealView},
    projects::Project,
    system::SealId,
};
use leptos::prelude::*;

use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Badge, Confirm, Crumb, EmptyState, Facts, Form, LinkButton, PageHeader, Panel, RadioGroup, Time,
        Tone, choice, crumb, fact,
    },
};

/// Stands for no seal: an id of a seal has a colon.
const NONE: &str = "none";

/// What wraps the project's keys, and the way to another seal for those who may choose one.
pub(super) fn panel(t: Text, project: &Project, view: &ProjectSealView) -> AnyView {
    let facts = match &view.own {
        None => vec![fact(t.project_seal(), t.project_seal_none())],
        Some(own) => {
            let state = match &own.at {
                At::Away { since, .. } => view! {
                    <Badge label=t.project_seal_away() tone=Tone::Bad/> " " <Time at=*since/>
                }
                .into_any(),
                At::NotHere => view! { <Badge label=t.project_seal_not_here() tone=Tone::Bad/> }.into_any(),
                At::Present => view! { <Badge label=t.project_seal_present() tone=Tone::Good/> }.into_any(),
            };
            vec![
                fact(t.project_seal(), view! { <code translate="no">{own.id.to_string()}</code> }),
                fact(t.projects_state(), state),
                fact(t.project_seal_since(), view! { <Time at=own.since/> }),
            ]
        }
    };
    let why = match view.own.as_ref().map(|own| &own.at) {
        Some(At::Away { .. } | At::NotHere) => Some(view! { <p>{t.project_seal_away_why()}</p> }),
        _ => None,
    };
    let may = view.may_choose && (view.own.is_some() || !view.offered.is_empty());
    let href = format!("/projects/{}/key/seal", project.slug);
    let choose = may.then(|| view! { <p><LinkButton label=t.project_seal_choose() href=href/></p> });
    view! {
        <Panel id="seal" title=t.project_seal_title()>
            <Facts facts=facts/>
            {why}
            {choose}
        </Panel>
    }
    .into_any()
}

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(slug): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects);
    match load(&house, &op, &slug).await {
        Ok((project, view)) if view.may_choose => draw(&shell, &project, &view, Draft::default()),
        Ok((project, _)) => not_theirs(&shell, &project),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn name(
    State(house): State<House>,
    asking: Asking,
    Path(slug): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects).once(&posted);
    let t = shell.text;
    let (project, view) = match load(&house, &op, &slug).await {
        Ok((project, view)) if view.may_choose => (project, view),
        Ok((project, _)) => return not_theirs(&shell, &project),
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let seal = match posted.fields.text("seal") {
        NONE => Ok(None),
        id => id.parse::<SealId>().map(Some),
    };
    match seal {
        Err(_) => errors.at("seal", t.project_seal_pick()),
        Ok(seal) => match house.domain.name_project_seal(&op, project.id, seal.as_ref()).await {
            Ok(named) => {
                let done = match named.seal {
                    Some(seal) => t.project_seal_named(seal.as_str()),
                    None => t.project_seal_taken().to_owned(),
                };
                return render::done(&shell, &back(&project), &done);
            }
            Err(NameSealError::Changed) => errors.whole(t.project_seal_changed()),
            Err(NameSealError::NotOffered(_)) => errors.at("seal", t.project_seal_pick()),
            Err(NameSealError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
        },
    }
    draw(&shell, &project, &view, Draft::refused(posted.fields, errors))
}

async fn load(house: &House, op: &Op, slug: &str) -> Result<(Project, ProjectSealView), Refused> {
    let project = house.domain.project(op, slug).await?;
    let view = house.domain.project_seal(op, project.id).await?;
    Ok((project, view))
}

fn back(project: &Project) -> String {
    format!("/projects/{}/key", project.slug)
}

fn crumbs(t: Text, project: &Project) -> Vec<Crumb> {
    vec![
        crumb(t.projects(), "/projects"),
        crumb(project.name.clone(), format!("/projects/{}", project.slug)),
        crumb(t.project_key(), back(project)),
    ]
}

/// Who may see the project and not choose its seal is told so, and led back to where it stands.
fn not_theirs(shell: &Shell, project: &Project) -> Response {
    let t = shell.text;
    let project = project.clone();
    page(shell, t.project_seal_title()).status(StatusCode::FORBIDDEN).show(move || {
        view! {
            <PageHeader title=t.project_seal_title() crumbs=crumbs(t, &project)/>
            <EmptyState title=t.project_seal_not_yours() action=(t.project_key(), back(&project))>
                {t.project_seal_not_yours_why()}
            </EmptyState>
        }
    })
}

fn draw(shell: &Shell, project: &Project, view: &ProjectSealView, draft: Draft) -> Response {
    let t = shell.text;
    let (project, view) = (project.clone(), view.clone());
    let consequences = vec![
        t.project_seal_wraps().to_owned(),
        t.project_seal_waits().to_owned(),
        t.project_seal_lost().to_owned(),
        t.project_seal_backups().to_owned(),
    ];
    page(shell, t.project_seal_title()).of(&draft).show(move || {
        let (back, crumbs) = (back(&project), crumbs(t, &project));
        if view.offered.is_empty() && view.own.is_none() {
            return view! {
                <PageHeader title=t.project_seal_title() crumbs=crumbs/>
                <EmptyState title=t.project_seal_no_choice() action=(t.project_key(), back)>
                    {t.project_seal_no_choice_why()}
                </EmptyState>
            }
            .into_any();
        }
        let own = view.own.as_ref().map(|own| own.id.to_string());
        let seals = view.offered.iter().map(|seal| choice(seal.as_str(), seal.as_str()).named());
        let choices: Vec<_> = [choice(NONE, t.project_seal_none())].into_iter().chain(seals).collect();
        view! {
            <PageHeader title=t.project_seal_title() crumbs=crumbs/>
            <Confirm title=t.project_seal_choose_for(&project.name) consequences=consequences>
                <Form draft=draft submit=t.project_seal_submit() danger=true cancel=back>
                    <RadioGroup name="seal" label=t.project_seal() required=true value=own.unwrap_or_else(|| NONE.to_owned()) choices=choices/>
                </Form>
            </Confirm>
        }
        .into_any()
    })
}
