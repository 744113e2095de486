use keywarden_model::SecretId;
use keywarden_vault::SecretBytes;

use super::object::{Field, Object};
use crate::secrets::read::{As, Part, ReadSecretError, Which};
use crate::secrets::secret::{Address, Version};
use crate::{Domain, Op};

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

impl Domain {
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
