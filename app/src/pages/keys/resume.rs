use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::keys::{Key, ResumeError};
use leptos::prelude::*;

use super::around;
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader},
};

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys);
    match around::load(&house, &op, &id).await {
        Ok(view) => draw(&mut shell, &view.key, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn resume(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys).once(&posted);
    let t = shell.text;
    let key = match around::load(&house, &op, &id).await {
        Ok(view) => view.key,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    match house.domain.resume_key(&op, key.id).await {
        Ok(()) => {
            return render::done(&shell, &around::path(&key), t.keys_resumed_now(key.name.as_str()));
        }
        Err(ResumeError::Archived) => errors.whole(t.projects_is_archived()),
        Err(ResumeError::NotSuspended) => errors.whole(t.keys_not_suspended()),
        Err(ResumeError::Revoked) => errors.whole(t.keys_is_revoked()),
        Err(ResumeError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
    }
    draw(&mut shell, &key, Draft::refused(posted.fields, errors))
}

fn draw(shell: &mut Shell, key: &Key, draft: Draft) -> Response {
    around::place(shell, &key.project_slug);
    let t = shell.text;
    let key = key.clone();
    page(shell, t.keys_resume()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.keys_resume() crumbs=around::crumbs_below(t, &key)/>
            <Confirm title=t.keys_resume_title(key.name.as_str()) consequences=vec![t.keys_resume_good().into()] calm=true>
                <Form draft=draft submit=t.keys_resume() cancel=around::path(&key)/>
            </Confirm>
        }
    })
}
