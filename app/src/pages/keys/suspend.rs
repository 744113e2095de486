use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::keys::{Key, KeyView, SuspendError};
use leptos::prelude::*;

use super::{
    around,
    callers::{self, Seen},
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader, TextField},
};

/// The longest reason.
const REASON: u32 = 200;

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys);
    match around::load_with_callers(&house, &op, &id).await {
        Ok((view, seen)) => draw(&mut shell, &view.key, &seen, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn suspend(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys).once(&posted);
    let t = shell.text;
    let (KeyView { key, .. }, seen) = match around::load_with_callers(&house, &op, &id).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let reason = errors.optional(t, &posted.fields, "reason", REASON as usize);
    if !errors.any() {
        match house.domain.suspend_key(&op, key.id, reason).await {
            Ok(()) => {
                let said = t.keys_suspended_now(key.name.as_str());
                return render::done(&shell, &around::path(&key), said);
            }
            Err(SuspendError::Already) => errors.whole(t.keys_suspended_already()),
            Err(SuspendError::Revoked) => errors.whole(t.keys_is_revoked()),
            Err(SuspendError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
        }
    }
    draw(&mut shell, &key, &seen, Draft::refused(posted.fields, errors))
}

fn draw(shell: &mut Shell, key: &Key, seen: &[Seen], draft: Draft) -> Response {
    around::place(shell, &key.project_slug);
    let t = shell.text;
    let key = key.clone();
    let mut consequences = vec![t.keys_suspend_refused().to_owned(), t.keys_suspend_back().to_owned()];
    let (breaks, callers) = callers::breaks(t, shell.now, seen);
    consequences.push(breaks);
    page(shell, t.keys_suspend()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.keys_suspend() crumbs=around::crumbs_below(t, &key)/>
            <Confirm title=t.keys_suspend_title(key.name.as_str()) consequences=consequences callers=callers>
                <Form draft=draft submit=t.keys_suspend() danger=true cancel=around::path(&key)>
                    <TextField name="reason" label=t.keys_reason() maxlength=REASON hint=t.keys_note_hint()/>
                </Form>
            </Confirm>
        }
    })
}
