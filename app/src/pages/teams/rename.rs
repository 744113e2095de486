//! `/teams/<slug>/edit`: another name; the short one stays.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::teams::{RenameTeam, RenameTeamError, Team};
use keywarden_model::Name;
use leptos::prelude::*;

use super::{home, way_to};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Form, PageHeader, TextField},
};

pub(super) async fn edit(State(house): State<House>, asking: Asking, Path(slug): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    match house.domain.team(&op, &slug).await {
        Ok(shown) => form(&shell, shown.team, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn rename(
    State(house): State<House>,
    asking: Asking,
    Path(slug): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::People).once(&posted);
    let t = shell.text;
    let team = match house.domain.team(&op, &slug).await {
        Ok(shown) => shown.team,
        Err(refused) => return render::refused(&shell, refused),
    };
    let mut errors = Errors::new();
    let version = posted.fields.text("version").parse::<i64>();
    match (posted.fields.text("name").parse::<Name>(), version) {
        (Err(error), _) => errors.at("name", t.name_wrong(&error)),
        (Ok(_), Err(_)) => errors.whole(t.teams_changed_meanwhile()),
        (Ok(name), Ok(row_version)) => {
            let said = t.teams_renamed(name.as_str());
            match house.domain.rename_team(&op, team.id, RenameTeam { name, row_version }).await {
                Ok(_) => return render::done(&shell, &home(&team), said),
                Err(RenameTeamError::ChangedMeanwhile) => errors.whole(t.teams_changed_meanwhile()),
                Err(RenameTeamError::NameTaken) => errors.at("name", t.teams_name_taken()),
                Err(RenameTeamError::Refused(refused)) => {
                    return house.refused(&shell, &op, &posted, refused).await;
                }
            }
        }
    }
    form(&shell, team, Draft::refused(posted.fields, errors))
}

fn form(shell: &Shell, team: Team, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.teams_rename()).of(&draft).show(move || {
        let version = team.row_version.to_string();
        view! {
            <PageHeader title=t.teams_rename() crumbs=way_to(t, &team)/>
            <Form draft=draft submit=t.teams_rename() cancel=home(&team)>
                <input type="hidden" name="version" value=version/>
                <TextField name="name" label=t.teams_name() required=true maxlength=120 value=team.name/>
            </Form>
        }
    })
}
