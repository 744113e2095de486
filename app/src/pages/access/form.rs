//! Fields of what is asked for: for how long, why, and where else it is spoken of.

use chrono::TimeDelta;
use keywarden_domain::access::Terms;
use leptos::prelude::*;

use crate::{
    form::{Errors, Fields},
    text::Text,
    ui::TextField,
};

/// What is typed for a span: hours, or minutes with `min`.
pub(super) fn span(text: &str) -> Option<TimeDelta> {
    let text = text.trim();
    let (number, unit) = match text.strip_suffix("min") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('h').unwrap_or(text), 60),
    };
    let number: i64 = number.trim().parse().ok().filter(|number| (1..=100_000).contains(number))?;
    TimeDelta::try_minutes(number.checked_mul(unit)?)
}

/// A span as it is typed.
pub(super) fn typed(span: TimeDelta) -> String {
    let minutes = span.num_minutes();
    match minutes.checked_div(60).filter(|hours| hours.saturating_mul(60) == minutes) {
        Some(hours) => hours.to_string(),
        None => format!("{minutes} min"),
    }
}

/// Reads them.
pub(super) fn terms(t: Text, fields: &Fields, errors: &mut Errors) -> Option<Terms> {
    let lasts = span(fields.text("lasts"));
    match fields.text("lasts") {
        "" => errors.at("lasts", t.form_missing()),
        _ if lasts.is_none() => errors.at("lasts", t.access_lasts_wrong()),
        _ => {}
    }
    let reason = errors.parsed(t, fields, "reason", Text::name_wrong);
    let ticket = match fields.text("ticket").parse() {
        Ok(ticket) => Some(ticket),
        Err(error) => {
            errors.at("ticket", t.name_wrong(&error));
            None
        }
    };
    Some(Terms { lasts: lasts?, reason: reason?, ticket: ticket? })
}

/// The fields; to be called among a form's children, so that they find what was typed.
pub(super) fn fields(t: Text, lasts: String, reason: String, ticket: String) -> AnyView {
    view! {
        <TextField name="lasts" label=t.access_lasts() hint=t.access_lasts_hint() value=lasts maxlength=12 required=true/>
        <TextField name="reason" label=t.access_reason() hint=t.access_reason_hint() value=reason maxlength=200 required=true/>
        <TextField name="ticket" label=t.access_ticket() hint=t.access_ticket_hint() value=ticket maxlength=120/>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_they_are_shown() {
        for (text, minutes) in [("2", 120), ("30 min", 30), ("90min", 90), (" 1 h", 60), ("24", 1_440)] {
            let read = span(text);
            assert_eq!(read, TimeDelta::try_minutes(minutes), "{text}");
            assert_eq!(read.and_then(|it| span(&typed(it))), read, "{text}");
        }
        for text in ["", "0", "-1", "1.5", "a day", "99999999999999999999", "100001"] {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
