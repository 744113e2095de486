//! Giving a role.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op, Refused,
    policy::difference,
    roles::{Grant, GrantRoleError, Holder},
};
use keywarden_model::{ProjectId, Role, RoleScope};
use leptos::prelude::*;

use super::{Holds, Subject};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    pages::policies::difference::{Impact, is_preview, panel, preview},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Choice, Crumb, Form, PageHeader, RadioGroup, SelectField, choice},
};

/// Projects in the select.
const PROJECTS: u32 = 200;

pub(crate) async fn new<H: Holds>(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<String>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    match H::find(&house, &op, shell.text, &at).await {
        Ok((subject, crumbs)) => {
            form(&house, &shell, &op, subject, crumbs, (Impact::None, Draft::default())).await
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(crate) async fn grant<H: Holds>(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::People).once(&posted);
    let t = shell.text;
    let (subject, crumbs) = match H::find(&house, &op, t, &at).await {
        Ok(found) => found,
        Err(refused) => return render::refused(&shell, refused),
    };
    let mut errors = Errors::new();
    let role = posted.fields.text("role").parse::<Role>().ok();
    let project = match posted.fields.text("project") {
        "" => Ok(None),
        id => id.parse::<ProjectId>().map(Some),
    };
    match (role, project) {
        // A role that stands in another place than it was chosen for says so when it is given.
        (Some(role), Ok(project))
            if is_preview(&posted.fields) && (role.scope() == RoleScope::Project) == project.is_some() =>
        {
            let given = difference::Grant::Give(subject.holder, role, project);
            match Impact::given(&house.domain, &op, given).await {
                Ok(impact) => {
                    let draft = Draft::refused(posted.fields, errors);
                    return form(&house, &shell, &op, subject, crumbs, (impact, draft)).await;
                }
                Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
            }
        }
        (Some(_), Ok(_)) if is_preview(&posted.fields) => {
            errors.at("project", t.roles_wrong_scope());
        }
        (Some(role), Ok(project)) => {
            let wanted = Grant { holder: subject.holder, role, project };
            match house.domain.grant_role(&op, wanted).await {
                Ok(_) => return render::done(&shell, &subject.home, t.roles_given()),
                Err(GrantRoleError::AlreadyHeld) => errors.at("role", t.roles_already()),
                Err(GrantRoleError::Archived) => errors.at("project", t.roles_archived()),
                Err(GrantRoleError::LocksOut) => errors.whole(t.roles_locks_out()),
                Err(GrantRoleError::NoSuchHolder) => errors.whole(t.roles_no_such_holder()),
                Err(GrantRoleError::OnlyPeopleOwn) => errors.at("role", t.roles_only_people()),
                Err(GrantRoleError::WrongScope(_)) => errors.at("project", t.roles_wrong_scope()),
                Err(GrantRoleError::Refused(refused)) => {
                    return house.refused(&shell, &op, &posted, refused).await;
                }
            }
        }
        (None, _) => errors.at("role", t.roles_choose()),
        (Some(_), Err(_)) => return render::refused(&shell, Refused::NotFound),
    }
    form(&house, &shell, &op, subject, crumbs, (Impact::None, Draft::refused(posted.fields, errors))).await
}

/// Roles that this kind of holder can have.
fn choices(t: Text, holder: Holder) -> Vec<Choice> {
    let person = matches!(holder, Holder::Person(_));
    [
        Role::Viewer,
        Role::Reader,
        Role::Issuer,
        Role::Verifier,
        Role::Manager,
        Role::Auditor,
        Role::Admin,
        Role::Owner,
    ]
    .into_iter()
    .filter(|role| person || *role != Role::Owner)
    .map(|role| choice(role.as_str(), t.role(role)).hint(t.role_may(role)))
    .collect()
}

async fn form(
    house: &House,
    shell: &Shell,
    op: &Op,
    subject: Subject,
    crumbs: Vec<Crumb>,
    (impact, draft): (Impact, Draft),
) -> Response {
    let t = shell.text;
    let projects = match house.domain.projects_in_sight(op, PROJECTS).await {
        Ok(projects) => projects,
        Err(refused) => return render::refused(shell, refused),
    };
    page(shell, t.roles_give()).of(&draft).show(move || {
        let projects = projects
            .into_iter()
            .map(|project| choice(project.id.to_string(), project.name).named())
            .collect::<Vec<_>>();
        let impact = panel(t, impact, None);
        view! {
            <PageHeader title=t.roles_give_to(&subject.name) crumbs=crumbs/>
            {impact}
            <Form draft=draft submit=t.roles_give() cancel=subject.home beside=preview(t)>
                <RadioGroup name="role" label=t.roles_role() required=true choices=choices(t, subject.holder)/>
                <SelectField name="project" label=t.roles_project() hint=t.roles_project_hint() placeholder=t.roles_no_project() choices=projects/>
            </Form>
        }
    })
}
