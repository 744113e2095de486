//! What is told of entries and flaws, in the reader's words.

use keywarden_domain::secrets::{
    EntryOutcome, EntryRefusal, ValueError,
    files::{FileFlaw, Wrong},
};
use keywarden_model::tag::TagError;
use leptos::prelude::*;

use crate::{
    pages::secrets::{fields::path_wrong, template, value},
    text::Text,
    ui::{Badge, Tone},
};

/// What happens with an entry, in a chip.
pub(super) fn badge(t: Text, outcome: &EntryOutcome) -> AnyView {
    let (label, tone) = match outcome {
        EntryOutcome::Change { value: true, about: true } => (t.import_changes_both(), Tone::Info),
        EntryOutcome::Change { value: true, about: false } => (t.import_changes_value(), Tone::Info),
        EntryOutcome::Change { .. } => (t.import_changes_about(), Tone::Info),
        EntryOutcome::Create => (t.import_creates(), Tone::Good),
        EntryOutcome::Refused(_) => (t.import_refuses(), Tone::Bad),
        EntryOutcome::Unchanged => (t.import_unchanged(), Tone::Neutral),
    };
    view! { <Badge label=label tone=tone/> }.into_any()
}

pub(super) fn refusal(t: Text, why: &EntryRefusal) -> String {
    match why {
        EntryRefusal::Deleted => t.import_deleted().to_owned(),
        EntryRefusal::Description(wrong) => t.import_description(&t.name_wrong(wrong)),
        EntryRefusal::Forbidden(action) => t.import_forbidden(action.name()),
        EntryRefusal::NotFound => t.import_not_seen().to_owned(),
        EntryRefusal::Path(wrong) => path_wrong(t, wrong),
        EntryRefusal::Repeated { line } => t.import_repeated(*line),
        EntryRefusal::Tags(TagError::Malformed(text)) => t.import_tags(&t.keys_tag_wrong(text)),
        EntryRefusal::Tags(TagError::TooMany) => t.import_tags(&t.keys_too_many(32)),
        EntryRefusal::Template(wrong) => template::said(t, wrong),
        EntryRefusal::Twin(path) => t.import_twin(path),
        EntryRefusal::TwinEntry { line } => t.import_twin_entry(*line),
        EntryRefusal::Value(ValueError::Empty) => t.flaw_no_value().to_owned(),
        EntryRefusal::Value(wrong) => value::said(t, *wrong),
    }
}

pub(super) fn flaw(t: Text, it: &FileFlaw) -> String {
    let plain = match &it.wrong {
        Wrong::Cells { found, expected } => return t.flaw_cells(*found, *expected),
        Wrong::Repeated { first } => return t.flaw_repeated(*first),
        Wrong::AfterQuote => t.flaw_after_quote(),
        Wrong::Alias => t.flaw_alias(),
        Wrong::BadEscape => t.flaw_bad_escape(),
        Wrong::BadName => t.flaw_bad_name(),
        Wrong::Columns => t.flaw_columns(),
        Wrong::Deep => t.flaw_deep(),
        Wrong::Empty => t.flaw_empty(),
        Wrong::Kind => t.flaw_kind(),
        Wrong::List => t.flaw_list(),
        Wrong::NoEquals => t.flaw_no_equals(),
        Wrong::NoName => t.flaw_no_name(),
        Wrong::NoValue => t.flaw_no_value(),
        Wrong::NotAnObject => t.flaw_not_an_object(),
        Wrong::NotBase64 => t.flaw_not_base64(),
        Wrong::NotJson => t.flaw_not_json(),
        Wrong::NotUtf8 => t.flaw_not_utf8(),
        Wrong::NotYaml => t.flaw_not_yaml(),
        Wrong::Nul => t.flaw_nul(),
        Wrong::Quote => t.flaw_quote(),
        Wrong::Several => t.flaw_several(),
        Wrong::Tagged => t.flaw_tagged(),
        Wrong::Template => t.flaw_template(),
        Wrong::TooLarge => t.import_large(),
        Wrong::TooMany => t.flaw_too_many(),
        Wrong::Unclosed => t.flaw_unclosed(),
    };
    plain.to_owned()
}
