use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    projects::Project,
    roles::{Candidate, Grant, GrantRoleError, Holder, RevokeRoleError, RoleBinding},
};
use keywarden_model::{Role, RoleScope};
use leptos::prelude::*;

use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader, RadioGroup, SelectField, choice, crumb},
};

pub(super) async fn form(State(house): State<House>, asking: Asking, Path(slug): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects);
    let loaded = async {
        let project = house.domain.project(&op, &slug).await?;
        let holders = house.domain.role_candidates(&op, project.id).await?;
        Ok((project, holders))
    };
    match loaded.await {
        Ok((project, holders)) => draw(&shell, &project, holders, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn grant(
    State(house): State<House>,
    asking: Asking,
    Path(slug): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects).once(&posted);
    let t = shell.text;
    let loaded = async {
        let project = house.domain.project(&op, &slug).await?;
        let holders = house.domain.role_candidates(&op, project.id).await?;
        Ok((project, holders))
    };
    let (project, holders) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let holder = Holder::parse(posted.fields.text("holder"));
    if holder.is_none() {
        errors.at("holder", t.form_choose());
    }
    let role = posted.fields.text("role").parse::<Role>().ok();
    if role.is_none() {
        errors.at("role", t.form_choose());
    }
    let (Some(holder), Some(role)) = (holder, role) else {
        return draw(&shell, &project, holders, Draft::refused(posted.fields, errors));
    };
    match house.domain.grant_role(&op, Grant { holder, role, project: Some(project.id) }).await {
        Ok(_) => return render::done(&shell, &format!("/projects/{slug}#roles"), t.roles_given()),
        Err(GrantRoleError::AlreadyHeld) => errors.at("role", t.roles_already()),
        Err(GrantRoleError::Archived) => errors.whole(t.projects_is_archived()),
        Err(GrantRoleError::LocksOut) => errors.whole(t.roles_locks_out()),
        Err(GrantRoleError::NoSuchHolder) => errors.at("holder", t.roles_no_such_holder()),
        Err(GrantRoleError::OnlyPeopleOwn | GrantRoleError::WrongScope(_)) => {
            errors.at("role", t.form_choose());
        }
        Err(GrantRoleError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
    }
    draw(&shell, &project, holders, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, project: &Project, holders: Vec<Candidate>, draft: Draft) -> Response {
    let t = shell.text;
    let project = project.clone();
    page(shell, t.roles_give()).of(&draft).show(move || {
        let back = format!("/projects/{}", project.slug);
        let holders = holders.into_iter().map(|it| choice(it.holder.to_string(), it.name).named()).collect();
        let roles = Role::ALL
            .into_iter()
            .filter(|role| role.scope() == RoleScope::Project)
            .map(|role| choice(role.as_str(), t.role(role)).hint(t.role_may(role)))
            .collect();
        view! {
            <PageHeader title=t.roles_give() crumbs=vec![crumb(t.projects(), "/projects"), crumb(project.name.clone(), back.clone())]/>
            <Form draft=draft submit=t.roles_give() cancel=back>
                <SelectField name="holder" label=t.roles_holder() required=true placeholder=t.choose() choices=holders hint=t.roles_holder_hint()/>
                <RadioGroup name="role" label=t.roles_role() required=true choices=roles value="viewer"/>
            </Form>
        }
    })
}

pub(super) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path((slug, binding)): Path<(String, String)>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects);
    match load(&house, &op, &slug, &binding).await {
        Ok((project, binding)) => draw_revoke(&shell, &project, binding, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn revoke(
    State(house): State<House>,
    asking: Asking,
    Path((slug, binding)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects).once(&posted);
    let t = shell.text;
    let back = format!("/projects/{slug}#roles");
    let (project, binding) = match load(&house, &op, &slug, &binding).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.missed(&shell, &op, &posted, refused, &back).await,
    };
    match house.domain.revoke_role(&op, binding.id).await {
        Ok(_) => render::done(&shell, &back, t.roles_taken()),
        Err(error @ (RevokeRoleError::LastOwner | RevokeRoleError::LocksOut)) => {
            let mut errors = Errors::new();
            let last = matches!(error, RevokeRoleError::LastOwner);
            errors.whole(if last { t.roles_last_owner() } else { t.roles_locks_out() });
            draw_revoke(&shell, &project, binding, Draft::refused(posted.fields, errors))
        }
        Err(RevokeRoleError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}

async fn load(
    house: &House,
    op: &keywarden_domain::Op,
    slug: &str,
    binding: &str,
) -> Result<(Project, RoleBinding), keywarden_domain::Refused> {
    let project = house.domain.project(op, slug).await?;
    let all = house.domain.project_roles(op, project.id, None, 200).await?;
    let found = all.bindings.into_iter().find(|it| it.id.to_string() == binding);
    Ok((project, found.ok_or(keywarden_domain::Refused::NotFound)?))
}

fn draw_revoke(shell: &Shell, project: &Project, binding: RoleBinding, draft: Draft) -> Response {
    let t = shell.text;
    let project = project.clone();
    page(shell, t.roles_take()).of(&draft).show(move || {
        let back = format!("/projects/{}", project.slug);
        let title = t.roles_take_title(t.role(binding.role), &binding.holder_name);
        view! {
            <PageHeader title=t.roles_take() crumbs=vec![crumb(t.projects(), "/projects"), crumb(project.name.clone(), back.clone())]/>
            <Confirm title=title consequences=vec![t.roles_take_at_once().into()]>
                <Form draft=draft submit=t.roles_take() danger=true cancel=back/>
            </Confirm>
        }
    })
}
