//! Keeps the two sides of the policy editor in step: what is changed in the form is written into the text, and what is typed
//! in the text is drawn as the form, both by the server, which alone knows what a policy means. Words of the text complete
//! themselves. Without it the same buttons return the same page.
//!
//! It is small, since every page loads it: props are plain lines, and it changes what the server drew instead of drawing.

use std::{cell::Cell, rc::Rc, time::Duration};

use leptos::{html, prelude::*, task::spawn_local};
use wasm_bindgen::JsCast as _;
use web_sys::{Document, Element, HtmlElement, HtmlInputElement, HtmlTextAreaElement, KeyboardEvent};

use super::{browser, completion};

/// Which side was changed, by the button that a press on it stands for.
const FORM: &str = "live-form";
const TEXT: &str = "live-text";
/// So long nothing more is typed before the other side follows.
const PAUSE: Duration = Duration::from_millis(300);
/// Where the chosen word is told to those who cannot see it.
const ACTIVE: &str = "aria-activedescendant";

/// Stands in the form, below the text. `says` has a line for each state of the two sides: its name, a tab, a sentence;
/// `vocabulary` one for each word: how it is written, a tab, what it means.
#[island]
pub fn TwoSides(
    #[prop(into)] says: String,
    #[prop(into)] vocabulary: String,
    #[prop(into)] offers: String,
) -> impl IntoView {
    let here = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(here) = here.get() {
            Sides::begin(&here, says.clone(), vocabulary.clone());
        }
    });
    view! {
        <div class="policy-live" node_ref=here>
            <ul id="policy-offers" class="policy-offers" role="listbox" aria-label=offers hidden=true></ul>
            <p class="policy-says" role="status"></p>
        </div>
    }
}

struct Sides {
    form: Element,
    area: HtmlTextAreaElement,
    list: Element,
    status: Element,
    says: String,
    vocabulary: String,
    /// Which question is the last one.
    turn: Cell<u32>,
    /// Which of the offered words is chosen.
    chosen: Cell<Option<u32>>,
    /// The server did not answer: from then on the buttons are plain ones.
    failed: Cell<bool>,
}

impl Sides {
    fn begin(here: &Element, says: String, vocabulary: String) -> Option<()> {
        let form = here.closest("form").ok()??;
        let sides = Rc::new(Self {
            area: find(&form, "textarea[name=text]")?.dyn_into().ok()?,
            list: find(here, "ul")?,
            status: find(here, "p")?,
            form,
            says,
            vocabulary,
            turn: Cell::default(),
            chosen: Cell::default(),
            failed: Cell::default(),
        });
        let _ = sides.area.set_attribute("aria-autocomplete", "list");
        let _ = sides.area.set_attribute("aria-controls", "policy-offers");
        let of = Rc::clone(&sides);
        browser::listen(&sides.form, "input", move |event| {
            let name = event.target().and_then(|it| browser::name_of(&it)).unwrap_or_default();
            if name == "text" {
                of.offer();
                Self::later(&of, TEXT);
            } else if is_of_the_form(&name) {
                Self::later(&of, FORM);
            }
        });
        let of = Rc::clone(&sides);
        browser::listen(&sides.form, "click", move |event| {
            let pressed = event.target().and_then(|it| it.dyn_into::<Element>().ok());
            let button = pressed.and_then(|it| it.closest("button[name=do]").ok().flatten());
            if let Some(button) = button.filter(|_| !of.failed.get()) {
                event.prevent_default();
                let act = button.get_attribute("value").unwrap_or_default();
                let there = button.get_attribute("formaction").unwrap_or_default();
                Self::ask(&of, act, there);
            }
        });
        let of = Rc::clone(&sides);
        browser::listen(&sides.area, "keydown", move |event| {
            if event.dyn_ref::<KeyboardEvent>().is_some_and(|it| Self::pressed(&of, &it.key())) {
                event.prevent_default();
            }
        });
        let of = Rc::clone(&sides);
        browser::listen(&sides.area, "blur", move |_| of.close());
        let of = Rc::clone(&sides);
        browser::listen(&sides.list, "mousedown", move |event| {
            // The text keeps the focus.
            event.prevent_default();
            let pressed = event.target().and_then(|it| it.dyn_into::<Element>().ok());
            if let Some(offer) = pressed.and_then(|it| it.closest("li").ok().flatten()) {
                Self::put(&of, &offer);
            }
        });
        Some(())
    }

    /// A moment after the last change of this side.
    fn later(of: &Rc<Self>, act: &'static str) {
        let (of, turn) = (Rc::clone(of), of.next_turn());
        let then = move || {
            if of.turn.get() == turn {
                Self::ask(&of, act.to_owned(), String::new());
            }
        };
        set_timeout(then, PAUSE);
    }

    fn next_turn(&self) -> u32 {
        self.turn.set(self.turn.get().wrapping_add(1));
        self.turn.get()
    }

    /// Has the server draw both sides after this; then goes to `there`, if it is anywhere.
    fn ask(of: &Rc<Self>, act: String, there: String) {
        let (of, turn) = (Rc::clone(of), of.next_turn());
        let Some(answer) = browser::ask_again(&of.form, &act) else { return };
        // Whatever a button changes is not changed by hand meanwhile.
        let live = act == FORM || act == TEXT;
        if !live {
            of.shut(true);
        }
        spawn_local(async move {
            let page = answer.await;
            // Something later has asked again.
            if of.turn.get() != turn {
                return;
            }
            of.shut(false);
            match page.filter(|page| page.get_element_by_id("policy-says").is_some()) {
                Some(page) => of.take_over(&page, &act, &there),
                None => {
                    of.failed.set(true);
                    of.say("failed", "");
                }
            }
        });
    }

    fn shut(&self, shut: bool) {
        if let Some(fields) = find(&self.form, ".policy-form") {
            let _ = fields.toggle_attribute_with_force("disabled", shut);
        }
    }

    fn say(&self, state: &str, more: &str) {
        let line = self.says.lines().filter_map(|line| line.split_once('\t')).find(|(it, _)| *it == state);
        self.status.set_text_content(line.map(|(_, says)| [says, more].join(" ")).as_deref());
    }

    /// Takes over from the server's page what a change brought about; the side in which somebody types stays as they left it.
    fn take_over(&self, page: &Document, act: &str, there: &str) {
        let new = |selector: &str| page.query_selector(selector).ok().flatten();
        let state = new(".policy-sides").and_then(|it| it.get_attribute("data-state")).unwrap_or_default();
        // A text that is being typed is mostly none yet: the form waits.
        let waits = act == TEXT && state == "unreadable";
        if let (Some(here), Some(new)) = (document().get_element_by_id("policy-says"), new("#policy-says"))
            && !waits
        {
            browser::replace_children(&here, &new);
        }
        if let (Some(here), Some(new)) = (find(&self.form, ".policy-form"), new(".policy-form")) {
            if act != FORM && !waits {
                browser::replace_children(&here, &new);
            }
            let _ = here.toggle_attribute_with_force("data-waits", waits);
            self.shut(waits);
        }
        if let Some(new) = new("textarea[name=text]").and_then(|it| it.dyn_into::<HtmlTextAreaElement>().ok())
            && act != TEXT
            && new.value() != self.area.value()
        {
            self.area.set_value(&new.value());
        }
        let seen = |it: Option<Element>| it.and_then(|it| it.dyn_into::<HtmlInputElement>().ok());
        let name = "input[name=text_seen]";
        if let (Some(here), Some(new)) = (seen(find(&self.form, name)), seen(new(name))) {
            here.set_value(&new.value());
        }
        let wrong = new(".policy-text .field-error")
            .filter(|_| state == "unreadable")
            .and_then(|it| it.text_content());
        self.say(&state, &wrong.unwrap_or_default());
        if !there.is_empty() {
            self.go(act, there);
        }
    }

    /// To the first field of what a button brought, or to where it stood.
    fn go(&self, act: &str, there: &str) {
        let place = find(&self.form, there).or_else(|| find(&self.form, ".policy-form"));
        let last = ".policy-conditions > .policy-condition:last-child";
        let new = place.clone().filter(|_| act.starts_with("add ")).and_then(|it| find(&it, last));
        let Some(place) = new.or(place) else { return };
        let field = find(&place, "select, textarea, input:not([type=hidden])");
        let field = field.or_else(|| find(&place, "button"));
        if let Some(field) = field.and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
            let _ = field.focus();
        }
    }

    /// Shows the words that may be meant.
    fn offer(&self) {
        self.close();
        for (at, word) in completion::offers(&self.area, &self.vocabulary).into_iter().enumerate() {
            let (text, means) = word.split_once('\t').unwrap_or((word, ""));
            let part = |kind: &str, says: &str| {
                let part = document().create_element(kind).ok()?;
                part.set_text_content(Some(says));
                Some(part)
            };
            if let (Some(offer), Some(text), Some(means)) =
                (part("li", ""), part("code", text), part("span", means))
            {
                offer.set_id(&["policy-offer-", &at.to_string()].concat());
                let _ = offer.set_attribute("role", "option");
                let _ = text.set_attribute("translate", "no");
                let _ = offer.append_child(&text);
                let _ = offer.append_child(&means);
                let _ = self.list.append_child(&offer);
                let _ = self.list.remove_attribute("hidden");
            }
        }
    }

    fn close(&self) {
        self.chosen.set(None);
        self.list.set_text_content(None);
        let _ = self.list.set_attribute("hidden", "");
        let _ = self.area.remove_attribute(ACTIVE);
    }

    /// Whether a key was for the list of words.
    fn pressed(of: &Rc<Self>, key: &str) -> bool {
        let count = of.list.child_element_count();
        let chosen = of.chosen.get();
        match (key, chosen) {
            _ if count == 0 => return false,
            ("ArrowDown", _) => {
                let next = chosen.map_or(0, |at| at.saturating_add(1));
                of.choose(if next < count { next } else { 0 });
            }
            ("ArrowUp", _) => of.choose(chosen.filter(|at| *at > 0).unwrap_or(count).saturating_sub(1)),
            ("Escape", _) => of.close(),
            ("Tab", _) | ("Enter", Some(_)) => {
                let chosen = of.offered(chosen.unwrap_or_default());
                if let Some(offer) = chosen {
                    Self::put(of, &offer);
                }
            }
            _ => return false,
        }
        true
    }

    fn offered(&self, at: u32) -> Option<Element> {
        find(&self.list, &["#policy-offer-", &at.to_string()].concat())
    }

    fn choose(&self, at: u32) {
        if let Some(before) = find(&self.list, "[aria-selected]") {
            let _ = before.remove_attribute("aria-selected");
        }
        if let Some(offer) = self.offered(at) {
            let _ = offer.set_attribute("aria-selected", "true");
            let _ = self.area.set_attribute(ACTIVE, &offer.id());
        }
        self.chosen.set(Some(at));
    }

    fn put(of: &Rc<Self>, offer: &Element) {
        if let Some(word) = find(offer, "code").and_then(|it| it.text_content()) {
            completion::put(&of.area, &word);
            of.close();
            Self::later(of, TEXT);
        }
    }
}

fn find(within: &Element, selector: &str) -> Option<Element> {
    within.query_selector(selector).ok().flatten()
}

/// What is not of the policy itself, or waits for its button.
fn is_of_the_form(name: &str) -> bool {
    !matches!(name, "" | "name" | "note" | "row_version") && !name.ends_with("_new")
}
