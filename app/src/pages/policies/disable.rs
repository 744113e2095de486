//! Letting a policy decide no longer.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::policy::{ChangePolicyError, ShownPolicy};
use keywarden_model::{PolicyEffect, PolicyState};
use leptos::prelude::*;

use super::{load, path, steps, way_to};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, Hidden, PageHeader},
};

pub(super) async fn before(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    match load(&house.domain, &op, &id).await {
        Ok(shown) => draw(&shell, &shown, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn disable(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies).once(&posted);
    let t = shell.text;
    let shown = match load(&house.domain, &op, &id).await {
        Ok(shown) => shown,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    match posted.fields.text("row_version").parse() {
        Err(_) => errors.whole(t.form_unreadable()),
        Ok(seen) => match house.domain.disable_policy(&op, shown.policy.id, seen).await {
            Ok(_) => return render::done(&shell, &path(&shown.policy), t.policies_disabled()),
            Err(ChangePolicyError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
            Err(error) => steps::wrong(t, &mut errors, &error),
        },
    }
    draw(&shell, &shown, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, shown: &ShownPolicy, draft: Draft) -> Response {
    let t = shell.text;
    let policy = shown.policy.clone();
    let active = shown.versions.iter().find(|it| it.state == PolicyState::Active);
    let what = match active.map(|it| it.effect) {
        None => t.policies_none_decides(),
        Some(PolicyEffect::Forbid) => t.policies_disable_forbids(),
        Some(PolicyEffect::Permit) => t.policies_disable_permits(),
    };
    page(shell, t.policies_disable_title(&policy.name)).of(&draft).show(move || {
        let consequences = vec![what.to_owned(), t.policies_disable_keeps().to_owned()];
        let title = t.policies_disable_title(&policy.name);
        let (way, back) = (way_to(t, &policy), path(&policy));
        let seen = policy.row_version.to_string();
        view! {
            <PageHeader title=t.policies_disable() crumbs=way/>
            <Confirm title=title consequences=consequences>
                <Form draft=draft submit=t.policies_disable() danger=true cancel=back>
                    <Hidden name="row_version" value=seen/>
                </Form>
            </Confirm>
        }
    })
}
