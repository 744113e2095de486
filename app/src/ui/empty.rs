//! Nothing here yet: what this is, what to do first, and the command that does the same.

use leptos::prelude::*;

use super::{Actions, ButtonKind, LinkButton, words};

/// Stands where a list would be, or is the whole of a page that went wrong (`heading=1`).
#[component]
pub fn EmptyState(
    #[prop(into)] title: String,
    /// Label and address of the primary action.
    #[prop(optional, into)]
    action: Option<Action>,
    /// Quiet actions beside it.
    #[prop(optional)]
    others: Vec<Action>,
    /// The command line that does the same.
    #[prop(optional, into)]
    cli: Option<String>,
    /// Its level in the page's headings.
    #[prop(default = 2)]
    heading: u8,
    children: Children,
) -> impl IntoView {
    let t = words().text;
    let title = if heading == 1 {
        view! { <h1>{title}</h1> }.into_any()
    } else {
        view! { <h2>{title}</h2> }.into_any()
    };
    let first = action
        .map(|Action(label, href)| view! { <LinkButton kind=ButtonKind::Primary label=label href=href/> });
    let actions = if others.is_empty() {
        first.into_any()
    } else {
        let others = others.into_iter();
        let others = others.map(|Action(label, href)| view! { <LinkButton label=label href=href/> });
        view! { <Actions>{first}{others.collect_view()}</Actions> }.into_any()
    };
    view! {
        <div class="empty">
            {title}
            <p>{children()}</p>
            {actions}
            {cli.map(|cli| view! { <p class="empty-cli"><span class="visually-hidden">{t.ui_cli()}": "</span><code>{cli}</code></p> })}
        </div>
    }
}

/// Label and address.
#[derive(Clone, Debug)]
pub struct Action(pub(super) String, pub(super) String);

impl<L: Into<String>, H: Into<String>> From<(L, H)> for Action {
    fn from((label, href): (L, H)) -> Self {
        Self(label.into(), href.into())
    }
}
