//! The ⌘K palette: type, choose, go. What can be found is decided on the server (`GET /palette?q=`), for the
//! person who asks. Without it there are the navigation and each list's own search.

use leptos::{ev::KeyboardEvent, html, prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};

use super::browser;

/// What the palette says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaletteWords {
    /// On the button.
    pub open: String,
    /// The dialog's name.
    pub title: String,
    /// How to use it.
    pub hint: String,
    /// Nothing was found.
    pub empty: String,
    /// The server did not answer.
    pub failed: String,
}

/// One thing to go to, as `GET /palette` answers it (a JSON array of these, best first, at most twenty).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Its name.
    pub label: String,
    /// What kind of thing it is, or where.
    pub detail: String,
    /// Where it is.
    pub href: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Answered,
    Failed,
    Waiting,
}

/// Button and dialog.
#[island]
pub fn Palette(words: PaletteWords) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let query = RwSignal::new(String::new());
    let hits = RwSignal::new(Vec::<Hit>::new());
    let chosen = RwSignal::new(0_usize);
    let outcome = RwSignal::new(Outcome::Waiting);
    let asked = StoredValue::new(0_u32);

    let ask = move |text: String| {
        query.set(text.clone());
        let turn = asked.with_value(|turn| turn.wrapping_add(1));
        asked.set_value(turn);
        spawn_local(async move {
            let encoded = String::from(js_sys::encode_uri_component(&text));
            let answer = browser::read(&format!("/palette?q={encoded}")).await;
            // A later keystroke has asked again.
            if asked.get_value() != turn {
                return;
            }
            let found = answer.and_then(|text| serde_json::from_str::<Vec<Hit>>(&text).ok());
            outcome.set(if found.is_some() { Outcome::Answered } else { Outcome::Failed });
            chosen.set(0);
            hits.set(found.unwrap_or_default());
        });
    };
    let open = move || {
        if let Some(dialog) = dialog.get_untracked()
            && !dialog.open()
            && dialog.show_modal().is_ok()
        {
            ask(query.get_untracked());
        }
    };
    let keyboard = window_event_listener(leptos::ev::keydown, move |event| {
        if (event.ctrl_key() || event.meta_key()) && event.key().eq_ignore_ascii_case("k") {
            event.prevent_default();
            open();
        }
    });
    on_cleanup(move || keyboard.remove());

    let move_by = move |step: usize| {
        let count = hits.with_untracked(Vec::len);
        chosen.update(|at| *at = at.saturating_add(step).checked_rem(count).unwrap_or(0));
    };
    let typed_key = move |event: KeyboardEvent| match event.key().as_str() {
        "ArrowDown" => {
            event.prevent_default();
            move_by(1);
        }
        "ArrowUp" => {
            event.prevent_default();
            let count = hits.with_untracked(Vec::len);
            move_by(count.saturating_sub(1));
        }
        "Enter" => {
            event.prevent_default();
            let href =
                hits.with_untracked(|hits| hits.get(chosen.get_untracked()).map(|hit| hit.href.clone()));
            if let Some(href) = href {
                let _ = window().location().set_href(&href);
            }
        }
        _ => {}
    };

    let PaletteWords { open: open_label, title, hint, empty, failed } = words;
    view! {
        <button type="button" class="palette-open" on:click=move |_| open()>
            <span>{open_label}</span>
            <kbd aria-hidden="true">"⌘K"</kbd>
        </button>
        <dialog class="palette" node_ref=dialog aria-label=title>
            <input
                class="palette-input"
                type="text"
                role="combobox"
                aria-label=title.clone()
                aria-expanded=move || if hits.with(Vec::is_empty) { "false" } else { "true" }
                aria-controls="palette-hits"
                aria-autocomplete="list"
                aria-activedescendant=move || (!hits.with(Vec::is_empty)).then(|| format!("palette-{}", chosen.get()))
                autocomplete="off"
                spellcheck="false"
                maxlength="200"
                autofocus
                on:input=move |event| ask(event_target_value(&event))
                on:keydown=typed_key
            />
            <ul id="palette-hits" class="palette-hits" role="listbox" aria-label=hint.clone()>
                {move || {
                    hits.get()
                        .into_iter()
                        .enumerate()
                        .map(|(at, Hit { label, detail, href })| {
                            view! {
                                <li
                                    id=format!("palette-{at}")
                                    role="option"
                                    aria-selected=move || if chosen.get() == at { "true" } else { "false" }
                                    on:click=move |_| { let _ = window().location().set_href(&href); }
                                >
                                    <span translate="no">{label}</span>
                                    <span class="palette-detail">{detail}</span>
                                </li>
                            }
                        })
                        .collect_view()
                }}
            </ul>
            <p class="palette-note" role="status">
                {move || match (outcome.get(), hits.with(Vec::is_empty)) {
                    (Outcome::Failed, _) => failed.clone(),
                    (Outcome::Answered, true) => empty.clone(),
                    _ => hint.clone(),
                }}
            </p>
        </dialog>
    }
}
