//! What a person can do: one primary action on a page, quiet ones beside it, danger in red.

use leptos::prelude::*;

/// How much an action weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonKind {
    /// Breaks something for somebody.
    Danger,
    /// What this page is for.
    Primary,
    /// Everything else.
    #[default]
    Quiet,
}

impl ButtonKind {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Danger => "button button-danger",
            Self::Primary => "button button-primary",
            Self::Quiet => "button",
        }
    }
}

/// Submits its form. With `name` and `value`, tells which button it was.
#[component]
pub fn Button(
    #[prop(into)] label: String,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional, into)] name: Option<String>,
    #[prop(optional, into)] value: Option<String>,
    /// Sends the form to another address than its own.
    #[prop(optional, into)]
    action: Option<String>,
) -> impl IntoView {
    view! { <button type="submit" class=kind.class() name=name value=value formaction=action>{label}</button> }
}

/// A link that looks like the action it leads to.
#[component]
pub fn LinkButton(
    #[prop(into)] label: String,
    #[prop(into)] href: String,
    #[prop(optional)] kind: ButtonKind,
) -> impl IntoView {
    view! { <a class=kind.class() href=href>{label}</a> }
}

/// Actions side by side.
#[component]
pub fn Actions(children: Children) -> impl IntoView {
    view! { <div class="actions">{children()}</div> }
}
