//! What is known about a thing, by name.

use leptos::prelude::*;

/// One fact; see [`fact`].
#[derive(Debug)]
pub struct Fact {
    label: String,
    value: AnyView,
}

/// A label and its value: text or a view.
pub fn fact(label: impl Into<String>, value: impl IntoAny) -> Fact {
    Fact { label: label.into(), value: value.into_any() }
}

/// A definition list.
#[component]
pub fn Facts(facts: Vec<Fact>) -> impl IntoView {
    view! {
        <dl class="facts">
            {facts
                .into_iter()
                .map(|Fact { label, value }| view! { <div><dt>{label}</dt><dd>{value}</dd></div> })
                .collect_view()}
        </dl>
    }
}
