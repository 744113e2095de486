//! Putting a value: the first one makes the secret, each further one a version.

use std::sync::Arc;

use keywarden_model::{EnvironmentId, SecretId, SecretLabel, SecretPath, SecretVersionId, Tags};
use keywarden_store::keys::Place as PlaceRow;
use keywarden_store::secrets::{self as rows, Insert};
use keywarden_store::{EventRow, StoreError, Tx, Written};
use keywarden_vault::{Keyring, SecretString};

use super::about::{About, may_own, tagging};
use super::labels::{MOST_LABELS, point};
use super::reuse::same_as;
use super::seal::{Fresh, Sealed, Wrapping};
use super::secret::{Address, Claimed, Labels, claim, current};
use super::validity::Validity;
use super::value::{NewValue, ValueError};
use crate::audit::{Fact, Record};
use crate::authz::Owner;
use crate::keys::Place;
use crate::once::Repeatable;
use crate::refused::carries_refused;
use crate::standards::{Breach, InForce, SecretStand};
use crate::{Action, Domain, Op, Refused, Resource, owner};

/// How often a put begins anew because the secret, or its project's key, came or went under it.
pub(super) const TRIES: u32 = 4;

/// What is put.
#[derive(Debug)]
pub struct PutSecret {
    /// The value.
    pub value: NewValue,
    /// The label of the new version; `None`: it becomes `current`, and the one before it `previous`. With another label
    /// `current` stays where it is.
    pub label: Option<SecretLabel>,
    /// What must be there before.
    pub expected: Option<Expected>,
    /// When it may be read; it never changes.
    pub validity: Validity,
    /// What is said about a secret that this makes. Of one that is there already nothing may be said.
    pub about: About,
}

/// What must be there for a value to be put or a secret to be deleted: check-and-set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// No secret at this path.
    Nothing,
    /// `current` points at the version of this number; 0: at none, as long as there is no secret.
    Number(i64),
    /// `current` points at this version.
    Version(SecretVersionId),
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// The secret.
    pub id: SecretId,
    /// The new version.
    pub version: SecretVersionId,
    /// Its number.
    pub number: i64,
    /// The newest version before it that has the same value, unless that could be guessed.
    pub same_as: Option<i64>,
}

impl Repeatable for Put {
    fn thing(&self) -> String {
        let same = self.same_as.map_or_else(String::new, |number| format!(" {number}"));
        format!("{} {} {}{same}", self.id, self.version, self.number)
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        let mut words = thing.split(' ');
        let (id, version, number) = (words.next()?, words.next()?, words.next()?);
        let same_as = words.next().map(str::parse).transpose().ok()?;
        Some(Self {
            id: id.parse().ok()?,
            version: version.parse().ok()?,
            number: number.parse().ok()?,
            same_as,
        })
    }
}

/// Why nothing was put.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// Only what makes a secret says what it is for and whose it is.
    #[error("this secret is there already: edit its description, tags and owner, and put the value alone")]
    About,
    /// The project is archived.
    #[error("this project is archived: nothing new is made in it")]
    Archived,
    /// The secret is deleted, and keeps its path until it is purged.
    #[error("this secret is deleted: restore it first")]
    Deleted,
    /// The project's key wrapped as many data keys as it may.
    #[error("the project's key has wrapped as many data keys as it may: rotate the project's key")]
    KeyExhausted,
    /// It would be read at no time.
    #[error("the value would have expired before it was put: let it expire later")]
    Lapsed,
    /// The team `operators` cannot be made: another team has its name.
    #[error("name an owner: a team or a person")]
    NoOwner,
    /// There is no such team or active person.
    #[error("the owner must be a team or an active person")]
    OwnerUnknown,
    /// `previous` goes where `current` was.
    #[error("`previous` follows `current` by itself: choose another label")]
    Previous,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It would break a standard that is in force there.
    #[error(transparent)]
    Standard(#[from] Breach),
    /// Something else is there than was expected.
    #[error("the secret was changed meanwhile: read it again, then decide")]
    Stale,
    /// The value is longer than values may be here, in bytes.
    #[error(transparent)]
    TooLong(ValueError),
    /// More labels than may be.
    #[error("use at most {MOST_LABELS} labels for a secret")]
    TooManyLabels,
    /// Another secret has the same path in another spelling.
    #[error(
        "another secret of this environment has this path in another spelling: use that one, or another path"
    )]
    Twin,
}
carries_refused!(PutError);

/// What one attempt came to.
pub(super) enum Attempt {
    /// The secret came or went, or its project's key was rotated, between the look and the write.
    Anew,
    Failed(PutError),
}

impl From<PutError> for Attempt {
    fn from(error: PutError) -> Self {
        Self::Failed(error)
    }
}
impl From<Refused> for Attempt {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}
carries_refused!(Attempt);

impl Domain {
    /// Puts a value. Whether this makes a secret or adds to one decides which permit is asked for.
    pub async fn put_secret(
        &self,
        op: &Op,
        place: &Place,
        path: &SecretPath,
        put: PutSecret,
    ) -> Result<Put, PutError> {
        if put.label.as_ref().is_some_and(|label| label.as_str() == SecretLabel::PREVIOUS) {
            return Err(PutError::Previous);
        }
        let value = put.value.within(self.settings().max_value).map_err(PutError::TooLong)?;
        let put = Arc::new(PutSecret { value, ..put });
        let address = Address::Path { place: place.clone(), path: path.clone() };
        for _ in 0..TRIES {
            let done = match self.found_secret(&address).await? {
                Some(resource) => self.put_version(op, resource, &put).await,
                None => self.put_first(op, place, path, &put).await,
            };
            match done {
                Ok(done) => return Ok(done),
                Err(Attempt::Anew) => {}
                Err(Attempt::Failed(error)) => return Err(error),
            }
        }
        Err(PutError::Stale)
    }

    async fn put_first(
        &self,
        op: &Op,
        place: &Place,
        path: &SecretPath,
        put: &Arc<PutSecret>,
    ) -> Result<Put, Attempt> {
        let place = self.place(place).await?;
        let environment = place.environment_id;
        let resource = Resource::Environment { id: environment, project: place.project_id };
        let id: SecretId = self.fresh(op);
        let (path, put) = (path.clone(), Arc::clone(put));
        let putting = Putting::of(self, op);
        self.change(op, Action::CreateSecret, &resource, &[], move |tx, record| {
            let (path, put, putting) = (path.clone(), Arc::clone(&put), putting.clone());
            Box::pin(async move { putting.first(tx, &record, (environment, id), &path, &put).await })
        })
        .await
    }

    async fn put_version(&self, op: &Op, resource: Resource, put: &Arc<PutSecret>) -> Result<Put, Attempt> {
        let (put, putting) = (Arc::clone(put), Putting::of(self, op));
        self.change(op, Action::PutSecret, &resource, &[], move |tx, record| {
            let (put, putting) = (Arc::clone(&put), putting.clone());
            Box::pin(async move { putting.next(tx, &record, &resource, &put).await })
        })
        .await
    }
}

/// Who puts, and what seals: what a write needs beside what is put.
#[derive(Clone)]
pub(super) struct Putting {
    by: String,
    keyring: Arc<Keyring>,
    /// Whose a secret becomes when nobody is named.
    asking: Option<Owner>,
    /// Where the value comes from, if from another secret.
    from: Option<Origin>,
    /// What was changed of the version before, if fields of it were.
    edited: Option<Edited>,
}

/// Fields of a version that were changed, by name.
#[derive(Debug, Clone)]
pub(super) struct Edited {
    pub(super) version: i64,
    pub(super) written: String,
    pub(super) removed: String,
}

/// The version of another secret whose value is put.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) secret: SecretId,
    pub(super) version: i64,
}

impl Putting {
    pub(super) fn of(domain: &Domain, op: &Op) -> Self {
        Self {
            by: op.actor.id(),
            keyring: Arc::clone(domain.keyring()),
            asking: owner::named_or_asking(None, &op.actor),
            from: None,
            edited: None,
        }
    }

    /// The value is that of a version, with other fields.
    pub(super) fn edited(self, edited: Edited) -> Self {
        Self { edited: Some(edited), ..self }
    }

    /// The value is that of another secret.
    pub(super) fn from(self, origin: Origin) -> Self {
        Self { from: Some(origin), ..self }
    }

    /// Makes a secret and its first version.
    pub(super) async fn first(
        &self,
        tx: &mut Tx,
        record: &Record,
        (environment, id): (EnvironmentId, SecretId),
        path: &SecretPath,
        put: &PutSecret,
    ) -> Result<Written<Put>, Attempt> {
        let place = keywarden_store::keys::place(tx, environment).await?.ok_or(Refused::NotFound)?;
        if place.archived_at.is_some() {
            return Err(PutError::Archived.into());
        }
        let wrapping = Wrapping::of(tx, record, &self.keyring, place.project_id).await?;
        let sealed = Sealed::of(record, &self.keyring, &wrapping, id, &put.value)?;
        let made = self.make(tx, record, &place, path, put, &sealed).await?;
        if !wrapping.count(tx, 1).await? {
            return Err(Attempt::Anew);
        }
        Ok(Written::new(made.put, made.event).and_all(wrapping.made).and_all(made.team))
    }

    /// Writes a secret that is not there yet, with the sealed value as its first version. The caller counts the data key.
    pub(super) async fn make(
        &self,
        tx: &mut Tx,
        record: &Record,
        place: &PlaceRow,
        path: &SecretPath,
        put: &PutSecret,
        sealed: &Sealed,
    ) -> Result<Made, Attempt> {
        let (environment, id, folded) = (place.environment_id, sealed.secret, path.folded());
        if let Some(other) = rows::find_by_path(tx, environment, &folded).await? {
            return Err(if other.path == path.as_str() { Attempt::Anew } else { PutError::Twin.into() });
        }
        if matches!(put.expected, Some(Expected::Number(1..) | Expected::Version(_))) {
            return Err(PutError::Stale.into());
        }
        put.lasts(record)?;
        let About { description, tags, owner } = &put.about;
        let settled = owner::settle(tx, record, owner.or(self.asking), id).await?;
        let (owner, team) = settled.ok_or(PutError::NoOwner)?;
        if !may_own(tx, owner).await? {
            return Err(PutError::OwnerUnknown.into());
        }
        let held = InForce::of(tx, place.project_id, &place.slug, &place.label).await?;
        let stand =
            SecretStand { path: path.as_str(), of_team: owner.is_team(), tags, since: Some(record.now()) };
        held.hold_secret(None, &stand, record.now()).map_err(PutError::Standard)?;
        let row = Insert {
            id,
            project: place.project_id,
            environment,
            path: path.as_str(),
            folded_path: &folded,
            description: description.as_str(),
            tags: &tagging(tags)?,
            owner_kind: owner.kind(),
            owner_id: &owner.to_string(),
            created_at: record.now(),
            created_by: &self.by,
        };
        rows::insert(tx, &row).await.map_err(|error| match error {
            // Somebody was faster between the look and the row.
            StoreError::Conflict(_) => Attempt::Anew,
            other => other.into(),
        })?;
        let label = put.label.clone().unwrap_or_else(SecretLabel::current);
        let current = label == SecretLabel::current();
        let fresh = Fresh { number: 1, current, by: &self.by, validity: put.validity };
        sealed.write(tx, record, &put.value, &fresh).await?;
        point(tx, record, id, &Labels::new(), &label, 1).await?;
        let mut event = self
            .told(record, Action::CreateSecret, id, put, (sealed.version, 1))
            .project(place.project_id)
            .fact("environment", environment)
            .change("owner", Fact::none(), owner::fact(owner))
            .tags(Some(&Tags::default()), tags)
            .text("path", path);
        if !description.as_str().is_empty() {
            event = event.text("description", description);
        }
        let put = Put { id, version: sealed.version, number: 1, same_as: None };
        Ok(Made { put, event: event.finish()?, team })
    }

    /// Adds a version to the secret that the permit is for.
    pub(super) async fn next(
        &self,
        tx: &mut Tx,
        record: &Record,
        permitted: &Resource,
        put: &PutSecret,
    ) -> Result<Written<Put>, Attempt> {
        let Resource::Secret { id, project, .. } = *permitted else { return Err(Attempt::Anew) };
        let wrapping = Wrapping::of(tx, record, &self.keyring, project).await?;
        // Before the row is taken: others wait for it.
        let sealed = Sealed::of(record, &self.keyring, &wrapping, id, &put.value)?;
        let it = claim_to_put(tx, permitted).await?;
        if !is_expected(tx, id, &it.labels, put.expected).await? {
            return Err(PutError::Stale.into());
        }
        if !put.about.is_empty() {
            return Err(PutError::About.into());
        }
        let (done, event) = self.add(tx, record, &it, put, &sealed).await?;
        if !wrapping.count(tx, 1).await? {
            return Err(Attempt::Anew);
        }
        Ok(Written::new(done, event).and_all(wrapping.made))
    }

    /// Writes the sealed value as the next version of a claimed secret. The caller counts the data key.
    pub(super) async fn add(
        &self,
        tx: &mut Tx,
        record: &Record,
        it: &Claimed,
        put: &PutSecret,
        sealed: &Sealed,
    ) -> Result<(Put, EventRow), Attempt> {
        put.lasts(record)?;
        let (id, project) = (it.secret.id, it.secret.project);
        let label = put.label.clone().unwrap_or_else(SecretLabel::current);
        if !it.labels.contains_key(&label) && it.labels.len() >= MOST_LABELS {
            return Err(PutError::TooManyLabels.into());
        }
        let number = it.secret.last_version.saturating_add(1);
        let becomes = label == SecretLabel::current();
        let same_as = same_as(tx, &self.keyring, id, &put.value).await?;
        let fresh = Fresh { number, current: becomes, by: &self.by, validity: put.validity };
        sealed.write(tx, record, &put.value, &fresh).await?;
        point(tx, record, id, &it.labels, &label, number).await?;
        let before = current(&it.labels);
        let after = if becomes { Some(number) } else { before };
        let event = self
            .told(record, Action::PutSecret, id, put, (sealed.version, number))
            .project(project)
            .change("current", before, after);
        Ok((Put { id, version: sealed.version, number, same_as }, event.finish()?))
    }

    /// What is told of a new version: everything but what it is.
    fn told(
        &self,
        record: &Record,
        action: Action,
        id: SecretId,
        put: &PutSecret,
        (version, number): (SecretVersionId, i64),
    ) -> crate::audit::Draft {
        let label = put.label.as_ref().map_or_else(|| Fact::word(SecretLabel::CURRENT), Into::into);
        let event = record
            .event(action.name(), "secret", id)
            .fact("version", number)
            .fact("version_id", version)
            .fact("kind", put.value.kind())
            .fact("label", label)
            .text("content_type", put.value.content_type());
        let event = if put.value.is_template() { event.fact("template", true) } else { event };
        let event = match put.validity.not_before() {
            Some(from) => event.fact("not_before", from),
            None => event,
        };
        let event = match put.validity.expires_at() {
            Some(until) => event.fact("expires_at", until),
            None => event,
        };
        let event = match &self.edited {
            Some(it) => event
                .fact("edited_version", it.version)
                .text("fields_written", &it.written)
                .text("fields_removed", &it.removed),
            None => event,
        };
        let event = event.with_reason();
        match self.from {
            Some(from) => event.fact("from", from.secret).fact("from_version", from.version),
            None => event,
        }
    }
}

impl PutSecret {
    /// A value that nobody could ever read is not kept.
    fn lasts(&self, record: &Record) -> Result<(), PutError> {
        if self.validity.is_over(record.now()) { Err(PutError::Lapsed) } else { Ok(()) }
    }
}

/// A secret that was just written.
pub(super) struct Made {
    pub(super) put: Put,
    pub(super) event: EventRow,
    /// The event of the house's own team, where it had to be made to own the secret.
    pub(super) team: Option<EventRow>,
}

/// Takes the row of a secret that may get a new version.
pub(super) async fn claim_to_put(tx: &mut Tx, permitted: &Resource) -> Result<Claimed, Attempt> {
    let it = match claim(tx, permitted).await {
        Ok(it) => it,
        // Purged between the look and the write: its path is free.
        Err(Refused::NotFound) => return Err(Attempt::Anew),
        Err(refused) => return Err(refused.into()),
    };
    if it.secret.archived {
        return Err(PutError::Archived.into());
    }
    if it.secret.deletion.is_some() {
        return Err(PutError::Deleted.into());
    }
    Ok(it)
}

/// Whether what is there is what was expected.
pub(super) async fn is_expected(
    tx: &mut Tx,
    secret: SecretId,
    labels: &Labels,
    expected: Option<Expected>,
) -> Result<bool, Refused> {
    let current = current(labels);
    Ok(match expected {
        None => true,
        Some(Expected::Nothing) => false,
        Some(Expected::Number(number)) => current.unwrap_or(0) == number,
        Some(Expected::Version(id)) => match current {
            Some(number) => rows::version(tx, secret, number).await?.is_some_and(|row| row.id == id),
            None => false,
        },
    })
}
