//! Copies a text to the clipboard. Until it is awake there is no button, only the text to select.

use leptos::{prelude::*, task::spawn_local};

use super::browser;

/// What the button says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Asleep,
    Copied,
    Failed,
    Ready,
}

/// A copy button for `text`, or for what is in the element `from`.
#[island]
pub fn Copy(
    #[prop(optional, into)] text: Option<String>,
    /// The id of an input or of an element with text: for values that should be in the page once.
    #[prop(optional, into)]
    from: Option<String>,
    /// "Copy".
    #[prop(into)]
    label: String,
    /// "Copy the key's id": buttons are told apart by it.
    #[prop(into)]
    name: String,
    /// "Copied".
    #[prop(into)]
    done: String,
    /// What to do if the browser refuses.
    #[prop(into)]
    failed: String,
    /// Beside an id rather than a field.
    small: bool,
) -> impl IntoView {
    let state = RwSignal::new(State::Asleep);
    Effect::new(move |_| state.set(State::Ready));

    let press = move |_| {
        let text = text.clone().or_else(|| from.as_deref().and_then(text_of));
        spawn_local(async move {
            let copied = match text {
                Some(text) => browser::write_clipboard(&text).await.is_ok(),
                None => false,
            };
            state.set(if copied { State::Copied } else { State::Failed });
            set_timeout(move || state.set(State::Ready), std::time::Duration::from_secs(3));
        });
    };
    let class = if small { "copy copy-small" } else { "copy" };
    view! {
        <button type="button" class=class title=name disabled=move || state.get() == State::Asleep on:click=press>
            {move || match state.get() {
                State::Asleep | State::Ready => label.clone(),
                State::Copied => done.clone(),
                State::Failed => failed.clone(),
            }}
        </button>
    }
}

fn text_of(id: &str) -> Option<String> {
    use wasm_bindgen::JsCast as _;
    let element = document().get_element_by_id(id)?;
    match element.dyn_ref::<web_sys::HtmlInputElement>() {
        Some(input) => Some(input.value()),
        None => element.text_content(),
    }
}
