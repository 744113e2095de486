//! Fields that hold more than text: moments and numbers.

use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::{Errors, Fields};
use crate::text::Text;

impl Errors {
    /// A moment out of a `TextKind::DateTime` field, read as UTC; `None` if it is empty or noted as wrong.
    pub fn moment(&mut self, t: Text, fields: &Fields, field: &str) -> Option<DateTime<Utc>> {
        let text = fields.text(field);
        if text.is_empty() {
            return None;
        }
        let moment = parse_moment(text);
        if moment.is_none() {
            self.at(field, t.form_no_moment());
        }
        moment
    }

    /// A whole number in this range; `None` if it is empty or noted as wrong.
    pub fn number(
        &mut self,
        t: Text,
        fields: &Fields,
        field: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let text = fields.text(field);
        if text.is_empty() {
            return None;
        }
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.at(field, t.form_no_number(*range.start(), *range.end()));
        }
        number
    }
}

/// What a `TextKind::DateTime` field starts with to show this moment (HTML, 2.3.5.5: no zone).
pub fn moment_value(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M").to_string()
}

/// With and without seconds, as browsers send them; with a blank, as people write them where a browser has no
/// field for it.
pub fn parse_moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.replacen(' ', "T", 1);
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
        .map(|moment| moment.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_comes_back_as_it_was_shown() {
        let at = DateTime::from_timestamp(1_803_391_200, 0).unwrap();
        let fields = format!("a={}&b=2027-02-24+02%3A00%3A00", moment_value(at));
        let fields = Fields::parse(fields.as_bytes()).unwrap();
        let mut errors = Errors::new();
        assert_eq!(errors.moment(Text::default(), &fields, "a"), Some(at));
        assert!(errors.moment(Text::default(), &fields, "b").is_some());
        assert_eq!(errors.moment(Text::default(), &fields, "ghost"), None);
        assert!(!errors.any());
    }

    #[test]
    fn what_is_no_value_is_noted() {
        let fields = Fields::parse(b"when=tomorrow&day=2027-02-30T10:00&n=0&m=-1&k=60&l=1e3").unwrap();
        let (t, mut errors) = (Text::default(), Errors::new());
        assert_eq!(errors.moment(t, &fields, "when"), None);
        assert_eq!(errors.moment(t, &fields, "day"), None);
        for field in ["n", "m", "l"] {
            assert_eq!(errors.number(t, &fields, field, 1..=60), None, "{field}");
        }
        assert_eq!(errors.number(t, &fields, "k", 1..=60), Some(60));
        assert_eq!(errors.number(t, &fields, "ghost", 1..=60), None);
        let noted = ["when", "day", "n", "m", "l"].map(|field| errors.of(field).is_some());
        assert_eq!(noted, [true; 5]);
        assert_eq!(errors.of("k"), None);
    }
}
