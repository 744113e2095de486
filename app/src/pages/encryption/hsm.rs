//! The HSM key: a new one, and the end of an old one.

use axum::{
    extract::{Path, State},
    response::Response,
};
use futures_util::TryFutureExt as _;
use keywarden_domain::{
    Op, Refused,
    system::{DestroySealKeyError, KeyStays, RotateSealError, SealId},
};
use leptos::prelude::*;

use super::around::{self, Kept, OldKey, TREE, rewrap_path};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
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

/// The seal and one of its keys; what is no key of it is not there.
async fn named(house: &House, t: Text, op: &Op, number: &str) -> Result<OldKey, Refused> {
    let seal = house.domain.seal_keys(op).await?.into_iter().next().ok_or(Refused::NotFound)?;
    let there = seal.keys.into_iter().flatten().map(|(it, _)| it);
    let number = there.into_iter().find(|it| it.to_string() == number).ok_or(Refused::NotFound)?;
    Ok(OldKey { seal: seal.seal, number, backups: t.encryption_hsm_destroy_backups() })
}

pub(super) async fn ask_destroy(
    State(house): State<House>,
    asking: Asking,
    Path(number): Path<String>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::System);
    match named(&house, shell.text, &op, &number).await {
        Ok(key) => key.draw(&shell, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn destroy(
    State(house): State<House>,
    asking: Asking,
    Path(number): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::System).once(&posted);
    let t = shell.text;
    let key = match named(&house, t, &op, &number).await {
        Ok(key) => key,
        Err(refused) => return house.missed(&shell, &op, &posted, refused, TREE).await,
    };
    let deed = house.domain.destroy_seal_key(&op, &key.seal, key.number);
    key.destroy(&house, &shell, &op, posted, deed.map_err(|error| kept(t, error))).await
}

fn kept(t: Text, error: DestroySealKeyError) -> Kept {
    Kept::Why(match error {
        DestroySealKeyError::NewerKeys => t.encryption_newer().to_owned(),
        DestroySealKeyError::Refused(refused) => return Kept::Refused(refused),
        DestroySealKeyError::Seal(cause) => t.encryption_hsm_failed(&cause.to_string()),
        DestroySealKeyError::Stays(KeyStays::InUse { keys, .. }) => t.encryption_hsm_in_use(keys as u64),
        DestroySealKeyError::Stays(KeyStays::Newest { .. } | KeyStays::NoKey { .. }) => {
            t.encryption_hsm_gone().to_owned()
        }
        DestroySealKeyError::Unknown(_) => t.encryption_no_seal().to_owned(),
    })
}
