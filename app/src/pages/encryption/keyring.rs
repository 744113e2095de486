//! A key of the keyring: a new one for a purpose.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Refused,
    system::{Purpose, RotateError},
};
use leptos::prelude::*;

use super::around::{self, TREE, rewrap_path};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader},
};

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(purpose): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::System);
    let found = house.domain.system(&op).await.and_then(|_| named(&purpose));
    match found {
        Ok(purpose) => draw(&shell, purpose, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

fn named(purpose: &str) -> Result<Purpose, Refused> {
    purpose.parse().map_err(|_| Refused::NotFound)
}

pub(super) async fn rotate(
    State(house): State<House>,
    asking: Asking,
    Path(purpose): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::System).once(&posted);
    let t = shell.text;
    let purpose = match named(&purpose) {
        Ok(purpose) => purpose,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    match house.domain.rotate_keyring_key(&op, purpose, &house.domain.settings().seals).await {
        Ok(done) => {
            let to = done.rewrap.map_or_else(|| TREE.to_owned(), |rewrap| rewrap_path(rewrap, true));
            return render::done(&shell, &to, t.encryption_keyring_rotated(purpose.name()));
        }
        // Only the clock's renewal gives way to another one; whoever asks here gets a new key.
        Err(RotateError::Changed | RotateError::UnderWay) => errors.whole(t.encryption_under_way()),
        Err(RotateError::NoSeal) => errors.whole(t.encryption_no_seal()),
        Err(RotateError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
        Err(RotateError::Wrap(cause)) => errors.whole(t.encryption_hsm_failed(&cause.to_string())),
    }
    draw(&shell, purpose, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, purpose: Purpose, draft: Draft) -> Response {
    let t = shell.text;
    let after = match purpose {
        Purpose::ProjectKey => t.encryption_keyring_rotate_projects(),
        _ => t.encryption_keyring_rotate_old(),
    };
    let consequences = vec![t.encryption_keyring_rotate_new().to_owned(), after.to_owned()];
    page(shell, t.encryption_keyring_rotate()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.encryption_keyring_rotate() crumbs=around::crumbs(t)/>
            <Confirm title=t.encryption_keyring_rotate_title(purpose.name()) consequences=consequences calm=true>
                <Form draft=draft submit=t.encryption_rotate() cancel=TREE/>
            </Confirm>
        }
    })
}
