//! Reading a value: a change to the record, whose event commits before the value leaves.
//!
//! Of a template it is one for each secret that it refers to as well. Whether a version is one is seen within the write: all
//! others are read in one go, and of a template is then asked about what it refers to.

use std::fmt;
use std::sync::Arc;

use keywarden_model::{SecretId, SecretLabel, SecretPath, SecretVersionId, VersionState};
use keywarden_store::secrets as rows;
use keywarden_store::{Conn, EventRow, Tx, Written};
use keywarden_vault::{Keyring, ProjectKey, SealedValue, SecretBytes, SecretString, ValuePlace};
use sha2::{Digest as _, Sha256};

use super::put::TRIES;
use super::secret::{Address, Secret, Version, find, labels};
use super::template::{Guide, Halt, Lead, Unresolved, Walk, resolve, resources, sources};
use super::validity::Outside;
use crate::audit::{Draft, Fact, Record};
use crate::once::Repeatable;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Which version is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one that a label points at.
    Label(SecretLabel),
    /// The one of this number.
    Number(i64),
}

/// `current`.
impl Default for Which {
    fn default() -> Self {
        Self::Label(SecretLabel::current())
    }
}

/// What of a template is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum As {
    /// Its text as it was put.
    Raw,
    /// Its text with what it refers to.
    Resolved,
}

impl As {
    /// Resolved, unless it is to be raw.
    pub fn of(raw: bool) -> Self {
        if raw { Self::Raw } else { Self::Resolved }
    }
}

/// What of a value is given out, which is told with the reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// The names of its fields, and the value of this one.
    Field(String),
    /// All of it, in a file with others.
    File,
    /// The names of its fields.
    Names,
    /// All of it.
    Whole,
}

impl Part {
    /// A field's name is part of the value: the event keeps it as it keeps what tells of people.
    fn tell(&self, event: Draft) -> Draft {
        match self {
            Self::Field(name) => event.fact("part", Fact::word("field")).text("field", name),
            Self::File => event.fact("part", Fact::word("file")),
            Self::Names => event.fact("part", Fact::word("names")),
            Self::Whole => event,
        }
    }
}

/// What a value is known again by, for who may have it already: its version, and of a template that is resolved the versions
/// of all that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueTag {
    version: SecretVersionId,
    sources: Option<[u8; 16]>,
}

impl ValueTag {
    fn of(version: SecretVersionId, sources: Option<&[SecretVersionId]>) -> Self {
        let digest = |all: &[SecretVersionId]| {
            let mut digest = Sha256::new();
            for id in all {
                digest.update(id.to_string());
            }
            let whole: [u8; 32] = digest.finalize().into();
            whole.first_chunk().copied().unwrap_or_default()
        };
        Self { version, sources: sources.map(digest) }
    }
}

/// `sev_…`, with a template `sev_….…`.
impl fmt::Display for ValueTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sources {
            Some(digest) => write!(f, "{}.{}", self.version, hex::encode(digest)),
            None => write!(f, "{}", self.version),
        }
    }
}

/// A value, with what belongs to it.
#[derive(Debug)]
pub struct Revealed {
    /// The secret.
    pub id: SecretId,
    /// Where it lives.
    pub path: SecretPath,
    /// The version.
    pub version: Version,
    /// Its value, byte for byte; of a template with what it refers to, unless it was asked for raw.
    pub value: SecretBytes,
    /// The versions that went into it; of a template that was resolved.
    sources: Option<Vec<SecretVersionId>>,
}

impl Revealed {
    /// A value as it was put.
    pub(super) fn plain(secret: &Secret, version: Version, value: SecretBytes) -> Self {
        Self { id: secret.id, path: secret.path.clone(), version, value, sources: None }
    }

    /// A part of it in its place.
    pub(super) fn with(self, value: SecretBytes) -> Self {
        Self { value, ..self }
    }

    /// What it is known again by.
    pub fn tag(&self) -> ValueTag {
        ValueTag::of(self.version.id, self.sources.as_deref())
    }
}

/// A value is never kept for a replay.
impl Repeatable for Revealed {
    fn thing(&self) -> String {
        self.version.id.to_string()
    }
    fn again(_: &str, _: Option<SecretString>) -> Option<Self> {
        None
    }
}

/// Why no value was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadSecretError {
    /// The environment asks why its values are read, and nothing was said.
    #[error("this environment asks why its values are read: give a reason of 3 to 200 characters")]
    NoReason,
    /// The version is read within its time only.
    #[error("version {number} {outside}")]
    Outside {
        /// The version.
        number: i64,
        /// Which side of its time this is.
        outside: Outside,
    },
    /// As everywhere. A deleted secret is not found, nor is a version that never was.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The version is not read: it is disabled, deleted or destroyed.
    #[error("version {number} is {state}: it cannot be read")]
    Shut {
        /// The version.
        number: i64,
        /// Its state.
        state: VersionState,
    },
    /// It is a template, and this that it refers to is not resolved.
    #[error("the reference `{reference}` is not resolved: {why}")]
    Unresolved {
        /// As it is written, or as it is written in what the template refers to.
        reference: String,
        /// Why.
        why: Unresolved,
    },
}
carries_refused!(ReadSecretError);

impl Domain {
    /// Reads a value; a template with what it refers to.
    pub async fn read_secret(
        &self,
        op: &Op,
        address: &Address,
        which: &Which,
    ) -> Result<Revealed, ReadSecretError> {
        self.read_secret_as(op, address, which, As::Resolved).await
    }

    /// Reads a value, and says what of a template is wanted.
    pub async fn read_secret_as(
        &self,
        op: &Op,
        address: &Address,
        which: &Which,
        wanted: As,
    ) -> Result<Revealed, ReadSecretError> {
        self.read_part(op, address, which, wanted, &Part::Whole).await
    }

    /// Reads a value of which the caller gives out this part.
    pub(super) async fn read_part(
        &self,
        op: &Op,
        address: &Address,
        which: &Which,
        wanted: As,
        part: &Part,
    ) -> Result<Revealed, ReadSecretError> {
        let resource = self.secret_as_resource(address).await?;
        let mut permitted = Arc::new(vec![resource]);
        for _ in 0..TRIES {
            match self.read_once(op, &permitted, which, wanted, part).await {
                Ok(revealed) => return Ok(revealed),
                Err(Halt::Anew) => {}
                Err(Halt::Failed(error)) => return Err(error),
            }
            let (_, leads) = self.leads(op, &resource, which, wanted).await?;
            let more = leads.as_deref().map(resources).unwrap_or_default();
            permitted = Arc::new([vec![resource], more].concat());
        }
        let often = "what a template refers to changes too often to read it";
        Err(Fault::Unexpected(often.into()).into())
    }

    /// Reads it if all that it takes is permitted: asked about, one by one. The first one is the secret itself.
    async fn read_once(
        &self,
        op: &Op,
        permitted: &Arc<Vec<Resource>>,
        which: &Which,
        wanted: As,
        part: &Part,
    ) -> Result<Revealed, Halt> {
        let (asking, keyring) = ((which.clone(), part.clone()), Arc::clone(self.keyring()));
        let most = self.settings().max_value;
        let asked = Arc::clone(permitted);
        self.change(op, Action::ReadSecret, permitted.as_slice(), &[], move |tx, record| {
            let (asking, keyring, permitted) = (asking.clone(), Arc::clone(&keyring), Arc::clone(&asked));
            Box::pin(async move {
                let resource = permitted.first().ok_or(Refused::NotFound)?;
                let (which, part) = &asking;
                let (secret, revealed, event) = opened(tx, &record, &keyring, resource, which, part).await?;
                if wanted == As::Raw || !revealed.version.template {
                    return Ok(Written::new(revealed, event));
                }
                let whose = (&secret, &revealed.version);
                let guide = Guide::Asked { tx: &mut *tx, permitted: &permitted };
                let leads = Walk::from(guide, record.now(), whose).await?;
                let mut events = Vec::new();
                let with = (&record, &*keyring, most);
                let value = resolve(tx, with, whose, &revealed.value, &leads, &mut events).await?;
                let sources = Some(sources(&leads));
                Ok(Written::new(Revealed { value, sources, ..revealed }, event).and_all(events))
            })
        })
        .await
    }

    /// The version that is meant, and where its references lead, if they are wanted: each is asked about. No value is opened.
    async fn leads(
        &self,
        op: &Op,
        resource: &Resource,
        which: &Which,
        wanted: As,
    ) -> Result<(Version, Option<Vec<Lead>>), ReadSecretError> {
        let mut conn = self.store().read().await?;
        let (secret, version) = meant(&mut conn, resource, which).await?;
        // Who is asked may need a connection, too.
        drop(conn);
        if wanted == As::Raw || !version.template || !version.is_read(op.now) {
            return Ok((version, None));
        }
        match Walk::from(Guide::Asks { domain: self, op }, op.now, (&secret, &version)).await {
            Ok(leads) => Ok((version, Some(leads))),
            Err(Halt::Failed(error)) => Err(error),
            Err(Halt::Anew) => Err(Fault::Unexpected("a question was answered by none".into()).into()),
        }
    }

    /// What the value that a read would give now is known by, for callers who may have that value already: asked for like the
    /// value, but nothing is opened and nothing is told. `None`: a read would say why there is none.
    pub async fn secret_tag_meant(
        &self,
        op: &Op,
        address: &Address,
        which: &Which,
        wanted: As,
    ) -> Result<Option<ValueTag>, Refused> {
        let resource = self.secret_as_resource(address).await?;
        let _permit = self.authorize(op, Action::ReadSecret, &resource).await?;
        match self.leads(op, &resource, which, wanted).await {
            Ok((version, leads)) => {
                let tag = ValueTag::of(version.id, leads.as_deref().map(sources).as_deref());
                Ok(version.is_read(op.now).then_some(tag))
            }
            Err(ReadSecretError::Refused(refused)) => Err(refused),
            Err(
                ReadSecretError::NoReason
                | ReadSecretError::Outside { .. }
                | ReadSecretError::Shut { .. }
                | ReadSecretError::Unresolved { .. },
            ) => Ok(None),
        }
    }
}

/// The value of a version; `None` once it is destroyed. Whoever gives it to somebody tells of it in the same write.
pub(super) async fn open(
    conn: &mut Conn,
    keyring: &Keyring,
    secret: &Secret,
    version: &Version,
) -> Result<Option<SecretBytes>, Refused> {
    let Some(sealed) = rows::sealed(conn, version.id).await? else { return Ok(None) };
    let key = ProjectKey::open(keyring, sealed.project_key_id, secret.project, &sealed.project_key)
        .map_err(Fault::from)?;
    let place = ValuePlace { secret: secret.id, version: version.id };
    let sealed = SealedValue { wrapped_key: sealed.wrapped_key, ciphertext: sealed.ciphertext };
    Ok(Some(key.open_value(place, &sealed).map_err(Fault::from)?))
}

/// A value as it was put, with whose it is, and the event of its reading.
pub(super) async fn opened(
    tx: &mut Tx,
    record: &Record,
    keyring: &Keyring,
    permitted: &Resource,
    which: &Which,
    part: &Part,
) -> Result<(Secret, Revealed, EventRow), ReadSecretError> {
    let (secret, version) = meant(tx, permitted, which).await?;
    version.readable(record.now())?;
    let event = part.tell(reading(record, &secret, &version)?);
    let value = open(tx, keyring, &secret, &version).await?;
    // Destroyed since the look above.
    let shut = ReadSecretError::Shut { number: version.number, state: VersionState::Destroyed };
    let value = value.ok_or(shut)?;
    let event = match which {
        Which::Label(label) => event.fact("label", label),
        Which::Number(_) => event,
    };
    let revealed = Revealed::plain(&secret, version, value);
    Ok((secret, revealed, event.finish()?))
}

/// Begins the event of a reading. Every one of them passes here, whoever reads: where the environment asks for a reason
/// there is none without.
pub(super) fn reading(record: &Record, secret: &Secret, version: &Version) -> Result<Draft, ReadSecretError> {
    let event = record
        .event(Action::ReadSecret.name(), "secret", secret.id)
        .project(secret.project)
        .fact("version", version.number)
        .fact("version_id", version.id);
    reasoned(record, secret, event)
}

/// The event with the reason that was given.
pub(super) fn reasoned(record: &Record, secret: &Secret, event: Draft) -> Result<Draft, ReadSecretError> {
    may_be_read(record, secret)?;
    Ok(event.with_reason())
}

/// Whether a reason was given, where the environment asks for one. No policy decides it, and none can waive it.
pub(super) fn may_be_read(record: &Record, secret: &Secret) -> Result<(), ReadSecretError> {
    if secret.reads_need_reason && record.reason().is_none() {
        return Err(ReadSecretError::NoReason);
    }
    Ok(())
}

/// The version of a secret that is where the permit was given for, and not deleted.
pub(super) async fn meant(
    conn: &mut Conn,
    permitted: &Resource,
    which: &Which,
) -> Result<(Secret, Version), Refused> {
    let Resource::Secret { id, .. } = *permitted else { return Err(Refused::NotFound) };
    let row = find(conn, &Address::Id(id)).await?.ok_or(Refused::NotFound)?;
    let secret = Secret::from_row(row)?;
    if secret.resource() != *permitted || secret.deletion.is_some() {
        return Err(Refused::NotFound);
    }
    let number = match which {
        Which::Number(number) => *number,
        Which::Label(label) => {
            let labels = labels(rows::labels(conn, id).await?)?;
            *labels.get(label).ok_or(Refused::NotFound)?
        }
    };
    let row = rows::version(conn, id, number).await?.ok_or(Refused::NotFound)?;
    Ok((secret, Version::from_row(row, false)?))
}
