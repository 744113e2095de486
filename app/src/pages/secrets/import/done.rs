//! What an import did, with the way to each secret.

use axum::response::Response;
use keywarden_domain::secrets::{EntryOutcome, Imported, PlannedEntry};
use leptos::prelude::*;

use super::{preview::Around, words};
use crate::{
    cells,
    render::page,
    shell::Shell,
    text::Text,
    ui::{Actions, ButtonKind, Column, Facts, LinkButton, PageHeader, Row, Table, fact, row},
};

/// Rows that the page has; the folder's list has all of them.
const MOST: usize = 100;

pub(super) fn show(shell: &Shell, around: Around, imported: Imported) -> Response {
    let t = shell.text;
    let Imported { created, changed, unchanged, entries } = imported;
    let Around { crumbs, folder, .. } = around;
    page(shell, t.import_done()).show(move || {
        let number = |n: u32| t.number(u64::from(n));
        let facts = vec![
            fact(t.import_created(), number(created)),
            fact(t.import_changes_all(), number(changed)),
            fact(t.import_unchanged_all(), number(unchanged)),
        ];
        let done: Vec<_> = entries.into_iter().filter(|it| it.outcome != EntryOutcome::Unchanged).collect();
        let more = done.len().saturating_sub(MOST);
        let rows: Vec<_> = done.iter().take(MOST).map(|it| line(t, it)).collect();
        let columns = vec![
            Column::text(t.secrets_path()),
            Column::text(t.import_does()),
            Column::number(t.secrets_version()),
        ];
        let table =
            (!rows.is_empty()).then(|| view! { <Table caption=t.import_done() columns=columns rows=rows/> });
        view! {
            <PageHeader title=t.import_done() lead=t.import_done_lead(created.saturating_add(changed)) crumbs=crumbs/>
            <Actions><LinkButton kind=ButtonKind::Primary label=t.import_to_folder() href=folder/></Actions>
            <Facts facts=facts/>
            {table}
            {(more > 0).then(|| view! { <p>{t.export_more(more)}</p> })}
        }
    })
}

fn line(t: Text, it: &PlannedEntry) -> Row {
    let cells = cells![words::badge(t, &it.outcome), it.current.to_string()];
    match it.secret {
        Some(id) => row(format!("/secrets/{id}"), it.path.clone(), cells),
        None => Row::plain(view! { <span translate="no">{it.path.clone()}</span> }, cells),
    }
}
