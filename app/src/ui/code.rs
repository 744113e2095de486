//! Commands and programs to take away.

use leptos::prelude::*;

use super::words;
use crate::islands::Copy;

/// A block of code with a copy button; `id` names the block.
#[component]
pub fn CodeBlock(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    #[prop(into)] text: String,
) -> impl IntoView {
    let t = words().text;
    view! {
        <figure class="code">
            <figcaption>
                <span>{label.clone()}</span>
                <Copy from=id.clone() label=t.ui_copy() name=t.ui_copy_what(&label) done=t.ui_copied() failed=t.ui_copy_failed() small=true/>
            </figcaption>
            <pre tabindex="0" role="group" aria-label=label><code id=id translate="no">{text}</code></pre>
        </figure>
    }
}
