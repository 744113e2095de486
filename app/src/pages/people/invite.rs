//! `/people/invite`: a link for one new person, shown once.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Op, Refused, Resource,
    people::{InviteError, NewLink},
};
use keywarden_model::{Name, ProjectId, Role};
use leptos::prelude::*;

use super::{LIST, invitations, way};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{
        ButtonKind, Facts, Form, LinkButton, PageHeader, RadioGroup, SecretValue, SelectField, TextField,
        Time, choice, fact,
    },
};

/// Projects in the select.
const PROJECTS: u32 = 200;

pub(super) async fn new(State(house): State<House>, Asking { mut shell, op }: Asking) -> Response {
    shell.section = Some(Section::People);
    match house.domain.would(&op, Action::InviteUser, &Resource::Organization).await {
        Ok(true) => form(&house, &shell, &op, Draft::default()).await,
        Ok(false) => {
            op.refusal.nowhere(&op, Action::InviteUser);
            render::refused(&shell, Refused::Forbidden(Action::InviteUser))
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn create(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { mut shell, op } = asking.once(&posted);
    shell.section = Some(Section::People);
    let t = shell.text;
    let mut errors = Errors::new();
    let name = posted.fields.text("name").parse::<Name>();
    if let Err(error) = &name {
        errors.at("name", t.name_wrong(error));
    }
    let role = posted.fields.text("role").parse::<Role>();
    if role.is_err() {
        errors.at("role", t.roles_choose());
    }
    let project = match posted.fields.text("project") {
        "" => None,
        id => match id.parse::<ProjectId>() {
            Ok(id) => Some(id),
            Err(_) => return render::not_found(&shell),
        },
    };
    if let (Ok(name), Ok(role)) = (name, role) {
        match house.domain.invite(&op, &name, role, project).await {
            Ok(link) => return show_link(&shell, &name, &link),
            Err(InviteError::Scope(_)) => errors.at("project", t.roles_wrong_scope()),
            Err(InviteError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
        }
    }
    form(&house, &shell, &op, Draft::refused(posted.fields, errors)).await
}

async fn form(house: &House, shell: &Shell, op: &Op, draft: Draft) -> Response {
    let t = shell.text;
    let projects = match house.domain.projects_in_sight(op, PROJECTS).await {
        Ok(projects) => projects,
        Err(refused) => return render::refused(shell, refused),
    };
    page(shell, t.people_invite()).of(&draft).show(move || {
        let projects = projects
            .into_iter()
            .map(|project| choice(project.id.to_string(), project.name).named())
            .collect::<Vec<_>>();
        let roles = [
            Role::Viewer,
            Role::Reader,
            Role::Issuer,
            Role::Verifier,
            Role::Manager,
            Role::Auditor,
            Role::Admin,
            Role::Owner,
        ];
        let roles = roles.map(|role| choice(role.as_str(), t.role(role)).hint(t.role_may(role))).to_vec();
        view! {
            <PageHeader title=t.people_invite() crumbs=way(t) lead=t.invite_lead()/>
            <Form draft=draft submit=t.invite_do() cancel=LIST>
                <TextField name="name" label=t.people_name() hint=t.invite_name_hint() required=true maxlength=120/>
                <RadioGroup name="role" label=t.roles_role() required=true choices=roles/>
                <SelectField name="project" label=t.roles_project() hint=t.roles_project_hint() placeholder=t.roles_no_project() choices=projects/>
            </Form>
        }
    })
}

/// The answer to the post, so the link has no address to come back to.
fn show_link(shell: &Shell, name: &Name, link: &NewLink) -> Response {
    let t = shell.text;
    let (url, expires_at) = (link.url.expose().to_owned(), link.expires_at);
    let title = t.invite_made(name.as_str());
    page(shell, title.clone()).lives_at(invitations::HERE).show(move || {
        view! {
            <PageHeader title=title crumbs=way(t)/>
            <SecretValue id="link" label=t.invite_link() value=url hint=t.invite_link_hint()/>
            <Facts facts=vec![fact(t.invitations_expires(), view! { <Time at=expires_at/> })]/>
            <LinkButton kind=ButtonKind::Primary label=t.invite_done() href=invitations::HERE/>
        }
    })
}
