//! `/access/new?role=…&project=…`: asking for a role for a while.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Refused,
    access::{NewRequest, RequestError},
    roles::Holder,
};
use keywarden_model::Role;
use leptos::prelude::*;

use super::{
    LIST,
    form::{fields, terms},
    path, way,
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Choice, Form, PageHeader, RadioGroup, Suggestions, TextField, choice},
};

/// Nobody is an owner for a while.
const ROLES: [Role; 7] =
    [Role::Viewer, Role::Reader, Role::Issuer, Role::Verifier, Role::Manager, Role::Auditor, Role::Admin];

/// What the address fills in.
#[derive(Debug, Default)]
struct Start {
    role: String,
    project: String,
    holder: String,
}

pub(super) async fn form(asking: Asking, params: Params) -> Response {
    let Asking { shell, .. } = asking.at(Section::Access);
    let start = Start {
        role: params.text("role").to_owned(),
        project: params.text("project").to_owned(),
        holder: params.text("for").to_owned(),
    };
    show(&shell, start, Draft::default())
}

pub(super) async fn create(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, op } = asking.at(Section::Access).once(&posted);
    let t = shell.text;
    let mut errors = Errors::new();
    let role = posted.fields.text("role").parse::<Role>().ok();
    if role.is_none() {
        errors.at("role", t.roles_choose());
    }
    let project = Some(posted.fields.text("project").to_owned()).filter(|it| !it.is_empty());
    let holder = match posted.fields.text("for") {
        "" => Some(None),
        id => Holder::parse(id).map(Some),
    };
    if holder.is_none() {
        errors.at("for", t.access_why_holder());
    }
    let terms = terms(t, &posted.fields, &mut errors);
    if let (Some(role), Some(holder), Some(terms)) = (role, holder, terms) {
        match house.domain.request_access(&op, NewRequest { role, project, holder, terms }).await {
            Ok(id) => return render::done(&shell, &path(id), t.access_asked()),
            // What is no project's short name or id at all.
            Err(RequestError::Refused(Refused::NotFound)) => errors.at("project", t.access_project_hint()),
            Err(error) => match t.access_request_error(&error) {
                Some((field, sentence)) => errors.at(field, sentence),
                None => {
                    if let RequestError::Refused(refused) = error {
                        return house.refused(&shell, &op, &posted, refused).await;
                    }
                }
            },
        }
    }
    show(&shell, Start::default(), Draft::refused(posted.fields, errors))
}

fn choices(t: Text) -> Vec<Choice> {
    ROLES.into_iter().map(|role| choice(role.as_str(), t.role(role)).hint(t.role_may(role))).collect()
}

fn show(shell: &Shell, start: Start, draft: Draft) -> Response {
    let t = shell.text;
    let known: Vec<_> = shell.projects.iter().map(|it| it.slug.clone()).collect();
    page(shell, t.access_new()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.access_new() lead=t.access_new_lead() crumbs=way(t)/>
            <Form draft=draft submit=t.access_new() cancel=LIST>
                <RadioGroup name="role" label=t.access_role() required=true choices=choices(t) value=start.role/>
                <TextField name="project" label=t.access_project() hint=t.access_project_hint() value=start.project maxlength=63 mono=true list="projects"/>
                <Suggestions id="projects" values=known/>
                {fields(t, "1".to_owned(), String::new(), String::new())}
                <TextField name="for" label=t.access_for() hint=t.access_for_hint() value=start.holder placeholder=t.access_for_self() maxlength=40 mono=true/>
            </Form>
        }
    })
}
