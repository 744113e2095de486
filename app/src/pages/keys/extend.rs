use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::TimeDelta;
use keywarden_domain::keys::{DrainingValue, ExtendError, Key};
use keywarden_model::time::later;
use leptos::prelude::*;

use super::{
    around, moments,
    stop_old::{load, stopped},
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Form, PageHeader, TextField, TextKind},
};

pub(super) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path((id, value)): Path<(String, String)>,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys);
    match load(&house, &op, &id, &value).await {
        Ok((key, Some(old))) => draw(&mut shell, &key, &old, Draft::default()),
        Ok((key, None)) => stopped(&shell, &key),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn extend(
    State(house): State<House>,
    asking: Asking,
    Path((id, value)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys).once(&posted);
    let t = shell.text;
    let (key, old) = match load(&house, &op, &id, &value).await {
        Ok((key, Some(old))) => (key, old),
        Ok((key, None)) => return stopped(&shell, &key),
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let Some(until) = moments::read(posted.fields.text("until")) else {
        errors.at("until", t.keys_date_wrong());
        return draw(&mut shell, &key, &old, Draft::refused(posted.fields, errors));
    };
    match house.domain.extend_key_overlap(&op, key.id, old.value.id, until).await {
        Ok(()) => {
            let said = t.drain_extended_now(&around::shown(t, &old.value), &moments::minute(until));
            return render::done(&shell, &around::drain_path(&key), said);
        }
        Err(ExtendError::Archived) => errors.whole(t.projects_is_archived()),
        Err(ExtendError::Current) => errors.whole(t.drain_is_current()),
        Err(ExtendError::Standard(breach)) => errors.at("until", t.standard_breach(&breach)),
        Err(ExtendError::Stopped) => return stopped(&shell, &key),
        Err(ExtendError::When) => errors.at("until", t.drain_when_wrong()),
        Err(ExtendError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
    }
    draw(&mut shell, &key, &old, Draft::refused(posted.fields, errors))
}

fn draw(shell: &mut Shell, key: &Key, old: &DrainingValue, draft: Draft) -> Response {
    around::place(shell, &key.project_slug);
    let t = shell.text;
    let key = key.clone();
    // A day more than it has, but no more than the key itself.
    let until = later(old.value.stops_at.unwrap_or(shell.now), TimeDelta::days(1));
    let until = key.expires_at.map_or(until, |end| end.min(until));
    let title = t.drain_extend_title(&around::shown(t, &old.value));
    page(shell, t.drain_extend()).of(&draft).show(move || {
        view! {
            <PageHeader title=title lead=t.drain_extend_lead() crumbs=around::crumbs_below(t, &key)/>
            <Form draft=draft submit=t.drain_extend() cancel=around::drain_path(&key)>
                <TextField name="until" label=t.keys_until() kind=TextKind::DateTime required=true value=moments::field(until) hint=t.keys_until_hint()/>
            </Form>
        }
    })
}
