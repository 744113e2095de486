//! Lines of values that were asked for, each with a mark that says where it comes from: covered until somebody wants to see
//! them, and covered again.

use leptos::prelude::*;

use super::{revealed::SECONDS, words};
use crate::islands::Conceal;

/// Lines behind a mask. A mark is `+`, `-` or a blank: it is read as well as coloured.
#[component]
pub fn RevealedLines(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    lines: Vec<(char, String)>,
) -> impl IntoView {
    let t = words().text;
    let lines = lines
        .into_iter()
        .map(|(mark, text)| {
            let line = format!("{mark} {text}\n");
            match mark {
                '+' => view! { <ins>{line}</ins> }.into_any(),
                '-' => view! { <del>{line}</del> }.into_any(),
                _ => line.into_any(),
            }
        })
        .collect_view();
    view! {
        <div class="revealed revealed-lines" translate="no">
            <details id=id.clone()>
                <summary translate="yes">
                    <span class="revealed-show">{t.ui_show()}</span>
                    <span class="revealed-hide">{t.ui_hide()}</span>
                </summary>
                <pre tabindex="0" role="group" aria-label=label><code>{lines}</code></pre>
            </details>
            <p class="field-hint" translate="yes">{t.ui_hides_again(SECONDS)}</p>
            <Conceal id=id seconds=SECONDS/>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_mark_and_cannot_leave_its_element() {
        let lines = vec![(' ', "same".to_owned()), ('-', "</code>".into()), ('+', "new".into())];
        let html = view! { <RevealedLines id="d" label="Values" lines=lines/> }.to_html();
        for part in ["  same\n", "<del>- &lt;/code&gt;\n", "<ins>+ new\n"] {
            assert!(html.contains(part), "{part}: {html}");
        }
    }
}
