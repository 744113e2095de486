//! A value that was asked for: there to be copied, covered until somebody wants to see it, and covered again.

use leptos::prelude::*;

use super::words;
use crate::islands::{Conceal, Copy};

/// How long a value stays in sight: the island counts them, and without it the style sheet.
pub(super) const SECONDS: u32 = 30;

/// The mask says nothing of the value, not even how long it is.
const MASK: &str = "••••••••••••";

/// Text of any length behind a mask, with a copy button that reads it from where it is: the value is in the page once.
#[component]
pub fn RevealedValue(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    #[prop(into)] value: String,
) -> impl IntoView {
    let t = words().text;
    let box_id = format!("{id}-box");
    view! {
        <div class="revealed" translate="no">
            <div class="revealed-top">
                <span class="revealed-mask" aria-hidden="true">{MASK}</span>
                <Copy from=id.clone() label=t.ui_copy() name=t.ui_copy_what(&label) done=t.ui_copied() failed=t.ui_copy_failed() small=false/>
            </div>
            <details id=box_id.clone()>
                <summary translate="yes">
                    <span class="revealed-show">{t.ui_show()}</span>
                    <span class="revealed-hide">{t.ui_hide()}</span>
                </summary>
                <pre tabindex="0" role="group" aria-label=label><code id=id>{value}</code></pre>
            </details>
            <p class="field-hint" translate="yes">{t.ui_hides_again(SECONDS)}</p>
            <Conceal id=box_id seconds=SECONDS/>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_element_and_is_there_once() {
        let html = view! { <RevealedValue id="secret" label="Value" value="</code><script>\n"/> }.to_html();
        assert!(html.contains("&lt;/code&gt;&lt;script&gt;\n"), "{html}");
        assert!(!html.contains("<script>"), "{html}");
        assert_eq!(html.matches("script").count(), 1, "{html}");
    }

    #[test]
    fn the_style_sheet_hides_it_when_the_page_says_so() {
        let style = include_str!("../../../style/ui/revealed.css");
        assert!(style.contains(&format!("animation: conceal {SECONDS}s step-end forwards")), "{style}");
    }
}
