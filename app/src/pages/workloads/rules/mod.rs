//! Sign-in rules of a workload.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod edit;
mod fields;
mod presets;
pub(super) mod show;
mod table;

use keywarden_domain::{Domain, Op, Refused, trust::ShownTrustRule, workloads::Workload};
use keywarden_model::{TrustRuleId, WorkloadId};

use crate::{
    text::Text,
    ui::{Crumb, crumb},
};

pub(super) use table::panel;

/// The workload of a page about its rules.
async fn workload(domain: &Domain, op: &Op, id: &str) -> Result<Workload, Refused> {
    let id: WorkloadId = id.parse().map_err(|_| Refused::NotFound)?;
    Ok(domain.workload(op, id).await?.workload)
}

/// A rule and its workload.
async fn load(domain: &Domain, op: &Op, id: &str, rule: &str) -> Result<(Workload, ShownTrustRule), Refused> {
    let workload = workload(domain, op, id).await?;
    let rule: TrustRuleId = rule.parse().map_err(|_| Refused::NotFound)?;
    let shown = domain.trust_rule(op, workload.id, rule).await?;
    Ok((workload, shown))
}

/// The rule's page.
fn path(shown: &ShownTrustRule) -> String {
    format!("/workloads/{}/rules/{}", shown.rule.workload, shown.rule.id)
}

/// The way to a workload's rules.
fn crumbs(t: Text, workload: &Workload) -> Vec<Crumb> {
    let page = format!("/workloads/{}", workload.id);
    vec![crumb(t.workloads(), "/workloads"), crumb(workload.name.clone(), page)]
}

/// The way to one rule.
fn crumbs_below(t: Text, workload: &Workload, shown: &ShownTrustRule) -> Vec<Crumb> {
    let mut crumbs = crumbs(t, workload);
    crumbs.push(crumb(t.rules_rule(), path(shown)));
    crumbs
}
