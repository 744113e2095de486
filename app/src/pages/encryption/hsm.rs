//! The HSM key: a new one, and the end of an old one.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op, Refused,
    system::{DestroySealKeyError, KeyNumber, RotateSealError, SealId},
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

/// Seconds of one.
const DAY: u64 = 86_400;

/// The seal that this server unseals with.
async fn own(house: &House, op: &Op) -> Result<SealId, Refused> {
    let seals = house.domain.seal_keys(op).await?;
    seals.into_iter().next().map(|seal| seal.seal).ok_or(Refused::NotFound)
}

pub(super) async fn ask_rotate(State(house): State<House>, asking: Asking) -> Response {
    let Asking { shell, op } = asking.at(Section::System);
    match own(&house, &op).await {
        Ok(seal) => draw_rotate(&shell, &house, &seal, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn rotate(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, op } = asking.at(Section::System).once(&posted);
    let t = shell.text;
    let seal = match own(&house, &op).await {
        Ok(seal) => seal,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    match house.domain.rotate_seal_key(&op, &seal).await {
        Ok(done) => {
            let said = t.encryption_hsm_rotated(done.number);
            return render::done(&shell, &rewrap_path(done.rewrap, false), said);
        }
        Err(RotateSealError::Changed) => errors.whole(t.encryption_changed()),
        Err(RotateSealError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
        Err(RotateSealError::Seal(cause)) => errors.whole(t.encryption_hsm_failed(&cause.to_string())),
        Err(RotateSealError::Unknown(_)) => errors.whole(t.encryption_no_seal()),
        Err(RotateSealError::Wrap(cause)) => errors.whole(t.encryption_hsm_failed(&cause.to_string())),
    }
    draw_rotate(&shell, &house, &seal, Draft::refused(posted.fields, errors))
}

fn draw_rotate(shell: &Shell, house: &House, seal: &SealId, draft: Draft) -> Response {
    let t = shell.text;
    let title = t.encryption_hsm_rotate_title(seal.as_str());
    let old = match house.domain.settings().old_seal_keys {
        Some(stay) => t.encryption_hsm_rotate_old(stay.as_secs().div_euclid(DAY)),
        None => t.encryption_hsm_rotate_kept().to_owned(),
    };
    let consequences =
        vec![t.encryption_hsm_rotate_new().to_owned(), t.encryption_hsm_rotate_wraps().to_owned(), old];
    page(shell, t.encryption_hsm_rotate()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.encryption_hsm_rotate() crumbs=around::crumbs(t)/>
            <Confirm title=title consequences=consequences calm=true>
                <Form draft=draft submit=t.encryption_hsm_rotate() cancel=TREE/>
            </Confirm>
        }
    })
}

pub(super) async fn ask_destroy(
    State(house): State<House>,
    asking: Asking,
    Path(number): Path<String>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::System);
    match named(&house, &op, &number).await {
        Ok((seal, number)) => draw_destroy(&shell, &seal, number, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

/// The seal and one of its keys; what is no key of it is not there.
async fn named(house: &House, op: &Op, number: &str) -> Result<(SealId, KeyNumber), Refused> {
    let seal = house.domain.seal_keys(op).await?.into_iter().next().ok_or(Refused::NotFound)?;
    let there = seal.keys.into_iter().flatten().map(|(it, _)| it);
    let number = there.into_iter().find(|it| it.to_string() == number).ok_or(Refused::NotFound)?;
    Ok((seal.seal, number))
}

pub(super) async fn destroy(
    State(house): State<House>,
    asking: Asking,
    Path(number): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::System).once(&posted);
    let t = shell.text;
    let (seal, number) = match named(&house, &op, &number).await {
        Ok(named) => named,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    if posted.fields.text("name") == seal.as_str() {
        match house.domain.destroy_seal_key(&op, &seal, number).await {
            Ok(()) => return render::done(&shell, TREE, t.encryption_hsm_destroyed(number)),
            Err(DestroySealKeyError::InUse { keys, .. }) => {
                errors.whole(t.encryption_hsm_in_use(keys as u64));
            }
            Err(DestroySealKeyError::NewerKeys) => errors.whole(t.encryption_newer()),
            Err(DestroySealKeyError::NoKey { .. }) => errors.whole(t.encryption_hsm_gone()),
            Err(DestroySealKeyError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
            Err(DestroySealKeyError::Seal(cause)) => {
                errors.whole(t.encryption_hsm_failed(&cause.to_string()));
            }
            Err(DestroySealKeyError::Unknown(_)) => errors.whole(t.encryption_no_seal()),
        }
    } else {
        errors.at("name", t.encryption_hsm_destroy_wrong(seal.as_str()));
    }
    draw_destroy(&shell, &seal, number, Draft::refused(posted.fields, errors))
}

fn draw_destroy(shell: &Shell, seal: &SealId, number: KeyNumber, draft: Draft) -> Response {
    let t = shell.text;
    let title = t.encryption_hsm_destroy_title(number, seal.as_str());
    around::draw_destroy(shell, title, seal, t.encryption_hsm_destroy_backups(), draft)
}
