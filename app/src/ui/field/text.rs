//! Fields to type in.

use leptos::prelude::*;

use super::{super::words, frame::Frame};

/// What is typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextKind {
    /// A day.
    Date,
    /// A minute in UTC; without a hint of its own the field says so.
    DateTime,
    /// An address.
    Email,
    /// A whole number.
    Number,
    /// Something secret: never shown again, not even after a refused post.
    Secret,
    /// A line.
    #[default]
    Text,
    /// A time of the day.
    Time,
    /// A web address.
    Url,
}

impl TextKind {
    pub(in crate::ui) fn html(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::DateTime => "datetime-local",
            Self::Email => "email",
            Self::Number => "number",
            Self::Secret => "password",
            Self::Text => "text",
            Self::Time => "time",
            Self::Url => "url",
        }
    }
}

/// One line.
#[component]
pub fn TextField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional)] kind: TextKind,
    #[prop(optional, into)] hint: Option<String>,
    /// What the page starts with; a refused post shows what was typed.
    #[prop(optional, into)]
    value: Option<String>,
    #[prop(optional)] required: bool,
    #[prop(default = 200)] maxlength: u32,
    #[prop(optional, into)] placeholder: Option<String>,
    /// Machine words are set in mono and neither corrected nor capitalized.
    #[prop(optional)]
    mono: bool,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional, into)] min: Option<String>,
    #[prop(optional, into)] max: Option<String>,
    /// The id of the [`Suggestions`] that are offered while somebody types.
    #[prop(optional, into)]
    list: Option<String>,
) -> impl IntoView {
    let hint = hint.or_else(|| (kind == TextKind::DateTime).then(|| words().text.form_utc().to_owned()));
    let frame = Frame::new(&name, label, hint, required);
    let value = match kind {
        TextKind::Secret => String::new(),
        _ => frame.around.draft.value(&name, value),
    };
    let as_typed = mono || matches!(kind, TextKind::Email | TextKind::Secret | TextKind::Url);
    let control = view! {
        <input
            id=frame.id.clone()
            class:mono=mono
            type=kind.html()
            name=name
            value=value
            required=required
            maxlength=maxlength
            min=min
            max=max
            placeholder=placeholder
            // Where it is turned off, some browsers offer nothing of a list either.
            autocomplete=list.is_none().then_some(autocomplete)
            list=list
            autocapitalize=as_typed.then_some("off")
            spellcheck=as_typed.then_some("false")
            aria-describedby=frame.described_by()
            aria-invalid=frame.invalid()
        />
    };
    frame.around(control.into_any())
}

/// What a [`TextField`] may offer while somebody types; anything else can be typed all the same.
#[component]
pub fn Suggestions(#[prop(into)] id: String, values: Vec<String>) -> impl IntoView {
    let options = values.into_iter().map(|it| view! { <option value=it></option> }).collect_view();
    view! { <datalist id=id translate="no">{options}</datalist> }
}

/// A file of this machine. It is never kept over a refused post: browsers do not let a page choose one.
#[component]
pub fn FileField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] required: bool,
    /// What is offered first: `.env,.json`.
    #[prop(optional, into)]
    accept: Option<String>,
    /// One of two fields of which one is needed: neither is called optional.
    #[prop(optional)]
    either: bool,
) -> impl IntoView {
    let frame = Frame::new(&name, label, hint, required || either);
    let control = view! {
        <input
            id=frame.id.clone()
            type="file"
            name=name
            required=required
            accept=accept
            aria-describedby=frame.described_by()
            aria-invalid=frame.invalid()
        />
    };
    frame.around(control.into_any())
}

/// What is written in an area.
#[derive(Clone, Copy, Debug, Default)]
pub enum Writes {
    /// Text for people.
    #[default]
    Prose,
    /// Text of which each character counts.
    Code,
    /// The same, and secret: never shown again, not even after a refused post.
    Secret,
}

/// Several lines.
#[component]
pub fn TextArea(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] value: Option<String>,
    #[prop(optional)] required: bool,
    #[prop(default = 2000)] maxlength: u32,
    #[prop(default = 4)] rows: u8,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(optional)] writes: Writes,
    /// One of two fields of which one is needed: neither is called optional.
    #[prop(optional)]
    either: bool,
) -> impl IntoView {
    let frame = Frame::new(&name, label, hint, required || either);
    let secret = matches!(writes, Writes::Secret);
    let exact = !matches!(writes, Writes::Prose);
    let value = if secret { String::new() } else { frame.around.draft.value(&name, value) };
    let value = text_of_area(&value);
    let control = view! {
        <textarea
            id=frame.id.clone()
            class:mono=exact
            name=name
            rows=rows
            required=required
            maxlength=maxlength
            placeholder=placeholder
            autocomplete="off"
            autocapitalize=secret.then_some("off")
            spellcheck=exact.then_some("false")
            aria-describedby=frame.described_by()
            aria-invalid=frame.invalid()
        >
            {value}
        </textarea>
    };
    frame.around(control.into_any())
}

/// Leptos does not escape what is inside a `textarea` (tachys 0.2.19, `elements.rs`), so this does. Parsers drop
/// one newline at the start: ours is there to be dropped.
fn text_of_area(value: &str) -> String {
    let mut text = String::with_capacity(value.len().saturating_add(1));
    text.push('\n');
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_cannot_leave_its_area() {
        let html = view! { <TextArea name="note" label="Note" value="</textarea><script>&amp;"/> }.to_html();
        assert!(html.contains(">\n&lt;/textarea&gt;&lt;script&gt;&amp;amp;</textarea>"), "{html}");
    }

    #[test]
    fn what_was_typed_cannot_leave_its_attribute() {
        let html = view! { <TextField name="name" label="Name" value="\"><script>"/> }.to_html();
        assert!(!html.contains("<script>"), "{html}");
    }

    #[test]
    fn a_secret_is_never_in_the_page() {
        let html =
            view! { <TextField name="code" label="Code" kind=TextKind::Secret value="hunter2"/> }.to_html();
        assert!(!html.contains("hunter2"), "{html}");
        let html =
            view! { <TextArea name="value" label="Value" writes=Writes::Secret value="hunter2"/> }.to_html();
        assert!(!html.contains("hunter2"), "{html}");
    }
}
