//! `GET /access/inbox`: what waits for an answer of whoever looks.

use axum::{extract::State, response::Response};
use keywarden_domain::access::Request;
use leptos::prelude::*;

use super::{named, path, way, what};
use crate::{
    cells,
    context::{Asking, House},
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{Column, EmptyState, PageHeader, Row, Table, Time, row},
};

pub(super) async fn show(State(house): State<House>, asking: Asking) -> Response {
    let Asking { shell, op } = asking.at(Section::Access);
    let waiting = match house.domain.access_inbox(&op).await {
        Ok(waiting) => waiting,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    page(&shell, t.access_inbox()).show(move || {
        let columns = vec![
            Column::text(t.access_what()),
            Column::text(t.access_for()),
            Column::text(t.access_lasts()),
            Column::minor(t.access_reason()),
            Column::text(t.access_answer_by()),
        ];
        let rows: Vec<Row> = waiting.iter().map(|it| line(t, it)).collect();
        let empty =
            view! { <EmptyState title=t.access_inbox_none()>{t.access_inbox_none_why()}</EmptyState> };
        view! {
            <PageHeader title=t.access_inbox() lead=t.access_inbox_lead() crumbs=way(t)/>
            <Table caption=t.access_inbox() columns=columns rows=rows empty=empty.into_any()/>
        }
    })
}

fn line(t: Text, request: &Request) -> Row {
    let reason = request.reason.clone();
    let cells = cells![
        named(&request.holder_name, &request.holder.to_string()),
        t.span(request.lasts),
        view! { <span translate="no">{reason}</span> },
        view! { <Time at=request.expires_at/> },
    ];
    row(path(request.id), what(t, request.role, request.project.as_deref()), cells)
}
