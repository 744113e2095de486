//! A titled part of a page.

use leptos::prelude::*;

/// A section with a heading. `id` names it for links and for the heading's label.
#[component]
pub fn Panel(
    #[prop(into)] id: String,
    #[prop(into)] title: String,
    /// Beside the title: links, a badge.
    #[prop(optional, into)]
    aside: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let heading = format!("{id}-title");
    view! {
        <section class="panel" id=id aria-labelledby=heading>
            <div class="panel-top"><h2 id=heading.clone()>{title}</h2>{aside}</div>
            {children()}
        </section>
    }
}
