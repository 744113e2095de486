//! Boxes to tick and buttons to choose.

use leptos::prelude::*;

use super::{Choice, frame::Frame};

/// Yes or no. What is posted is `1`, or nothing.
#[component]
pub fn CheckboxField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] checked: bool,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let frame = Frame::new(&name, label.clone(), hint, true);
    let checked = frame.around.draft.chosen(&name, "1", checked);
    let notes = frame.notes();
    view! {
        <div class="field field-check" class:field-bad=frame.invalid().is_some()>
            <div class="check">
                <input
                    id=frame.id.clone()
                    type="checkbox"
                    name=name
                    value="1"
                    checked=checked
                    required=required
                    aria-describedby=frame.described_by()
                    aria-invalid=frame.invalid()
                />
                <label for=frame.id.clone()>{label}</label>
            </div>
            {notes}
        </div>
    }
}

/// One of a few, all of them in sight.
#[component]
pub fn RadioGroup(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    choices: Vec<Choice>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] value: Option<String>,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let frame = Frame::new(&name, label, hint, required);
    let chosen = value.unwrap_or_default();
    let boxes = boxes(&frame, "radio", &name, choices, |value| value == chosen);
    frame.around_group(boxes)
}

/// Any of a few. Its name must end in `[]`: it is posted once for each.
#[component]
pub fn CheckboxGroup(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    choices: Vec<Choice>,
    #[prop(optional, into)] hint: Option<String>,
    /// What is ticked at first.
    #[prop(optional)]
    values: Vec<String>,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    debug_assert!(name.ends_with("[]"), "`{name}` is posted once for each tick: name it `{name}[]`");
    let frame = Frame::new(&name, label, hint, required);
    let boxes = boxes(&frame, "checkbox", &name, choices, |value| values.iter().any(|it| it == value));
    frame.around_group(boxes)
}

/// Fields that belong together, under a heading of their own.
#[component]
pub fn FieldGroup(#[prop(into)] label: String, children: Children) -> impl IntoView {
    view! {
        <fieldset class="field-section">
            <legend>{label}</legend>
            {children()}
        </fieldset>
    }
}

fn boxes(
    frame: &Frame,
    kind: &'static str,
    name: &str,
    choices: Vec<Choice>,
    at_first: impl Fn(&str) -> bool,
) -> AnyView {
    choices
        .into_iter()
        .enumerate()
        .map(|(at, Choice { value, label, hint, named })| {
            let id = format!("{}-{at}", frame.id);
            let hint_id = hint.as_ref().map(|_| format!("{id}-hint"));
            let checked = frame.around.draft.chosen(name, &value, at_first(&value));
            view! {
                <div class="check">
                    <input
                        id=id.clone()
                        type=kind
                        name=name.to_owned()
                        value=value
                        checked=checked
                        aria-describedby=hint_id.clone()
                    />
                    <label for=id translate=named.then_some("no")>{label}</label>
                    {hint.map(|hint| view! { <p class="field-hint" id=hint_id>{hint}</p> })}
                </div>
            }
        })
        .collect_view()
        .into_any()
}
