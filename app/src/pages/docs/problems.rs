//! `GET /api/docs/problems#<kind>`: where every problem's `type` leads.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde_json::Value;

use crate::{
    context::{House, Reader},
    render::page,
    ui::{PageHeader, crumb},
};

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
struct Kind {
    slug: String,
    title: String,
    status: String,
}

pub(super) async fn show(State(house): State<House>, Reader { shell }: Reader) -> Response {
    let t = shell.text;
    let kinds = kinds(house.openapi());
    page(&shell, t.docs_problems()).show(move || {
        let items = kinds
            .into_iter()
            .map(|Kind { slug, title, status }| {
                view! {
                    <div id=slug>
                        <dt><code>{slug.clone()}</code></dt>
                        <dd>{format!("{status} · {title}")}</dd>
                    </div>
                }
            })
            .collect_view();
        view! {
            <div class="docs">
                <PageHeader title=t.docs_problems() crumbs=vec![crumb(t.docs(), "/api/docs")] lead=t.docs_problems_lead()/>
                <dl class="facts" lang="en" translate="no">{items}</dl>
            </div>
        }
    })
}

/// The description names them as `Title (`slug`)`, several with semicolons between them.
fn kinds(document: &Value) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let responses =
        document.pointer("/components/responses").and_then(Value::as_object).into_iter().flatten();
    for (status, response) in responses {
        for part in response["description"].as_str().unwrap_or_default().split("; ") {
            let Some((title, rest)) = part.split_once(" (`") else { continue };
            let Some((slug, _)) = rest.split_once("`)") else { continue };
            kinds.push(Kind { slug: slug.into(), title: title.into(), status: status.clone() });
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_has_its_anchor() {
        let document = json!({ "components": { "responses": {
            "409": { "description": "In use (`in-use`); Done before (`done-before`)" } } } });
        let found: Vec<_> = kinds(&document).into_iter().map(|it| (it.status, it.slug, it.title)).collect();
        let wanted = [("409", "in-use", "In use"), ("409", "done-before", "Done before")];
        assert_eq!(found, wanted.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    }
}
