use keywarden_model::SecretId;
use keywarden_vault::SecretBytes;

use super::object::{Field, FieldSort, Object};
use crate::refused::carries_refused;
use crate::secrets::read::{As, Part, ReadSecretError, Revealed, Which};
use crate::secrets::secret::{Address, Version};
use crate::{Domain, Op, Refused};

/// What was read of a version by field.
#[derive(Debug)]
pub struct ReadFields {
    /// The version.
    pub version: Version,
    /// Its fields, each once, in the order of the text; `None`: its value is no JSON object.
    pub fields: Option<Vec<Field>>,
    /// What stands in the one that was asked for: a string's text, of anything else the JSON as it is written.
    pub found: Option<SecretBytes>,
}

/// One field of a version.
#[derive(Debug)]
pub struct RevealedField {
    /// What was read. Its value is what stands in the field: a string's text, of anything else the JSON as it is written.
    pub revealed: Revealed,
    /// What stands there.
    pub sort: FieldSort,
}

/// Why no field was given out. Where there is none, the version was read all the same, and that is told.
#[derive(Debug, thiserror::Error)]
pub enum ReadFieldError {
    /// It has fields, and none of this name.
    #[error("the value has no such field")]
    NoField,
    /// The value is something else.
    #[error("the value is no JSON object: it has no fields")]
    NoObject,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The version is not read.
    #[error(transparent)]
    Unread(ReadSecretError),
}
carries_refused!(ReadFieldError);

impl From<ReadSecretError> for ReadFieldError {
    fn from(error: ReadSecretError) -> Self {
        match error {
            ReadSecretError::Refused(refused) => Self::Refused(refused),
            other => Self::Unread(other),
        }
    }
}

impl Domain {
    /// Reads one field of a version; of a template, of what it resolves to. Any text that is a JSON object has fields, whatever
    /// its kind, as it has for a template's `#field`.
    pub async fn read_secret_field(
        &self,
        op: &Op,
        address: &Address,
        which: &Which,
        wanted: As,
        field: &str,
    ) -> Result<RevealedField, ReadFieldError> {
        let revealed = self.read_part(op, address, which, wanted, &Part::Field(field.to_owned())).await?;
        let (sort, value) = {
            let object = Object::of(&revealed.value).ok_or(ReadFieldError::NoObject)?;
            object.sort(field).zip(object.text(field)).ok_or(ReadFieldError::NoField)?
        };
        Ok(RevealedField { revealed: revealed.with(value), sort })
    }

    /// Reads the names of a version's fields, and the value of the one that is named. That it is told, even where there is no
    /// such field, says what was asked for.
    pub async fn read_secret_fields(
        &self,
        op: &Op,
        id: SecretId,
        number: i64,
        field: Option<&str>,
        wanted: As,
    ) -> Result<ReadFields, ReadSecretError> {
        let part = field.map_or(Part::Names, |name| Part::Field(name.to_owned()));
        let read = self.read_part(op, &Address::Id(id), &Which::Number(number), wanted, &part).await?;
        let object = Object::of(&read.value);
        let found = field.and_then(|name| object.as_ref()?.text(name));
        let fields = object.map(|it| it.fields());
        Ok(ReadFields { version: read.version, fields, found })
    }
}
