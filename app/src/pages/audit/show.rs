use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{Refused, audit::Event};
use leptos::prelude::*;
use serde_json::Value;

use super::list::{outcome, what, who};
use crate::{
    cells,
    context::{Asking, House},
    render::{self, page},
    shell::Section,
    ui::{CodeBlock, Column, Fact, Facts, Id, PageHeader, Panel, Row, Table, Time, crumb, fact},
};

pub(super) async fn show(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Audit);
    let loaded = async {
        let id = id.parse().map_err(|_| Refused::NotFound)?;
        house.domain.event(&op, id).await
    };
    let event = match loaded.await {
        Ok(event) => event,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    page(&shell, event.action.clone()).show(move || {
        let actor = view! { <a href=format!("/audit?actor={}", event.actor.1) >{who(t, &event)}</a> " " <Id value=event.actor.1.clone()/> };
        let thing = view! { <a href=format!("/audit?resource={}", event.resource.1) >{what(&event)}</a> " " <Id value=event.resource.1.clone()/> };
        let mut facts = vec![
            fact(t.audit_when(), view! { <Time at=event.at/> }),
            fact(t.audit_who(), actor),
            fact(t.audit_what(), thing),
            fact(t.audit_id(), view! { <Id value=event.id.to_string() whole=true/> }),
        ];
        facts.extend(text(&event, "/request").map(|it| fact(t.audit_request(), view! { <Id value=it/> })));
        facts.extend(text(&event, "/actor/session").map(|it| fact(t.audit_session(), view! { <Id value=it/> })));
        facts.extend(text(&event, "/actor/strength").map(|it| fact(t.audit_strength(), code(it))));
        facts.extend(text(&event, "/refusal").map(|it| fact(t.audit_why(), code(it))));
        facts.extend(policies(&event).map(|it| fact(t.audit_policies(), view! { <code translate="no">{it}</code> })));
        facts.extend(told(&event));
        let changes = changes(&event);
        let columns = vec![Column::text(t.audit_field()), Column::text(t.audit_before()), Column::text(t.audit_after())];
        let changes = (!changes.is_empty()).then(|| {
            let rows = changes
                .into_iter()
                .map(|(field, from, to)| {
                    Row::plain(view! { <code translate="no">{field}</code> }, cells![code(from), code(to)])
                })
                .collect();
            view! {
                <Panel id="changes" title=t.audit_changes()>
                    <Table caption=t.audit_changes() columns=columns rows=rows/>
                </Panel>
            }
        });
        let canonical = serde_json::to_string_pretty(&event.canonical).unwrap_or_default();
        view! {
            <PageHeader title=event.action.clone() named=true state=outcome(t, &event.outcome) crumbs=vec![crumb(t.audit(), "/audit")]/>
            <Facts facts=facts/>
            {changes}
            <Panel id="record" title=t.audit_record()>
                <p>{t.audit_record_why()}</p>
                <CodeBlock id="canonical" label=t.audit_record() text=canonical/>
            </Panel>
        }
    })
}

fn code(text: String) -> AnyView {
    view! { <code translate="no">{text}</code> }.into_any()
}

fn text(event: &Event, pointer: &str) -> Option<String> {
    event.canonical.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

fn policies(event: &Event) -> Option<String> {
    let policies = event.canonical.pointer("/decision/policies")?.as_array()?;
    let names: Vec<_> = policies.iter().filter_map(Value::as_str).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Names, addresses, reasons: what the reader may see of what the event tells of people.
fn told(event: &Event) -> Vec<Fact> {
    (event.personal.values())
        .flatten()
        .map(|(field, value)| {
            fact(field.replace('_', " "), view! { <span translate="no">{value.clone()}</span> }).recorded()
        })
        .collect()
}

fn changes(event: &Event) -> Vec<(String, String, String)> {
    let Some(changes) = event.canonical.get("changes").and_then(Value::as_object) else { return Vec::new() };
    let shown = |value: Option<&Value>| match value {
        None | Some(Value::Null) => "—".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    changes.iter().map(|(field, it)| (field.clone(), shown(it.get("from")), shown(it.get("to")))).collect()
}
