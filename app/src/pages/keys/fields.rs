//! The fields that issuing, importing and editing a key have in common.

use keywarden_domain::keys::Key;
use keywarden_model::RateLimit;
use leptos::prelude::*;

use super::{moments, terms::DAYS};
use crate::{
    text::Text,
    ui::{Choice, FieldGroup, RadioGroup, SelectField, TextArea, TextField, TextKind, Writes, choice},
};

/// What the fields begin with. The default is a key that nobody has thought about yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Start {
    name: String,
    description: String,
    owner: String,
    scopes: String,
    not_before: String,
    allowed_cidrs: String,
    rate_limit: Option<RateLimit>,
    tags: String,
    metadata: String,
}

impl Start {
    /// A key as it is.
    pub(super) fn of(key: &Key) -> Self {
        let lines = |words: Vec<String>| words.join("\n");
        let metadata = if key.metadata.is_empty() {
            String::new()
        } else {
            serde_json::to_string_pretty(&key.metadata).unwrap_or_else(|_| key.metadata.to_text())
        };
        Self {
            name: key.name.to_string(),
            description: key.description.to_string(),
            owner: key.owner.to_string(),
            scopes: lines(key.scopes.iter().map(ToString::to_string).collect()),
            not_before: key.not_before.map(moments::field).unwrap_or_default(),
            allowed_cidrs: lines(key.allowed_cidrs.iter().map(ToString::to_string).collect()),
            rate_limit: key.rate_limit,
            tags: lines(key.tags.words()),
            metadata,
        }
    }
}

/// Name, what for, whose.
pub(super) fn who(t: Text, owners: Vec<Choice>, start: &Start) -> AnyView {
    view! {
        <TextField name="name" label=t.keys_name() required=true maxlength=120 value=start.name.clone() hint=t.keys_name_hint()/>
        <TextArea name="description" label=t.keys_description() maxlength=1000 rows=2 value=start.description.clone() hint=t.keys_description_hint()/>
        <SelectField name="owner" label=t.keys_owner() required=true choices=owners value=start.owner.clone() hint=t.keys_owner_hint()/>
    }
    .into_any()
}

/// When it begins and ends, for a key that is about to be: as a number of days, or a date.
pub(super) fn life(t: Text) -> AnyView {
    let mut choices: Vec<_> =
        DAYS.into_iter().map(|days| choice(days.to_string(), t.keys_days(days.unsigned_abs()))).collect();
    choices.push(choice("date", t.keys_until_date()));
    choices.push(choice("longest", t.keys_longest()).hint(t.keys_longest_hint()));
    view! {
        <FieldGroup label=t.keys_life()>
            <RadioGroup name="expiry" label=t.keys_expires() required=true choices=choices value="90"/>
            <TextField name="expires_at" label=t.keys_expires_at() kind=TextKind::DateTime hint=t.keys_expires_at_hint()/>
            <TextField name="not_before" label=t.keys_not_before() kind=TextKind::DateTime hint=t.keys_not_before_hint()/>
        </FieldGroup>
    }
    .into_any()
}

/// When it begins and ends, for a key that there is.
pub(super) fn dates(t: Text, expires_at: String, start: &Start) -> AnyView {
    let not_before = start.not_before.clone();
    view! {
        <FieldGroup label=t.keys_life()>
            <TextField name="expires_at" label=t.keys_expires() kind=TextKind::DateTime value=expires_at hint=t.keys_expires_edit_hint()/>
            <TextField name="not_before" label=t.keys_not_before() kind=TextKind::DateTime value=not_before hint=t.keys_not_before_hint()/>
        </FieldGroup>
    }
    .into_any()
}

/// What it may do, from where, how often; and what is known of it.
pub(super) fn limits(t: Text, start: &Start) -> AnyView {
    let mut windows = vec![
        choice("1", t.keys_window_second()),
        choice("60", t.keys_window_minute()),
        choice("3600", t.keys_window_hour()),
        choice("86400", t.keys_window_day()),
    ];
    let window = start.rate_limit.map_or(60, |it| it.window_seconds);
    if ![1, 60, 3_600, 86_400].contains(&window) {
        windows.push(choice(window.to_string(), t.keys_window_seconds(window)));
    }
    let limit = start.rate_limit.map(|it| it.limit.to_string()).unwrap_or_default();
    let Start { scopes, allowed_cidrs, tags, metadata, .. } = start.clone();
    view! {
        <FieldGroup label=t.keys_terms()>
        <TextArea name="scopes" label=t.keys_scopes() writes=Writes::Code maxlength=9000 rows=3 value=scopes hint=t.keys_scopes_hint()/>
        <TextArea name="allowed_cidrs" label=t.keys_ranges() writes=Writes::Code maxlength=4000 rows=2 value=allowed_cidrs hint=t.keys_ranges_hint()/>
        <div class="field-pair">
            <TextField name="rate_limit" label=t.keys_rate() kind=TextKind::Number min="1" max="10000000" value=limit hint=t.keys_rate_hint()/>
            <SelectField name="rate_window" label=t.keys_rate_window() required=true choices=windows value=window.to_string()/>
        </div>
        </FieldGroup>
        <FieldGroup label=t.keys_found_by()>
        <TextArea name="tags" label=t.keys_tags() writes=Writes::Code maxlength=5000 rows=2 value=tags hint=t.keys_tags_hint()/>
        <TextArea name="metadata" label=t.keys_metadata() writes=Writes::Code maxlength=16000 rows=3 value=metadata hint=t.keys_metadata_hint()/>
        </FieldGroup>
    }
    .into_any()
}
