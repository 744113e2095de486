//! `GET /access`: what one asked for, and what one holds for a while.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Resource,
    access::{Grant, GrantQuery, Request, RequestQuery},
};
use leptos::prelude::*;

use super::{INBOX, LIST, grant_path, path, tone, what, what_of};
use crate::{
    cells,
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Badge, ButtonKind, Column, EmptyState, LinkButton, PageHeader, Pager, Panel, Row, Table, Time, row,
    },
};

const PAGE: u32 = 50;

pub(super) async fn show(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Access);
    let loaded = async {
        let query = RequestQuery { own: true, state: None, before: params.read("after"), limit: PAGE };
        let requests = house.domain.access_requests(&op, &query).await?;
        let held = GrantQuery { own: true, active: true, before: None, limit: PAGE };
        let held = house.domain.access_grants(&op, &held).await?.grants;
        let rules = house.domain.would(&op, Action::ViewAccess, &Resource::Organization).await?;
        Ok((requests, held, rules))
    };
    let (requests, held, rules) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    let waiting = shell.access_waiting;
    page(&shell, t.access()).show(move || {
        let inbox = (waiting > 0).then(|| view! { <LinkButton label=t.access_waiting(waiting) href=INBOX/> });
        let rules = rules.then(|| view! { <LinkButton label=t.access_rules() href="/access/rules"/> });
        let new = view! { <LinkButton kind=ButtonKind::Primary label=t.access_new() href="/access/new"/> };
        let actions = view! { {inbox}{rules}{new} };
        let held = grants(t, held);
        let pager = Pager {
            shown: String::new(),
            first: params.any(&["after"]).then(|| params.first(LIST)),
            next: requests.next.map(|place| params.after(LIST, &place.to_string())),
        };
        let columns = vec![
            Column::text(t.access_what()),
            Column::text(t.access_state()),
            Column::minor(t.access_lasts()),
            Column::text(t.access_asked_at()),
        ];
        let rows: Vec<Row> = requests.requests.into_iter().map(|it| line(t, &it)).collect();
        let empty = view! { <EmptyState heading=3 title=t.access_none()>{t.access_none_why()}</EmptyState> };
        view! {
            <PageHeader title=t.access() lead=t.access_lead() actions=actions.into_any()/>
            <Panel id="held" title=t.access_held()>{held}</Panel>
            <Panel id="requests" title=t.access_mine()>
                <Table caption=t.access_mine() columns=columns rows=rows pager=pager empty=empty.into_any()/>
            </Panel>
        }
    })
}

fn line(t: Text, request: &Request) -> Row {
    let cells = cells![
        view! { <Badge label=t.access_state_of(request.state) tone=tone(request.state)/> },
        t.span(request.lasts),
        view! { <Time at=request.created_at/> },
    ];
    row(path(request.id), what(t, request.role, request.project.as_deref()), cells)
}

fn grants(t: Text, held: Vec<Grant>) -> AnyView {
    let columns = vec![
        Column::text(t.access_what()),
        Column::text(t.access_ends()),
        Column::text(t.access_give_back()),
    ];
    let rows: Vec<Row> = held
        .into_iter()
        .map(|it| {
            let back = format!("{}/give-back", grant_path(it.id));
            let name = format!("{}: {}", t.access_give_back(), what_of(t, &it));
            let cells = cells![
                view! { <Time at=it.ends_at/> },
                view! { <a href=back aria-label=name>{t.access_give_back()}</a> },
            ];
            row(path(it.request), what_of(t, &it), cells)
        })
        .collect();
    let empty =
        view! { <EmptyState heading=3 title=t.access_held_none()>{t.access_held_none_why()}</EmptyState> };
    view! { <Table caption=t.access_held() columns=columns rows=rows empty=empty.into_any()/> }.into_any()
}
