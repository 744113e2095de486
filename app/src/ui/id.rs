//! Ids: in mono, cut in the middle, whole to the clipboard and to screen readers.

use leptos::prelude::*;

use super::words;
use crate::islands::Copy;

/// Longer ones are cut to head and tail.
const WHOLE: usize = 16;

/// An id or another machine word.
#[component]
pub fn Id(
    #[prop(into)] value: String,
    /// What it is, for the copy button's name; by default the id itself.
    #[prop(optional, into)]
    label: Option<String>,
    /// Show all of it.
    #[prop(optional)]
    whole: bool,
    /// Without the copy button.
    #[prop(optional)]
    plain: bool,
) -> impl IntoView {
    let t = words().text;
    let shown = if whole { None } else { shortened(&value) };
    let copy = (!plain).then(|| {
        let name = t.ui_copy_what(label.as_deref().unwrap_or(&value));
        view! { <Copy text=value.clone() label=t.ui_copy() name=name done=t.ui_copied() failed=t.ui_copy_failed() small=true/> }
    });
    let code = match shown {
        Some(short) => view! {
            <code title=value>
                <span class="visually-hidden">{value.clone()}</span>
                <span aria-hidden="true">{short}</span>
            </code>
        }
        .into_any(),
        None => view! { <code>{value}</code> }.into_any(),
    };
    view! { <span class="id" translate="no">{code}{copy}</span> }
}

/// `key_01JDB…X9Z0`, if that is shorter.
fn shortened(value: &str) -> Option<String> {
    let chars: Vec<char> = value.chars().collect();
    if chars.len() <= WHOLE {
        return None;
    }
    let head: String = chars.iter().take(9).collect();
    let tail: String = chars.iter().skip(chars.len().saturating_sub(4)).collect();
    Some(format!("{head}…{tail}"))
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn long_ids_keep_their_kind_and_their_end() {
        assert_eq!(shortened("key_01JDB2W1N9F6Q3R8T5V7X9Z0AB").unwrap(), "key_01JDB…Z0AB");
        assert_eq!(shortened("pay-prod"), None);
    }
}
