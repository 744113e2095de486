use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    trust::{EditTrustRuleError, RefusedToken, ShownTrustRule},
    workloads::Workload,
};
use keywarden_model::time::micros;
use leptos::prelude::*;

use super::fields::{self, Start};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Banner, Form, Hidden, PageHeader, Tone},
};

pub(in super::super) async fn form(
    State(house): State<House>,
    asking: Asking,
    Path((id, rule)): Path<(String, String)>,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads);
    match super::load(&house.domain, &op, &id, &rule).await {
        Ok((workload, shown)) => {
            let claims = filled(&shown, &params);
            let is_filled = claims.is_some();
            let mut start = Start::of(&shown.rule.terms);
            start.claims = claims.unwrap_or(start.claims);
            draw(&shell, &workload, &shown, start, is_filled, Draft::default())
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(in super::super) async fn save(
    State(house): State<House>,
    asking: Asking,
    Path((id, rule)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads).once(&posted);
    let t = shell.text;
    let (workload, shown) = match super::load(&house.domain, &op, &id, &rule).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let terms = fields::read(t, &posted.fields, &mut errors);
    let seen = posted.fields.text("row_version").parse().ok();
    if seen.is_none() {
        errors.whole(t.form_unreadable());
    }
    if let (Some(terms), Some(seen)) = (terms, seen) {
        match house.domain.edit_trust_rule(&op, workload.id, shown.rule.id, terms, seen).await {
            Ok(_) => return render::done(&shell, &super::path(&shown), t.saved()),
            Err(EditTrustRuleError::ChangedMeanwhile) => errors.whole(t.rules_changed()),
            Err(EditTrustRuleError::Claims(wrong)) => errors.at("claims", t.claims_wrong(&wrong)),
            Err(EditTrustRuleError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
        }
    }
    let start = Start::of(&shown.rule.terms);
    draw(&shell, &workload, &shown, start, false, Draft::refused(posted.fields, errors))
}

/// The claims out of the token that was refused: `use` takes what it says of the names in the rule, `pin` adds one.
/// Only of the very token that was looked at: another one may have come since.
fn filled(shown: &ShownTrustRule, params: &Params) -> Option<String> {
    let refused = shown.refused.as_ref().filter(|it| params.read("seen") == Some(micros(it.at)))?;
    let mut claims: BTreeMap<String, String> =
        shown.rule.terms.claims.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let pin = params.text("pin");
    if pin.is_empty() {
        for (name, value) in &mut claims {
            *value = said(refused, name).unwrap_or_else(|| value.clone());
        }
    } else {
        claims.insert(pin.to_owned(), said(refused, pin)?);
    }
    let lines: Vec<_> = claims.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    Some(lines.join("\n"))
}

fn said(refused: &RefusedToken, name: &str) -> Option<String> {
    refused.claims.iter().find(|it| it.name == name && it.comparable).map(|it| it.value.clone())
}

fn draw(
    shell: &Shell,
    workload: &Workload,
    shown: &ShownTrustRule,
    start: Start,
    is_filled: bool,
    draft: Draft,
) -> Response {
    let t = shell.text;
    let (workload, shown) = (workload.clone(), shown.clone());
    page(shell, t.rules_edit()).of(&draft).show(move || {
        let fields = fields::fields(t, start);
        let filled = is_filled.then(|| view! { <Banner tone=Tone::Warn title=t.rules_filled()/> });
        view! {
            <PageHeader title=t.rules_edit() lead=t.rules_edit_lead() crumbs=super::crumbs_below(t, &workload, &shown)/>
            {filled}
            <Form draft=draft submit=t.save() cancel=super::path(&shown)>
                <Hidden name="row_version" value=shown.rule.row_version.to_string()/>
                {fields}
            </Form>
        }
    })
}
