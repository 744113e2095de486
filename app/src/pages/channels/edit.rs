//! `/channels/<id>/edit`: another name, other kinds. Where it leads stays.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::messages::{Channel, ChannelEdit, ChannelError};
use keywarden_model::Name;
use leptos::prelude::*;

use super::{find, home, kind_choices, posted_kinds, way_to};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{CheckboxGroup, Form, PageHeader, TextField},
};

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Account);
    match find(&house, &op, &id).await {
        Ok(shown) => form(&shell, shown.channel, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn save(
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
    let mut errors = Errors::new();
    let version = posted.fields.text("version").parse::<i64>();
    match (posted.fields.text("name").parse::<Name>(), version) {
        (Err(error), _) => errors.at("name", t.name_wrong(&error)),
        (Ok(_), Err(_)) => errors.whole(t.channels_changed_meanwhile()),
        (Ok(name), Ok(row_version)) => {
            let edit = ChannelEdit { name, kinds: posted_kinds(&posted.fields), row_version };
            match house.domain.edit_channel(&op, channel.id, edit).await {
                Ok(_) => return render::done(&shell, &home(channel.id), t.channels_edited()),
                Err(ChannelError::Refused(refused)) => {
                    return house.refused(&shell, &op, &posted, refused).await;
                }
                Err(_) => errors.whole(t.channels_changed_meanwhile()),
            }
        }
    }
    form(&shell, channel, Draft::refused(posted.fields, errors))
}

fn form(shell: &Shell, channel: Channel, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.channels_edit()).of(&draft).show(move || {
        let version = channel.row_version.to_string();
        let ticked = channel.kinds.named().map(|kind| kind.as_str().to_owned()).collect();
        view! {
            <PageHeader title=t.channels_edit() crumbs=way_to(t, &channel)/>
            <Form draft=draft submit=t.channels_edit() cancel=home(channel.id)>
                <input type="hidden" name="version" value=version/>
                <TextField name="name" label=t.channels_name() required=true maxlength=120 value=channel.name/>
                <CheckboxGroup name="kinds[]" label=t.channels_kinds() hint=t.channels_kinds_hint() choices=kind_choices(t) values=ticked/>
            </Form>
        }
    })
}
