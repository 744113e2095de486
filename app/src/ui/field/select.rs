//! One of many.

use leptos::prelude::*;

use super::{Choice, frame::Frame};

/// A select. With `placeholder` nothing is chosen at first.
#[component]
pub fn SelectField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    choices: Vec<Choice>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] value: Option<String>,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let frame = Frame::new(&name, label, hint, required);
    let value = frame.around.draft.value(&name, value);
    let options = choices
        .into_iter()
        .map(|Choice { value: it, label, named, .. }| {
            let selected = it == value;
            view! { <option value=it selected=selected translate=named.then_some("no")>{label}</option> }
        })
        .collect_view();
    let control = view! {
        <select
            id=frame.id.clone()
            name=name
            required=required
            autocomplete="off"
            aria-describedby=frame.described_by()
            aria-invalid=frame.invalid()
        >
            {placeholder.map(|placeholder| view! { <option value="">{placeholder}</option> })}
            {options}
        </select>
    };
    frame.around(control.into_any())
}
