//! The views of one object, as links: each has its address.

use leptos::prelude::*;

use super::words;

/// One view; see [`tab`].
#[derive(Clone, Debug)]
pub struct Tab {
    label: String,
    href: String,
    current: bool,
    count: Option<u64>,
}

/// A label and its address.
pub fn tab(label: impl Into<String>, href: impl Into<String>) -> Tab {
    Tab { label: label.into(), href: href.into(), current: false, count: None }
}

impl Tab {
    /// Marks the view that is shown.
    #[must_use]
    pub fn current(mut self, current: bool) -> Self {
        self.current = current;
        self
    }

    /// Says how many things are in it.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }
}

/// Links in a row; the current one is marked.
#[component]
pub fn Tabs(tabs: Vec<Tab>) -> impl IntoView {
    let t = words().text;
    view! {
        <nav class="tabs" aria-label=t.ui_tabs()>
            <ul>
                {tabs
                    .into_iter()
                    .map(|Tab { label, href, current, count }| {
                        view! {
                            <li>
                                <a href=href aria-current=current.then_some("page")>
                                    {label}
                                    {count.map(|count| view! { " " <span class="tabs-count">{t.number(count)}</span> })}
                                </a>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </nav>
    }
}
