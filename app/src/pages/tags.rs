//! Tags as people type them.

use keywarden_model::{Tags, tag::TagError};

use crate::{
    form::{Errors, Fields},
    text::Text,
};

/// The field `tags`: one on each line, or with commas between them; a tag's value may hold blanks. What is wrong is noted.
pub(crate) fn read(t: Text, fields: &Fields, errors: &mut Errors) -> Option<Tags> {
    let words = fields.text("tags").split([',', '\n']).map(str::trim).filter(|word| !word.is_empty());
    let wrong = match Tags::parse(words) {
        Ok(tags) => return Some(tags),
        Err(TagError::Malformed(text)) => t.keys_tag_wrong(&text),
        Err(TagError::TooMany) => t.keys_too_many(32),
    };
    errors.at("tags", wrong);
    None
}
