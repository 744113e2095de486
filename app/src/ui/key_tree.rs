//! Keys that wrap keys: a list in a list, the outermost first.

use leptos::prelude::*;

/// One level; see [`KeyTree`].
#[derive(Debug)]
pub struct KeyLevel {
    /// What the keys of this level are called.
    pub name: String,
    /// What is known of them: ids, ages, uses.
    pub facts: AnyView,
    /// What they wrap, in a sentence.
    pub wraps: String,
    /// What can be done with them.
    pub action: AnyView,
}

/// The levels from the top; each lies in the one before it.
#[component]
pub fn KeyTree(#[prop(into)] label: String, levels: Vec<KeyLevel>) -> impl IntoView {
    let tree = levels.into_iter().rev().fold(().into_any(), |below, level| {
        view! {
            <ul>
                <li>
                    <div class="key-level">
                        <div>
                            <strong>{level.name}</strong>
                            <p class="key-level-facts">{level.facts}</p>
                            <p>{level.wraps}</p>
                        </div>
                        {level.action}
                    </div>
                    {below}
                </li>
            </ul>
        }
        .into_any()
    });
    view! { <div class="key-tree" role="group" aria-label=label>{tree}</div> }
}
