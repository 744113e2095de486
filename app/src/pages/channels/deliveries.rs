//! A channel's deliveries: what waits, what is dead, and trying again.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Refused,
    messages::{Delivery, DeliveryPage},
};
use keywarden_model::{DeliveryId, DeliveryState};
use leptos::prelude::*;

use super::{LIST, find, home};
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::Params,
    pages::notices::kind_name,
    render,
    shell::Section,
    text::Text,
    ui::{Act, Badge, Column, EmptyState, Pager, Row, Table, Tabs, Time, Tone, tab},
};

/// The table, its filter and its pager.
pub(super) fn table(
    t: Text,
    here: &str,
    (found, state): (DeliveryPage, Option<DeliveryState>),
    manages: bool,
    params: &Params,
) -> AnyView {
    let mut filters = vec![tab(t.deliveries_all(), here).current(state.is_none())];
    for it in [DeliveryState::Waiting, DeliveryState::Dead, DeliveryState::Delivered] {
        filters.push(tab(state_name(t, it), format!("{here}?state={it}")).current(state == Some(it)));
    }
    let columns = vec![
        Column::text(t.deliveries_message()),
        Column::text(t.channels_state()),
        Column::number(t.deliveries_tries()),
        Column::text(t.deliveries_last()),
        Column::text(t.deliveries_next()),
        Column::minor(t.deliveries_made()),
        Column::text(t.deliveries_again()),
    ];
    let rows = found.deliveries.into_iter().map(|it| line(t, here, it, manages)).collect();
    let pager = Pager {
        shown: String::new(),
        first: params.any(&["after"]).then(|| params.first(here)),
        next: found.next.map(|next| params.after(here, &next.to_string())),
    };
    let empty = if state.is_some() {
        view! { <EmptyState heading=3 title=t.deliveries_none_such()>{t.deliveries_none_such_why()}</EmptyState> }
    } else {
        view! { <EmptyState heading=3 title=t.deliveries_none()>{t.deliveries_none_why()}</EmptyState> }
    };
    view! {
        <Tabs tabs=filters/>
        <Table caption=t.deliveries() columns=columns rows=rows pager=pager empty=empty.into_any()/>
    }
    .into_any()
}

fn line(t: Text, here: &str, delivery: Delivery, manages: bool) -> Row {
    let tone = match delivery.state {
        DeliveryState::Dead => Tone::Bad,
        DeliveryState::Delivered => Tone::Good,
        DeliveryState::Waiting => Tone::Info,
    };
    let id = delivery.id.to_string();
    let next = (delivery.state == DeliveryState::Waiting).then(|| view! { <Time at=delivery.due_at/> });
    let again = (manages && delivery.state == DeliveryState::Dead).then(|| {
        view! {
            <Act id=id.clone() label=t.deliveries_again() name=t.deliveries_again_what(&id) action=format!("{here}/deliveries/retry")>
                <input type="hidden" name="delivery" value=id.clone()/>
            </Act>
        }
    });
    let cells = cells![
        view! { <Badge label=state_name(t, delivery.state) tone=tone/> },
        t.number(u64::try_from(delivery.attempts).unwrap_or_default()),
        delivery.error.unwrap_or_default(),
        next,
        view! { <Time at=delivery.created_at/> },
        again,
    ];
    let kind = kind_name(t, delivery.kind);
    let message = delivery.message.to_string();
    Row::plain(view! { {kind} " " <code translate="no">{message}</code> }, cells)
}

fn state_name(t: Text, state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Dead => t.deliveries_dead(),
        DeliveryState::Delivered => t.deliveries_delivered(),
        DeliveryState::Waiting => t.deliveries_waiting(),
    }
}

/// One button for all that are dead.
pub(super) fn again_all(t: Text, here: &str) -> AnyView {
    view! { <Act id="again-all" label=t.deliveries_again_all() action=format!("{here}/deliveries/retry")/> }
        .into_any()
}

/// The one that is named, or all that are dead.
pub(super) async fn retry(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Account).once(&posted);
    let t = shell.text;
    let channel = match find(&house, &op, &id).await {
        Ok(shown) => shown.channel,
        Err(refused) => return house.missed(&shell, &op, &posted, refused, LIST).await,
    };
    let retried = match posted.fields.text("delivery").parse::<DeliveryId>() {
        Ok(delivery) => house.domain.retry_delivery(&op, delivery).await,
        Err(_) => house.domain.retry_deliveries(&op, channel.id).await,
    };
    match retried {
        Ok(()) => render::done(&shell, &home(channel.id), t.deliveries_on_their_way()),
        Err(Refused::NotFound) => render::done(&shell, &home(channel.id), t.deliveries_not_dead()),
        Err(refused) => house.refused(&shell, &op, &posted, refused).await,
    }
}
