//! What was done to a key, and by whom.

use keywarden_domain::{
    audit::{Event, Page},
    keys::Key,
};
use leptos::prelude::*;

use super::around;
use crate::{
    cells,
    form::Params,
    pages::audit::{outcome, who},
    text::Text,
    ui::{Column, EmptyState, Pager, Row, Table, Time, row},
};

pub(super) fn view(t: Text, key: &Key, params: &Params, found: Page) -> AnyView {
    let path = around::path(key);
    let pager = Pager {
        shown: String::new(),
        first: params.any(&["after"]).then(|| params.first(&path)),
        next: found.next.map(|place| params.after(&path, &place.to_string())),
    };
    let columns = vec![
        Column::text(t.audit_action()),
        Column::text(t.audit_when()),
        Column::text(t.audit_who()),
        Column::text(t.audit_outcome()),
        Column::text(t.keys_said()),
    ];
    let rows = found.events.into_iter().map(|event| line(t, &event)).collect();
    let empty = view! { <EmptyState title=t.audit_none()>{t.audit_none_why()}</EmptyState> };
    view! { <Table caption=t.audit() columns=columns rows=rows pager=pager empty=empty.into_any()/> }
        .into_any()
}

fn line(t: Text, event: &Event) -> Row {
    let cells = cells![
        view! { <Time at=event.at/> },
        who(t, event),
        outcome(t, &event.outcome),
        view! { <span translate="no">{said(event)}</span> },
    ];
    row(format!("/audit/{}", event.id), event.action.clone(), cells)
}

/// What whoever did it wrote beside it.
fn said(event: &Event) -> Option<String> {
    let fields = event.personal.values();
    fields.flat_map(|it| ["reason", "note"].map(|name| it.get(name))).flatten().next().cloned()
}
