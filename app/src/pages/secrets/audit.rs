//! What was done with a secret, and by whom: who read it above all.

use keywarden_domain::{
    audit::{Event, Page},
    secrets::Secret,
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

pub(super) fn view(t: Text, secret: &Secret, params: &Params, found: Page) -> AnyView {
    let path = around::path(secret);
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
        Column::number(t.secrets_version()),
    ];
    let rows = found.events.into_iter().map(|event| line(t, &event)).collect();
    let empty = view! { <EmptyState title=t.audit_none()>{t.audit_none_why()}</EmptyState> };
    view! { <Table caption=t.audit() columns=columns rows=rows pager=pager empty=empty.into_any()/> }
        .into_any()
}

fn line(t: Text, event: &Event) -> Row {
    let version = event.canonical.pointer("/facts/version").map(ToString::to_string);
    let cells = cells![view! { <Time at=event.at/> }, who(t, event), outcome(t, &event.outcome), version];
    row(format!("/audit/{}", event.id), event.action.clone(), cells)
}
