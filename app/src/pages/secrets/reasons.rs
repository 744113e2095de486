//! Why a value is read, where the environment asks for it, and why one is made, where its maker says so.

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

/// The field of a form that makes a version, to be drawn within it.
pub(super) fn why(t: Text) -> AnyView {
    view! { <TextField name=REASON label=t.reasons_label() hint=t.reasons_why_hint() maxlength=LONGEST/> }
        .into_any()
}

/// Whether a reason that nobody had to give is one or none; says at the field what is wrong with it.
pub(super) fn fits(t: Text, fields: &Fields, errors: &mut Errors) -> bool {
    let wrong = !fields.text(REASON).is_empty() && fields.text(REASON).parse::<Reason>().is_err();
    if wrong {
        note(t, fields, errors);
    }
    !wrong
}

/// Says at the field what is wrong with a reason that was needed.
pub(super) fn note(t: Text, fields: &Fields, errors: &mut Errors) {
    if let Err(wrong) = fields.text(REASON).parse::<Reason>() {
        errors.at(REASON, t.name_wrong(&wrong));
    }
}
