use keywarden_model::{SecretLabel, Strict};
use keywarden_vault::SecretBytes;

use super::edit::{Applied, Changes, Edit, EditFieldsError};
use super::object::{Field, FieldSort, Object};
use crate::secrets::put::{Expected, Put};
use crate::secrets::secret::Address;
use crate::secrets::validity::Validity;
use crate::{Domain, Op};

/// A merge patch (RFC 7396) of a value that is an object: what is `null` in it is taken away, an object goes into the object
/// that is there, and anything else takes the place of what is there, as it is written. Others stay as they are written.
#[derive(Debug)]
pub struct MergePatch(SecretBytes);

/// A new version of a JSON object, by a merge patch of the current one.
#[derive(Debug)]
pub struct PatchFields {
    /// What changes.
    pub patch: MergePatch,
    /// What must be current; `None`: whatever is.
    pub expected: Option<Expected>,
    /// As of [`crate::secrets::PutSecret`].
    pub label: Option<SecretLabel>,
    /// As of [`crate::secrets::PutSecret`].
    pub validity: Validity,
}

impl MergePatch {
    /// `None`: the text is no object, is nested deeper than JSON is read here, or says a name twice.
    pub fn new(text: SecretBytes) -> Option<Self> {
        let Strict(value) = serde_json::from_slice(text.expose()).ok()?;
        value.is_object().then_some(Self(text))
    }

    /// Whether it changes nothing.
    fn is_empty(&self) -> bool {
        Object::of(&self.0).is_none_or(|it| it.fields().is_empty())
    }

    /// The object with it. What was not there is not removed.
    pub(super) fn applied(&self, object: &Object<'_>) -> Option<Applied> {
        let patch = Object::of(&self.0)?;
        let there = object.names();
        let fields = patch.fields();
        let (removed, written): (Vec<_>, Vec<_>) =
            fields.iter().partition(|it| it.sort == FieldSort::Nothing);
        let mut removed = names(&removed);
        removed.retain(|name| there.contains(name));
        let (written, removed) = (names(&written).join(", "), removed.join(", "));
        Some(Applied { after: object.merged(&patch), written, removed })
    }
}

fn names<'a>(fields: &[&'a Field]) -> Vec<&'a str> {
    fields.iter().map(|it| it.name.expose()).collect()
}

impl Domain {
    /// Puts a version that is the current one after a merge patch. Whoever does it may read the value, too; what is kept
    /// leaves for nobody.
    pub async fn patch_secret_fields(
        &self,
        op: &Op,
        address: &Address,
        patch: PatchFields,
    ) -> Result<Put, EditFieldsError> {
        let PatchFields { patch, expected, label, validity } = patch;
        if patch.is_empty() {
            return Err(EditFieldsError::Nothing);
        }
        let edit = Edit { changes: Changes::Merged(patch), expected, label, validity };
        self.put_edited(op, address, edit).await
    }
}
