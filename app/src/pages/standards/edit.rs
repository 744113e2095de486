//! `GET /standards/{id}/edit?version=…`: other rules, as a new draft.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Refused,
    standards::{DraftStandardError, RedraftStandard, Rules, Standard},
};
use leptos::prelude::*;

use super::{form, load, new::not_kept, path, way_to};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
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
        let wanted = match params.read::<i64>("version") {
            None => shown.versions.first(),
            Some(number) => shown.versions.iter().find(|it| it.number == number),
        };
        let rules = wanted.map(|it| it.rules.clone().unwrap_or_default()).ok_or(Refused::NotFound)?;
        Ok((shown.standard, rules))
    };
    match loaded.await {
        Ok((standard, rules)) => draw(&shell, &standard, rules, Draft::default(), None),
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
    let standard = match load(&house.domain, &op, &id).await {
        Ok(shown) => shown.standard,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let written = form::read(t, &posted.fields, &mut errors);
    let mut checked = None;
    if form::only_checks(&posted.fields) {
        if let Some(written) = &written {
            match house.domain.check_standard(&op, standard.scope, &written.rules).await {
                Ok(tally) => {
                    let mut said = vec![t.standard_tally(tally)];
                    said.extend(form::tried(t, &posted.fields, &written.rules));
                    checked = Some(said);
                }
                Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
            }
        }
    } else {
        let seen: Option<i64> = posted.fields.text("row_version").parse().ok();
        if seen.is_none() {
            errors.whole(t.form_unreadable());
        }
        if let (Some(row_version), Some(form::Written { rules, note })) = (seen, written) {
            let new = RedraftStandard { rules, note, row_version };
            match house.domain.redraft_standard(&op, standard.id, new).await {
                Ok(_) => return render::done(&shell, &path(&standard), t.standards_saved()),
                Err(DraftStandardError::Refused(refused)) => {
                    return house.refused(&shell, &op, &posted, refused).await;
                }
                Err(error) => not_kept(t, &mut errors, &error),
            }
        }
    }
    draw(&shell, &standard, Rules::default(), Draft::refused(posted.fields, errors), checked)
}

fn draw(
    shell: &Shell,
    standard: &Standard,
    rules: Rules,
    draft: Draft,
    checked: Option<Vec<String>>,
) -> Response {
    let t = shell.text;
    let standard = standard.clone();
    page(shell, t.standards_edit_title(&standard.name)).of(&draft).show(move || {
        let title = t.standards_edit_title(&standard.name);
        let (crumbs, back) = (way_to(t, &standard), path(&standard));
        let form = form::view(t, draft, &rules, false, Some(standard.row_version), checked, back);
        view! {
            <PageHeader title=title lead=t.standards_edit_lead() crumbs=crumbs/>
            {form}
        }
    })
}
