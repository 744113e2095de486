//! `GET /api/docs`: every operation with its sentence; each has a page of its own.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde_json::Value;

use super::read::{self, Tag};
use crate::{
    context::{House, Reader},
    render::page,
    ui::{Column, PageHeader, Panel, Row, Table, row},
};

pub(super) async fn show(State(house): State<House>, Reader { shell }: Reader) -> Response {
    let t = shell.text;
    let tags = read::tags(house.openapi());
    let about =
        house.openapi().pointer("/info/description").and_then(Value::as_str).unwrap_or_default().to_owned();
    page(&shell, t.docs()).show(move || {
        let columns = || vec![Column::text(t.docs_operation()), Column::text(t.docs_about())];
        let sections = tags.into_iter().map(|tag| section(tag, columns())).collect_view();
        let paragraphs = about.split("\n\n").map(|text| view! { <p>{prose(text)}</p> }).collect_view();
        view! {
            <div class="docs">
                <PageHeader title=t.docs() lead=t.docs_lead()/>
                <div class="docs-about" lang="en" translate="no">{paragraphs}</div>
                <p><a href="/api/v1/openapi.json">{t.docs_machine()}</a> " · " <a href="/api/docs/problems">{t.docs_problems()}</a></p>
                <div translate="no">{sections}</div>
            </div>
        }
    })
}

fn section(tag: Tag, columns: Vec<Column>) -> AnyView {
    let id = format!("tag-{}", tag.name.to_lowercase().replace(' ', "-"));
    let rows: Vec<Row> = tag
        .operations
        .into_iter()
        .map(|it| {
            let name = view! { <code>{format!("{} {}", it.method, it.path)}</code> };
            let about = view! { <span lang="en" translate="no">{it.summary}</span> };
            row(format!("/api/docs/operations/{}", it.id), name, crate::cells![about])
        })
        .collect();
    view! {
        <Panel id=id title=tag.name.clone()>
            <p lang="en" translate="no">{prose(&tag.about)}</p>
            <Table caption=tag.name columns=columns rows=rows/>
        </Panel>
    }
    .into_any()
}

/// Texts of the description: between backticks is code, nothing else is markup.
pub(super) fn prose(text: &str) -> AnyView {
    text.split('`')
        .enumerate()
        .map(|(at, part)| {
            let part = part.to_owned();
            if at % 2 == 1 { view! { <code>{part}</code> }.into_any() } else { part.into_any() }
        })
        .collect_view()
        .into_any()
}
