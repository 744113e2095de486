//! A secret value that is shown once, because it was asked for.

use leptos::prelude::*;

use super::words;
use crate::islands::Copy;

/// A read-only field with all of the value, and a copy button that reads it from there: the value is in the
/// page once. The browser neither stores nor completes it.
#[component]
pub fn SecretValue(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    #[prop(into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
) -> impl IntoView {
    let t = words().text;
    let hint_id = hint.as_ref().map(|_| format!("{id}-hint"));
    view! {
        <div class="secret" translate="no">
            <label for=id.clone() translate="yes">{label.clone()}</label>
            <div class="secret-row">
                <input
                    id=id.clone()
                    type="text"
                    readonly
                    value=value
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    aria-describedby=hint_id.clone()
                />
                <Copy from=id label=t.ui_copy() name=t.ui_copy_what(&label) done=t.ui_copied() failed=t.ui_copy_failed() small=false/>
            </div>
            {hint.map(|hint| view! { <p class="field-hint" id=hint_id translate="yes">{hint}</p> })}
        </div>
    }
}
