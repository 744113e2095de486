//! For how long a version is read: as a form asks for it, and as pages tell it.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_domain::secrets::{Outside, SOON, Validity, Version};
use keywarden_model::VersionState;
use leptos::prelude::*;

use crate::{
    form::{Errors, Fields},
    pages::keys::{minute, optional_moment},
    text::Text,
    ui::{Badge, Fact, FieldGroup, TextField, TextKind, Time, Tone, fact, words},
};

/// Two moments, both optional.
pub(super) fn fields(t: Text) -> AnyView {
    view! {
        <FieldGroup label=t.secrets_validity()>
            <TextField name="expires_at" label=t.secrets_expires_at() kind=TextKind::DateTime hint=t.secrets_expires_at_hint()/>
            <TextField name="not_before" label=t.keys_not_before() kind=TextKind::DateTime hint=t.keys_not_before_hint()/>
        </FieldGroup>
    }
    .into_any()
}

/// Both moments; what is wrong with them is noted.
pub(super) fn read(t: Text, fields: &Fields, errors: &mut Errors) -> Option<Validity> {
    let not_before = optional_moment(t, fields, errors, "not_before");
    let expires_at = optional_moment(t, fields, errors, "expires_at");
    let validity = Validity::new(not_before.ok()?, expires_at.ok()?);
    validity.map_err(|_| errors.at("expires_at", t.keys_expires_before())).ok()
}

/// Why a version is not read now, in a sentence.
pub(super) fn outside(t: Text, number: i64, outside: Outside) -> String {
    match outside {
        Outside::Expired(at) => t.secrets_expired_at(number, &minute(at)),
        Outside::NotYet(at) => t.secrets_not_yet_at(number, &minute(at)),
    }
}

/// A chip where its time tells something: that it is over, has not begun, or is over soon.
pub(super) fn badge(t: Text, version: &Version) -> AnyView {
    let tells = matches!(version.state, VersionState::Disabled | VersionState::Enabled);
    let said = said(t, version.validity, words().now).filter(|_| tells);
    said.map(|(label, tone)| view! { " " <Badge label=label tone=tone/> }).into_any()
}

fn said(t: Text, validity: Validity, now: DateTime<Utc>) -> Option<(String, Tone)> {
    match validity.outside(now) {
        Some(Outside::Expired(_)) => return Some((t.secrets_expired().to_owned(), Tone::Bad)),
        Some(Outside::NotYet(_)) => return Some((t.secrets_not_yet().to_owned(), Tone::Warn)),
        None => {}
    }
    let left = validity.expires_at()? - now;
    (left <= SOON).then(|| (t.secrets_expires_in(left), Tone::Warn))
}

/// Both moments where they were said.
pub(super) fn facts(t: Text, validity: Validity) -> Vec<Fact> {
    let moment =
        |label: &'static str, at: Option<DateTime<Utc>>| at.map(|at| fact(label, view! { <Time at=at/> }));
    let not_before = moment(t.keys_not_before(), validity.not_before());
    not_before.into_iter().chain(moment(t.keys_expires(), validity.expires_at())).collect()
}

impl Text {
    /// `expires in 3 days`: in the largest unit of which there is one left.
    fn secrets_expires_in(self, left: TimeDelta) -> String {
        match (left.num_days().unsigned_abs(), left.num_hours().unsigned_abs()) {
            (0, 0) => self.secrets_expires_within_the_hour().to_owned(),
            (0, hours) => self.secrets_expires_in_hours(hours),
            (days, _) => self.secrets_expires_in_days(days),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_says_what_is_over_what_has_not_begun_and_what_ends_soon() {
        let (t, now) = (Text::default(), DateTime::UNIX_EPOCH);
        let until = |left: TimeDelta| Validity::new(None, Some(now + left)).unwrap();
        let told = |validity| said(t, validity, now).map(|(label, _)| label);
        assert_eq!(told(Validity::default()), None);
        assert_eq!(told(until(TimeDelta::days(31))), None);
        for (left, label) in [
            (TimeDelta::zero(), "expired"),
            (TimeDelta::minutes(5), "expires within the hour"),
            (TimeDelta::minutes(119), "expires in 1 hour"),
            (TimeDelta::hours(23), "expires in 23 hours"),
            (TimeDelta::days(3), "expires in 3 days"),
            (TimeDelta::days(30), "expires in 30 days"),
        ] {
            assert_eq!(told(until(left)).as_deref(), Some(label), "{left:?}");
        }
        let later = Validity::new(Some(now + TimeDelta::days(1)), None).unwrap();
        assert_eq!(told(later).as_deref(), Some("not valid yet"));
    }
}
