use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::projects::{ArchiveProjectError, Project};
use leptos::prelude::*;

use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader, crumb},
};

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(slug): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects);
    match house.domain.project(&op, &slug).await {
        Ok(project) => draw(&shell, &project, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn archive(
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
    match house.domain.archive_project(&op, project.id).await {
        Ok(_) => return render::done(&shell, "/projects", t.projects_archived_now(&project.name)),
        Err(ArchiveProjectError::Archived) => errors.whole(t.projects_is_archived()),
        Err(ArchiveProjectError::InUse { keys, workloads }) => {
            errors.whole(t.projects_in_use(&t.number(keys.counted), &t.number(workloads.counted)));
        }
        Err(ArchiveProjectError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
    }
    draw(&shell, &project, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, project: &Project, draft: Draft) -> Response {
    let t = shell.text;
    let project = project.clone();
    page(shell, t.projects_archive()).of(&draft).show(move || {
        let back = format!("/projects/{}", project.slug);
        view! {
            <PageHeader title=t.projects_archive() crumbs=vec![crumb(t.projects(), "/projects"), crumb(project.name.clone(), back.clone())]/>
            <Confirm title=t.projects_archive_title(&project.name) consequences=vec![t.projects_archive_new().into(), t.projects_archive_stays().into(), t.projects_archive_secrets().into()]>
                <Form draft=draft submit=t.projects_archive() danger=true cancel=back/>
            </Confirm>
        }
    })
}
