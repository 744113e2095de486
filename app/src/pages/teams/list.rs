//! `GET /teams?after=…`. A deployment has few teams: the list has pages, and needs no search.

use axum::{extract::State, response::Response};
use keywarden_domain::{Action, Resource};
use leptos::prelude::*;

use super::{LIST, home};
use crate::{
    cells,
    context::{Asking, House},
    form::Params,
    pages::people::tabs,
    render::{self, page},
    shell::Section,
    ui::{ButtonKind, Column, EmptyState, LinkButton, PageHeader, Pager, Table, Tabs, Time, row},
};

const PAGE: u32 = 50;

pub(super) async fn show(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    let t = shell.text;
    let after = params.some("after");
    let loaded = async {
        let teams = house.domain.teams(&op, after.as_deref(), PAGE).await?;
        let creates = house.domain.would(&op, Action::CreateTeam, &Resource::Organization).await?;
        let invites = house.domain.would(&op, Action::InviteUser, &Resource::Organization).await?;
        let explains = house.domain.may_explain_somewhere(&op).await?;
        Ok((teams, creates, invites, explains))
    };
    let (found, creates, invites, explains) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    page(&shell, t.teams()).show(move || {
        let columns = vec![
            Column::text(t.teams_name()),
            Column::minor(t.teams_slug()),
            Column::number(t.teams_members()),
            Column::text(t.teams_made()),
        ];
        let rows = found
            .teams
            .into_iter()
            .map(|team| {
                let cells = cells![
                    view! { <code translate="no">{team.slug.clone()}</code> },
                    t.number(team.members),
                    view! { <Time at=team.created_at/> },
                ];
                row(home(&team), team.name, cells)
            })
            .collect();
        let pager = Pager {
            shown: String::new(),
            first: params.any(&["after"]).then(|| params.first(LIST)),
            next: found.next.map(|next| params.after(LIST, &next)),
        };
        let make = creates
            .then(|| view! { <LinkButton kind=ButtonKind::Primary label=t.teams_new() href="/teams/new"/> });
        let empty = if creates {
            view! { <EmptyState title=t.teams_none() action=(t.teams_new(), "/teams/new")>{t.teams_none_why()}</EmptyState> }
                .into_any()
        } else {
            view! { <EmptyState title=t.teams_none()>{t.teams_none_why()}</EmptyState> }.into_any()
        };
        view! {
            <PageHeader title=t.teams() lead=t.teams_lead() actions=make.into_any()/>
            <Tabs tabs=tabs(t, LIST, invites, explains)/>
            <Table caption=t.teams() columns=columns rows=rows pager=pager empty=empty/>
        }
    })
}
