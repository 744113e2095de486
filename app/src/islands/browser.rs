//! The few browser functions that `web-sys` would bring with too many features.

use leptos::prelude::window;
use wasm_bindgen::{
    JsCast as _, JsValue,
    prelude::{Closure, wasm_bindgen},
};
use web_sys::{Document, Element, Event, EventTarget};

#[wasm_bindgen]
extern "C" {
    /// `navigator.clipboard.writeText`.
    #[wasm_bindgen(catch, js_namespace = ["navigator", "clipboard"], js_name = writeText)]
    pub(super) async fn write_clipboard(text: &str) -> Result<JsValue, JsValue>;

    /// `fetch` with the page's own cookies.
    #[wasm_bindgen(catch, js_name = fetch)]
    pub(super) async fn fetch(url: &str) -> Result<JsValue, JsValue>;

    /// What `fetch` answers.
    pub(super) type Response;

    #[wasm_bindgen(method, getter)]
    pub(super) fn ok(this: &Response) -> bool;

    #[wasm_bindgen(catch, method)]
    pub(super) async fn text(this: &Response) -> Result<JsValue, JsValue>;

    /// `fetch` that sends something.
    #[wasm_bindgen(catch, js_name = fetch)]
    async fn send(url: &str, how: &JsValue) -> Result<JsValue, JsValue>;

    /// The fields of a form.
    type FormData;

    #[wasm_bindgen(catch, constructor)]
    fn new(form: &Element) -> Result<FormData, JsValue>;

    /// The same as they are posted.
    #[wasm_bindgen(js_name = URLSearchParams)]
    type Parameters;

    #[wasm_bindgen(catch, constructor, js_class = "URLSearchParams")]
    fn of(fields: &FormData) -> Result<Parameters, JsValue>;

    #[wasm_bindgen(method)]
    fn append(this: &Parameters, name: &str, value: &str);

    #[wasm_bindgen(js_name = DOMParser)]
    type Parser;

    #[wasm_bindgen(catch, constructor, js_class = "DOMParser")]
    fn parser() -> Result<Parser, JsValue>;

    #[wasm_bindgen(catch, method, js_name = parseFromString)]
    fn parse(this: &Parser, text: &str, kind: &str) -> Result<Document, JsValue>;

    /// Anything that has a name.
    type Named;

    #[wasm_bindgen(method, getter)]
    fn name(this: &Named) -> Option<String>;
}

/// Posts a form to the page's own address as this button would, with its fields as they are now, and the page that comes back;
/// nothing is shown of it.
pub(super) fn ask_again(
    form: &Element,
    button: &str,
) -> Option<impl Future<Output = Option<Document>> + use<>> {
    let fields = Parameters::of(&FormData::new(form).ok()?).ok()?;
    fields.append("do", button);
    fields.append("live", "1");
    let how = js_sys::Object::new();
    for (name, value) in [("method", JsValue::from_str("POST")), ("body", fields.into())] {
        js_sys::Reflect::set(&how, &JsValue::from_str(name), &value).ok()?;
    }
    let here = window().location();
    let address = [here.pathname().ok()?, here.search().ok()?].concat();
    Some(async move {
        let response: Response = send(&address, &how).await.ok()?.unchecked_into();
        if !response.ok() {
            return None;
        }
        let text = response.text().await.ok()?.as_string()?;
        Parser::parser().ok()?.parse(&text, "text/html").ok()
    })
}

/// Puts what another element has into this one.
pub(super) fn replace_children(here: &Element, other: &Element) {
    here.set_text_content(None);
    while let Some(child) = other.first_child() {
        if here.append_child(&child).is_err() {
            break;
        }
    }
}

/// The name of a field.
pub(super) fn name_of(field: &EventTarget) -> Option<String> {
    field.unchecked_ref::<Named>().name()
}

/// Hears of something as long as the page is there.
pub(super) fn listen(to: &EventTarget, what: &str, heard: impl FnMut(Event) + 'static) {
    let heard = Closure::<dyn FnMut(Event)>::new(heard);
    let _ = to.add_event_listener_with_callback(what, heard.as_ref().unchecked_ref());
    heard.forget();
}

/// The text behind an address of ours, if it answers with success.
pub(super) async fn read(url: &str) -> Option<String> {
    let response: Response = fetch(url).await.ok()?.unchecked_into();
    if !response.ok() {
        return None;
    }
    response.text().await.ok()?.as_string()
}
