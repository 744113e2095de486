//! `GET /channels`: one's own, and the organization's for whoever may see them.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Resource,
    messages::{ChannelOwner, ShownChannel},
};
use leptos::prelude::*;

use super::{LIST, carries, home, way_name};
use crate::{
    cells,
    context::{Asking, House},
    pages::notices,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{Badge, ButtonKind, Column, EmptyState, LinkButton, PageHeader, Panel, Table, Tabs, Tone, row},
};

pub(super) async fn show(State(house): State<House>, asking: Asking) -> Response {
    let Asking { shell, op } = asking.at(Section::Account);
    let t = shell.text;
    let loaded = async {
        let all = if house.domain.would(&op, Action::ViewChannels, &Resource::Organization).await? {
            Some(house.domain.channels(&op, ChannelOwner::Organization).await?)
        } else {
            None
        };
        let own = match op.actor.person() {
            Some(person) => house.domain.channels(&op, ChannelOwner::Person(person.id)).await?,
            None => Vec::new(),
        };
        Ok((all, own))
    };
    let (all, own) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    page(&shell, t.channels()).show(move || {
        let add = view! { <LinkButton kind=ButtonKind::Primary label=t.channels_new() href="/channels/new"/> };
        let all = all.map(|all| {
            view! { <Panel id="organization" title=t.channels_of_all()>{table(t, t.channels_of_all(), all)}</Panel> }
        });
        view! {
            <PageHeader title=t.channels() lead=t.channels_lead() actions=add.into_any()/>
            <Tabs tabs=notices::tabs(t, LIST)/>
            {all}
            <Panel id="own" title=t.channels_own()>{table(t, t.channels_own(), own)}</Panel>
        }
    })
}

fn table(t: Text, caption: &'static str, channels: Vec<ShownChannel>) -> AnyView {
    let columns = vec![
        Column::text(t.channels_name()),
        Column::text(t.channels_way()),
        Column::text(t.channels_leads_to()),
        Column::minor(t.channels_carries()),
        Column::number(t.channels_waiting()),
        Column::number(t.channels_dead()),
        Column::text(t.channels_state()),
    ];
    let rows = channels
        .into_iter()
        .map(|ShownChannel { channel, leads_to, waiting, dead }| {
            let leads_to = leads_to.unwrap_or_else(|| t.channels_cannot_open().to_owned());
            let cells = cells![
                way_name(t, channel.kind),
                view! { <code translate="no">{leads_to}</code> },
                carries(t, &channel.kinds),
                t.number(waiting),
                t.number(dead),
                state(t, channel.paused_at.is_some()),
            ];
            row(home(channel.id), channel.name, cells)
        })
        .collect();
    let empty = view! {
        <EmptyState heading=3 title=t.channels_none() action=(t.channels_new(), "/channels/new")>{t.channels_none_why()}</EmptyState>
    };
    view! { <Table caption=caption columns=columns rows=rows empty=empty.into_any()/> }.into_any()
}

pub(super) fn state(t: Text, paused: bool) -> AnyView {
    if paused {
        view! { <Badge label=t.channels_paused() tone=Tone::Warn/> }.into_any()
    } else {
        view! { <Badge label=t.channels_open() tone=Tone::Good/> }.into_any()
    }
}
