//! Words of forms: what is wrong with them as a whole, and what every form may have to say.

use keywarden_model::{Slug, label::LabelError, name::TextError, slug::SlugError};

use super::{Text, texts};

texts! {
    form_refused(n: usize) = "Nothing was saved: one field needs a change." | "Nothing was saved: {n} fields need a change.";
    form_refused_whole = "Nothing was saved.";
    form_at(label: &str, sentence: &str) = "{label}: {sentence}";
    form_error_prefix = "Error:";
    form_missing = "Fill this in.";
    form_too_long(max: usize) = "Use at most {max} characters.";
    form_too_short(min: usize) = "Use at least {min} characters.";
    form_unreadable = "The form could not be read.";
    form_unreadable_why = "What your browser sent is not a form of this console: a field came twice, was not text, or something was too large. Nothing was saved. Go back, reload the page and try again.";
    form_invisible = "Remove invisible or control characters.";
    form_no_moment = "Give a day and a time, such as 2027-02-23 14:00.";
    form_no_number(from: u64, to: u64) = "Give a whole number from {from} to {to}.";
    form_utc = "Time in UTC.";
    form_label_wrong = "Use 1 to 16 letters a to z or digits.";
    form_slug_wrong = "Use a to z, digits, and single hyphens between them.";
    form_slug_reserved(word: &str) = "Keywarden keeps the word {word} for itself. Choose another.";
}

impl Text {
    /// What is wrong with a name or description.
    pub fn name_wrong(self, error: &TextError) -> String {
        match error {
            TextError::Empty => self.form_missing().to_owned(),
            TextError::Invisible => self.form_invisible().to_owned(),
            TextError::TooLong(max) => self.form_too_long(*max),
            TextError::TooShort(min) => self.form_too_short(*min),
        }
    }

    /// What is wrong with a slug.
    pub fn slug_wrong(self, error: &SlugError) -> String {
        match error {
            SlugError::Form => self.form_slug_wrong().to_owned(),
            SlugError::Length => self.form_too_long(Slug::MAX),
            SlugError::Reserved(word) => self.form_slug_reserved(word),
        }
    }

    /// What is wrong with the label of keys' values.
    pub fn label_wrong(self, _: &LabelError) -> String {
        self.form_label_wrong().to_owned()
    }
}
