//! Disabling a version, and enabling it again.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::secrets::{SecretView, SwitchVersionError};
use leptos::prelude::*;

use super::around;
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader, version_state_name},
};

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Disabled,
    Enabled,
}

type At = Path<(String, String)>;

pub(super) async fn ask_disable(house: State<House>, asking: Asking, at: At) -> Response {
    ask(house, asking, at, To::Disabled).await
}

pub(super) async fn ask_enable(house: State<House>, asking: Asking, at: At) -> Response {
    ask(house, asking, at, To::Enabled).await
}

pub(super) async fn disable(house: State<House>, asking: Asking, at: At, posted: Posted) -> Response {
    switch(house, asking, at, posted, To::Disabled).await
}

pub(super) async fn enable(house: State<House>, asking: Asking, at: At, posted: Posted) -> Response {
    switch(house, asking, at, posted, To::Enabled).await
}

async fn ask(State(house): State<House>, asking: Asking, Path(at): At, to: To) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match around::load_version(&house, &op, &at).await {
        Ok((view, version)) => draw(&mut shell, &view, version.number, to, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

async fn switch(
    State(house): State<House>,
    asking: Asking,
    Path(at): At,
    posted: Posted,
    to: To,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let (view, version) = match around::load_version(&house, &op, &at).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let (id, number) = (view.secret.id, version.number);
    let (done, said) = match to {
        To::Disabled => {
            (house.domain.disable_secret_version(&op, id, number).await, t.secrets_disabled_now(number))
        }
        To::Enabled => {
            (house.domain.enable_secret_version(&op, id, number).await, t.secrets_enabled_now(number))
        }
    };
    match done {
        Ok(()) => render::done(&shell, &around::path(&view.secret), said),
        Err(SwitchVersionError::Is(state)) => {
            let mut errors = Errors::new();
            errors.whole(t.secrets_version_is(number, version_state_name(t, state)));
            draw(&mut shell, &view, number, to, Draft::refused(posted.fields, errors))
        }
        Err(SwitchVersionError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}

fn draw(shell: &mut Shell, view: &SecretView, number: i64, to: To, draft: Draft) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let is_current = around::current(view) == Some(number);
    let disables = to == To::Disabled;
    let mut consequences = Vec::new();
    if disables {
        consequences.push(t.secrets_disable_unread().to_owned());
        if is_current {
            consequences.push(t.secrets_disable_current().to_owned());
        }
        consequences.push(t.secrets_disable_back().to_owned());
    } else {
        consequences.push(t.secrets_enable_read().to_owned());
    }
    let (title, asked) = if disables {
        (t.secrets_disable(), t.secrets_disable_title(number, secret.path.as_str()))
    } else {
        (t.secrets_enable(), t.secrets_enable_title(number, secret.path.as_str()))
    };
    page(shell, title).of(&draft).show(move || {
        view! {
            <PageHeader title=title crumbs=around::crumbs_below_version(t, &secret, number)/>
            <Confirm title=asked consequences=consequences calm=!disables>
                <Form draft=draft submit=title danger=disables cancel=around::version_path(&secret, number)/>
            </Confirm>
        }
    })
}
