//! The few browser functions that `web-sys` would bring with too many features.

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

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
}

/// The text behind an address of ours, if it answers with success.
pub(super) async fn read(url: &str) -> Option<String> {
    use wasm_bindgen::JsCast as _;
    let response: Response = fetch(url).await.ok()?.unchecked_into();
    if !response.ok() {
        return None;
    }
    response.text().await.ok()?.as_string()
}
