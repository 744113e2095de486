//! How long things last, in a form and in words.

use keywarden_domain::environments::{Terms, TermsError};

use crate::{
    form::{Errors, Fields},
    text::Text,
};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// The environment's terms out of the fields `lifetime_days` and `overlap_hours`.
pub(super) fn read(t: Text, fields: &Fields, errors: &mut Errors) -> Option<Terms> {
    let number = |field: &str, unit: i64, errors: &mut Errors| match fields.text(field) {
        "" => Some(None),
        text => match text.parse::<i64>().ok().and_then(|n| n.checked_mul(unit)) {
            Some(seconds) => Some(Some(seconds)),
            None => {
                errors.at(field, t.form_number());
                None
            }
        },
    };
    let lifetime = number("lifetime_days", DAY, errors)?;
    let overlap = number("overlap_hours", HOUR, errors)?;
    match Terms::new(lifetime, overlap) {
        Ok(terms) => Some(terms),
        Err(TermsError::Lifetime) => {
            errors.at("lifetime_days", t.environments_lifetime_wrong());
            None
        }
        Err(TermsError::Overlap) => {
            errors.at("overlap_hours", t.environments_overlap_wrong());
            None
        }
    }
}

/// `90 days`, `24 hours`, `10 minutes`.
pub(crate) fn span(t: Text, seconds: i64) -> String {
    let n = |count: i64| u64::try_from(count).unwrap_or_default();
    if seconds == 0 {
        t.span_none().to_owned()
    } else if seconds % DAY == 0 && seconds > DAY {
        t.span_days(n(seconds / DAY))
    } else if seconds % HOUR == 0 {
        t.span_hours(n(seconds / HOUR))
    } else {
        t.span_minutes(n(seconds / 60))
    }
}
