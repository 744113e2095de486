//! `/people/<id>/hand-over/rotate`: new values for keys of which somebody has seen the current one, several at once.

use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::TimeDelta;
use keywarden_domain::{
    Op, Refused, Replayed, SecretString,
    keys::{Key, Overlap, RotateError},
    people::{ConcernedKey, ShownUser},
};
use keywarden_model::ApiKeyId;
use leptos::prelude::*;

use super::{find, home, way_to};
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        ButtonKind, CheckboxGroup, Column, Confirm, Crumb, EmptyState, Form, LinkButton, PageHeader, Panel,
        RadioGroup, Row, SecretValue, Table, choice, crumb, row,
    },
};

/// Keys that are rotated at once: somebody has to bring each of the new values to its callers.
const MOST: usize = 50;

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    draw(&house, &shell, &op, &id, Draft::default()).await
}

pub(super) async fn rotate(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    let t = shell.text;
    let ids: Result<Vec<ApiKeyId>, _> = posted.fields.many("keys[]").map(str::parse).collect();
    let Ok(ids) = ids else { return render::not_found(&shell) };
    let mut errors = Errors::new();
    if !(1..=MOST).contains(&ids.len()) {
        errors.at("keys[]", t.hand_over_count(MOST));
    }
    let overlap = match posted.fields.text("overlap") {
        "default" => Some(Overlap::Default),
        "0" => Some(Overlap::For(TimeDelta::zero())),
        _ => None,
    };
    let Some(overlap) = overlap.filter(|_| !errors.any()) else {
        if overlap.is_none() {
            errors.at("overlap", t.form_choose());
        }
        return draw(&house, &shell, &op, &id, Draft::refused(posted.fields, errors)).await;
    };
    // All of them first: whatever stops at one that is not there loses no value.
    let loaded = async {
        let user = find(&house, &op, &id).await?;
        let mut keys = Vec::with_capacity(ids.len());
        for id in ids {
            keys.push(house.domain.key(&op, id).await?.key);
        }
        Ok((user, keys))
    };
    let (user, keys) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let (mut made, mut before, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for key in keys {
        let one = posted.part(&op, &key.id.to_string());
        match house.domain.rotate_key(&one, key.id, overlap).await {
            Ok(rotated) => made.push((key, rotated.value)),
            Err(RotateError::Refused(Refused::Replayed(Replayed::Done { .. }))) => before.push(key),
            // From the first value on the answer is the page that shows it.
            Err(RotateError::Refused(refused)) if made.is_empty() && before.is_empty() => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
            Err(cause) => {
                tracing::info!(key = %key.id, %cause, "a key was not rotated with the others");
                left.push(key);
            }
        }
    }
    rotated(&shell, &user, &made, &before, &left)
}

/// The way to what somebody leaves behind.
fn crumbs(t: Text, user: &ShownUser) -> Vec<Crumb> {
    let mut crumbs = way_to(t, user);
    crumbs.push(crumb(t.hand_over(), back(user)));
    crumbs
}

fn back(user: &ShownUser) -> String {
    format!("{}/hand-over", home(user.id))
}

async fn draw(house: &House, shell: &Shell, op: &Op, id: &str, draft: Draft) -> Response {
    let t = shell.text;
    let loaded = async {
        let user = find(house, op, id).await?;
        let left = house.domain.hand_over_facts(op, user.id).await?;
        Ok((user, left))
    };
    let (user, left) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(shell, refused),
    };
    let keys: Vec<_> = left.has_seen.first.into_iter().filter(|it| it.current).map(|it| it.key).collect();
    page(shell, t.hand_over_rotate_these()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.hand_over_rotate_these() crumbs=crumbs(t, &user)/>
            {form(t, keys, back(&user), draft)}
        }
    })
}

fn form(t: Text, mut keys: Vec<ConcernedKey>, back: String, draft: Draft) -> AnyView {
    if keys.is_empty() {
        return view! {
            <EmptyState title=t.hand_over_seen_none() action=(t.hand_over(), back)>
                {t.hand_over_rotate_none_why()}
            </EmptyState>
        }
        .into_any();
    }
    let more = (keys.len() > MOST).then(|| view! { <p>{t.hand_over_rotate_more(MOST)}</p> });
    keys.truncate(MOST);
    let ids: Vec<String> = keys.iter().map(|key| key.id.to_string()).collect();
    let title = t.hand_over_rotate_title(keys.len());
    let keys = keys
        .into_iter()
        .map(|key| {
            let place = t.hand_over_place(&key.project.1, &key.environment);
            choice(key.id.to_string(), key.name).named().hint(place)
        })
        .collect();
    let overlaps = vec![
        choice("default", t.hand_over_overlap_usual()),
        choice("0", t.keys_overlap_none()).hint(t.keys_overlap_none_hint()),
    ];
    let consequences = vec![t.hand_over_rotate_new().to_owned(), t.hand_over_rotate_callers().to_owned()];
    view! {
        {more}
        <Confirm title=title consequences=consequences calm=true>
            <Form draft=draft submit=t.hand_over_rotate() cancel=back>
                <CheckboxGroup name="keys[]" label=t.hand_over_keys() required=true choices=keys values=ids/>
                <RadioGroup name="overlap" label=t.keys_old_stops() required=true choices=overlaps value="default"/>
            </Form>
        </Confirm>
    }
    .into_any()
}

/// The answer to the post itself: the values are in no other page.
fn rotated(
    shell: &Shell,
    user: &ShownUser,
    made: &[(Key, SecretString)],
    before: &[Key],
    left: &[Key],
) -> Response {
    let t = shell.text;
    let values: Vec<_> = made
        .iter()
        .map(|(key, value)| {
            let label = format!("{} / {}", place(key), key.name);
            (key.id.to_string(), label, value.expose().to_owned())
        })
        .collect();
    let (before, left) = (rows(before), rows(left));
    let title = t.hand_over_rotated(made.len());
    let (crumbs, back) = (crumbs(t, user), back(user));
    page(shell, title.clone()).lives_at(back.clone()).show(move || {
        let values = (!values.is_empty()).then(|| {
            let values = values
                .into_iter()
                .map(|(id, label, value)| view! { <SecretValue id=id label=label value=value/> })
                .collect_view();
            view! {
                <Panel id="values" title=t.hand_over_new_values()>
                    <p>{t.hand_over_shown_once()}</p>
                    {values}
                    <div class="actions"><LinkButton kind=ButtonKind::Primary label=t.stored_them() href=back/></div>
                </Panel>
            }
        });
        let listed = |id: &'static str, title: &'static str, why: &'static str, rows: Vec<Row>| {
            let columns = vec![Column::text(t.keys_name()), Column::text(t.keys_place())];
            (!rows.is_empty()).then(|| {
                view! {
                    <Panel id=id title=title>
                        <p>{why}</p>
                        <Table caption=title columns=columns rows=rows/>
                    </Panel>
                }
            })
        };
        view! {
            <PageHeader title=title crumbs=crumbs/>
            {values}
            {listed("before", t.hand_over_rotated_before(), t.hand_over_rotated_before_why(), before)}
            {listed("left", t.hand_over_not_rotated(), t.hand_over_not_rotated_why(), left)}
        }
    })
}

fn rows(keys: &[Key]) -> Vec<Row> {
    let of = |key: &Key| {
        let place = place(key);
        row(
            format!("/keys/{}", key.id),
            key.name.to_string(),
            cells![view! { <span translate="no">{place}</span> }],
        )
    };
    keys.iter().map(of).collect()
}

fn place(key: &Key) -> String {
    format!("{} / {}", key.project_slug, key.environment_slug)
}
