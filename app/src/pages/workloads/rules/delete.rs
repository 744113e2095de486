use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    trust::{DeleteTrustRuleError, ShownTrustRule},
    workloads::Workload,
};
use leptos::prelude::*;

use crate::{
    context::{Asking, House, Posted},
    form::Draft,
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader},
};

pub(in super::super) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path((id, rule)): Path<(String, String)>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads);
    match super::load(&house.domain, &op, &id, &rule).await {
        Ok((workload, shown)) => draw(&shell, &workload, &shown),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(in super::super) async fn delete(
    State(house): State<House>,
    asking: Asking,
    Path((id, rule)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads).once(&posted);
    let (workload, shown) = match super::load(&house.domain, &op, &id, &rule).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.missed(&shell, &op, &posted, refused, &back(&id)).await,
    };
    match house.domain.delete_trust_rule(&op, workload.id, shown.rule.id).await {
        Ok(_) => render::done(&shell, &back(&id), shell.text.rules_deleted_now()),
        Err(DeleteTrustRuleError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}

/// The rules of a workload.
fn back(workload: &str) -> String {
    format!("/workloads/{workload}#rules")
}

fn draw(shell: &Shell, workload: &Workload, shown: &ShownTrustRule) -> Response {
    let t = shell.text;
    let (workload, shown) = (workload.clone(), shown.clone());
    page(shell, t.rules_delete()).show(move || {
        let title = t.rules_delete_title(shown.rule.terms.issuer.as_str());
        let breaks = vec![t.rules_delete_breaks(&workload.name)];
        view! {
            <PageHeader title=t.rules_delete() crumbs=super::crumbs_below(t, &workload, &shown)/>
            <Confirm title=title consequences=breaks>
                <Form draft=Draft::default() submit=t.rules_delete() danger=true cancel=super::path(&shown)/>
            </Confirm>
        }
    })
}
