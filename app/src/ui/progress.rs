//! How far something is that goes on by itself.

use leptos::prelude::*;

use super::words;

/// A bar and the count in words. Where there was nothing to do, it is full.
#[component]
pub fn Progress(
    /// Names the bar for those who hear it.
    #[prop(into)]
    label: String,
    done: u64,
    total: u64,
) -> impl IntoView {
    let t = words().text;
    let (value, max) = if total == 0 { (1, 1) } else { (done.min(total), total) };
    view! {
        <div class="progress">
            <progress aria-label=label max=max value=value></progress>
            <span class="progress-count">{t.rewrap_count(&t.number(done), &t.number(total))}</span>
        </div>
    }
}
