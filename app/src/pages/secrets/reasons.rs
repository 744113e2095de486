//! Why a value is read: a field where the environment asks for it.

use keywarden_model::Reason;
use leptos::prelude::*;

use crate::{
    context::REASON,
    form::{Errors, Fields},
    text::Text,
    ui::TextField,
};

/// As many characters as a reason may have.
const LONGEST: u32 = 200;

/// The field, to be drawn within the form; nothing where nobody asks.
pub(super) fn field(t: Text, asks: bool) -> Option<AnyView> {
    asks.then(|| {
        view! {
            <TextField name=REASON label=t.reasons_label() hint=t.reasons_hint() required=true maxlength=LONGEST/>
        }
        .into_any()
    })
}

/// Says at the field what is wrong with a reason that was needed.
pub(super) fn note(t: Text, fields: &Fields, errors: &mut Errors) {
    if let Err(wrong) = fields.text(REASON).parse::<Reason>() {
        errors.at(REASON, t.name_wrong(&wrong));
    }
}
