//! `GET /standards/new?project=…`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Op, Refused,
    authz::PolicyScope,
    standards::{DraftStandardError, NewStandard, Rules},
};
use keywarden_model::Name;
use leptos::prelude::*;

use super::{LIST, form, way};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    pages::policies::names::Place,
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::PageHeader,
};

/// Where the standard is to hold: the address says so.
async fn place(house: &House, op: &Op, params: &Params) -> Result<Place, Refused> {
    match params.text("project") {
        "" => super::place(&house.domain, op, PolicyScope::Organization).await,
        slug => {
            let project = house.domain.project(op, slug).await?;
            Ok(Place::Project { id: project.id, name: project.name })
        }
    }
}

pub(super) async fn form(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    match place(&house, &op, &params).await {
        Ok(place) => draw(&shell, place, Draft::default(), None),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn create(
    State(house): State<House>,
    asking: Asking,
    params: Params,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies).once(&posted);
    let t = shell.text;
    let place = match place(&house, &op, &params).await {
        Ok(place) => place,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let written = form::read(t, &posted.fields, &mut errors);
    if form::only_checks(&posted.fields) {
        let checked = match written {
            None => None,
            Some(written) => match house.domain.check_standard(&op, place.scope(), &written.rules).await {
                Ok(tally) => {
                    let mut said = vec![t.standard_tally(tally)];
                    said.extend(form::tried(t, &posted.fields, &written.rules));
                    Some(said)
                }
                Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
            },
        };
        return draw(&shell, place, Draft::refused(posted.fields, errors), checked);
    }
    let name: Option<Name> = errors.parsed(t, &posted.fields, "name", Text::name_wrong);
    if let (Some(name), Some(form::Written { rules, note })) = (name, written) {
        let new = NewStandard { scope: place.scope(), name, rules, note };
        match house.domain.draft_standard(&op, new).await {
            Ok(id) => return render::done(&shell, &format!("{LIST}/{id}"), t.standards_saved()),
            Err(DraftStandardError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
            Err(error) => not_kept(t, &mut errors, &error),
        }
    }
    draw(&shell, place, Draft::refused(posted.fields, errors), None)
}

/// Why nothing was kept.
pub(super) fn not_kept(t: Text, errors: &mut Errors, error: &DraftStandardError) {
    match error {
        DraftStandardError::Archived => errors.whole(t.policies_archived()),
        DraftStandardError::ChangedMeanwhile => errors.whole(t.standards_changed_meanwhile()),
        DraftStandardError::Empty => errors.whole(t.standards_empty()),
        DraftStandardError::NameTaken => errors.at("name", t.standards_name_taken()),
        DraftStandardError::Refused(_) => errors.whole(t.form_unreadable()),
        DraftStandardError::TooMany => errors.whole(t.policies_full()),
    }
}

fn draw(shell: &Shell, place: Place, draft: Draft, checked: Option<Vec<String>>) -> Response {
    let t = shell.text;
    page(shell, t.standards_new()).of(&draft).show(move || {
        let title = match &place {
            Place::Organization => t.standards_new().to_owned(),
            Place::Project { name, .. } => t.standards_new_in(name),
        };
        let form = form::view(t, draft, &Rules::default(), true, None, checked, LIST.to_owned());
        view! {
            <PageHeader title=title lead=t.standards_new_lead() crumbs=way(t)/>
            {form}
        }
    })
}
