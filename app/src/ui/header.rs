//! The top of a page: where we are, what this is, how it is, what can be done.

use leptos::prelude::*;

use super::words;

/// A step of the way here; see [`crumb`].
#[derive(Clone, Debug)]
pub struct Crumb {
    label: String,
    href: String,
}

/// A label and its address.
pub fn crumb(label: impl Into<String>, href: impl Into<String>) -> Crumb {
    Crumb { label: label.into(), href: href.into() }
}

/// The page's one `h1`, its breadcrumbs, state and actions.
#[component]
pub fn PageHeader(
    #[prop(into)] title: String,
    /// The way here, without this page.
    #[prop(optional)]
    crumbs: Vec<Crumb>,
    /// The title is a name somebody gave: it is not translated.
    #[prop(optional)]
    named: bool,
    /// Badges beside the title.
    #[prop(optional, into)]
    state: Option<AnyView>,
    /// Buttons; at most one of them primary.
    #[prop(optional, into)]
    actions: Option<AnyView>,
    /// A sentence about what this page is for.
    #[prop(optional, into)]
    lead: Option<String>,
) -> impl IntoView {
    let t = words().text;
    view! {
        <header class="page-header">
            {(!crumbs.is_empty()).then(|| view! {
                <nav class="crumbs" aria-label=t.shell_breadcrumbs()>
                    <ol>
                        {crumbs
                            .into_iter()
                            .map(|Crumb { label, href }| view! { <li><a href=href translate="no">{label}</a></li> })
                            .collect_view()}
                    </ol>
                </nav>
            })}
            <div class="page-header-row">
                <div class="page-header-title">
                    <h1 translate=named.then_some("no")>{title}</h1>
                    {state}
                </div>
                {actions.map(|actions| view! { <div class="actions">{actions}</div> })}
            </div>
            {lead.map(|lead| view! { <p class="page-header-lead">{lead}</p> })}
        </header>
    }
}
