use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{trust::CreateTrustRuleError, workloads::Workload};
use leptos::prelude::*;

use super::{
    fields::{self, Start},
    presets::Preset,
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Fact, Facts, Form, PageHeader, Panel, fact},
};

pub(in super::super) async fn new(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads);
    match super::workload(&house.domain, &op, &id).await {
        Ok(workload) => {
            let start = Start::new(&house.domain.settings().origin, Preset::named(params.text("preset")));
            draw(&shell, &workload, start, Draft::default())
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(in super::super) async fn create(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads).once(&posted);
    let t = shell.text;
    let workload = match super::workload(&house.domain, &op, &id).await {
        Ok(workload) => workload,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    if let Some(terms) = fields::read(t, &posted.fields, &mut errors) {
        match house.domain.create_trust_rule(&op, workload.id, terms).await {
            Ok(rule) => {
                let there = format!("/workloads/{}/rules/{rule}", workload.id);
                return render::done(&shell, &there, t.rules_made());
            }
            Err(CreateTrustRuleError::Claims(wrong)) => errors.at("claims", t.claims_wrong(&wrong)),
            Err(CreateTrustRuleError::Deactivated) => errors.whole(t.workloads_is_deactivated()),
            Err(CreateTrustRuleError::TooMany) => errors.whole(t.rules_too_many()),
            Err(CreateTrustRuleError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
        }
    }
    let start = Start::new(&house.domain.settings().origin, None);
    draw(&shell, &workload, start, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, workload: &Workload, start: Start, draft: Draft) -> Response {
    let t = shell.text;
    let workload = workload.clone();
    page(shell, t.rules_add()).of(&draft).show(move || {
        let back = format!("/workloads/{}", workload.id);
        let presets: Vec<Fact> = Preset::all()
            .map(|preset| {
                let href = format!("{back}/rules/new?preset={}", preset.slug);
                fact(preset.label(t), view! { {preset.admits(t)} " " <a href=href>{t.rules_fill_in()}</a> })
            })
            .collect();
        let fields = fields::fields(t, start);
        view! {
            <PageHeader title=t.rules_add() lead=t.rules_add_lead() crumbs=super::crumbs(t, &workload)/>
            <Panel id="presets" title=t.rules_start()>
                <Facts facts=presets/>
            </Panel>
            <Form draft=draft submit=t.rules_add() cancel=back.clone()>{fields}</Form>
        }
    })
}
