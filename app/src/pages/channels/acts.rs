//! What is done to a channel by one button: a test, a pause, another secret, an end.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::messages::{Channel, ChannelError};
use leptos::prelude::*;

use super::{LIST, find, home, new::shown_once, way_to};
use crate::{
    context::{Asking, House, Posted},
    form::Draft,
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader},
};

pub(super) async fn test(
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
    match house.domain.test_channel(&op, channel.id).await {
        Ok(()) => render::done(&shell, &home(channel.id), t.channels_tested()),
        Err(ChannelError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
        Err(_) => render::done(&shell, &home(channel.id), t.channels_is_paused()),
    }
}

pub(super) async fn pause(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    turn(&house, asking, &id, posted, true).await
}

pub(super) async fn resume(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    turn(&house, asking, &id, posted, false).await
}

/// Somebody else may have been faster: the page shows what is true either way.
async fn turn(house: &House, asking: Asking, id: &str, posted: Posted, pause: bool) -> Response {
    let Asking { shell, op } = asking.at(Section::Account).once(&posted);
    let t = shell.text;
    let channel = match find(house, &op, id).await {
        Ok(shown) => shown.channel,
        Err(refused) => return house.missed(&shell, &op, &posted, refused, LIST).await,
    };
    let turned = if pause {
        house.domain.pause_channel(&op, channel.id).await
    } else {
        house.domain.resume_channel(&op, channel.id).await
    };
    let said = if pause { t.channels_paused_now() } else { t.channels_resumed() };
    match turned {
        Err(ChannelError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
        Ok(_) | Err(_) => render::done(&shell, &home(channel.id), said),
    }
}

pub(super) async fn before_rotation(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Account);
    match find(&house, &op, &id).await {
        Ok(shown) => rotation(&shell, shown.channel),
        Err(refused) => render::refused(&shell, refused),
    }
}

fn rotation(shell: &Shell, channel: Channel) -> Response {
    let t = shell.text;
    page(shell, t.channels_rotate()).show(move || {
        let consequences = vec![t.channels_rotate_day().to_owned(), t.channels_rotate_then().to_owned()];
        view! {
            <PageHeader title=t.channels_rotate() crumbs=way_to(t, &channel)/>
            <Confirm title=t.channels_rotate_title() consequences=consequences>
                <Form draft=Draft::default() submit=t.channels_rotate() cancel=home(channel.id)/>
            </Confirm>
        }
    })
}

pub(super) async fn rotate(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Account).once(&posted);
    let t = shell.text;
    let channel = match find(&house, &op, &id).await {
        Ok(shown) => shown.channel,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    match house.domain.rotate_channel_secret(&op, channel.id).await {
        Ok(made) => match made.secret {
            Some(secret) => {
                shown_once(&shell, home(channel.id), secret.expose().to_owned(), t.channels_rotated())
            }
            None => render::see_other(&home(channel.id)),
        },
        Err(ChannelError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
        Err(_) => render::done(&shell, &home(channel.id), t.channels_changed_meanwhile()),
    }
}

pub(super) async fn before_deletion(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Account);
    match find(&house, &op, &id).await {
        Ok(shown) => deletion(&shell, shown.channel),
        Err(refused) => render::refused(&shell, refused),
    }
}

fn deletion(shell: &Shell, channel: Channel) -> Response {
    let t = shell.text;
    page(shell, t.channels_delete()).show(move || {
        let title = t.channels_delete_title(&channel.name);
        let consequences = vec![t.channels_delete_waiting().to_owned(), t.channels_delete_known().to_owned()];
        view! {
            <PageHeader title=t.channels_delete() crumbs=way_to(t, &channel)/>
            <Confirm title=title consequences=consequences>
                <Form draft=Draft::default() submit=t.channels_delete() danger=true cancel=home(channel.id)/>
            </Confirm>
        }
    })
}

pub(super) async fn delete(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Account).once(&posted);
    let channel = match find(&house, &op, &id).await {
        Ok(shown) => shown.channel,
        Err(refused) => return house.missed(&shell, &op, &posted, refused, LIST).await,
    };
    match house.domain.delete_channel(&op, channel.id).await {
        Err(ChannelError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
        Ok(()) | Err(_) => render::done(&shell, LIST, shell.text.channels_deleted()),
    }
}
