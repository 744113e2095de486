use std::sync::Arc;

use keywarden_model::{SecretId, SecretKind, SecretLabel};
use keywarden_store::Tx;
use keywarden_vault::{Keyring, SecretBytes, SecretString};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::object::{FieldSort, Object, quoted};
use crate::audit::Record;
use crate::change::With;
use crate::refused::carries_refused;
use crate::secrets::about::About;
use crate::secrets::put::{Attempt, Edited, Expected, Put, PutError, PutSecret, Putting, TRIES};
use crate::secrets::read::{ReadSecretError, Which, meant, open};
use crate::secrets::secret::{Address, Version};
use crate::secrets::template::{Template, TemplateError};
use crate::secrets::validity::Validity;
use crate::secrets::value::{NewValue, ValueError};
use crate::{Action, Domain, Op, Refused, Resource};

/// A new version of a JSON object, told by what differs from the current one.
#[derive(Debug)]
pub struct EditFields {
    /// The number of the version that must be current.
    pub version: i64,
    /// Each field that changes, once, by name; all others are kept as they are written.
    pub changes: Vec<(SecretString, FieldChange)>,
    /// As of [`PutSecret`].
    pub label: Option<SecretLabel>,
    /// As of [`PutSecret`].
    pub validity: Validity,
}

/// What becomes of a field.
#[derive(Debug)]
pub enum FieldChange {
    /// There was none of this name: a string.
    Add(SecretString),
    /// It is not there any more.
    Remove,
    /// Another value. A field that is a string becomes this string; any other becomes this JSON.
    Write(SecretString),
}

/// Why a field cannot be changed like this. Says nothing of what it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldWrong {
    /// There is one already, which was perhaps not listed.
    #[error("there is a field of this name")]
    Known,
    /// It is no string, so what is written there has to be JSON.
    #[error("this field is no text: write JSON")]
    NotJson,
    /// There is none of this name to be written or removed.
    #[error("there is no such field")]
    NotThere,
    /// The version is a template, and this is none.
    #[error(transparent)]
    Template(TemplateError),
}

/// Why no field was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditFieldsError {
    /// One of the changes cannot be made.
    #[error("change {at}: {wrong}")]
    Field {
        /// Its place among them, from 0.
        at: usize,
        /// Why.
        wrong: FieldWrong,
    },
    /// The current version is not a JSON object.
    #[error("the value is no JSON object: it has no fields")]
    NoObject,
    /// No field is named.
    #[error("name at least one field")]
    Nothing,
    /// The version cannot be put.
    #[error(transparent)]
    Put(PutError),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// With these changes it is no template.
    #[error(transparent)]
    Template(TemplateError),
    /// The current version is not read.
    #[error(transparent)]
    Unread(ReadSecretError),
    /// With these changes it is no value.
    #[error(transparent)]
    Value(ValueError),
}
carries_refused!(EditFieldsError);

impl From<PutError> for EditFieldsError {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Refused(refused) => Self::Refused(refused),
            other => Self::Put(other),
        }
    }
}

impl From<ReadSecretError> for EditFieldsError {
    fn from(error: ReadSecretError) -> Self {
        match error {
            ReadSecretError::Refused(refused) => Self::Refused(refused),
            other => Self::Unread(other),
        }
    }
}

/// What one attempt came to.
enum Try {
    Anew,
    Failed(EditFieldsError),
}

impl From<Attempt> for Try {
    fn from(attempt: Attempt) -> Self {
        match attempt {
            Attempt::Anew => Self::Anew,
            Attempt::Failed(error) => Self::Failed(error.into()),
        }
    }
}
impl From<EditFieldsError> for Try {
    fn from(error: EditFieldsError) -> Self {
        Self::Failed(error)
    }
}
impl From<Refused> for Try {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}
carries_refused!(Try);

impl Domain {
    /// Puts a version that is the current one with other fields. Whoever does it may read the value, too; what is kept
    /// leaves for nobody.
    pub async fn edit_secret_fields(
        &self,
        op: &Op,
        id: SecretId,
        edit: EditFields,
    ) -> Result<Put, EditFieldsError> {
        if edit.changes.is_empty() {
            return Err(EditFieldsError::Nothing);
        }
        if edit.label.as_ref().is_some_and(|label| label.as_str() == SecretLabel::PREVIOUS) {
            return Err(PutError::Previous.into());
        }
        let edit = Arc::new(edit);
        for _ in 0..TRIES {
            let resource = self.secret_as_resource(&Address::Id(id)).await?;
            match self.edit_once(op, resource, &edit).await {
                Ok(done) => return Ok(done),
                Err(Try::Anew) => {}
                Err(Try::Failed(error)) => return Err(error),
            }
        }
        Err(PutError::Stale.into())
    }

    async fn edit_once(&self, op: &Op, resource: Resource, edit: &Arc<EditFields>) -> Result<Put, Try> {
        let concerned = With { what: resource, also: (Action::ReadSecret, resource) };
        let (edit, keyring) = (Arc::clone(edit), Arc::clone(self.keyring()));
        let most = self.settings().max_value;
        let putting = Putting::of(self, op).edited(edit.told());
        self.change(op, Action::PutSecret, &concerned, &[], move |tx, record| {
            let (edit, keyring, putting) = (Arc::clone(&edit), Arc::clone(&keyring), putting.clone());
            Box::pin(async move {
                let put = edit.put(tx, &record, &keyring, &resource, most).await?;
                Ok(putting.next(tx, &record, &resource, &put).await?)
            })
        })
        .await
    }
}

impl EditFields {
    /// Which fields it is about.
    fn told(&self) -> Edited {
        let names = |removed: bool| {
            let those = self.changes.iter().filter(|(_, it)| matches!(it, FieldChange::Remove) == removed);
            those.map(|(name, _)| name.expose()).collect::<Vec<_>>().join(", ")
        };
        Edited { version: self.version, written: names(false), removed: names(true) }
    }

    /// What is put, if what is current is what was seen.
    async fn put(
        &self,
        tx: &mut Tx,
        record: &Record,
        keyring: &Keyring,
        resource: &Resource,
        most: usize,
    ) -> Result<PutSecret, EditFieldsError> {
        let (secret, version) = meant(tx, resource, &Which::default()).await?;
        if version.number != self.version {
            return Err(PutError::Stale.into());
        }
        version.readable(record.now())?;
        // Destroyed since the look above.
        let before = open(tx, keyring, &secret, &version).await?.ok_or(PutError::Stale)?;
        Ok(PutSecret {
            value: self.applied(&version, &before)?.within(most).map_err(EditFieldsError::Value)?,
            label: self.label.clone(),
            expected: Some(Expected::Number(self.version)),
            validity: self.validity,
            about: About::default(),
        })
    }

    /// The value with its changes.
    fn applied(&self, version: &Version, before: &SecretBytes) -> Result<NewValue, EditFieldsError> {
        let object = if version.kind == SecretKind::Json { Object::of(before) } else { None };
        let object = object.ok_or(EditFieldsError::NoObject)?;
        let mut changes = Vec::with_capacity(self.changes.len());
        for (at, (name, change)) in self.changes.iter().enumerate() {
            let value = json(object.sort(name.expose()), change, version.template);
            changes.push((name.expose(), value.map_err(|wrong| EditFieldsError::Field { at, wrong })?));
        }
        let content_type = Some(version.content_type.clone());
        let value = NewValue::new(SecretKind::Json, content_type, object.with(&changes));
        let value = value.map_err(EditFieldsError::Value)?;
        if version.template { value.into_template().map_err(EditFieldsError::Template) } else { Ok(value) }
    }
}

/// What is to stand in a field, as JSON; nothing for one that goes.
fn json(
    now: Option<FieldSort>,
    change: &FieldChange,
    template: bool,
) -> Result<Option<Zeroizing<String>>, FieldWrong> {
    let text = match (change, now) {
        (FieldChange::Add(_), Some(_)) => return Err(FieldWrong::Known),
        (FieldChange::Remove | FieldChange::Write(_), None) => return Err(FieldWrong::NotThere),
        (FieldChange::Remove, Some(_)) => return Ok(None),
        (FieldChange::Add(text), None) | (FieldChange::Write(text), Some(_)) => text.expose(),
    };
    if template {
        Template::parse(text).map_err(FieldWrong::Template)?;
    }
    if matches!(now, None | Some(FieldSort::Text)) {
        return Ok(Some(quoted(text)));
    }
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| FieldWrong::NotJson)?;
    Ok(Some(Zeroizing::new(text.trim().to_owned())))
}
