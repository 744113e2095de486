//! A value on its way in.

use keywarden_model::secret::Reference;
use keywarden_model::{ContentType, SecretKind};
use keywarden_vault::SecretBytes;
use serde::de::IgnoredAny;

use super::secret::{Version, damaged};
use super::template::{Template, TemplateError};
use crate::Fault;

/// The longest value, in bytes, where the operator says nothing else.
pub const MAX_VALUE: usize = 64 * 1024;
/// The longest that the operator may allow: in base64 it still fits into a request's body.
pub const LONGEST_VALUE: usize = 512 * 1024;

/// A value that may be kept: of its kind, neither empty nor too long.
#[derive(Debug)]
pub struct NewValue {
    kind: SecretKind,
    content_type: ContentType,
    bytes: SecretBytes,
    /// Of a template.
    references: Option<Vec<Reference>>,
}

/// Why bytes are no value of a kind. Says nothing of what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// No byte at all: more often an unset variable than a secret.
    #[error("the value is empty: write at least one byte")]
    Empty,
    /// Said to be JSON.
    #[error("the value is not JSON: mend it, or say that it is `text`")]
    NotJson,
    /// Said to be text.
    #[error("the value is not UTF-8: say that it is `binary`")]
    NotText,
    /// More bytes than this.
    #[error("the value is too long: use at most {0} bytes")]
    TooLong(usize),
}

impl NewValue {
    /// Checks the bytes; without a content type, the kind's own.
    pub fn new(
        kind: SecretKind,
        content_type: Option<ContentType>,
        bytes: SecretBytes,
    ) -> Result<Self, ValueError> {
        match bytes.expose().len() {
            0 => return Err(ValueError::Empty),
            1..=LONGEST_VALUE => {}
            _ => return Err(ValueError::TooLong(LONGEST_VALUE)),
        }
        match kind {
            SecretKind::Binary => {}
            // Nothing of it is kept: the text itself is the value.
            SecretKind::Json => {
                serde_json::from_slice::<IgnoredAny>(bytes.expose()).map_err(|_| ValueError::NotJson)?;
            }
            SecretKind::Text => {
                std::str::from_utf8(bytes.expose()).map_err(|_| ValueError::NotText)?;
            }
        }
        let content_type = content_type.unwrap_or_else(|| kind.content_type());
        Ok(Self { kind, content_type, bytes, references: None })
    }

    /// The same, if it is no longer than values may be here ([`crate::Settings::max_value`]). What was put before the operator
    /// said so stays.
    pub fn within(self, most: usize) -> Result<Self, ValueError> {
        if self.bytes.expose().len() > most { Err(ValueError::TooLong(most)) } else { Ok(self) }
    }

    /// The value of a version, for another one that reads the same.
    pub(super) fn again(version: &Version, bytes: SecretBytes) -> Result<Self, Fault> {
        let value = Self::new(version.kind, Some(version.content_type.clone()), bytes).map_err(damaged)?;
        if version.template { value.into_template().map_err(damaged) } else { Ok(value) }
    }

    /// The same, as a template: its references are resolved when it is read. What they name need not be there yet.
    pub fn into_template(self) -> Result<Self, TemplateError> {
        let text = match self.kind {
            SecretKind::Binary => None,
            SecretKind::Json | SecretKind::Text => std::str::from_utf8(self.bytes.expose()).ok(),
        };
        let references = Template::parse(text.ok_or(TemplateError::Binary)?)?.into_references();
        Ok(Self { references: Some(references), ..self })
    }

    /// How it reads.
    pub fn kind(&self) -> SecretKind {
        self.kind
    }

    /// What it is for other programs.
    pub fn content_type(&self) -> &ContentType {
        &self.content_type
    }

    /// Whether its references are resolved when it is read.
    pub fn is_template(&self) -> bool {
        self.references.is_some()
    }

    pub(super) fn references(&self) -> Option<&[Reference]> {
        self.references.as_deref()
    }

    pub(super) fn bytes(&self) -> &SecretBytes {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_of_its_kind_and_of_some_length() {
        let new = |kind, bytes: &[u8]| NewValue::new(kind, None, SecretBytes::copy_of(bytes)).map(drop);
        for kind in SecretKind::ALL {
            assert_eq!(new(kind, b""), Err(ValueError::Empty));
            assert_eq!(new(kind, &vec![b' '; LONGEST_VALUE + 1]), Err(ValueError::TooLong(LONGEST_VALUE)));
        }
        assert_eq!(new(SecretKind::Binary, &vec![0xff; LONGEST_VALUE]), Ok(()));
        let of = |length| NewValue::new(SecretKind::Binary, None, SecretBytes::new(vec![7; length])).unwrap();
        assert!(of(10).within(10).is_ok());
        assert_eq!(of(11).within(10).map(drop), Err(ValueError::TooLong(10)));
        assert_eq!(new(SecretKind::Text, b"\xff"), Err(ValueError::NotText));
        assert_eq!(new(SecretKind::Text, b"a\0b\r\n"), Ok(()));
        for wrong in [&b"{"[..], b"{} {}", b"\xff", b"[1,]"] {
            assert_eq!(new(SecretKind::Json, wrong), Err(ValueError::NotJson), "{wrong:?}");
        }
        assert_eq!(new(SecretKind::Json, b" {\"a\": [1, null]}\n"), Ok(()));
        // Nothing is built of it, so depth costs nothing.
        let deep = [vec![b'['; 20_000], vec![b']'; 20_000]].concat();
        assert_eq!(new(SecretKind::Json, &deep), Ok(()));
    }
}
