//! Form fields: label, hint, control, error. Inside a `Form` they show its draft.

pub mod choices;
mod frame;
pub mod select;
pub mod text;

pub use choices::{CheckboxField, CheckboxGroup, FieldGroup, RadioGroup};
pub use select::SelectField;
pub use text::{FileField, Suggestions, TextArea, TextField, TextKind, Writes};

/// One of several values; see [`choice`].
#[derive(Clone, Debug)]
pub struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) hint: Option<String>,
    pub(super) named: bool,
}

/// What is posted and what is read.
pub fn choice(value: impl Into<String>, label: impl Into<String>) -> Choice {
    Choice { value: value.into(), label: label.into(), hint: None, named: false }
}

impl Choice {
    /// What is posted.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What is read.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// A word more about it; radio buttons and checkboxes show it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The label is a name somebody gave: it is not translated.
    #[must_use]
    pub fn named(mut self) -> Self {
        self.named = true;
        self
    }
}
