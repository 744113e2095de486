//! `/notices/choices`: what a person wants to be told of.

use std::collections::BTreeSet;

use axum::{extract::State, response::Response};
use keywarden_domain::messages::Choices;
use keywarden_model::MessageKind;
use leptos::prelude::*;

use super::{CHOICES, kind_name, tabs};
use crate::{
    context::{Asking, House, Posted},
    form::Draft,
    render::{self, page},
    shell::Section,
    ui::{CheckboxGroup, Form, PageHeader, Tabs, choice},
};

pub(super) async fn show(State(house): State<House>, asking: Asking) -> Response {
    let Asking { shell, op } = asking.at(Section::Account);
    let t = shell.text;
    let choices = match house.domain.message_choices(&op).await {
        Ok(choices) => choices,
        Err(refused) => return render::refused(&shell, refused),
    };
    page(&shell, t.choices()).show(move || {
        let kinds = open(&choices);
        let offered = kinds.iter().map(|kind| choice(kind.as_str(), kind_name(t, *kind))).collect();
        let told = kinds.iter().filter(|kind| !choices.silenced.contains(kind));
        let told = told.map(|kind| kind.as_str().to_owned()).collect();
        let hint = if choices.owner { t.choices_owner_hint() } else { "" };
        view! {
            <PageHeader title=t.choices() lead=t.choices_lead()/>
            <Tabs tabs=tabs(t, CHOICES)/>
            <Form draft=Draft::default() submit=t.choices_save()>
                <CheckboxGroup name="tell[]" label=t.choices_tell() hint=hint choices=offered values=told/>
            </Form>
        }
    })
}

/// Those that they can be silent about.
fn open(choices: &Choices) -> Vec<MessageKind> {
    MessageKind::chosen().filter(|kind| choices.may_silence(*kind)).collect()
}

pub(super) async fn save(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, op } = asking.at(Section::Account).once(&posted);
    let told: BTreeSet<MessageKind> =
        posted.fields.many("tell[]").filter_map(|word| word.parse().ok()).collect();
    let silenced = MessageKind::chosen().filter(|kind| !told.contains(kind)).collect();
    match house.domain.choose_messages(&op, silenced).await {
        Ok(()) => render::done(&shell, CHOICES, shell.text.choices_saved()),
        Err(refused) => house.refused(&shell, &op, &posted, refused).await,
    }
}
