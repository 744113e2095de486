//! `GET /api/docs/problems#<kind>`: where every problem's `type` leads.

use axum::response::Response;
use keywarden_model::ProblemKind;
use leptos::prelude::*;

use crate::{
    context::Reader,
    render::page,
    ui::{PageHeader, crumb},
};

pub(super) async fn show(Reader { shell }: Reader) -> Response {
    let t = shell.text;
    page(&shell, t.docs_problems()).show(move || {
        let items = ProblemKind::ALL
            .iter()
            .map(|kind| {
                view! {
                    <div id=kind.slug()>
                        <dt><code>{kind.slug()}</code></dt>
                        <dd>
                            <p>{format!("{} · {}", kind.status(), kind.title())}</p>
                            <p>{kind.cause()} " " {kind.remedy()}</p>
                        </dd>
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
