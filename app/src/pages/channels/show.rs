//! `GET /channels/<id>`: what it is, and how its deliveries went.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{Action, Resource};
use keywarden_domain::{
    Refused,
    messages::{ChannelOwner, DeliveryQuery, ShownChannel},
};
use keywarden_model::{ChannelKind, DeliveryId, DeliveryState};
use leptos::prelude::*;

use super::{carries, deliveries, find, home, list, way, way_name};
use crate::{
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{Act, Facts, LinkButton, PageHeader, Panel, Time, absolute, fact},
};

const PAGE: u32 = 50;

pub(super) async fn show(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Account);
    let t = shell.text;
    let state = params.read::<DeliveryState>("state");
    let loaded = async {
        let shown = find(&house, &op, &id).await?;
        let query = DeliveryQuery {
            channel: Some(shown.channel.id),
            state,
            before: params.read::<DeliveryId>("after"),
            limit: PAGE,
            ..DeliveryQuery::default()
        };
        let page = house.domain.deliveries(&op, &query).await?;
        let manages = match shown.channel.owner {
            ChannelOwner::Organization => {
                house.domain.would(&op, Action::ManageChannels, &Resource::Organization).await?
            }
            ChannelOwner::Person(_) => true,
        };
        Ok::<_, Refused>((shown, page, manages))
    };
    let (shown, found, manages) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let now = shell.now;
    page(&shell, shown.channel.name.clone()).show(move || {
        let ShownChannel { channel, leads_to, dead, .. } = shown;
        let here = home(channel.id);
        let both = channel.old_until.filter(|until| *until > now);
        let both =
            both.map(|until| fact(t.channels_secret(), t.channels_both_sign(&absolute(t, until, now))));
        let leads_to = leads_to.unwrap_or_else(|| t.channels_cannot_open().to_owned());
        let mut facts = vec![
            fact(t.channels_way(), way_name(t, channel.kind)),
            fact(t.channels_leads_to(), view! { <code translate="no">{leads_to}</code> }),
            fact(t.channels_carries(), carries(t, &channel.kinds)),
            fact(t.channels_state(), list::state(t, channel.paused_at.is_some())),
            fact(t.channels_made_at(), view! { <Time at=channel.created_at/> }),
        ];
        facts.extend(both);
        let actions = manages.then(|| acts(t, &here, channel.kind, channel.paused_at.is_some()));
        let table = deliveries::table(t, &here, (found, state), manages, &params);
        let all = (manages && dead > 0).then(|| deliveries::again_all(t, &here));
        view! {
            <PageHeader title=channel.name.clone() named=true crumbs=way(t) actions=actions.into_any()/>
            <Facts facts=facts/>
            <Panel id="deliveries" title=t.deliveries()>{table}{all}</Panel>
        }
    })
}

fn acts(t: Text, here: &str, kind: ChannelKind, paused: bool) -> AnyView {
    let rotate = (kind == ChannelKind::Webhook)
        .then(|| view! { <LinkButton label=t.channels_rotate() href=format!("{here}/secret")/> });
    let turn = if paused {
        view! { <Act id="resume" label=t.channels_resume() action=format!("{here}/resume")/> }.into_any()
    } else {
        view! {
            <Act id="test" label=t.channels_test() action=format!("{here}/test")/>
            <Act id="pause" label=t.channels_pause() action=format!("{here}/pause")/>
        }
        .into_any()
    };
    view! {
        {turn}
        <LinkButton label=t.channels_edit() href=format!("{here}/edit")/>
        {rotate}
        <LinkButton label=t.channels_delete() href=format!("{here}/delete")/>
    }
    .into_any()
}
