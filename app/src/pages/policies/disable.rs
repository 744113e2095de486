//! Letting a policy decide no longer.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Domain, Op, Refused,
    policy::{ChangePolicyError, ShownPolicy, difference::PolicyChange},
};
use keywarden_model::{PolicyEffect, PolicyState};
use leptos::prelude::*;

use super::{
    difference::{self, Impact},
    load, path, steps, way_to,
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, Hidden, PageHeader},
};

pub(super) async fn before(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    let loaded = async {
        let shown = load(&house.domain, &op, &id).await?;
        let impact = impact(&house.domain, &op, &shown).await?;
        Ok((shown, impact))
    };
    match loaded.await {
        Ok((shown, impact)) => draw(&shell, &shown, impact, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

async fn impact(domain: &Domain, op: &Op, shown: &ShownPolicy) -> Result<Impact, Refused> {
    Impact::of(domain, op, shown.policy.id, PolicyChange::Disabled).await
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
    let impact = match impact(&house.domain, &op, &shown).await {
        Ok(impact) => impact,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    draw(&shell, &shown, impact, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, shown: &ShownPolicy, impact: Impact, draft: Draft) -> Response {
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
        let impact = difference::panel(t, impact, Some(&difference::address(&policy, None)));
        view! {
            <PageHeader title=t.policies_disable() crumbs=way/>
            {impact}
            <Confirm title=title consequences=consequences>
                <Form draft=draft submit=t.policies_disable() danger=true cancel=back>
                    <Hidden name="row_version" value=seen/>
                </Form>
            </Confirm>
        }
    })
}
