//! Values that refer to other secrets: as a form asks for them, what they refer to, and what refers to a secret.

use keywarden_domain::secrets::{
    DEEPEST, MOST_REFERENCES, NewValue, References, Referred, Referrer, TemplateError, Unresolved, Version,
};
use keywarden_model::secret::ReferenceError;
use leptos::prelude::*;

use super::{fields::path_wrong, validity};
use crate::{
    cells,
    form::{Errors, Fields},
    text::Text,
    ui::{Badge, Banner, CheckboxField, Column, Panel, Row, Table, Tone, row, version_state_name},
};

/// Referring secrets that a question names.
const NAMED: usize = 10;

/// Whether what is typed is a template.
pub(super) fn field(t: Text, checked: bool) -> AnyView {
    view! { <CheckboxField name="template" label=t.templates_is() hint=t.templates_is_hint() checked=checked/> }
        .into_any()
}

/// The value as a template, if it is said to be one; what is wrong with it is noted.
pub(super) fn read(t: Text, fields: &Fields, value: NewValue, errors: &mut Errors) -> Option<NewValue> {
    if !fields.ticked("template") {
        return Some(value);
    }
    value.into_template().map_err(|wrong| errors.at("value", said(t, &wrong))).ok()
}

/// Why a text is no template.
pub(super) fn said(t: Text, wrong: &TemplateError) -> String {
    match wrong {
        TemplateError::Binary => t.templates_binary().to_owned(),
        TemplateError::Malformed { line, character, why } => {
            let why = match why {
                ReferenceError::Field => t.templates_field().to_owned(),
                ReferenceError::Form => t.templates_form().to_owned(),
                ReferenceError::Path(wrong) => path_wrong(t, wrong),
                ReferenceError::Slug => t.templates_slug().to_owned(),
            };
            t.templates_malformed(*line, *character, &why)
        }
        TemplateError::TooMany => t.templates_many(MOST_REFERENCES),
        TemplateError::Unclosed { line, character } => t.templates_unclosed(*line, *character),
    }
}

/// Why a template was not read.
pub(super) fn unresolved(t: Text, reference: &str, why: &Unresolved) -> String {
    let why = match why {
        Unresolved::Binary => t.templates_why_binary().to_owned(),
        Unresolved::Cycle(way) => t.templates_why_cycle(&way.join(" → ")),
        Unresolved::Deep => t.templates_why_deep(DEEPEST),
        Unresolved::Deleted => t.templates_why_deleted().to_owned(),
        Unresolved::Forbidden => t.templates_why_forbidden().to_owned(),
        Unresolved::Missing => t.templates_why_missing().to_owned(),
        Unresolved::NoCurrent => t.templates_why_no_current().to_owned(),
        Unresolved::NoField => t.templates_why_no_field().to_owned(),
        Unresolved::NotJson => t.templates_why_not_json().to_owned(),
        Unresolved::Outside { number, outside } => validity::outside(t, *number, *outside),
        Unresolved::Shut { number, state } => t.secrets_version_is(*number, version_state_name(t, *state)),
        Unresolved::TooLong(most) => {
            let long = t.secrets_value_too_long(&t.number(*most as u64));
            format!("{} {long}", t.templates_why_long())
        }
        Unresolved::TooMany => t.templates_why_many(MOST_REFERENCES),
    };
    t.templates_unresolved(reference, &why)
}

/// A chip beside what a template is.
pub(super) fn badge(t: Text, version: &Version) -> AnyView {
    version.template.then(|| view! { " " <Badge label=t.templates_badge() tone=Tone::Info/> }).into_any()
}

/// What a secret refers to, and what refers to it; nothing where there is neither.
pub(super) fn panels(t: Text, found: References) -> AnyView {
    let missing = found.to.iter().filter(|it| it.secret.is_none()).count();
    let to = (!found.to.is_empty()).then(|| {
        let rows = found.to.into_iter().map(|it| referred(t, it)).collect();
        let columns = vec![Column::text(t.templates_reference()), Column::text(t.templates_leads())];
        view! {
            <Panel id="references" title=t.templates_references()>
                {(missing > 0).then(|| view! {
                    <Banner tone=Tone::Warn title=t.templates_missing_title(missing)>{t.templates_missing_why()}</Banner>
                })}
                <Table caption=t.templates_references() columns=columns rows=rows/>
            </Panel>
        }
    });
    let by = (!found.by.is_empty()).then(|| {
        let rows = found.by.into_iter().map(referrer).collect();
        let columns = vec![
            Column::text(t.secrets_path()),
            Column::text(t.keys_project()),
            Column::text(t.keys_environment()),
        ];
        view! {
            <Panel id="referenced-by" title=t.templates_referenced_by()>
                <p class="field-hint">{t.templates_referenced_by_why()}</p>
                <Table caption=t.templates_referenced_by() columns=columns rows=rows/>
            </Panel>
        }
    });
    view! { {to} {by} }.into_any()
}

fn referred(t: Text, it: Referred) -> Row {
    let name = view! { <code translate="no">{it.reference.to_string()}</code> };
    match it.secret {
        Some(id) if it.deleted => row(
            format!("/secrets/{id}"),
            name,
            cells![view! { <Badge label=t.templates_deleted() tone=Tone::Bad/> }],
        ),
        Some(id) => row(format!("/secrets/{id}"), name, cells![t.templates_there()]),
        None => Row::plain(name, cells![t.templates_missing()]),
    }
}

fn referrer(it: Referrer) -> Row {
    let Referrer { id, project, environment, path } = it;
    let name = view! { <span translate="no">{path.to_string()}</span> };
    let place = |slug: String| view! { <span translate="no">{slug}</span> };
    row(format!("/secrets/{id}"), name, cells![place(project), place(environment)])
}

/// What follows for templates when a secret goes; `None` if nothing refers to it that is seen.
pub(super) fn consequence(t: Text, found: &References) -> Option<String> {
    let named = |it: &Referrer| format!("{}/{}/{}", it.project, it.environment, it.path);
    let mut names: Vec<_> = found.by.iter().take(NAMED).map(named).collect();
    if found.by.len() > NAMED {
        names.push("…".to_owned());
    }
    (!names.is_empty()).then(|| t.templates_delete(&names.join(", ")))
}
