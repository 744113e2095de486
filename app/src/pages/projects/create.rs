use axum::{extract::State, response::Response};
use keywarden_domain::{
    Op,
    environments::{CreateEnvironmentError, NewEnvironment, Terms},
    projects::{CreateProjectError, NewProject},
};
use keywarden_model::{Name, ProjectId, Slug};
use leptos::prelude::*;

use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{CheckboxGroup, Form, PageHeader, TextField, choice, crumb},
};

/// What people usually begin with: slug, name, key label.
const USUAL: [(&str, &str, &str); 2] =
    [("development", "Development", "test"), ("production", "Production", "live")];

pub(super) async fn new(asking: Asking) -> Response {
    form(&asking.at(Section::Projects).shell, Draft::default())
}

pub(super) async fn create(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects).once(&posted);
    let t = shell.text;
    let mut errors = Errors::new();
    let slug: Option<Slug> = errors.parsed(t, &posted.fields, "slug", Text::slug_wrong);
    let name: Option<Name> = errors.parsed(t, &posted.fields, "name", Text::name_wrong);
    let (Some(slug), Some(name), false) = (slug, name, errors.any()) else {
        return form(&shell, Draft::refused(posted.fields, errors));
    };
    let new = NewProject { slug, name };
    let path = format!("/projects/{}", new.slug);
    let (said, bare) = (t.projects_made(new.name.as_str()), t.projects_made_bare(new.name.as_str()));
    match house.domain.create_project(&op, new).await {
        Ok(id) => match add_usual(&house, &op, id, &posted).await {
            Ok(()) => render::done(&shell, &path, said),
            // The project is there; its page offers to make the environment again.
            Err(CreateEnvironmentError::Refused(refused)) => {
                house.refused(&shell, &op, &posted, refused).await
            }
            Err(
                CreateEnvironmentError::Archived
                | CreateEnvironmentError::NameTaken
                | CreateEnvironmentError::SlugTaken,
            ) => render::done(&shell, &path, bare),
        },
        Err(CreateProjectError::SlugTaken) => {
            errors.at("slug", t.projects_slug_taken());
            form(&shell, Draft::refused(posted.fields, errors))
        }
        Err(CreateProjectError::NameTaken) => {
            errors.at("name", t.projects_name_taken());
            form(&shell, Draft::refused(posted.fields, errors))
        }
        Err(CreateProjectError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}

/// Each environment is an operation of its own, with an idempotency key made from the form's.
async fn add_usual(
    house: &House,
    op: &Op,
    project: ProjectId,
    posted: &Posted,
) -> Result<(), CreateEnvironmentError> {
    for (slug, name, label) in USUAL {
        if !posted.fields.many("environments[]").any(|wanted| wanted == slug) {
            continue;
        }
        let (Ok(slug_), Ok(name), Ok(label)) = (slug.parse(), name.parse(), label.parse()) else { continue };
        let new = NewEnvironment { slug: slug_, name, label, terms: Terms::default() };
        match house.domain.create_environment(&posted.part(op, slug), project, new).await {
            // A replayed form finds what it made.
            Ok(_) | Err(CreateEnvironmentError::SlugTaken | CreateEnvironmentError::NameTaken) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn form(shell: &Shell, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.projects_create()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.projects_create() lead=t.projects_create_lead() crumbs=vec![crumb(t.projects(), "/projects")]/>
            <Form draft=draft submit=t.projects_create() cancel="/projects">
                <TextField name="name" label=t.projects_name() required=true maxlength=120 hint=t.projects_name_hint()/>
                <TextField name="slug" label=t.projects_slug() required=true maxlength=40 mono=true hint=t.projects_slug_hint()/>
                <CheckboxGroup
                    name="environments[]"
                    label=t.projects_environments()
                    values=USUAL.iter().map(|(slug, ..)| (*slug).to_owned()).collect()
                    choices=vec![
                        choice("development", "Development").named().hint(t.projects_development_hint()),
                        choice("production", "Production").named().hint(t.projects_production_hint()),
                    ]
                />
            </Form>
        }
    })
}
