//! What a list shows: a GET form, so that every view has an address.

use leptos::prelude::*;

use super::{Choice, TextKind, words};

/// A filter that is on, with the address of the list without it.
#[derive(Clone, Debug)]
pub struct FilterChip {
    /// `state: active`.
    pub label: String,
    /// The list without this filter.
    pub remove: String,
}

/// Search field, selects (as children), chips.
#[component]
pub fn FilterBar(
    /// The list's own address.
    #[prop(into)]
    action: String,
    /// What is searched for now.
    #[prop(optional, into)]
    search: String,
    /// What can be searched for: "Name, id or owner".
    #[prop(into)]
    search_label: String,
    #[prop(optional)] chips: Vec<FilterChip>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let t = words().text;
    let clear = (!chips.is_empty()).then(|| action.clone());
    view! {
        <div class="filter" role="search">
            <form method="get" action=action class="filter-form">
                <label class="visually-hidden" for="filter-q">{search_label.clone()}</label>
                <input
                    id="filter-q"
                    class="filter-search"
                    type="search"
                    name="q"
                    value=search
                    placeholder=search_label
                    maxlength="200"
                    autocomplete="off"
                />
                {children.map(|children| children())}
                <button type="submit" class="button">{t.ui_filter()}</button>
            </form>
            {clear.map(|clear| view! {
                <ul class="filter-chips">
                    {chips
                        .into_iter()
                        .map(|FilterChip { label, remove }| {
                            let name = t.ui_filter_remove(&label);
                            view! { <li><a class="filter-chip" href=remove aria-label=name><span translate="no">{label}</span>" ×"</a></li> }
                        })
                        .collect_view()}
                    <li><a href=clear>{t.ui_filter_clear()}</a></li>
                </ul>
            })}
        </div>
    }
}

/// One select of a filter bar; its first choice is "any", or `any`.
#[component]
pub fn FilterSelect(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    choices: Vec<Choice>,
    /// The value that is on now; empty for any.
    #[prop(optional, into)]
    chosen: String,
    /// What it means that nothing is chosen, if not "any".
    #[prop(optional, into)]
    any: Option<String>,
) -> impl IntoView {
    let any = any.unwrap_or_else(|| words().text.ui_any().to_owned());
    let id = format!("filter-{name}");
    view! {
        <span class="filter-select">
            <label for=id.clone()>{label}</label>
            <select id=id name=name>
                <option value="">{any}</option>
                {choices
                    .into_iter()
                    .map(|Choice { value, label, named, .. }| {
                        let selected = value == chosen;
                        view! { <option value=value selected=selected translate=named.then_some("no")>{label}</option> }
                    })
                    .collect_view()}
            </select>
        </span>
    }
}

/// One field of a filter bar: an id, a moment.
#[component]
pub fn FilterInput(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional)] kind: TextKind,
    #[prop(optional, into)] value: String,
    /// Characters that fit.
    #[prop(default = 80)]
    most: u16,
) -> impl IntoView {
    let id = format!("filter-{name}");
    view! {
        <span class="filter-select">
            <label for=id.clone()>{label}</label>
            <input id=id type=kind.html() name=name value=value maxlength=most autocomplete="off"/>
        </span>
    }
}
