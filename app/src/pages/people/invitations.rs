//! `/people/invitations`: links that wait for somebody, and withdrawing them.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{Op, Refused, people::Link};
use keywarden_model::InvitationId;
use leptos::prelude::*;

use super::{tabs, way};
use crate::{
    cells,
    context::{Asking, House, Posted},
    render::{self, page},
    shell::Section,
    ui::{
        ButtonKind, Column, Confirm, EmptyState, Form, LinkButton, PageHeader, Row, Table, Tabs, Time, crumb,
    },
};

pub(super) const HERE: &str = "/people/invitations";

pub(super) async fn list(State(house): State<House>, Asking { mut shell, op }: Asking) -> Response {
    shell.section = Some(Section::People);
    let t = shell.text;
    let links = match house.domain.invitations(&op).await {
        Ok(links) => links,
        Err(refused) => return render::refused(&shell, refused),
    };
    page(&shell, t.invitations()).show(move || {
        let columns = vec![
            Column::text(t.people_name()),
            Column::text(t.invitations_role()),
            Column::text(t.invitations_where()),
            Column::minor(t.invitations_made()),
            Column::text(t.invitations_expires()),
            Column::text(t.invitations_withdraw()),
        ];
        let rows = links
            .into_iter()
            .map(|it| {
                let place = match it.project {
                    Some((id, name)) => {
                        let href = format!("/projects/{id}");
                        view! { <a href=href translate="no">{name}</a> }.into_any()
                    }
                    None => t.roles_everywhere().into_any(),
                };
                let name = it.name.unwrap_or_default();
                let cells = cells![
                    it.role.map_or(t.role_member(), |role| t.role(role)),
                    place,
                    view! { <Time at=it.created_at/> },
                    view! { <Time at=it.expires_at/> },
                    view! {
                        <a href=format!("{HERE}/{}/withdraw", it.id) aria-label=t.invitations_withdraw_title(&name)>
                            {t.invitations_withdraw()}
                        </a>
                    },
                ];
                Row::plain(view! { <span translate="no">{name.clone()}</span> }, cells)
            })
            .collect();
        let invite = view! { <LinkButton kind=ButtonKind::Primary label=t.people_invite() href="/people/invite"/> };
        let empty = view! {
            <EmptyState title=t.invitations_none() action=(t.people_invite(), "/people/invite")>
                {t.invitations_none_why()}
            </EmptyState>
        };
        view! {
            <PageHeader title=t.invitations() lead=t.invitations_lead() actions=invite.into_any()/>
            <Tabs tabs=tabs(t, HERE, true, true)/>
            <Table caption=t.invitations() columns=columns rows=rows empty=empty.into_any()/>
        }
    })
}

async fn find(house: &House, op: &Op, id: &str) -> Result<Link, Refused> {
    let id: InvitationId = id.parse().map_err(|_| Refused::NotFound)?;
    house.domain.invitations(op).await?.into_iter().find(|it| it.id == id).ok_or(Refused::NotFound)
}

pub(super) async fn before(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    Path(id): Path<String>,
) -> Response {
    shell.section = Some(Section::People);
    let t = shell.text;
    let link = match find(&house, &op, &id).await {
        Ok(link) => link,
        Err(refused) => return render::refused(&shell, refused),
    };
    page(&shell, t.invitations_withdraw()).show(move || {
        let mut crumbs = way(t);
        crumbs.push(crumb(t.invitations(), HERE));
        let title = t.invitations_withdraw_title(&link.name.unwrap_or_default());
        view! {
            <PageHeader title=t.invitations_withdraw() crumbs=crumbs/>
            <Confirm title=title consequences=vec![t.invitations_withdraw_why().to_owned()]>
                <Form submit=t.invitations_withdraw() danger=true cancel=HERE/>
            </Confirm>
        }
    })
}

pub(super) async fn withdraw(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.once(&posted);
    shell.section = Some(Section::People);
    let Ok(id) = id.parse::<InvitationId>() else { return render::not_found(&shell) };
    match house.domain.withdraw_invitation(&op, id).await {
        Ok(()) => render::done(&shell, HERE, shell.text.invitations_withdrawn()),
        Err(refused) => house.refused(&shell, &op, &posted, refused).await,
    }
}
