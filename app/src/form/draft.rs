//! A form as somebody left it: what was typed and what is wrong with it.

use std::{str::FromStr, sync::Arc};

use super::Fields;
use crate::text::Text;

/// What is wrong with a form, in the order of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    whole: Option<String>,
    fields: Vec<(String, String)>,
}

impl Errors {
    /// Nothing is wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what is wrong with a field, from the catalogue. The first word about a field stands.
    pub fn at(&mut self, field: &str, sentence: impl Into<String>) {
        if self.of(field).is_none() {
            self.fields.push((field.to_owned(), sentence.into()));
        }
    }

    /// Says what is wrong with the form as a whole.
    pub fn whole(&mut self, sentence: impl Into<String>) {
        self.whole.get_or_insert_with(|| sentence.into());
    }

    /// A field that must be filled in, with at most `max` characters; what is wrong with it is noted.
    pub fn required<'a>(&mut self, t: Text, fields: &'a Fields, field: &str, max: usize) -> &'a str {
        if fields.text(field).is_empty() {
            self.at(field, t.form_missing());
        }
        self.optional(t, fields, field, max)
    }

    /// A field that may be left empty, with at most `max` characters; what is wrong with it is noted.
    pub fn optional<'a>(&mut self, t: Text, fields: &'a Fields, field: &str, max: usize) -> &'a str {
        let text = fields.text(field);
        if text.chars().count() > max {
            self.at(field, t.form_too_long(max));
        }
        text
    }

    /// A required field as what it stands for; `wrong` says in the catalogue's words why it stands for nothing.
    pub fn parsed<T: FromStr>(
        &mut self,
        t: Text,
        fields: &Fields,
        field: &str,
        wrong: impl Fn(Text, &T::Err) -> String,
    ) -> Option<T> {
        let text = fields.text(field);
        if text.is_empty() {
            self.at(field, t.form_missing());
            return None;
        }
        text.parse().map_err(|cause: T::Err| self.at(field, wrong(t, &cause))).ok()
    }

    /// Whether anything is wrong.
    pub fn any(&self) -> bool {
        self.whole.is_some() || !self.fields.is_empty()
    }

    /// What is wrong with this field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, sentence)| sentence.as_str())
    }

    /// The parts of the summary: about the whole, then by field.
    pub(crate) fn summary(&self) -> (Option<&str>, &[(String, String)]) {
        (self.whole.as_deref(), &self.fields)
    }
}

/// What `Form` draws its fields from. The default is a form that nobody has touched.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    typed: Option<Arc<Fields>>,
    errors: Errors,
}

impl Draft {
    /// A form that was posted and refused.
    pub fn refused(fields: Fields, errors: Errors) -> Self {
        Self { typed: Some(Arc::new(fields)), errors }
    }

    /// A form that is drawn anew from what was made of it, with what is wrong.
    pub fn drawn(errors: Errors) -> Self {
        Self { typed: None, errors }
    }

    /// What is wrong.
    pub fn errors(&self) -> &Errors {
        &self.errors
    }

    /// What to show in a field: what was typed, else what the page starts with.
    pub(crate) fn value(&self, name: &str, start: Option<String>) -> String {
        match &self.typed {
            Some(typed) => typed.raw(name).to_owned(),
            None => start.unwrap_or_default(),
        }
    }

    /// Whether this value of a checkbox, a radio button or a group of them is chosen.
    pub(crate) fn chosen(&self, name: &str, value: &str, start: bool) -> bool {
        match &self.typed {
            Some(typed) => typed.many(name).any(|typed| typed == value),
            None => start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_wins_over_what_the_page_starts_with_even_when_it_is_nothing() {
        let fresh = Draft::default();
        assert_eq!(fresh.value("name", Some("old".into())), "old");
        assert!(fresh.chosen("on", "1", true));

        let refused = Draft::refused(Fields::parse(b"name=&scopes[]=b").unwrap(), Errors::new());
        assert_eq!(refused.value("name", Some("old".into())), "");
        assert!(!refused.chosen("on", "1", true));
        assert!(refused.chosen("scopes[]", "b", false) && !refused.chosen("scopes[]", "a", true));
    }

    #[test]
    fn missing_and_long_fields_are_noted() {
        let fields = Fields::parse("blank=+&long=ÄÄÄÄ&fits=abc".as_bytes()).unwrap();
        let (t, mut errors) = (Text::default(), Errors::new());
        errors.required(t, &fields, "blank", 3);
        errors.required(t, &fields, "ghost", 3);
        errors.optional(t, &fields, "long", 3);
        errors.optional(t, &fields, "nothing", 3);
        assert_eq!(errors.required(t, &fields, "fits", 3), "abc");
        let noted: Vec<&str> = errors.summary().1.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(noted, ["blank", "ghost", "long"]);
    }

    #[test]
    fn the_first_word_about_a_field_stands() {
        let mut errors = Errors::new();
        assert!(!errors.any());
        errors.at("name", "too long");
        errors.at("name", "taken");
        assert_eq!(errors.of("name"), Some("too long"));
        assert!(errors.any());
    }
}
