use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Resource,
    environments::{
        CreateEnvironmentError, EditEnvironment, EditEnvironmentError, Environment, NewEnvironment,
    },
    projects::Project,
    standards::Holding,
};
use keywarden_model::{KeyLabel, Name, Slug};
use leptos::prelude::*;

use super::terms;
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    pages::{permissions, standards::held as standards},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        CheckboxField, Facts, FieldGroup, Form, Hidden, LinkButton, PageHeader, Panel, TextField, TextKind,
        crumb, fact,
    },
};

pub(super) async fn new(State(house): State<House>, asking: Asking, Path(slug): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects);
    match house.domain.project(&op, &slug).await {
        Ok(project) => draw(&shell, &project, None, Beside::default(), Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn create(
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
    let fields = &posted.fields;
    let own: Option<Slug> = errors.parsed(t, fields, "slug", Text::slug_wrong);
    let name: Option<Name> = errors.parsed(t, fields, "name", Text::name_wrong);
    let label: Option<KeyLabel> = errors.parsed(t, fields, "label", Text::label_wrong);
    let terms = terms::read(t, fields, &mut errors);
    let (Some(own), Some(name), Some(label), Some(terms)) = (own, name, label, terms) else {
        return draw(&shell, &project, None, Beside::default(), Draft::refused(posted.fields, errors));
    };
    let new = NewEnvironment { slug: own, name, label, terms };
    let said = t.environments_made(new.name.as_str());
    match house.domain.create_environment(&op, project.id, new).await {
        Ok(_) => return render::done(&shell, &format!("/projects/{slug}"), said),
        Err(CreateEnvironmentError::SlugTaken) => errors.at("slug", t.environments_slug_taken()),
        Err(CreateEnvironmentError::NameTaken) => errors.at("name", t.environments_name_taken()),
        Err(CreateEnvironmentError::Archived) => errors.whole(t.projects_is_archived()),
        Err(CreateEnvironmentError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
    }
    draw(&shell, &project, None, Beside::default(), Draft::refused(posted.fields, errors))
}

pub(super) async fn form(
    State(house): State<House>,
    asking: Asking,
    Path((slug, environment)): Path<(String, String)>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects);
    match load_with(&house, &op, &slug, &environment).await {
        Ok((project, environment, beside)) => {
            draw(&shell, &project, Some(environment), beside, Draft::default())
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn save(
    State(house): State<House>,
    asking: Asking,
    Path((slug, environment)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects).once(&posted);
    let t = shell.text;
    let (project, environment, beside) = match load_with(&house, &op, &slug, &environment).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let name: Option<Name> = errors.parsed(t, &posted.fields, "name", Text::name_wrong);
    let terms = terms::read(t, &posted.fields, &mut errors);
    let (Some(name), Some(terms)) = (name, terms) else {
        return draw(&shell, &project, Some(environment), beside, Draft::refused(posted.fields, errors));
    };
    let row_version = posted.fields.text("row_version").parse().unwrap_or_default();
    let reads_need_reason = posted.fields.ticked("reads_need_reason");
    let edit = EditEnvironment { name, terms, reads_need_reason, row_version };
    match house.domain.edit_environment(&op, environment.id, edit).await {
        Ok(_) => return render::done(&shell, &format!("/projects/{slug}"), t.saved()),
        Err(EditEnvironmentError::NameTaken) => errors.at("name", t.environments_name_taken()),
        Err(EditEnvironmentError::ChangedMeanwhile) => errors.whole(t.changed_meanwhile()),
        Err(EditEnvironmentError::Archived) => errors.whole(t.projects_is_archived()),
        Err(EditEnvironmentError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
    }
    draw(&shell, &project, Some(environment), beside, Draft::refused(posted.fields, errors))
}

/// What is said of an environment beside its form.
#[derive(Default)]
struct Beside {
    /// The standards that hold in it.
    holding: Vec<Holding>,
    /// Where it is shown who can do what in it.
    who: Option<String>,
}

async fn load_with(
    house: &House,
    op: &keywarden_domain::Op,
    slug: &str,
    environment: &str,
) -> Result<(Project, Environment, Beside), keywarden_domain::Refused> {
    let (project, it) = load(house, op, slug, environment).await?;
    let holding = house.domain.standards_in_force(op, project.id, &it.slug, &it.label).await?;
    let this = Resource::Environment { id: it.id, project: project.id };
    let who = permissions::way_for(house, op, &this).await?;
    Ok((project, it, Beside { holding, who }))
}

pub(super) async fn load(
    house: &House,
    op: &keywarden_domain::Op,
    slug: &str,
    environment: &str,
) -> Result<(Project, Environment), keywarden_domain::Refused> {
    let project = house.domain.project(op, slug).await?;
    let environment = house.domain.environment(op, project.id, environment).await?;
    Ok((project, environment))
}

/// How long deleted secrets are kept, which has a page of its own.
fn kept(t: Text, project: &Project, environment: &Environment) -> AnyView {
    let href = format!("/projects/{}/environments/{}/secrets", project.slug, environment.slug);
    let protection = if environment.purge_protection {
        t.environments_protection_on()
    } else {
        t.environments_protection_off()
    };
    let facts = vec![
        fact(t.environments_window(), t.span_days(environment.secret_recovery_days.unsigned_abs())),
        fact(t.environments_protection(), protection),
    ];
    let change = view! { <LinkButton label=t.environments_secrets_change() href=href/> };
    view! {
        <Panel id="secrets" title=t.environments_secrets() aside=change.into_any()><Facts facts=facts/></Panel>
    }
    .into_any()
}

fn draw(
    shell: &Shell,
    project: &Project,
    environment: Option<Environment>,
    beside: Beside,
    draft: Draft,
) -> Response {
    let t = shell.text;
    let project = project.clone();
    let title = if environment.is_some() { t.environments_edit() } else { t.environments_create() };
    page(shell, title).of(&draft).show(move || {
        let back = format!("/projects/{}", project.slug);
        let submit = if environment.is_some() { t.save() } else { t.environments_create() };
        let (name, days, hours) = match &environment {
            Some(it) => (
                it.name.clone(),
                it.max_lifetime_seconds.map(|it| (it / 86_400).to_string()).unwrap_or_default(),
                (it.overlap_seconds / 3_600).to_string(),
            ),
            None => (String::new(), String::new(), "24".to_owned()),
        };
        let fixed = match &environment {
            Some(it) => view! { <Hidden name="row_version" value=it.row_version.to_string()/> }.into_any(),
            None => view! {
                <TextField name="slug" label=t.projects_slug() required=true maxlength=40 mono=true hint=t.environments_slug_hint()/>
                <TextField name="label" label=t.environments_label() required=true maxlength=16 mono=true value="live" hint=t.environments_label_hint()/>
            }
            .into_any(),
        };
        let who = beside.who.map(|href| view! { <LinkButton label=t.permissions_who_can() href=href/> }.into_any());
        let asks = environment.as_ref().map(|it| it.reads_need_reason);
        view! {
            <PageHeader title=title crumbs=vec![crumb(t.projects(), "/projects"), crumb(project.name.clone(), back.clone())] actions=who.into_any()/>
            <Form draft=draft submit=submit cancel=back>
                <TextField name="name" label=t.projects_name() required=true maxlength=120 value=name/>
                {fixed}
                <FieldGroup label=t.environments_terms()>
                    <TextField name="lifetime_days" label=t.environments_lifetime_days() kind=TextKind::Number min="1" max="3650" value=days hint=t.environments_lifetime_hint()/>
                    <TextField name="overlap_hours" label=t.environments_overlap_hours() kind=TextKind::Number min="0" max="2160" required=true value=hours hint=t.environments_overlap_hint()/>
                </FieldGroup>
                {asks.map(|asks| view! {
                    <CheckboxField name="reads_need_reason" label=t.reasons_env() hint=t.reasons_env_hint() checked=asks/>
                })}
            </Form>
            {standards::panel(t, &beside.holding)}
            {environment.map(|it| kept(t, &project, &it))}
        }
    })
}
