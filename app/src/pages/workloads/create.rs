use axum::{extract::State, response::Response};
use keywarden_domain::workloads::{CreateWorkloadError, NewWorkload};
use keywarden_model::{Name, Role};
use leptos::prelude::*;

use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Form, PageHeader, SelectField, TextField, choice, crumb},
};

/// What a workload can be at first.
const ROLES: [Role; 7] =
    [Role::Verifier, Role::Reader, Role::Viewer, Role::Issuer, Role::Manager, Role::Auditor, Role::Admin];

pub(super) async fn new(asking: Asking) -> Response {
    form(&asking.at(Section::Workloads).shell, Draft::default())
}

pub(super) async fn create(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads).once(&posted);
    let t = shell.text;
    let mut errors = Errors::new();
    let name: Option<Name> = errors.parsed(t, &posted.fields, "name", Text::name_wrong);
    let role = posted.fields.text("role").parse::<Role>().ok();
    if role.is_none() {
        errors.at("role", t.form_choose());
    }
    let project = match posted.fields.text("project") {
        "" => None,
        slug => match house.domain.project(&op, slug).await {
            Ok(project) => Some(project.id),
            Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
        },
    };
    let (Some(name), Some(role)) = (name, role) else {
        return form(&shell, Draft::refused(posted.fields, errors));
    };
    let said = t.workloads_made(name.as_str());
    match house.domain.create_workload(&op, NewWorkload { name, project, role: Some(role) }).await {
        Ok(id) => return render::done(&shell, &format!("/workloads/{id}"), said),
        Err(CreateWorkloadError::NameTaken) => errors.at("name", t.workloads_name_taken()),
        Err(CreateWorkloadError::WrongScope(_)) if project.is_none() => {
            errors.at("project", t.workloads_needs_project());
        }
        Err(CreateWorkloadError::WrongScope(_)) => errors.at("role", t.workloads_role_of_organization()),
        Err(CreateWorkloadError::Archived) => errors.at("project", t.projects_is_archived()),
        Err(CreateWorkloadError::OnlyPeopleOwn) => errors.at("role", t.form_choose()),
        Err(CreateWorkloadError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
    }
    form(&shell, Draft::refused(posted.fields, errors))
}

fn form(shell: &Shell, draft: Draft) -> Response {
    let t = shell.text;
    let mut projects = vec![choice("", t.workloads_no_project())];
    projects.extend(shell.projects.iter().map(|it| choice(it.slug.clone(), it.name.clone()).named()));
    let chosen =
        shell.project.as_ref().or(shell.projects.first()).map(|it| it.slug.clone()).unwrap_or_default();
    page(shell, t.workloads_create()).of(&draft).show(move || {
        let roles = ROLES.into_iter().map(|role| choice(role.as_str(), format!("{} — {}", t.role(role), t.role_may(role)))).collect();
        view! {
            <PageHeader title=t.workloads_create() lead=t.workloads_create_lead() crumbs=vec![crumb(t.workloads(), "/workloads")]/>
            <Form draft=draft submit=t.workloads_create() cancel="/workloads">
                <TextField name="name" label=t.workloads_name() required=true maxlength=120 hint=t.workloads_name_hint()/>
                <SelectField name="project" label=t.workloads_project() choices=projects value=chosen hint=t.workloads_project_hint()/>
                <SelectField name="role" label=t.roles_role() required=true choices=roles value="verifier"/>
            </Form>
        }
    })
}
