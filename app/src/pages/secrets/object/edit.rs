//! Some fields of the current version, changed in a new one; the others are kept and reach no page.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op,
    secrets::{As, EditFields, EditFieldsError, FieldWrong, ReadSecretError, SecretView, Version},
};
use leptos::prelude::*;

use super::{
    super::{around, fields, put, reasons, reuse, reveal, template, validity, value},
    editable, listed, listing, none,
    rows::{self, Row, Wanted, named},
};
use crate::{
    context::{Asking, House, Posted, PostedValue},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Form, Hidden, PageHeader, version_state_name},
};

pub(in crate::pages::secrets) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match around::load(&house, &op, &id).await {
        Ok(view) => {
            let asks = view.secret.reads_need_reason;
            draw_ask(&mut shell, &view, asks, Draft::default())
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

/// Reads the names and draws the form; with the version that a form saw, does what it says.
pub(in crate::pages::secrets) async fn edit(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    PostedValue(posted): PostedValue,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let view = match around::load(&house, &op, &id).await {
        Ok(view) => view,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    if posted.fields.ticked("version") {
        return save(&house, shell, &op, &view, posted).await;
    }
    let Some(version) = editable(&view) else {
        let asks = view.secret.reads_need_reason;
        return draw_ask(&mut shell, &view, asks, Draft::default());
    };
    begin(&house, shell, &op, (&view, version), posted).await
}

async fn begin(
    house: &House,
    mut shell: Shell,
    op: &Op,
    (view, version): (&SecretView, &Version),
    posted: Posted,
) -> Response {
    let number = version.number;
    match house.domain.read_secret_fields(op, view.secret.id, number, None, As::Raw).await {
        Ok(read) => {
            let found = read.fields.map(listed);
            let form = found.map(|(fields, more)| (Row::of(fields), more));
            draw(house, &mut shell, view, (number, form), Draft::default())
        }
        Err(error) => {
            let ask = |shell: &mut Shell, draft| draw_ask(shell, view, true, draft);
            reveal::unread(house, &mut shell, op, posted, (view, number), error, ask).await
        }
    }
}

async fn save(house: &House, mut shell: Shell, op: &Op, view: &SecretView, posted: Posted) -> Response {
    let t = shell.text;
    let secret = &view.secret;
    let mut errors = Errors::new();
    let Wanted { rows, changes } = rows::read(t, house.domain.env(), &posted.fields, &mut errors);
    let validity = validity::read(t, &posted.fields, &mut errors);
    let label = fields::read_label(t, &posted.fields, &mut errors);
    reasons::fits(t, &posted.fields, &mut errors);
    let seen: Option<i64> = posted.fields.text("version").parse().ok();
    if seen.is_none() {
        errors.whole(t.form_unreadable());
    }
    if let (Some(validity), Some(label), Some(version), false) = (validity, label, seen, errors.any()) {
        let edit = EditFields { version, changes, label: Some(label), validity };
        match house.domain.edit_secret_fields(op, secret.id, edit).await {
            Ok(made) => {
                let said = reuse::said(t, t.secrets_put(made.number), &made);
                return render::done(&shell, &around::path(secret), said);
            }
            Err(EditFieldsError::Refused(refused)) => {
                return house.refused(&shell, op, &posted, refused).await;
            }
            Err(error) => note(t, &mut errors, &rows, &error),
        }
    }
    rows::again(t, &posted.fields, &mut errors);
    let form = (Row::posted(&posted.fields), posted.fields.text("more").parse().unwrap_or(0));
    draw(house, &mut shell, view, (seen.unwrap_or(0), Some(form)), Draft::refused(posted.fields, errors))
}

fn note(t: Text, errors: &mut Errors, rows: &[usize], error: &EditFieldsError) {
    match error {
        EditFieldsError::Field { at, wrong } => {
            let row = rows.get(*at).copied().unwrap_or_default();
            match wrong {
                FieldWrong::Known => errors.at(&named("field", row), t.fields_known()),
                FieldWrong::NotJson => errors.at(&named("value", row), t.fields_not_json()),
                FieldWrong::NotThere => errors.at(&named("do", row), t.fields_gone()),
                FieldWrong::Template(wrong) => errors.at(&named("value", row), template::said(t, wrong)),
            }
        }
        EditFieldsError::NoObject => errors.whole(t.fields_none()),
        EditFieldsError::Nothing => errors.whole(t.fields_unchanged()),
        EditFieldsError::Put(error) => put::note(t, errors, error),
        EditFieldsError::Template(wrong) => errors.whole(template::said(t, wrong)),
        EditFieldsError::Unread(ReadSecretError::Shut { number, state }) => {
            errors.whole(t.secrets_version_is(*number, version_state_name(t, *state)));
        }
        EditFieldsError::Unread(ReadSecretError::Outside { number, outside }) => {
            errors.whole(validity::outside(t, *number, *outside));
        }
        EditFieldsError::Value(wrong) => errors.whole(value::said(t, *wrong)),
        EditFieldsError::Refused(_) | EditFieldsError::Unread(_) => errors.whole(t.changed_meanwhile()),
    }
}

fn draw_ask(shell: &mut Shell, view: &SecretView, asks: bool, draft: Draft) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let has_fields = editable(view).is_some();
    page(shell, t.fields_edit()).of(&draft).show(move || {
        let path = around::path(&secret);
        let body = if has_fields {
            listing(t, draft, (asks, format!("{path}/fields")), path, None)
        } else {
            none(t, path)
        };
        view! {
            <PageHeader title=t.fields_edit() lead=t.fields_edit_lead() crumbs=around::crumbs_below(t, &secret)/>
            {body}
        }
    })
}

/// The form on a version: its rows, and how many fields it leaves out.
fn draw(
    house: &House,
    shell: &mut Shell,
    view: &SecretView,
    (version, form): (i64, Option<(Vec<Row>, usize)>),
    draft: Draft,
) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    let most = house.domain.settings().max_value;
    page(shell, t.fields_edit()).of(&draft).show(move || {
        let path = around::path(&secret);
        let body = match form {
            None => none(t, path),
            Some((rows, more)) => view! {
                <Form draft=draft submit=t.save() cancel=path>
                    <Hidden name="version" value=version.to_string()/>
                    <Hidden name="more" value=more.to_string()/>
                    {rows::view(t, rows, most)}
                    {(more > 0).then(|| view! { <p class="field-hint">{t.fields_kept(more)}</p> })}
                    {validity::fields(t)}
                    {fields::label(t)}
                    {reasons::why(t)}
                </Form>
            }
            .into_any(),
        };
        view! {
            <PageHeader title=t.fields_edit() lead=t.fields_form_lead() crumbs=around::crumbs_below(t, &secret)/>
            {body}
        }
    })
}
