//! Keeps the two sides of the policy editor in step: what is changed in the form is written into the text, and what is typed
//! in the text is drawn as the form, both by the server, which alone knows what a policy means. Words of the text complete
//! themselves. Without it the same buttons return the same page.

use leptos::{html, prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast as _;

use super::{browser, completion};

/// What it says, by what form and text are to each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwoSidesWords {
    /// Both say the same.
    pub same: String,
    /// The form has gaps.
    pub unfinished: String,
    /// The text cannot be read.
    pub unreadable: String,
    /// The form cannot show the text.
    pub text: String,
    /// The text has comments, which the form would lose.
    pub apart: String,
    /// The server did not answer.
    pub failed: String,
    /// The name of the list of words.
    pub offers: String,
}

/// A word that a text may have, and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// As it is written.
    pub text: String,
    /// In words.
    pub means: String,
}

/// Which side was changed, by the button that a press on it stands for.
const FORM: &str = "live-form";
const TEXT: &str = "live-text";
/// So long nothing more is typed before the other side follows.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(300);

/// Stands in the form, below the text.
#[island]
pub fn TwoSides(words: TwoSidesWords, vocabulary: Vec<Word>) -> impl IntoView {
    let here = NodeRef::<html::Div>::new();
    let says = RwSignal::new(String::new());
    let offers = RwSignal::new(Vec::<Word>::new());
    let chosen = RwSignal::new(None::<usize>);
    let vocabulary = StoredValue::new(vocabulary);
    let list_name = words.offers.clone();
    let words = StoredValue::new(words);
    let turn = StoredValue::new(0_u32);

    let ask = move |form: web_sys::Element, act: String, then: String| {
        let now = turn.with_value(|it| it.wrapping_add(1));
        turn.set_value(now);
        spawn_local(async move {
            let answer = browser::ask_again(&form, &act).await;
            // Something later has asked again.
            if turn.get_value() != now {
                return;
            }
            let sides = answer.as_ref().and_then(|page| page.query_selector(".policy-sides").ok().flatten());
            let (Some(page), Some(sides)) = (answer, sides) else {
                says.set(words.with_value(|it| it.failed.clone()));
                return;
            };
            let state = sides.get_attribute("data-state").unwrap_or_default();
            take_over(&form, &page, &act, &state);
            let wrong = page.query_selector(".policy-text .field-error").ok().flatten();
            let wrong = wrong.and_then(|it| it.text_content()).unwrap_or_default();
            says.set(words.with_value(|it| match state.as_str() {
                "same" => it.same.clone(),
                "unfinished" => it.unfinished.clone(),
                "unreadable" => format!("{} {wrong}", it.unreadable).trim().to_owned(),
                "text" => it.text.clone(),
                _ => it.apart.clone(),
            }));
            if !then.is_empty() {
                focus(&form, &then);
            }
        });
    };
    let later = move |form: web_sys::Element, act: &'static str| {
        let now = turn.with_value(|it| it.wrapping_add(1));
        turn.set_value(now);
        set_timeout(
            move || {
                if turn.get_value() == now {
                    ask(form, act.to_owned(), String::new());
                }
            },
            PAUSE,
        );
    };
    let close = move || {
        offers.set(Vec::new());
        chosen.set(None);
    };
    let put = move |word: &Word| {
        if let Some(area) = here.get_untracked().and_then(|it| area_of(&it)) {
            completion::put(&area, &word.text);
            close();
            if let Some(form) = area.form() {
                later(form.unchecked_into(), TEXT);
            }
        }
    };

    Effect::new(move |_| {
        let Some(form) = here.get().and_then(|it| it.closest("form").ok().flatten()) else { return };
        let changed = form.clone();
        browser::listen(&form, "input", move |event| {
            let Some(name) = event.target().and_then(|it| browser::name_of(&it)) else { return };
            if name == "text" {
                if let Some(area) = event.target().and_then(|it| it.dyn_into().ok()) {
                    chosen.set(None);
                    offers.set(vocabulary.with_value(|all| completion::offers(&area, all)));
                }
                later(changed.clone(), TEXT);
            } else if is_of_the_form(&name) {
                later(changed.clone(), FORM);
            }
        });
        let pressed = form.clone();
        browser::listen(&form, "click", move |event| {
            let target = event.target().and_then(|it| it.dyn_into::<web_sys::Element>().ok());
            let Some(button) = target.and_then(|it| it.closest("button[name=do]").ok().flatten()) else {
                return;
            };
            if says.with_untracked(|says| words.with_value(|it| *says == it.failed)) {
                return;
            }
            event.prevent_default();
            let act = button.get_attribute("value").unwrap_or_default();
            let there = button.get_attribute("formaction").unwrap_or_default();
            let there = if act.starts_with("add ") {
                format!("{there} > .policy-conditions > .policy-condition:last-child")
            } else {
                there
            };
            ask(pressed.clone(), act, there);
        });
        if let Some(area) = here.get().and_then(|it| area_of(&it)) {
            let _ = area.set_attribute("aria-autocomplete", "list");
            let _ = area.set_attribute("aria-controls", "policy-offers");
            browser::listen(&area, "keydown", move |event| {
                let Some(key) = event.dyn_ref::<web_sys::KeyboardEvent>() else { return };
                let count = offers.with_untracked(Vec::len);
                if count == 0 {
                    return;
                }
                let at = chosen.get_untracked();
                match (key.key().as_str(), at) {
                    ("ArrowDown", _) => {
                        let next = at.map_or(0, |at| at.saturating_add(1));
                        chosen.set(Some(if next < count { next } else { 0 }));
                    }
                    ("ArrowUp", _) => {
                        let before = at.filter(|at| *at > 0).unwrap_or(count);
                        chosen.set(Some(before.saturating_sub(1)));
                    }
                    ("Escape", _) => close(),
                    ("Tab", _) | ("Enter", Some(_)) => {
                        let word = offers.with_untracked(|it| it.get(at.unwrap_or(0)).cloned());
                        if let Some(word) = word {
                            put(&word);
                        }
                    }
                    _ => return,
                }
                event.prevent_default();
            });
            browser::listen(&area, "blur", move |_| close());
            Effect::new(move |_| {
                let active = chosen.get().map(|at| format!("policy-offer-{at}"));
                let _ = match active {
                    Some(id) => area.set_attribute("aria-activedescendant", &id),
                    None => area.remove_attribute("aria-activedescendant"),
                };
            });
        }
    });

    view! {
        <div class="policy-live" node_ref=here>
            <ul
                id="policy-offers"
                class="policy-offers"
                role="listbox"
                aria-label=list_name
                hidden=move || offers.with(Vec::is_empty)
            >
                {move || {
                    offers
                        .get()
                        .into_iter()
                        .enumerate()
                        .map(|(at, word)| {
                            let Word { text, means } = word.clone();
                            view! {
                                <li
                                    id=format!("policy-offer-{at}")
                                    role="option"
                                    aria-selected=move || if chosen.get() == Some(at) { "true" } else { "false" }
                                    // Before the text loses the focus.
                                    on:mousedown=move |event| {
                                        event.prevent_default();
                                        put(&word);
                                    }
                                >
                                    <code translate="no">{text}</code>
                                    <span class="policy-offer-means">{means}</span>
                                </li>
                            }
                        })
                        .collect_view()
                }}
            </ul>
            <p class="policy-says" role="status">{move || says.get()}</p>
        </div>
    }
}

/// What is not of the policy itself, or waits for its button.
fn is_of_the_form(name: &str) -> bool {
    !matches!(name, "name" | "note" | "row_version") && !name.ends_with("_new")
}

fn area_of(here: &web_sys::Element) -> Option<web_sys::HtmlTextAreaElement> {
    let form = here.closest("form").ok().flatten()?;
    form.query_selector("textarea[name=text]").ok().flatten()?.dyn_into().ok()
}

/// Takes over from the server's page what the change brought about; the side in which somebody types stays as they left it.
fn take_over(form: &web_sys::Element, page: &web_sys::Document, act: &str, state: &str) {
    let find = |selector: &str| {
        let there = form.query_selector(selector).ok().flatten();
        there.zip(page.query_selector(selector).ok().flatten())
    };
    let says = document().get_element_by_id("policy-says");
    if let (Some(here), Some(new)) = (says, page.get_element_by_id("policy-says"))
        && state != "unreadable"
    {
        browser::replace_children(&here, &new);
    }
    if let Some((here, new)) = find(".policy-form") {
        // A text that is being typed is mostly none yet: the form waits, and says so by its looks.
        let waits = act == TEXT && state == "unreadable";
        let _ = here.toggle_attribute_with_force("inert", waits);
        if act != FORM && !waits {
            browser::replace_children(&here, &new);
        }
    }
    if act != TEXT
        && let Some((here, new)) = find("textarea[name=text]")
        && let (Some(here), Some(new)) =
            (here.dyn_ref::<web_sys::HtmlTextAreaElement>(), new.dyn_ref::<web_sys::HtmlTextAreaElement>())
        && here.value() != new.value()
    {
        here.set_value(&new.value());
    }
    if let Some((here, new)) = find("input[name=text_seen]")
        && let (Some(here), Some(new)) =
            (here.dyn_ref::<web_sys::HtmlInputElement>(), new.dyn_ref::<web_sys::HtmlInputElement>())
    {
        here.set_value(&new.value());
    }
}

/// Goes to the first field of what a button brought, or to where it stood.
fn focus(form: &web_sys::Element, there: &str) {
    const FIELDS: [&str; 2] = ["select, textarea, input:not([type=hidden])", "button"];
    let place = form.query_selector(there).ok().flatten();
    let Some(place) = place.or_else(|| form.query_selector(".policy-form").ok().flatten()) else { return };
    let field = FIELDS.iter().find_map(|fields| place.query_selector(fields).ok().flatten());
    if let Some(field) = field.and_then(|it| it.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = field.focus();
    }
}
