//! `GET /api/docs`: one page with anchors.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde_json::Value;

use super::{
    read::{self, Answer, Body, Operation, Parameter, Tag},
    schema::Field,
};
use crate::{
    cells,
    context::{Guest, House},
    render::page,
    text::Text,
    ui::{Badge, CodeBlock, Column, PageHeader, Panel, Row, Table},
};

pub(super) async fn show(State(house): State<House>, Guest { shell, .. }: Guest) -> Response {
    let t = shell.text;
    let tags = read::tags(house.openapi());
    let about =
        house.openapi().pointer("/info/description").and_then(Value::as_str).unwrap_or_default().to_owned();
    page(&shell, t.docs()).show(move || {
        let contents = tags.iter().map(contents).collect_view();
        let sections = tags.into_iter().map(|tag| section(t, tag)).collect_view();
        let paragraphs =
            about.split("\n\n").map(|text| view! { <p>{prose(text)}</p> }).collect_view();
        view! {
            <div class="docs">
                <PageHeader title=t.docs() lead=t.docs_lead()/>
                <div lang="en" translate="no">{paragraphs}</div>
                <p><a href="/api/v1/openapi.json">{t.docs_machine()}</a> " · " <a href="/api/docs/problems">{t.docs_problems()}</a></p>
                <nav aria-label=t.docs_contents() class="docs-contents" translate="no" lang="en"><ul>{contents}</ul></nav>
                {sections}
            </div>
        }
    })
}

fn contents(tag: &Tag) -> AnyView {
    let operations = tag
        .operations
        .iter()
        .map(|it| {
            let href = format!("#{}", it.id);
            view! { <li><a href=href><code>{format!("{} {}", it.method, it.path)}</code></a></li> }
        })
        .collect_view();
    view! { <li>{tag.name.clone()}<ul>{operations}</ul></li> }.into_any()
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

fn section(t: Text, tag: Tag) -> AnyView {
    let id = format!("tag-{}", tag.name.to_lowercase().replace(' ', "-"));
    let operations = tag.operations.into_iter().map(|it| operation(t, it)).collect_view();
    view! {
        <Panel id=id title=tag.name>
            <p lang="en" translate="no">{prose(&tag.about)}</p>
            {operations}
        </Panel>
    }
    .into_any()
}

fn operation(t: Text, it: Operation) -> AnyView {
    let name = format!("{} {}", it.method, it.path);
    let open = it.open.then(|| view! { <p>{t.docs_no_token()}</p> });
    let parameters = (!it.parameters.is_empty()).then(|| parameters(t, &name, it.parameters));
    let body = it.body.map(|it| body(t, t.docs_body(), &name, &format!("{}-body", it_id(&name)), it));
    let answers = answers(t, &name, it.answers);
    let heading = format!("{}-title", it.id);
    view! {
        <article class="docs-operation" id=it.id aria-labelledby=heading>
            <h3 id=heading.clone() translate="no"><code>{name}</code></h3>
            <p lang="en" translate="no"><strong>{it.summary}</strong></p>
            <p lang="en" translate="no">{prose(&it.about)}</p>
            {open}{parameters}{body}{answers}
        </article>
    }
    .into_any()
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
    view! { <h4>{t.docs_parameters()}</h4><Table caption=caption columns=columns rows=rows/> }.into_any()
}

fn body(t: Text, title: &'static str, operation: &str, id: &str, body: Body) -> AnyView {
    let example = body.example.map(|example| {
        view! { <CodeBlock id=format!("{id}-example") label=t.docs_example_of(operation) text=example/> }
    });
    let fields = (!body.fields.is_empty()).then(|| fields(t, format!("{title}: {operation}"), body.fields));
    view! { <h4>{title} " " <code translate="no">{body.media}</code></h4>{fields}{example} }.into_any()
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
    view! { <h4>{t.docs_answers()}</h4><Table caption=caption columns=columns rows=rows/>{bodies} }.into_any()
}
