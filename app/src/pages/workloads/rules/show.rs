use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Action, Resource,
    trust::{Keys, RefusedToken, ShownTrustRule},
};
use keywarden_model::time::micros;
use leptos::prelude::*;

use crate::{
    cells,
    context::{Asking, House},
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Badge, ButtonKind, Column, EmptyState, Facts, Id, LinkButton, PageHeader, Panel, Row, Table, Time,
        Tone, fact,
    },
};

pub(in super::super) async fn show(
    State(house): State<House>,
    asking: Asking,
    Path((id, rule)): Path<(String, String)>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads);
    let loaded = async {
        let (workload, shown) = super::load(&house.domain, &op, &id, &rule).await?;
        let this = Resource::Workload { id: workload.id, project: workload.project };
        let may_edit = house.domain.would(&op, Action::EditTrustRule, &this).await?;
        let may_delete = house.domain.would(&op, Action::DeleteTrustRule, &this).await?;
        Ok((workload, shown, may_edit, may_delete))
    };
    let (workload, shown, may_edit, may_delete) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    page(&shell, t.rules_rule()).show(move || {
        let base = super::path(&shown);
        let terms = &shown.rule.terms;
        let keys = match &terms.keys {
            Keys::At(url) => view! { <code translate="no">{url.to_string()}</code> }.into_any(),
            Keys::Discovered => t.rules_keys_discovery().into_any(),
            Keys::Given(_) => t.rules_keys_document().into_any(),
        };
        let taken = if terms.single_use { t.rules_single_use_yes() } else { t.rules_single_use_no() };
        let facts = vec![
            fact(t.rules_issuer(), view! { <code translate="no">{terms.issuer.to_string()}</code> }),
            fact(t.rules_audience(), view! { <code translate="no">{terms.audience.to_string()}</code> }),
            fact(t.rules_claims(), view! { <code class="claims" translate="no">{terms.claims.to_lines()}</code> }),
            fact(t.rules_keys(), keys),
            fact(t.rules_taken(), taken),
            fact(t.rules_last_used(), view! { <Time at=shown.rule.last_used_at/> }),
            fact(t.projects_created(), view! { <Time at=shown.rule.created_at/> }),
            fact(t.workloads_id(), view! { <Id value=shown.rule.id.to_string()/> }),
        ];
        let actions = view! {
            {may_delete.then(|| view! { <LinkButton label=t.rules_delete() href=format!("{base}/delete")/> })}
            {may_edit.then(|| view! { <LinkButton kind=ButtonKind::Primary label=t.rules_edit() href=format!("{base}/edit")/> })}
        };
        let refused = may_edit.then(|| last_refused(t, &shown, &base));
        view! {
            <PageHeader title=t.rules_rule() actions=actions.into_any() crumbs=super::crumbs(t, &workload)/>
            <Facts facts=facts/>
            {refused}
        }
    })
}

fn last_refused(t: Text, shown: &ShownTrustRule, base: &str) -> AnyView {
    let Some(refused) = &shown.refused else {
        return view! {
            <Panel id="refused" title=t.refused_token()>
                <EmptyState title=t.refused_token_none()>{t.refused_token_none_why()}</EmptyState>
            </Panel>
        }
        .into_any();
    };
    let edit = format!("{base}/edit?seen={}", micros(refused.at));
    let facts = vec![
        fact(t.refused_at(), view! { <Time at=refused.at/> }),
        fact(t.refused_because(), t.refused_why(refused.why)),
    ];
    let columns = vec![
        Column::text(t.refused_claim()),
        Column::text(t.refused_said()),
        Column::text(t.refused_wanted()),
        Column::text(t.refused_pin()),
    ];
    let rows = claims(t, shown, refused, &edit);
    let aside = view! { <LinkButton label=t.refused_use() href=edit/> };
    view! {
        <Panel id="refused" title=t.refused_token() aside=aside.into_any()>
            <p>{t.refused_token_care()}</p>
            <Facts facts=facts/>
            <Table caption=t.refused_token() columns=columns rows=rows/>
        </Panel>
    }
    .into_any()
}

fn claims(t: Text, shown: &ShownTrustRule, refused: &RefusedToken, edit: &str) -> Vec<Row> {
    let terms = &shown.rule.terms;
    let wanted = |name: &str| match name {
        "iss" => Some(terms.issuer.to_string()),
        "aud" => Some(terms.audience.to_string()),
        _ => terms.claims.iter().find(|(it, _)| *it == name).map(|(_, value)| value.to_owned()),
    };
    refused
        .claims
        .iter()
        .map(|claim| {
            let wants = wanted(&claim.name);
            let missed = claim.missed.then(|| view! { " " <Badge label=t.refused_differs() tone=Tone::Bad/> });
            let own = ["aud", "exp", "iat", "iss", "jti", "nbf"].contains(&claim.name.as_str());
            let pin = (claim.comparable && !own && (wants.is_none() || claim.missed)).then(|| {
                let name = percent(&claim.name);
                view! { <a href=format!("{edit}&pin={name}") aria-label=t.refused_pin_named(&claim.name)>{t.refused_pin()}</a> }
            });
            let cells = cells![
                view! { <code class="claims" translate="no">{claim.value.clone()}</code> },
                view! { <code class="claims" translate="no">{wants}</code>{missed} },
                pin,
            ];
            Row::plain(view! { <code translate="no">{claim.name.clone()}</code> }, cells)
        })
        .collect()
}

fn percent(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
