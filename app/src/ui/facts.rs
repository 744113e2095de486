//! What is known about a thing, by name.

use leptos::prelude::*;

/// One fact; see [`fact`].
#[derive(Debug)]
pub struct Fact {
    label: String,
    value: AnyView,
    recorded: bool,
}

/// A label and its value: text or a view.
pub fn fact(label: impl Into<String>, value: impl IntoAny) -> Fact {
    Fact { label: label.into(), value: value.into_any(), recorded: false }
}

impl Fact {
    /// Its label is a field's own name, as the record has it.
    #[must_use]
    pub fn recorded(self) -> Self {
        Self { recorded: true, ..self }
    }
}

/// A definition list.
#[component]
pub fn Facts(facts: Vec<Fact>) -> impl IntoView {
    view! {
        <dl class="facts">
            {facts
                .into_iter()
                .map(|Fact { label, value, recorded }| {
                    let translate = recorded.then_some("no");
                    view! { <div><dt translate=translate>{label}</dt><dd>{value}</dd></div> }
                })
                .collect_view()}
        </dl>
    }
}
