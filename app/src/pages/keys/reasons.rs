//! Why a key is revoked, as a form asks for it.

use keywarden_model::RevokeReason;
use leptos::prelude::*;

use crate::{
    form::{Errors, Fields},
    text::Text,
    ui::{RadioGroup, TextArea, choice},
};

/// The longest note.
const NOTE: u32 = 1_000;

/// The reason and the note beside it.
pub(super) fn fields(t: Text, chosen: &str) -> AnyView {
    // The likely ones first.
    let choices = [
        (RevokeReason::Superseded, t.keys_reason_superseded_hint()),
        (RevokeReason::KeyCompromise, t.keys_reason_compromise_hint()),
        (RevokeReason::CessationOfOperation, t.keys_reason_cessation_hint()),
        (RevokeReason::Unspecified, t.keys_reason_unspecified_hint()),
    ]
    .map(|(reason, hint)| choice(reason.as_str(), name(t, reason)).hint(hint))
    .to_vec();
    view! {
        <RadioGroup name="reason" label=t.keys_reason() required=true choices=choices value=chosen.to_owned()/>
        <TextArea name="note" label=t.keys_note() rows=2 maxlength=NOTE hint=t.keys_note_hint()/>
    }
    .into_any()
}

/// What was chosen; what is wrong with it is noted.
pub(super) fn read(t: Text, fields: &Fields, errors: &mut Errors) -> Option<(RevokeReason, String)> {
    let reason = fields.text("reason").parse().ok();
    if reason.is_none() {
        errors.at("reason", t.form_choose());
    }
    let note = errors.optional(t, fields, "note", NOTE as usize).to_owned();
    reason.filter(|_| !errors.any()).map(|reason| (reason, note))
}

pub(super) fn name(t: Text, reason: RevokeReason) -> &'static str {
    match reason {
        RevokeReason::CessationOfOperation => t.keys_reason_cessation(),
        RevokeReason::KeyCompromise => t.keys_reason_compromise(),
        RevokeReason::Superseded => t.keys_reason_superseded(),
        RevokeReason::Unspecified => t.keys_reason_unspecified(),
    }
}
