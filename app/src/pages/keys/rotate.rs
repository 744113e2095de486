use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::TimeDelta;
use keywarden_domain::keys::{KeyView, Overlap, RotateError};
use leptos::prelude::*;

use super::{
    around,
    callers::{self, Seen},
    moments,
    shown_once::{Made, shown_once},
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Fields},
    pages::projects::span,
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Confirm, Form, PageHeader, RadioGroup, TextField, TextKind, choice},
};

/// Overlaps in seconds that a form offers; the environment's own comes in where it is another.
const OVERLAPS: [i64; 4] = [0, 3_600, 86_400, 604_800];

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys);
    match around::load_with_callers(&house, &op, &id).await {
        Ok((view, seen)) => draw(&mut shell, &view, &seen, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn rotate(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys).once(&posted);
    let t = shell.text;
    let (view, seen) = match around::load_with_callers(&house, &op, &id).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    if let Some(overlap) = read(t, &posted.fields, &mut errors) {
        match house.domain.rotate_key(&op, view.key.id, overlap).await {
            Ok(rotated) => {
                let name = view.key.name.to_string();
                let made = Made { id: rotated.id, name, value: &rotated.value, title: t.keys_rotated() };
                return shown_once(&shell, &house.domain.settings().origin, made);
            }
            Err(RotateError::Archived) => errors.whole(t.projects_is_archived()),
            Err(RotateError::Expired) => errors.whole(t.keys_has_expired()),
            Err(RotateError::OverlapIsOver) => errors.at("until", t.keys_overlap_over()),
            Err(RotateError::OverlapTooLong) => errors.at("until", t.keys_overlap_long()),
            Err(RotateError::Revoked) => errors.whole(t.keys_is_revoked()),
            Err(RotateError::TooManyValues) => errors.whole(t.keys_many_values()),
            Err(RotateError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
        }
    }
    draw(&mut shell, &view, &seen, Draft::refused(posted.fields, errors))
}

fn read(t: Text, fields: &Fields, errors: &mut Errors) -> Option<Overlap> {
    match fields.text("overlap") {
        "date" => {
            let until = moments::read(fields.text("until"));
            if until.is_none() {
                errors.at("until", t.keys_date_wrong());
            }
            until.map(Overlap::Until)
        }
        "default" => Some(Overlap::Default),
        text => {
            let seconds = text.parse().ok().filter(|seconds| OVERLAPS.contains(seconds));
            if seconds.is_none() {
                errors.at("overlap", t.form_choose());
            }
            seconds.map(|seconds| Overlap::For(TimeDelta::seconds(seconds)))
        }
    }
}

fn draw(shell: &mut Shell, view: &KeyView, seen: &[Seen], draft: Draft) -> Response {
    around::place(shell, &view.key.project_slug);
    let t = shell.text;
    let key = view.key.clone();
    let (breaks, callers) = callers::breaks(t, shell.now, seen);
    page(shell, t.keys_rotate()).of(&draft).show(move || {
        let usual = key.overlap_seconds;
        let mut choices: Vec<_> = OVERLAPS
            .into_iter()
            .map(|seconds| {
                let label = if seconds == 0 { t.keys_overlap_none().to_owned() } else { span(t, seconds) };
                let offered = choice(seconds.to_string(), label);
                if seconds == 0 { offered.hint(t.keys_overlap_none_hint()) } else { offered }
            })
            .collect();
        let known = OVERLAPS.contains(&usual);
        if !known {
            choices.push(choice("default", t.keys_overlap_usual(&span(t, usual))));
        }
        choices.push(choice("date", t.keys_until_date()));
        let chosen = if known { usual.to_string() } else { "default".into() };
        let mut consequences = vec![t.keys_rotate_new().to_owned()];
        if let Some(end) = key.expires_at {
            consequences.push(t.keys_rotate_cap(&moments::minute(end)));
        }
        consequences.push(breaks);
        view! {
            <PageHeader title=t.keys_rotate() crumbs=around::crumbs_below(t, &key)/>
            <Confirm title=t.keys_rotate_title(key.name.as_str()) consequences=consequences callers=callers calm=true>
                <Form draft=draft submit=t.keys_rotate() cancel=around::path(&key)>
                    <RadioGroup name="overlap" label=t.keys_old_stops() required=true choices=choices value=chosen/>
                    <TextField name="until" label=t.keys_until() kind=TextKind::DateTime hint=t.keys_until_hint()/>
                </Form>
            </Confirm>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_is_one_of_those_offered_or_a_date() {
        let read = |body: &str| {
            let mut errors = Errors::new();
            let fields = Fields::parse(body.as_bytes()).unwrap();
            let overlap = read(Text::default(), &fields, &mut errors);
            assert_eq!(overlap.is_none(), errors.any(), "{body}");
            overlap
        };
        assert_eq!(read("overlap=0"), Some(Overlap::For(TimeDelta::zero())));
        assert_eq!(read("overlap=86400"), Some(Overlap::For(TimeDelta::days(1))));
        assert_eq!(read("overlap=default"), Some(Overlap::Default));
        assert!(matches!(read("overlap=date&until=2027-01-01T00:00"), Some(Overlap::Until(_))));
        for wrong in ["", "overlap=1", "overlap=-3600", "overlap=date", "overlap=date&until=soon"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
