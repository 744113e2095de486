//! The keys of a seal that projects name: a new one, and the end of an old one.

use axum::{
    extract::{Path, State},
    response::Response,
};
use futures_util::TryFutureExt as _;
use keywarden_domain::{
    Op, Refused,
    project_seals::{DestroyOfferedKeyError, OfferedKeys, RotateOfferedError},
    system::{KeyStays, SealId},
};
use leptos::prelude::*;

use super::around::{self, Kept, OldKey, TREE};
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Badge, Column, Confirm, Form, PageHeader, Panel, Row, Table, Tone},
};

/// A page of a seal. Its id holds a token's label, which may be any text.
fn address(seal: &SealId, rest: &str) -> String {
    let id: String = form_urlencoded::byte_serialize(seal.as_str().as_bytes()).collect();
    format!("{TREE}/offered/{}/{rest}", id.replace('+', "%20"))
}

/// The keys of all of them; nothing where none tells any.
pub(super) fn panel(t: Text, all: &[OfferedKeys], may_rotate: bool) -> AnyView {
    let mut rows = Vec::new();
    for OfferedKeys { seal, keys } in all {
        let keys = keys.as_deref().unwrap_or_default();
        for (number, wraps) in keys {
            let is_newest = keys.last().is_some_and(|(newest, _)| newest == number);
            let wrapped = match *wraps {
                0 => t.encryption_wraps_nothing().to_owned(),
                wraps => t.encryption_offered_wraps(wraps as u64),
            };
            let step = match (is_newest, *wraps) {
                (true, 1..) => Some((address(seal, "rotate"), t.encryption_rotate())),
                (false, 0) => Some((address(seal, &format!("{number}/destroy")), t.encryption_destroy())),
                (true, 0) | (false, _) => None,
            };
            let step = step.filter(|_| may_rotate).map(|(href, label)| view! { <a href=href>{label}</a> });
            let state = is_newest.then(|| view! { <Badge label=t.encryption_newest() tone=Tone::Good/> });
            let id = view! { <code translate="no">{seal.to_string()}</code> };
            rows.push(Row::plain(id, cells![t.encryption_number(*number), wrapped, state, step]));
        }
    }
    if rows.is_empty() {
        return ().into_any();
    }
    let columns = vec![
        Column::text(t.project_seal()),
        Column::text(t.encryption_hsm_key()),
        Column::text(t.encryption_wraps()),
        Column::text(t.projects_state()),
        Column::text(t.encryption_rotate()),
    ];
    view! {
        <Panel id="offered-keys" title=t.encryption_offered_keys()>
            <Table caption=t.encryption_offered_keys() columns=columns rows=rows/>
        </Panel>
    }
    .into_any()
}

/// A seal with its keys; what is not offered is not there.
async fn named(house: &House, op: &Op, seal: &str) -> Result<OfferedKeys, Refused> {
    let all = house.domain.offered_keys(op).await?;
    all.into_iter().find(|it| it.seal.as_str() == seal).ok_or(Refused::NotFound)
}

pub(super) async fn ask_rotate(
    State(house): State<House>,
    asking: Asking,
    Path(seal): Path<String>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::System);
    match named(&house, &op, &seal).await {
        Ok(it) => draw_rotate(&shell, &it, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn rotate(
    State(house): State<House>,
    asking: Asking,
    Path(seal): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::System).once(&posted);
    let t = shell.text;
    let it = match named(&house, &op, &seal).await {
        Ok(it) => it,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    match house.domain.rotate_offered_key(&op, &it.seal).await {
        Ok(done) => return render::done(&shell, TREE, t.encryption_offered_rotated(done.number)),
        Err(RotateOfferedError::Changed) => errors.whole(t.encryption_changed()),
        Err(RotateOfferedError::NotNamed(_) | RotateOfferedError::NotOffered(_)) => {
            errors.whole(t.encryption_offered_none());
        }
        Err(RotateOfferedError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
        Err(RotateOfferedError::Seal(cause)) => errors.whole(t.encryption_hsm_failed(&cause.to_string())),
    }
    draw_rotate(&shell, &it, Draft::refused(posted.fields, errors))
}

fn draw_rotate(shell: &Shell, it: &OfferedKeys, draft: Draft) -> Response {
    let t = shell.text;
    let title = t.encryption_hsm_rotate_title(it.seal.as_str());
    let wraps = it.keys.iter().flatten().map(|(_, wraps)| *wraps as u64).fold(0_u64, u64::saturating_add);
    let consequences = vec![
        t.encryption_hsm_rotate_new().to_owned(),
        t.encryption_offered_rotate_wraps(wraps),
        t.encryption_hsm_rotate_kept().to_owned(),
    ];
    page(shell, t.encryption_offered_rotate()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.encryption_offered_rotate() crumbs=around::crumbs(t)/>
            <Confirm title=title consequences=consequences calm=true>
                <Form draft=draft submit=t.encryption_offered_rotate() cancel=TREE/>
            </Confirm>
        }
    })
}

/// A seal and one of its keys.
async fn named_key(
    house: &House,
    t: Text,
    op: &Op,
    (seal, number): &(String, String),
) -> Result<OldKey, Refused> {
    let OfferedKeys { seal, keys } = named(house, op, seal).await?;
    let there = keys.into_iter().flatten().map(|(it, _)| it).find(|it| it.to_string() == *number);
    let number = there.ok_or(Refused::NotFound)?;
    Ok(OldKey { seal, number, backups: t.encryption_offered_destroy_backups() })
}

pub(super) async fn ask_destroy(
    State(house): State<House>,
    asking: Asking,
    Path(wanted): Path<(String, String)>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::System);
    match named_key(&house, shell.text, &op, &wanted).await {
        Ok(key) => key.draw(&shell, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn destroy(
    State(house): State<House>,
    asking: Asking,
    Path(wanted): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::System).once(&posted);
    let t = shell.text;
    let key = match named_key(&house, t, &op, &wanted).await {
        Ok(key) => key,
        Err(refused) => return house.missed(&shell, &op, &posted, refused, TREE).await,
    };
    let deed = house.domain.destroy_offered_key(&op, &key.seal, key.number);
    key.destroy(&house, &shell, &op, posted, deed.map_err(|error| kept(t, error))).await
}

fn kept(t: Text, error: DestroyOfferedKeyError) -> Kept {
    Kept::Why(match error {
        DestroyOfferedKeyError::Refused(refused) => return Kept::Refused(refused),
        DestroyOfferedKeyError::Seal(cause) => t.encryption_hsm_failed(&cause.to_string()),
        DestroyOfferedKeyError::Stays(KeyStays::InUse { keys, .. }) => {
            t.encryption_offered_in_use(keys as u64)
        }
        DestroyOfferedKeyError::Stays(KeyStays::Newest { .. } | KeyStays::NoKey { .. }) => {
            t.encryption_hsm_gone().to_owned()
        }
    })
}
