//! The rules on their workload's page.

use keywarden_domain::{trust::TrustRule, workloads::Workload};
use leptos::prelude::*;

use crate::{
    cells,
    text::Text,
    ui::{Column, EmptyState, LinkButton, Panel, Table, Time, row},
};

/// The panel, with the way to a new rule for those who may add one.
pub(in super::super) fn panel(t: Text, workload: &Workload, rules: Vec<TrustRule>, may_add: bool) -> AnyView {
    let base = format!("/workloads/{}/rules", workload.id);
    let rows = rules
        .into_iter()
        .map(|rule| {
            let claims = view! { <code class="claims" translate="no">{rule.terms.claims.to_lines()}</code> };
            let cells = cells![claims, view! { <Time at=rule.last_used_at/> }];
            row(format!("{base}/{}", rule.id), rule.terms.issuer.to_string(), cells)
        })
        .collect();
    let columns = vec![
        Column::text(t.rules_issuer()),
        Column::text(t.rules_claims()),
        Column::text(t.rules_last_used()),
    ];
    let add = may_add && workload.is_active();
    let new = format!("{base}/new");
    let empty = view! { <EmptyState title=t.rules_none()>{t.rules_why()}</EmptyState> };
    let aside = add.then(|| view! { <LinkButton label=t.rules_add() href=new/> }.into_any());
    let aside = aside.unwrap_or_else(|| ().into_any());
    view! {
        <Panel id="rules" title=t.rules() aside=aside>
            <Table caption=t.rules() columns=columns rows=rows empty=empty.into_any()/>
        </Panel>
    }
    .into_any()
}
