//! Ending a standard: nothing is refused for it any more.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::standards::{ChangeStandardError, ShownStandard};
use leptos::prelude::*;

use super::{load, path, steps, way_to};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, Hidden, PageHeader},
};

pub(super) async fn before(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    match load(&house.domain, &op, &id).await {
        Ok(shown) => draw(&shell, &shown, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn end(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies).once(&posted);
    let t = shell.text;
    let shown = match load(&house.domain, &op, &id).await {
        Ok(shown) => shown,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    match posted.fields.text("row_version").parse() {
        Err(_) => errors.whole(t.form_unreadable()),
        Ok(seen) => match house.domain.end_standard(&op, shown.standard.id, seen).await {
            Ok(_) => {
                let there = path(&shown.standard);
                // Where a second person is needed, the first one's word is noted: the page says so.
                let ended = match load(&house.domain, &op, &id).await {
                    Ok(now) => now.active().is_none(),
                    Err(refused) => return render::refused(&shell, refused),
                };
                return render::done(&shell, &there, if ended { t.standards_ended() } else { t.saved() });
            }
            Err(ChangeStandardError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
            Err(error) => steps::wrong(t, &mut errors, &error),
        },
    }
    draw(&shell, &shown, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, shown: &ShownStandard, draft: Draft) -> Response {
    let t = shell.text;
    let standard = shown.standard.clone();
    let what =
        if shown.active().is_some() { t.standards_end_what() } else { t.standards_not_in_force() }.to_owned();
    page(shell, t.standards_end_title(&standard.name)).of(&draft).show(move || {
        let title = t.standards_end_title(&standard.name);
        let (crumbs, back) = (way_to(t, &standard), path(&standard));
        let seen = standard.row_version.to_string();
        view! {
            <PageHeader title=t.standards_end() crumbs=crumbs/>
            <Confirm title=title consequences=vec![what]>
                <Form draft=draft submit=t.standards_end() danger=true cancel=back>
                    <Hidden name="row_version" value=seen/>
                </Form>
            </Confirm>
        }
    })
}
