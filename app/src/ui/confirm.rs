//! Before something breaks: what will happen, to whom, and the form that does it. A section of a page, not a
//! dialog: it has an address, works without script and can be read at leisure.

use leptos::prelude::*;

/// The consequences, then the form (as children).
#[component]
pub fn Confirm(
    #[prop(into)] title: String,
    /// One sentence each: what breaks and for whom.
    consequences: Vec<String>,
    /// Who they are, below the last sentence.
    #[prop(optional)]
    callers: Vec<String>,
    /// Nothing breaks by itself: a decision, not a danger.
    #[prop(optional)]
    calm: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="confirm" class:confirm-calm=calm aria-labelledby="confirm-title">
            <h2 id="confirm-title">{title}</h2>
            {(!consequences.is_empty()).then(|| view! {
                <ul>{consequences.into_iter().map(|it| view! { <li>{it}</li> }).collect_view()}</ul>
            })}
            {(!callers.is_empty()).then(|| view! {
                <ul class="confirm-callers" translate="no">
                    {callers.into_iter().map(|it| view! { <li>{it}</li> }).collect_view()}
                </ul>
            })}
            {children()}
        </section>
    }
}
