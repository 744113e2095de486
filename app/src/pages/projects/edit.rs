use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::projects::{EditProject, EditProjectError, Project};
use keywarden_model::Name;
use leptos::prelude::*;

use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Form, Hidden, PageHeader, TextField, crumb},
};

pub(super) async fn form(State(house): State<House>, asking: Asking, Path(slug): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects);
    match house.domain.project(&op, &slug).await {
        Ok(project) => draw(&shell, &project, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn save(
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
    let name: Option<Name> = errors.parsed(t, &posted.fields, "name", Text::name_wrong);
    let Some(name) = name else {
        return draw(&shell, &project, Draft::refused(posted.fields, errors));
    };
    let row_version = posted.fields.text("row_version").parse().unwrap_or_default();
    match house.domain.edit_project(&op, project.id, EditProject { name, row_version }).await {
        Ok(_) => return render::done(&shell, &format!("/projects/{slug}"), t.saved()),
        Err(EditProjectError::NameTaken) => errors.at("name", t.projects_name_taken()),
        Err(EditProjectError::ChangedMeanwhile) => errors.whole(t.changed_meanwhile()),
        Err(EditProjectError::Archived) => errors.whole(t.projects_is_archived()),
        Err(EditProjectError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
    }
    draw(&shell, &project, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, project: &Project, draft: Draft) -> Response {
    let t = shell.text;
    let project = project.clone();
    page(shell, t.projects_edit()).of(&draft).show(move || {
        let back = format!("/projects/{}", project.slug);
        view! {
            <PageHeader title=t.projects_edit() crumbs=vec![crumb(t.projects(), "/projects"), crumb(project.name.clone(), back.clone())]/>
            <Form draft=draft submit=t.save() cancel=back>
                <Hidden name="row_version" value=project.row_version.to_string()/>
                <TextField name="name" label=t.projects_name() required=true maxlength=120 value=project.name.clone() hint=t.projects_edit_hint()/>
            </Form>
        }
    })
}
