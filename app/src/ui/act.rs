//! A form that is nothing but its button: an act that needs no words.

use leptos::prelude::*;

use super::{ButtonKind, words};
use crate::form::IDEMPOTENCY_KEY;

/// Posts to `action`. `id` tells several of one page apart, to the idempotency key too; `name` does to whoever hears the page.
#[component]
pub fn Act(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    #[prop(into)] action: String,
    #[prop(optional, into)] name: Option<String>,
    #[prop(optional)] kind: ButtonKind,
    /// The answer is a file, and the page stays.
    #[prop(optional)]
    file: bool,
    /// Fields that nobody sees.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let key = format!("{}-{id}", words().seed);
    view! {
        <form method="post" action=action data-answer=file.then_some("file")>
            <input type="hidden" name=IDEMPOTENCY_KEY value=key/>
            {children.map(|children| children())}
            <button type="submit" class=kind.class() aria-label=name>{label}</button>
        </form>
    }
}
