//! Something that needs saying above everything else on a page.

use leptos::prelude::*;

use super::{Tone, empty::Action};

/// A banner. `Bad` ones are announced (`role=alert`), the others are read in their place.
#[component]
pub fn Banner(
    #[prop(optional)] tone: Tone,
    #[prop(into)] title: String,
    /// Where to go about it: label and address.
    #[prop(optional, into)]
    action: Option<Action>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let role = if tone == Tone::Bad { "alert" } else { "status" };
    view! {
        <div class=format!("banner banner-{}", tone.as_str()) role=role>
            <p><strong>{title}</strong>{children.map(|children| view! { " " {children()} })}</p>
            {action.map(|Action(label, href)| view! { <a class="button" href=href>{label}</a> })}
        </div>
    }
}
