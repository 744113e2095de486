//! Closes what shows a value, a while after it was opened. Without it the style sheet hides the text, and the box stays open.

use std::{cell::Cell, time::Duration};

use leptos::prelude::*;

/// Watches the `<details>` of this id; nothing of it is seen.
#[island]
pub fn Conceal(#[prop(into)] id: String, seconds: u32) -> impl IntoView {
    Effect::new(move |_| {
        let id = id.clone();
        let opened: Cell<Option<f64>> = Cell::new(None);
        let look = move || {
            let Some(box_) = document().get_element_by_id(&id) else { return };
            if !box_.has_attribute("open") {
                opened.set(None);
                return;
            }
            // By the clock: pages in the background are woken rarely.
            let now = js_sys::Date::now();
            let since = opened.get().unwrap_or(now);
            opened.set(Some(since));
            if now - since >= f64::from(seconds) * 1000.0 {
                let _ = box_.remove_attribute("open");
            }
        };
        if let Ok(handle) = set_interval_with_handle(look, Duration::from_secs(1)) {
            on_cleanup(move || handle.clear());
        }
    });
}
