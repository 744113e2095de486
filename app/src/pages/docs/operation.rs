//! `GET /api/docs/operations/<id>`: what one operation takes and gives.

use axum::{
    extract::{Path, State},
    response::Response,
};
use leptos::prelude::*;

use super::{
    read::{self, Answer, Body, Operation, Parameter},
    schema::Field,
    show::prose,
};
use crate::{
    cells,
    context::{House, Reader},
    render::{self, page},
    text::Text,
    ui::{Badge, CodeBlock, Column, PageHeader, Row, Table, crumb},
};

pub(super) async fn show(
    State(house): State<House>,
    Reader { shell }: Reader,
    Path(id): Path<String>,
) -> Response {
    let t = shell.text;
    let found = read::tags(house.openapi()).into_iter().find_map(|tag| {
        let operation = tag.operations.into_iter().find(|it| it.id == id)?;
        Some((tag.name, operation))
    });
    let Some((tag, operation)) = found else { return render::not_found(&shell) };
    page(&shell, operation.summary.clone()).show(move || {
        let Operation { method, path, summary, about, open, parameters: given, body: wanted, answers: told, .. } =
            operation;
        let name = format!("{method} {path}");
        let anchor = format!("/api/docs#tag-{}", tag.to_lowercase().replace(' ', "-"));
        let open = open.then(|| view! { <p>{t.docs_no_token()}</p> });
        let given = (!given.is_empty()).then(|| parameters(t, &name, given));
        let wanted = wanted.map(|it| body(t, t.docs_body(), &name, "body", it));
        let answers = answers(t, &name, told);
        view! {
            <div class="docs">
                <PageHeader title=summary named=true crumbs=vec![crumb(t.docs(), "/api/docs"), crumb(tag, anchor)]/>
                <p translate="no"><code>{name.clone()}</code></p>
                <p lang="en" translate="no">{prose(&about)}</p>
                {open}{given}{wanted}{answers}
            </div>
        }
    })
}

/// An element id from an operation's name.
fn it_id(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

fn code(text: String) -> AnyView {
    view! { <code translate="no">{text}</code> }.into_any()
}

fn required(t: Text, yes: bool) -> AnyView {
    yes.then(|| view! { " " <Badge label=t.docs_required()/> }).into_any()
}

fn said(text: &str) -> AnyView {
    view! { <span lang="en" translate="no">{prose(text)}</span> }.into_any()
}

fn parameters(t: Text, operation: &str, parameters: Vec<Parameter>) -> AnyView {
    let columns = vec![
        Column::text(t.docs_name()),
        Column::text(t.docs_place()),
        Column::text(t.docs_type()),
        Column::text(t.docs_about()),
    ];
    let rows = parameters
        .into_iter()
        .map(|it| {
            let name = view! { {code(it.name)}{required(t, it.required)} };
            Row::plain(name, cells![code(it.place), code(it.kind), said(&it.about)])
        })
        .collect();
    let caption = format!("{}: {operation}", t.docs_parameters());
    view! { <h2>{t.docs_parameters()}</h2><Table caption=caption columns=columns rows=rows/> }.into_any()
}

fn body(t: Text, title: &'static str, operation: &str, id: &str, body: Body) -> AnyView {
    let example = body.example.map(|example| {
        view! { <CodeBlock id=format!("{id}-example") label=t.docs_example_of(operation) text=example/> }
    });
    let fields = (!body.fields.is_empty()).then(|| fields(t, format!("{title}: {operation}"), body.fields));
    view! { <h2>{title} " " <code translate="no">{body.media}</code></h2>{fields}{example} }.into_any()
}

fn fields(t: Text, caption: String, fields: Vec<Field>) -> AnyView {
    let columns =
        vec![Column::text(t.docs_name()), Column::text(t.docs_type()), Column::text(t.docs_about())];
    let rows = fields
        .into_iter()
        .map(|it| {
            let name = view! { {code(it.name)}{required(t, it.required)} };
            Row::plain(name, cells![code(it.kind), said(&it.about)])
        })
        .collect();
    view! { <Table caption=caption columns=columns rows=rows/> }.into_any()
}

fn answers(t: Text, operation: &str, answers: Vec<Answer>) -> AnyView {
    let mut bodies = Vec::new();
    let rows = answers
        .into_iter()
        .map(|it| {
            if let Some(content) = it.body {
                let name = format!("{operation} {}", it.status);
                bodies.push(body(t, t.docs_answers(), &name, &it_id(&name), content));
            }
            Row::plain(code(it.status), cells![said(&it.about)])
        })
        .collect();
    let columns = vec![Column::text(t.docs_status()), Column::text(t.docs_about())];
    let caption = format!("{}: {operation}", t.docs_answers());
    view! { <h2>{t.docs_answers()}</h2><Table caption=caption columns=columns rows=rows/>{bodies} }.into_any()
}
