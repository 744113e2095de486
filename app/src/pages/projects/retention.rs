//! How long an environment keeps deleted secrets.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    environments::{Environment, KeepSecretsError, Retention},
    projects::Project,
};
use leptos::prelude::*;

use super::environment::load;
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{CheckboxField, Form, Hidden, PageHeader, TextField, TextKind, crumb},
};

/// The window, in days, as the domain allows it.
const DAYS: std::ops::RangeInclusive<u64> = 7..=90;

pub(super) async fn form(
    State(house): State<House>,
    asking: Asking,
    Path((slug, environment)): Path<(String, String)>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Projects);
    match load(&house, &op, &slug, &environment).await {
        Ok((project, environment)) => draw(&shell, &project, &environment, Draft::default()),
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
    let (project, environment) = match load(&house, &op, &slug, &environment).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    if posted.fields.text("days").is_empty() {
        errors.at("days", t.form_missing());
    }
    let days = errors.number(t, &posted.fields, "days", DAYS).and_then(|it| i64::try_from(it).ok());
    // What is on stays on: the page of a protected environment has no box to tick.
    let protection = environment.purge_protection || posted.fields.ticked("protection");
    let version = posted.fields.text("row_version").parse().ok();
    if version.is_none() {
        errors.whole(t.form_unreadable());
    }
    if let (Some(Ok(retention)), Some(version)) = (days.map(|days| Retention::new(days, protection)), version)
    {
        match house.domain.keep_secrets(&op, environment.id, retention, version).await {
            Ok(()) => {
                let back = format!("/projects/{slug}/environments/{}", environment.slug);
                return render::done(&shell, &back, t.saved());
            }
            Err(KeepSecretsError::Archived) => errors.whole(t.projects_is_archived()),
            Err(KeepSecretsError::ChangedMeanwhile) => errors.whole(t.changed_meanwhile()),
            Err(KeepSecretsError::Protected) => errors.at("days", t.environments_window_protected()),
            Err(KeepSecretsError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
        }
    }
    draw(&shell, &project, &environment, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, project: &Project, environment: &Environment, draft: Draft) -> Response {
    let t = shell.text;
    let (project, environment) = (project.clone(), environment.clone());
    page(shell, t.environments_secrets()).of(&draft).show(move || {
        let base = format!("/projects/{}", project.slug);
        let back = format!("{base}/environments/{}", environment.slug);
        let crumbs = vec![
            crumb(t.projects(), "/projects"),
            crumb(project.name.clone(), base),
            crumb(environment.name.clone(), back.clone()),
        ];
        let protection = if environment.purge_protection {
            view! { <p>{t.environments_protected()}</p> }.into_any()
        } else {
            view! { <CheckboxField name="protection" label=t.environments_protection() hint=t.environments_protection_hint()/> }.into_any()
        };
        view! {
            <PageHeader title=t.environments_secrets() lead=t.environments_secrets_lead() crumbs=crumbs/>
            <Form draft=draft submit=t.save() cancel=back>
                <Hidden name="row_version" value=environment.row_version.to_string()/>
                <TextField
                    name="days" label=t.environments_window() kind=TextKind::Number required=true
                    min=DAYS.start().to_string() max=DAYS.end().to_string()
                    value=environment.secret_recovery_days.to_string() hint=t.environments_window_hint()
                />
                {protection}
            </Form>
        }
    })
}
