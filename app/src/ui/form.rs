//! A form that posts to the page it is on.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use leptos::{context::Provider, prelude::*};

use super::{ButtonKind, words};
use crate::form::{Draft, Errors, IDEMPOTENCY_KEY};

/// What fields find around them.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    pub(super) id: &'static str,
    pub(super) draft: Draft,
    /// Labels by name of the fields that were drawn, for the summary above them.
    labels: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Around {
    /// Fields tell here what they are called.
    pub(super) fn note(&self, name: &str, label: &str) {
        let mut labels = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        labels.insert(name.to_owned(), label.to_owned());
    }

    fn label(&self, name: &str) -> Option<String> {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// A field's element id: forms with an id of their own keep theirs apart.
    pub(super) fn field_id(&self, name: &str) -> String {
        let name = name.trim_end_matches("[]");
        if self.id.is_empty() { format!("field-{name}") } else { format!("{}-{name}", self.id) }
    }
}

/// Fields (as children), a summary of what is wrong, the button, a hidden idempotency key. Give `draft` on a
/// refused post: fields show what was typed and what is wrong with it.
#[component]
pub fn Form(
    #[prop(optional)] draft: Draft,
    /// The button's words: "Issue key".
    #[prop(into)]
    submit: String,
    /// The act breaks something.
    #[prop(optional)]
    danger: bool,
    /// Where "Cancel" leads.
    #[prop(optional, into)]
    cancel: Option<String>,
    /// Another address to post to than the page's own.
    #[prop(optional, into)]
    action: Option<String>,
    /// Tells several forms of one page apart.
    #[prop(optional)]
    id: &'static str,
    /// It has a file among its fields; its handler takes an `Upload`.
    #[prop(optional)]
    upload: bool,
    /// The answer is a file, and the page stays.
    #[prop(optional)]
    file: bool,
    /// Another button, beside it. Enter stays with the form's own.
    #[prop(optional)]
    beside: Option<AnyView>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let words = words();
    let t = words.text;
    let around = Around { id, draft, labels: Arc::default() };
    // Before the summary: it names the fields as they are called.
    let fields = view! { <Provider value=around.clone()>{children.map(|children| children())}</Provider> };
    let summary = summary(&around);
    let key = format!("{}{}{id}", words.seed, if id.is_empty() { "" } else { "-" });
    let kind = if danger { ButtonKind::Danger } else { ButtonKind::Primary };
    view! {
        <form
            class="form"
            method="post"
            action=action
            enctype=upload.then_some("multipart/form-data")
            data-answer=file.then_some("file")
            novalidate
        >
            <input type="hidden" name=IDEMPOTENCY_KEY value=key/>
            {summary}
            {fields}
            <div class="actions">
                <super::Button label=submit kind=kind/>
                {beside}
                {cancel.map(|cancel| view! { <super::LinkButton label=t.ui_cancel() href=cancel/> })}
            </div>
        </form>
    }
}

/// A field that nobody sees: a row's version.
#[component]
pub fn Hidden(#[prop(into)] name: String, #[prop(into)] value: String) -> impl IntoView {
    let around: Around = use_context().unwrap_or_default();
    let value = around.draft.value(&name, Some(value));
    view! { <input type="hidden" name=name value=value/> }
}

/// What is wrong, with links to the fields. It takes the focus, so that it is read first.
fn summary(around: &Around) -> Option<AnyView> {
    let t = words().text;
    let errors: &Errors = around.draft.errors();
    if !errors.any() {
        return None;
    }
    let (whole, fields) = errors.summary();
    let title = match (whole, fields.len()) {
        (Some(whole), _) => whole.to_owned(),
        (None, n) => t.form_refused(n),
    };
    let lead = whole.is_some().then(|| view! { " " {t.form_refused_whole()} });
    let links = fields
        .iter()
        .map(|(name, sentence)| match around.label(name) {
            Some(label) => {
                let href = format!("#{}", around.field_id(name));
                view! { <li><a href=href>{t.form_at(&label, sentence)}</a></li> }.into_any()
            }
            None => view! { <li>{sentence.clone()}</li> }.into_any(),
        })
        .collect_view();
    Some(
        view! {
            <div class="form-summary" role="alert" tabindex="-1" autofocus>
                <p><strong>{title}</strong>{lead}</p>
                {(!fields.is_empty()).then(|| view! { <ul>{links}</ul> })}
            </div>
        }
        .into_any(),
    )
}
