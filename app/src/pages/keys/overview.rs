//! What a key is: its facts, its values, its use.

use keywarden_domain::keys::{Key, KeyValue, KeyView, UsagePoint};
use leptos::prelude::*;

use super::{around, reasons};
use crate::{
    cells,
    pages::projects::span,
    text::Text,
    ui::{BarChart, CodeBlock, Column, Fact, Facts, Id, KeyStateBadge, Panel, Row, Table, Time, Tone, fact},
};

pub(super) fn view(t: Text, view: &KeyView, usage: &[UsagePoint]) -> AnyView {
    let KeyView { key, values, .. } = view;
    let description = key.description.as_str().to_owned();
    let rows = values.iter().map(|it| value_row(t, it)).collect();
    let (charts, terms, metadata) = (charts(t, usage), terms(t, key), metadata(t, key));
    view! {
        {(!description.is_empty()).then(|| view! { <p class="key-description" translate="no">{description}</p> })}
        <Facts facts=facts(t, key)/>
        <Panel id="values" title=t.keys_values()>
            <Table caption=t.keys_values() columns=value_columns(t) rows=rows/>
        </Panel>
        <Panel id="use" title=t.keys_use()>{charts}</Panel>
        <Panel id="terms" title=t.keys_terms()>
            <Facts facts=terms/>
            {metadata}
        </Panel>
    }
    .into_any()
}

fn facts(t: Text, key: &Key) -> Vec<Fact> {
    let project = key.project_slug.clone();
    let mut facts = vec![
        fact(t.keys_id(), view! { <Id value=key.id.to_string() whole=true/> }),
        fact(
            t.keys_project(),
            view! { <a href=format!("/projects/{project}") translate="no">{project.clone()}</a> },
        ),
        fact(t.keys_environment(), view! { <span translate="no">{key.environment_slug.clone()}</span> }),
        fact(
            t.keys_owner(),
            view! { <a href=format!("/keys?owner={}", key.owner) translate="no">{key.owner_name.clone()}</a> },
        ),
        fact(t.keys_issued_at(), view! { <Time at=key.created_at/> }),
        fact(t.keys_last_used(), view! { <Time at=key.last_used_at/> }),
    ];
    if let Some(at) = key.not_before {
        facts.push(fact(t.keys_not_before(), view! { <Time at=at/> }));
    }
    facts.push(fact(t.keys_expires(), view! { <Time at=key.expires_at/> }));
    if let Some(at) = key.suspended_at {
        facts.push(fact(t.keys_suspended_at(), view! { <Time at=at/> }));
    }
    if let Some((at, reason)) = key.revoked {
        facts.push(fact(t.keys_revoked_at(), view! { <Time at=at/> }));
        facts.push(fact(t.keys_reason(), reasons::name(t, reason)));
    }
    facts
}

fn value_columns(t: Text) -> Vec<Column> {
    vec![
        Column::text(t.keys_value()),
        Column::text(t.keys_state()),
        Column::minor(t.keys_made()),
        Column::text(t.keys_superseded()),
        Column::text(t.keys_stops()),
        Column::text(t.keys_last_used()),
    ]
}

fn value_row(t: Text, value: &KeyValue) -> Row {
    let cells = cells![
        view! { <KeyStateBadge state=value.state/> },
        view! { <Time at=value.created_at/> },
        view! { <Time at=value.superseded_at otherwise=t.keys_current()/> },
        view! { <Time at=value.stops_at otherwise=t.keys_stops_with_key()/> },
        view! { <Time at=value.last_used_at/> },
    ];
    Row::plain(view! { <code translate="no">{around::shown(t, value)}</code> }, cells)
}

/// Good uses, and refused ones if there were any.
fn charts(t: Text, usage: &[UsagePoint]) -> AnyView {
    let points = |count: fn(&UsagePoint) -> u64| -> Vec<(String, u64)> {
        usage.iter().map(|it| (t.day(it.at), count(it))).collect()
    };
    let valid: u64 = usage.iter().map(|it| it.valid).sum();
    let refused: u64 = usage.iter().map(|it| it.refused).sum();
    let valid_says = t.keys_uses_said(&t.number(valid));
    let refused_chart = (refused > 0).then(|| {
        let said = t.keys_refusals_said(&t.number(refused));
        view! { <BarChart title=t.keys_refusals() description=said label_heading=t.keys_day() value_heading=t.keys_refusals() points=points(|it| it.refused) tone=Tone::Bad/> }
    });
    view! {
        <div class="charts">
        <BarChart title=t.keys_uses() description=valid_says label_heading=t.keys_day() value_heading=t.keys_uses() points=points(|it| it.valid)/>
        {refused_chart}
        </div>
    }
    .into_any()
}

fn terms(t: Text, key: &Key) -> Vec<Fact> {
    let rate = match key.rate_limit {
        Some(it) => t.keys_rate_said(&t.number(it.limit.into()), &span(t, it.window_seconds.into())),
        None => t.keys_unlimited().to_owned(),
    };
    let scopes = key.scopes.iter().map(ToString::to_string).collect();
    let ranges = key.allowed_cidrs.iter().map(ToString::to_string).collect();
    vec![
        fact(t.keys_scopes(), words(scopes, t.keys_no_scopes())),
        fact(t.keys_ranges(), words(ranges, t.keys_everywhere())),
        fact(t.keys_rate(), rate),
        fact(t.keys_overlap(), span(t, key.overlap_seconds)),
        fact(t.keys_tags(), tags(t, key)),
    ]
}

fn words(words: Vec<String>, none: &'static str) -> AnyView {
    if words.is_empty() {
        return none.into_any();
    }
    let words = words.into_iter().map(|word| view! { <li><code>{word}</code></li> }).collect_view();
    view! { <ul class="key-words" translate="no">{words}</ul> }.into_any()
}

/// Each leads to the keys that have it.
fn tags(t: Text, key: &Key) -> AnyView {
    if key.tags.is_empty() {
        return t.keys_no_tags().into_any();
    }
    let tags = key.tags.words().into_iter().map(|tag| {
        let href = format!("/keys?tag={}", crate::shell::encoded(&tag));
        view! { <li><a href=href><code>{tag}</code></a></li> }
    });
    view! { <ul class="key-words" translate="no">{tags.collect_view()}</ul> }.into_any()
}

fn metadata(t: Text, key: &Key) -> Option<AnyView> {
    let text = serde_json::to_string_pretty(&key.metadata).ok().filter(|_| !key.metadata.is_empty())?;
    Some(view! { <CodeBlock id="metadata" label=t.keys_metadata() text=text/> }.into_any())
}
