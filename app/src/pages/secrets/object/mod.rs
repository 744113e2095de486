//! A secret whose value is a JSON object, by its fields.
//!
//! What the fields are called is part of the value: no page names them that did not ask. They are listed in the answer to a
//! post, which is a reading of the names; each field is then read by a post of its own. The form that changes fields is
//! such an answer, too. It knows the names and no value, and once it is refused it takes the names from what was posted.

pub(super) mod edit;
pub(super) mod read;
mod rows;

use keywarden_model::SecretKind;
use leptos::prelude::*;

use super::{around, reasons, reveal::exact};
use crate::{
    form::Draft,
    text::Text,
    ui::{Act, Actions, ButtonKind, EmptyState, Form, Hidden},
};
use keywarden_domain::secrets::{Field, SecretView, Version};

/// Fields that a page lists.
const MOST: usize = 60;

/// The current version, if it may have fields.
pub(super) fn editable(view: &SecretView) -> Option<&Version> {
    let current = around::current(view)?;
    view.versions.iter().find(|it| it.number == current && it.kind == SecretKind::Json)
}

/// Those that a page lists, and how many more there are. A name that does not come back from a page as it was is not listed.
fn listed(fields: Vec<Field>) -> (Vec<Field>, usize) {
    let all = fields.len();
    let comes_back =
        |name: &str| exact(name.as_bytes()).is_some() && !name.contains(char::REPLACEMENT_CHARACTER);
    let shown: Vec<_> = fields.into_iter().filter(|it| comes_back(it.name.expose())).take(MOST).collect();
    let more = all.saturating_sub(shown.len());
    (shown, more)
}

/// The button that lists the names, with a field for the reason if one is asked for.
fn listing(
    t: Text,
    draft: Draft,
    (asks, action): (bool, String),
    back: String,
    field: Option<String>,
) -> AnyView {
    if asks {
        return view! {
            <Form draft=draft submit=t.fields_list() cancel=back>
                {field.map(|name| view! { <Hidden name="field" value=name/> })}
                {reasons::field(t, true)}
            </Form>
        }
        .into_any();
    }
    view! { <Actions><Act id="fields" kind=ButtonKind::Primary label=t.fields_list() action=action/></Actions> }.into_any()
}

fn none(t: Text, back: String) -> AnyView {
    view! {
        <EmptyState title=t.fields_none() action=(t.secrets_look_at_version(), back)>{t.fields_none_why()}</EmptyState>
    }
    .into_any()
}
