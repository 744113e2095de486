//! Two versions next to each other: which fields or lines differ, and, covered until somebody wants to see it, how.

use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use keywarden_domain::secrets::{Compared, SecretView};
use leptos::prelude::*;

use super::{
    around,
    differ::{Difference, Field, Side},
    reasons, reveal,
};
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Actions, Banner, ButtonKind, Choice, Column, EmptyState, Form, LinkButton, PageHeader, Panel,
        RevealedLines, Row, SelectField, Table, Tone, choice,
    },
};

pub(super) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    params: Params,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match around::load_version(&house, &op, &at).await {
        Ok((view, version)) => {
            draw_ask(&mut shell, &view, version.number, params.text("with"), Draft::default())
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn compare(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let (view, version) = match around::load_version(&house, &op, &at).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let number = version.number;
    let other = posted.fields.text("with").parse::<i64>().ok().filter(|it| *it != number);
    let Some(other) = other.filter(|it| view.versions.iter().any(|version| version.number == *it)) else {
        let mut errors = Errors::new();
        errors.at("with", t.form_choose());
        return draw_ask(&mut shell, &view, number, "", Draft::refused(posted.fields, errors));
    };
    let (before, after) = (number.min(other), number.max(other));
    match house.domain.compare_secret_versions(&op, view.secret.id, before, after).await {
        Ok(compared) => shown(&mut shell, &view, &compared),
        Err(error) => {
            let ask = |shell: &mut Shell, draft| draw_ask(shell, &view, number, "", draft);
            reveal::unread(&house, &mut shell, &op, posted, (&view, number), error, ask).await
        }
    }
}

/// Versions that can be compared with this one, the one before it first.
fn others(t: Text, view: &SecretView, number: i64, now: DateTime<Utc>) -> Vec<Choice> {
    let readable = view.versions.iter().filter(|it| it.is_read(now) && it.number != number);
    let mut numbers: Vec<_> = readable.map(|it| it.number).collect();
    numbers.sort_unstable_by_key(|it| (*it > number, if *it > number { *it } else { it.saturating_neg() }));
    numbers.into_iter().map(|it| choice(it.to_string(), t.secrets_version_n(it))).collect()
}

fn draw_ask(shell: &mut Shell, view: &SecretView, number: i64, with: &str, draft: Draft) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let choices = others(t, view, number, shell.now);
    let first = choices.iter().find(|it| it.value() == with).or(choices.first());
    let first = first.map(|it| it.value().to_owned()).unwrap_or_default();
    page(shell, t.secrets_compare()).of(&draft).show(move || {
        let back = around::version_path(&secret, number);
        let asks = secret.reads_need_reason;
        let body = if choices.is_empty() {
            view! {
                <EmptyState title=t.secrets_compare_none() action=(t.secrets_look_at_version(), back)>{t.secrets_compare_none_why()}</EmptyState>
            }
            .into_any()
        } else {
            view! {
                <Form draft=draft submit=t.secrets_compare() cancel=back>
                    <SelectField name="with" label=t.secrets_compare_with() required=true choices=choices value=first/>
                    {reasons::field(t, asks)}
                </Form>
            }
            .into_any()
        };
        view! {
            <PageHeader title=t.secrets_compare_n(number) lead=t.secrets_compare_lead() crumbs=around::crumbs_below_version(t, &secret, number)/>
            {body}
        }
    })
}

fn shown(shell: &mut Shell, view: &SecretView, compared: &Compared) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let (before, after) = (&compared.before, &compared.after);
    let numbers = (before.0.number, after.0.number);
    let differ = Difference::of(before.1.expose(), after.1.expose());
    let sizes = (around::size(t, before.0.size), around::size(t, after.0.size));
    page(shell, t.secrets_compare()).show(move || {
        let body = match differ {
            Difference::Alike => view! {
                <Banner tone=Tone::Info title=t.secrets_alike()>{t.secrets_alike_why()}</Banner>
            }
            .into_any(),
            Difference::Bytes => view! {
                <Banner tone=Tone::Info title=t.secrets_differ()>{t.secrets_differ_bytes(&sizes.0, &sizes.1)}</Banner>
            }
            .into_any(),
            Difference::Fields { told, more } => by_field(t, told, more),
            Difference::Lines(lines) => by_line(t, lines),
        };
        let back = around::path(&secret);
        view! {
            <PageHeader title=t.secrets_compared(numbers.0, numbers.1) lead=t.secrets_revealed_lead() crumbs=around::crumbs_below(t, &secret)/>
            {body}
            <Actions><LinkButton kind=ButtonKind::Primary label=t.secrets_done() href=back/></Actions>
        }
    })
}

fn by_field(t: Text, told: Vec<Field>, more: usize) -> AnyView {
    let columns = vec![Column::text(t.secrets_field()), Column::text(t.secrets_field_change())];
    let rows = told
        .iter()
        .map(|it| {
            let change = match (&it.before, &it.after) {
                (None, _) => t.secrets_field_added(),
                (_, None) => t.secrets_field_removed(),
                _ => t.secrets_field_changed(),
            };
            Row::plain(view! { <code translate="no">{it.pointer.clone()}</code> }, cells![change])
        })
        .collect();
    let lines = told.into_iter().flat_map(|it| {
        let heading = std::iter::once((Side::Both, it.pointer));
        let before = it.before.map(|value| (Side::Before, value));
        heading.chain(before).chain(it.after.map(|value| (Side::After, value)))
    });
    let lines = lines.map(marked).collect();
    let rest = (more > 0).then(|| view! { <p>{t.secrets_fields_more(more)}</p> });
    view! {
        <Panel id="fields" title=t.secrets_fields_differ()>
            <Table caption=t.secrets_fields_differ() columns=columns rows=rows/>
            {rest}
        </Panel>
        <Panel id="values" title=t.secrets_values()>
            <RevealedLines id="difference" label=t.secrets_values() lines=lines/>
        </Panel>
    }
    .into_any()
}

fn by_line(t: Text, lines: Vec<(Side, String)>) -> AnyView {
    let count = |side| lines.iter().filter(|(it, _)| *it == side).count();
    let said = t.secrets_lines_differ(count(Side::Before), count(Side::After));
    let lines = lines.into_iter().map(marked).collect();
    view! {
        <p>{said}</p>
        <Panel id="values" title=t.secrets_values()>
            <RevealedLines id="difference" label=t.secrets_values() lines=lines/>
        </Panel>
    }
    .into_any()
}

fn marked((side, text): (Side, String)) -> (char, String) {
    let mark = match side {
        Side::After => '+',
        Side::Before => '-',
        Side::Both => ' ',
    };
    (mark, text)
}
