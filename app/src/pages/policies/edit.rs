//! Another text for a policy, beginning with the newest one, or with the version that the address names.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::policy::{DraftPolicyError, Policy, Redraft, ShownPolicy};
use leptos::prelude::*;

use super::{
    editor::{Asked, Editor},
    load,
    names::{Names, Place},
    path, place, way_to,
};
use crate::{
    context::{Asking, House, Posted},
    form::Params,
    render::{self, page},
    shell::{Section, Shell},
    ui::PageHeader,
};

pub(super) async fn form(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    let loaded = async {
        let shown = load(&house.domain, &op, &id).await?;
        let place = place(&house.domain, &op, &shown.policy).await?;
        Ok((Names::load(&house.domain, &op, &place).await?, place, shown))
    };
    match loaded.await {
        Ok((names, place, shown)) => {
            let wanted = params.read("version").unwrap_or(shown.policy.newest);
            let version = shown.versions.iter().find(|it| it.number == wanted).or(shown.versions.first());
            let editor = Editor::of(version.map_or("", |it| it.text.as_str()));
            draw(&shell, editor, &shown.policy, names, place)
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn save(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies).once(&posted);
    let t = shell.text;
    let loaded = async {
        let shown = load(&house.domain, &op, &id).await?;
        let place = place(&house.domain, &op, &shown.policy).await?;
        Ok((Names::load(&house.domain, &op, &place).await?, place, shown))
    };
    let (names, place, ShownPolicy { mut policy, .. }) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let (mut editor, asked) = Editor::posted(t, &posted.fields, false);
    let seen: Option<i64> = posted.fields.text("row_version").parse().ok();
    match (asked, seen) {
        (_, None) => editor.errors().whole(t.form_unreadable()),
        (Asked::Page, Some(seen)) => {
            policy.row_version = seen;
            if let Err(refused) = editor.look(t, &house.domain, &op, policy.scope).await {
                return house.refused(&shell, &op, &posted, refused).await;
            }
        }
        (Asked::Save { text, note }, Some(row_version)) => {
            policy.row_version = row_version;
            let new = Redraft { text, note, row_version };
            match house.domain.redraft_policy(&op, policy.id, new).await {
                Ok(_) => return render::done(&shell, &path(&policy), t.policies_saved()),
                Err(DraftPolicyError::Refused(refused)) => {
                    return house.refused(&shell, &op, &posted, refused).await;
                }
                Err(error) => editor.not_kept(t, error),
            }
        }
    }
    draw(&shell, editor, &policy, names, place)
}

fn draw(shell: &Shell, editor: Editor, policy: &Policy, names: Names, place: Place) -> Response {
    let t = shell.text;
    let policy = policy.clone();
    page(shell, t.policies_edit_title(&policy.name)).of(&editor.draft()).show(move || {
        let title = t.policies_edit_title(&policy.name);
        view! {
            <PageHeader title=title lead=t.policies_edit_lead() crumbs=way_to(t, &policy)/>
            {editor.view(t, &names, &place, path(&policy), Some(policy.row_version))}
        }
    })
}
