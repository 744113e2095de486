//! What all fields have around their control.

use leptos::prelude::*;

use super::super::{form::Around, words};

/// A field's ids, words and state, worked out once for its parts.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) id: String,
    pub(super) around: Around,
    label: String,
    hint: Option<String>,
    error: Option<String>,
    optional: bool,
}

impl Frame {
    pub(super) fn new(name: &str, label: String, hint: Option<String>, required: bool) -> Self {
        let around: Around = use_context().unwrap_or_default();
        around.note(name, &label);
        let error = around.draft.errors().of(name).map(str::to_owned);
        Self { id: around.field_id(name), label, hint, error, optional: !required, around }
    }

    /// What the control is described by.
    pub(super) fn described_by(&self) -> Option<String> {
        let hint = self.hint.as_ref().map(|_| self.hint_id());
        let error = self.error.as_ref().map(|_| self.error_id());
        match (hint, error) {
            (Some(hint), Some(error)) => Some(format!("{hint} {error}")),
            (hint, error) => hint.or(error),
        }
    }

    pub(super) fn invalid(&self) -> Option<&'static str> {
        self.error.is_some().then_some("true")
    }

    /// Label, hint, error, control.
    pub(super) fn around(self, control: AnyView) -> AnyView {
        let notes = self.notes();
        let optional = self.optional_mark();
        view! {
            <div class="field" class:field-bad=self.error.is_some()>
                <label for=self.id>{self.label}{optional}</label>
                {notes}
                {control}
            </div>
        }
        .into_any()
    }

    /// The same for a group of controls: a field set, which the error summary can lead to.
    pub(super) fn around_group(self, controls: AnyView) -> AnyView {
        let notes = self.notes();
        let described_by = self.described_by();
        let optional = self.optional_mark();
        view! {
            <fieldset
                class="field field-group"
                class:field-bad=self.error.is_some()
                id=self.id
                tabindex="-1"
                aria-describedby=described_by
            >
                <legend>{self.label}{optional}</legend>
                {notes}
                {controls}
            </fieldset>
        }
        .into_any()
    }

    pub(super) fn notes(&self) -> AnyView {
        let t = words().text;
        let hint = self.hint.clone().map(|hint| view! { <p class="field-hint" id=self.hint_id()>{hint}</p> });
        let error = self.error.clone().map(|error| {
            view! {
                <p class="field-error" id=self.error_id()>
                    <span class="visually-hidden">{t.form_error_prefix()}" "</span>
                    {error}
                </p>
            }
        });
        view! { {hint}{error} }.into_any()
    }

    fn optional_mark(&self) -> AnyView {
        let t = words().text;
        self.optional.then(|| view! { " " <span class="field-optional">{t.ui_optional()}</span> }).into_any()
    }

    fn hint_id(&self) -> String {
        format!("{}-hint", self.id)
    }

    fn error_id(&self) -> String {
        format!("{}-error", self.id)
    }
}
