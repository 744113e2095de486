//! `/channels/new`.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Resource,
    messages::{ChannelError, ChannelOwner, MadeChannel, NewChannel, Target, TargetError},
};
use keywarden_model::{ChannelKind, Name};
use leptos::prelude::*;

use super::{LIST, home, kind_choices, posted_kinds, way, way_name};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{
        ButtonKind, CheckboxGroup, Form, LinkButton, PageHeader, Panel, RadioGroup, SecretValue, TextField,
        choice,
    },
};

/// The longest address that is read.
const LONGEST: u32 = 1_100;

pub(super) async fn ask(State(house): State<House>, asking: Asking) -> Response {
    let Asking { shell, op } = asking.at(Section::Account);
    match house.domain.would(&op, Action::ManageChannels, &Resource::Organization).await {
        Ok(manages) => form(&shell, manages, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn make(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, op } = asking.at(Section::Account).once(&posted);
    let t = shell.text;
    let fields = &posted.fields;
    let mut errors = Errors::new();
    let name = fields.text("name").parse::<Name>();
    if let Err(error) = &name {
        errors.at("name", t.name_wrong(error));
    }
    let kind = fields.text("way").parse::<ChannelKind>();
    if kind.is_err() {
        errors.at("way", t.form_choose());
    }
    let target = kind.ok().and_then(|kind| match Target::parse(kind, fields.text("to")) {
        Ok(target) => Some(target),
        Err(TargetError::Mail) => {
            errors.at("to", t.channels_to_mail_wrong());
            None
        }
        Err(TargetError::Url) => {
            errors.at("to", t.channels_to_url_wrong());
            None
        }
    });
    let owner = match (fields.text("whose"), op.actor.person()) {
        ("organization", _) => Some(ChannelOwner::Organization),
        (_, person) => person.map(|person| ChannelOwner::Person(person.id)),
    };
    if let (Ok(name), Some(target), Some(owner)) = (name, target, owner) {
        let new = NewChannel { owner, name, target, kinds: posted_kinds(fields) };
        match house.domain.create_channel(&op, new).await {
            Ok(made) => return made_now(&shell, made),
            Err(ChannelError::NoMail) => errors.at("way", t.channels_no_mail()),
            Err(ChannelError::TooMany) => errors.whole(t.channels_too_many()),
            Err(ChannelError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
            Err(ChannelError::ChangedMeanwhile | ChannelError::NoSecret | ChannelError::Paused) => {
                errors.whole(t.channels_changed_meanwhile());
            }
        }
    }
    match house.domain.would(&op, Action::ManageChannels, &Resource::Organization).await {
        Ok(manages) => form(&shell, manages, Draft::refused(posted.fields, errors)),
        Err(refused) => render::refused(&shell, refused),
    }
}

fn made_now(shell: &Shell, made: MadeChannel) -> Response {
    let home = home(made.id);
    match made.secret {
        Some(secret) => shown_once(shell, home, secret.expose().to_owned(), shell.text.channels_secret()),
        None => render::done(shell, &home, shell.text.channels_made()),
    }
}

/// The answer to the post itself: the secret is in no other page.
pub(super) fn shown_once(shell: &Shell, home: String, secret: String, title: &'static str) -> Response {
    let t = shell.text;
    page(shell, title).lives_at(home.clone()).show(move || {
        view! {
            <PageHeader title=title lead=t.channels_secret_lead() crumbs=way(t)/>
            <Panel id="value" title=t.channels_secret()>
                <SecretValue id="secret" label=t.channels_secret() value=secret hint=t.shown_once()/>
                <LinkButton kind=ButtonKind::Primary label=t.stored_it() href=home/>
            </Panel>
        }
    })
}

fn form(shell: &Shell, manages: bool, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.channels_new()).of(&draft).show(move || {
        let ways = ChannelKind::ALL.iter().map(|kind| choice(kind.as_str(), way_name(t, *kind))).collect();
        let whose = vec![
            choice("organization", t.channels_whose_all()),
            choice("me", t.channels_whose_me()),
        ];
        let whose = move || {
            manages.then(|| view! { <RadioGroup name="whose" label=t.channels_whose() hint=t.channels_whose_hint() choices=whose value="organization"/> })
        };
        view! {
            <PageHeader title=t.channels_new() crumbs=way(t)/>
            <Form draft=draft submit=t.channels_new() cancel=LIST>
                {whose()}
                <TextField name="name" label=t.channels_name() hint=t.channels_name_hint() required=true maxlength=120/>
                <RadioGroup name="way" label=t.channels_way() choices=ways value="webhook" required=true/>
                <TextField name="to" label=t.channels_to() hint=t.channels_to_hint() required=true maxlength=LONGEST mono=true/>
                <CheckboxGroup name="kinds[]" label=t.channels_kinds() hint=t.channels_kinds_hint() choices=kind_choices(t)/>
            </Form>
        }
    })
}
