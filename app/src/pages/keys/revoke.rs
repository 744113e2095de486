use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::keys::{Key, KeyView, RevokeError};
use keywarden_model::RevokeReason;
use leptos::prelude::*;

use super::{
    around,
    callers::{self, Seen},
    reasons,
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader},
};

pub(super) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys);
    let reason = params.read("reason").unwrap_or(RevokeReason::Superseded);
    match around::load_with_callers(&house, &op, &id).await {
        Ok((view, seen)) => draw(&mut shell, &view.key, &seen, reason, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn revoke(
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
    if let Some((reason, note)) = reasons::read(t, &posted.fields, &mut errors) {
        match house.domain.revoke_key(&op, key.id, reason, &note).await {
            Ok(()) => {
                return render::done(&shell, &around::path(&key), t.keys_revoked_now(key.name.as_str()));
            }
            Err(RevokeError::Already) => errors.whole(t.keys_is_revoked()),
            Err(RevokeError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
        }
    }
    draw(&mut shell, &key, &seen, RevokeReason::Superseded, Draft::refused(posted.fields, errors))
}

fn draw(shell: &mut Shell, key: &Key, seen: &[Seen], reason: RevokeReason, draft: Draft) -> Response {
    around::place(shell, &key.project_slug);
    let t = shell.text;
    let key = key.clone();
    let mut consequences = vec![t.keys_revoke_all().to_owned(), t.keys_revoke_final().to_owned()];
    let (breaks, callers) = callers::breaks(t, shell.now, seen);
    consequences.push(breaks);
    page(shell, t.keys_revoke()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.keys_revoke() crumbs=around::crumbs_below(t, &key)/>
            <Confirm title=t.keys_revoke_title(key.name.as_str()) consequences=consequences callers=callers>
                <Form draft=draft submit=t.keys_revoke() danger=true cancel=around::path(&key)>
                    {reasons::fields(t, reason.as_str())}
                </Form>
            </Confirm>
        }
    })
}
