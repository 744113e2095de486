//! What a thing's own page says of standards: what it breaks, and at which field a refused form says so.

use keywarden_domain::standards::{Breach, Demand, Holding, Rules};
use keywarden_model::StandardRule;
use leptos::prelude::*;

use super::LIST;
use crate::{
    form::Errors,
    text::Text,
    ui::{Banner, Panel, Tone},
};

/// Says at its field what a standard in force refuses; a secret's path has its field where there is a form for it.
pub(in crate::pages) fn note(t: Text, errors: &mut Errors, breach: &Breach) {
    let said = t.standard_breach(breach);
    match breach.demand.rule() {
        Some(StandardRule::KeyLifetime) => errors.at("expires_at", said),
        Some(StandardRule::KeyName) => errors.at("name", said),
        Some(StandardRule::Owner) => errors.at("owner", said),
        Some(StandardRule::Scope) => errors.at("scopes", said),
        Some(StandardRule::SecretName) => errors.at("path", said),
        Some(StandardRule::Tag) => errors.at("tags", said),
        None | Some(StandardRule::KeyRotation | StandardRule::Reason | StandardRule::SecretRotation) => {
            errors.whole(said);
        }
    }
}

/// What a thing breaks, above everything else that its page says.
pub(in crate::pages) fn banner(t: Text, breaches: &[Breach]) -> Option<AnyView> {
    if breaches.is_empty() {
        return None;
    }
    let lines = breaches.iter().map(|it| t.standard_demand(&it.demand)).collect::<Vec<_>>().join(" ");
    let mut named: Vec<_> = breaches.iter().map(|it| (it.standard, it.name.clone())).collect();
    named.dedup();
    let links = named.into_iter().map(|(id, name)| {
        let there = format!("{LIST}/{id}");
        view! { " " <a href=there translate="no">{name}</a> }
    });
    let links = links.collect_view();
    let title = t.standards_breaks(breaches.len());
    Some(view! { <Banner tone=Tone::Warn title=title>{lines}{links}</Banner> }.into_any())
}

/// What holds in an environment beside its own settings.
pub(in crate::pages) fn panel(t: Text, holding: &[Holding]) -> Option<AnyView> {
    if holding.is_empty() {
        return None;
    }
    let each = holding.iter().map(|it| {
        let there = format!("{LIST}/{}", it.standard);
        let asks = said(t, it.rules.as_ref()).join(". ");
        view! { <li><a href=there translate="no">{it.name.clone()}</a> ": " {asks}</li> }
    });
    let each = each.collect_view();
    Some(
        view! {
            <Panel id="standards" title=t.standards_holds()>
                <p>{t.standards_holds_why()}</p>
                <ul>{each}</ul>
            </Panel>
        }
        .into_any(),
    )
}

/// What rules ask for, or that nobody can tell.
pub(super) fn said(t: Text, rules: Option<&Rules>) -> Vec<String> {
    rules.map_or_else(|| vec![t.standards_unreadable().to_owned()], |rules| asks(t, rules))
}

/// What rules ask for, one sentence each.
fn asks(t: Text, rules: &Rules) -> Vec<String> {
    let mut asks = Vec::new();
    asks.extend(rules.key_names.as_ref().map(|it| t.standards_asks_key_names(it.as_str())));
    asks.extend(rules.secret_names.as_ref().map(|it| t.standards_asks_secret_names(it.as_str())));
    asks.extend(rules.key_lifetime_days.map(|it| t.standards_asks_lifetime(it.number())));
    asks.extend(rules.key_rotation_days.map(|it| t.standards_asks_key_rotation(it.number())));
    asks.extend(rules.secret_rotation_days.map(|it| t.standards_asks_secret_rotation(it.number())));
    asks.extend(rules.team_owner.then(|| t.standards_asks_team().to_owned()));
    if !rules.tags.is_empty() {
        asks.push(t.standards_asks_tags(&rules.tags.to_string()));
    }
    if !rules.approved_scopes.is_empty() {
        let scopes: Vec<_> = rules.approved_scopes.iter().map(ToString::to_string).collect();
        asks.push(t.standards_asks_scopes(&scopes.join(", ")));
    }
    asks.extend(rules.reads_need_reason.then(|| t.standards_asks_reason().to_owned()));
    asks
}

/// What a thing is asked for, in one line.
pub(super) fn demanded(t: Text, demands: &[Demand]) -> String {
    demands.iter().map(|it| t.standard_demand(it)).collect::<Vec<_>>().join(" ")
}
