use std::sync::Arc;

use keywarden_model::{SecretId, SecretKind, SecretLabel};
use keywarden_store::Tx;
use keywarden_vault::{Keyring, SecretBytes, SecretString};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::object::{FieldSort, Object, quoted};
use super::patch::MergePatch;
use crate::audit::Record;
use crate::change::With;
use crate::refused::carries_refused;
use crate::secrets::about::About;
use crate::secrets::put::{Attempt, Edited, Expected, Put, PutError, PutSecret, Putting};
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
        let EditFields { version, changes, label, validity } = edit;
        if changes.is_empty() {
            return Err(EditFieldsError::Nothing);
        }
        let expected = Some(Expected::Number(version));
        let edit = Edit { changes: Changes::Each(changes), expected, label, validity };
        self.put_edited(op, &Address::Id(id), edit).await
    }

    pub(super) async fn put_edited(
        &self,
        op: &Op,
        address: &Address,
        edit: Edit,
    ) -> Result<Put, EditFieldsError> {
        if edit.label.as_ref().is_some_and(|label| label.as_str() == SecretLabel::PREVIOUS) {
            return Err(PutError::Previous.into());
        }
        let edit = Arc::new(edit);
        for _ in 0..MOST_TRIES {
            let resource = self.secret_as_resource(address).await?;
            match self.edit_once(op, resource, &edit).await {
                Ok(done) => return Ok(done),
                Err(Try::Anew) => {}
                Err(Try::Failed(error)) => return Err(error),
            }
        }
        Err(PutError::Stale.into())
    }

    async fn edit_once(&self, op: &Op, resource: Resource, edit: &Arc<Edit>) -> Result<Put, Try> {
        let concerned = With { what: resource, also: (Action::ReadSecret, resource) };
        let (edit, keyring) = (Arc::clone(edit), Arc::clone(self.keyring()));
        let most = self.settings().max_value;
        let putting = Putting::of(self, op);
        self.change(op, Action::PutSecret, &concerned, &[], move |tx, record| {
            let (edit, keyring, putting) = (Arc::clone(&edit), Arc::clone(&keyring), putting.clone());
            Box::pin(async move {
                let (put, edited) = edit.put(tx, &record, &keyring, &resource, most).await?;
                match putting.edited(edited).next(tx, &record, &resource, &put).await {
                    // Somebody was faster; whoever has seen no version in particular changes what they put.
                    Err(Attempt::Failed(PutError::Stale)) if edit.expected.is_none() => Err(Try::Anew),
                    done => Ok(done?),
                }
            })
        })
        .await
    }
}

/// How often others may be faster, of whom each leaves something else to be changed.
const MOST_TRIES: u32 = 16;

/// What is changed of a version, in whichever way it was said.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) changes: Changes,
    /// What must be current.
    pub(super) expected: Option<Expected>,
    pub(super) label: Option<SecretLabel>,
    pub(super) validity: Validity,
}

#[derive(Debug)]
pub(super) enum Changes {
    /// Field by field; each of them must fit what is there.
    Each(Vec<(SecretString, FieldChange)>),
    /// Whatever is there.
    Merged(MergePatch),
}

impl Edit {
    /// What is put and which fields that is about, if what is current is what was seen.
    async fn put(
        &self,
        tx: &mut Tx,
        record: &Record,
        keyring: &Keyring,
        resource: &Resource,
        most: usize,
    ) -> Result<(PutSecret, Edited), EditFieldsError> {
        let (secret, version) = meant(tx, resource, &Which::default()).await?;
        let is_seen = match self.expected {
            None => true,
            Some(Expected::Nothing) => false,
            Some(Expected::Number(number)) => version.number == number,
            Some(Expected::Version(id)) => version.id == id,
        };
        if !is_seen {
            return Err(PutError::Stale.into());
        }
        version.readable(record.now())?;
        // Destroyed since the look above.
        let before = open(tx, keyring, &secret, &version).await?.ok_or(PutError::Stale)?;
        let (value, edited) = self.applied(&version, &before)?;
        let put = PutSecret {
            value: value.within(most).map_err(EditFieldsError::Value)?,
            label: self.label.clone(),
            expected: Some(Expected::Number(version.number)),
            validity: self.validity,
            about: About::default(),
        };
        Ok((put, edited))
    }

    /// The value with its changes.
    fn applied(
        &self,
        version: &Version,
        before: &SecretBytes,
    ) -> Result<(NewValue, Edited), EditFieldsError> {
        let object = if version.kind == SecretKind::Json { Object::of(before) } else { None };
        let object = object.ok_or(EditFieldsError::NoObject)?;
        let Applied { after, written, removed } = match &self.changes {
            Changes::Each(changes) => each(&object, changes, version.template)?,
            Changes::Merged(patch) => patch.applied(&object).ok_or(EditFieldsError::Nothing)?,
        };
        let content_type = Some(version.content_type.clone());
        let value = NewValue::new(SecretKind::Json, content_type, after).map_err(EditFieldsError::Value)?;
        let value =
            if version.template { value.into_template().map_err(EditFieldsError::Template)? } else { value };
        Ok((value, Edited { version: version.number, written, removed }))
    }
}

/// A value after a change, and the names of the fields that were written and removed.
pub(super) struct Applied {
    pub(super) after: SecretBytes,
    pub(super) written: String,
    pub(super) removed: String,
}

fn each(
    object: &Object<'_>,
    all: &[(SecretString, FieldChange)],
    template: bool,
) -> Result<Applied, EditFieldsError> {
    let mut changes = Vec::with_capacity(all.len());
    for (at, (name, change)) in all.iter().enumerate() {
        let value = json(object.sort(name.expose()), change, template);
        changes.push((name.expose(), value.map_err(|wrong| EditFieldsError::Field { at, wrong })?));
    }
    let names = |removed: bool| {
        let those = all.iter().filter(|(_, it)| matches!(it, FieldChange::Remove) == removed);
        those.map(|(name, _)| name.expose()).collect::<Vec<_>>().join(", ")
    };
    Ok(Applied { after: object.with(&changes), written: names(false), removed: names(true) })
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
