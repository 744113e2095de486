//! Carrying a value from one environment to another: read here, put there, in one write that tells both.

use std::sync::Arc;

use keywarden_model::{EnvironmentId, KeyringKeyId, ProjectId, SecretId, VersionState};
use keywarden_store::secrets as rows;
use keywarden_store::{Tx, Written};
use keywarden_vault::{Keyring, Purpose};

use super::about::About;
use super::put::{Attempt, Expected, Origin, Put, PutError, PutSecret, Putting, TRIES};
use super::read::{ReadSecretError, Which, may_be_read, meant, open, reasoned};
use super::secret::{Address, Secret, damaged, find};
use super::validity::{Outside, Validity};
use super::value::NewValue;
use crate::audit::Record;
use crate::change::With;
use crate::keys::Place;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// What is carried where.
#[derive(Debug, Clone)]
pub struct Promotion {
    /// To this environment of the same project, to the same path.
    pub to: Place,
    /// The number of the version that must be current where it comes from.
    pub version: i64,
    /// What must be there where it goes to.
    pub expected: Option<Expected>,
}

/// Why nothing was carried.
#[derive(Debug, thiserror::Error)]
pub enum PromoteError {
    /// It is there already.
    #[error("choose another environment: the secret lives in this one")]
    Here,
    /// The environment that it comes from asks why its values are read, and nothing was said.
    #[error("this environment asks why its values are read: give a reason of 3 to 200 characters")]
    NoReason,
    /// The current version is read within its time only, and not now.
    #[error("version {number} {outside}")]
    Outside {
        /// The version.
        number: i64,
        /// Which side of its time this is.
        outside: Outside,
    },
    /// Nothing can be put there.
    #[error(transparent)]
    Put(PutError),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// What is current there has this value, for as long.
    #[error("the secret has this value there already")]
    Same,
    /// The current version is not read, so it is not carried either.
    #[error("version {number} is {state}: it cannot be read")]
    Shut {
        /// The version.
        number: i64,
        /// Its state.
        state: VersionState,
    },
    /// Another version is current than was seen, here or there.
    #[error("the secret was changed meanwhile: look at it again, then decide")]
    Stale,
}
carries_refused!(PromoteError);

impl From<PutError> for PromoteError {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Refused(refused) => Self::Refused(refused),
            PutError::Stale => Self::Stale,
            other => Self::Put(other),
        }
    }
}

impl From<ReadSecretError> for PromoteError {
    fn from(error: ReadSecretError) -> Self {
        match error {
            ReadSecretError::NoReason => Self::NoReason,
            ReadSecretError::Outside { number, outside } => Self::Outside { number, outside },
            ReadSecretError::Refused(refused) => Self::Refused(refused),
            ReadSecretError::Shut { number, state } => Self::Shut { number, state },
            // What is carried is the text as it is.
            ReadSecretError::Unresolved { .. } => Self::Refused(Fault::Unexpected(error.to_string()).into()),
        }
    }
}

/// What one attempt came to.
enum Try {
    Anew,
    Failed(PromoteError),
}

impl From<Attempt> for Try {
    fn from(attempt: Attempt) -> Self {
        match attempt {
            Attempt::Anew => Self::Anew,
            Attempt::Failed(error) => Self::Failed(error.into()),
        }
    }
}
impl From<PromoteError> for Try {
    fn from(error: PromoteError) -> Self {
        Self::Failed(error)
    }
}
impl From<Refused> for Try {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}
carries_refused!(Try);

/// What each attempt begins with.
#[derive(Clone)]
struct Carrying {
    source: Resource,
    to: EnvironmentId,
    version: i64,
    expected: Option<Expected>,
    putting: Putting,
    keyring: Arc<Keyring>,
}

impl Domain {
    /// Puts the current value of a secret to the same path of another environment of its project. Who does it may read
    /// here and put there. Where there is no secret yet, one is made with this one's description, tags and owner.
    pub async fn promote_secret(
        &self,
        op: &Op,
        id: SecretId,
        promotion: Promotion,
    ) -> Result<Put, PromoteError> {
        let source = self.secret_as_resource(&Address::Id(id)).await?;
        // Whoever may not see it learns nothing of where else it could go.
        let _permit = self.authorize(op, Action::ViewSecret, &source).await?;
        let Resource::Secret { project, environment, .. } = source else {
            return Err(Refused::NotFound.into());
        };
        let home = self.place(&promotion.to).await?;
        if home.project_id != project {
            return Err(Refused::NotFound.into());
        }
        let to = home.environment_id;
        if to == environment {
            return Err(PromoteError::Here);
        }
        let mut conn = self.store().read().await?;
        let row = find(&mut conn, &Address::Id(id)).await?.ok_or(Refused::NotFound)?;
        drop(conn);
        let path = Secret::from_row(row)?.path;
        let target = Address::Path { place: Place::Environment(to), path };
        let Promotion { version, expected, .. } = promotion;
        let (putting, keyring) = (Putting::of(self, op), Arc::clone(self.keyring()));
        let carrying = Carrying { source, to, version, expected, putting, keyring };
        for _ in 0..TRIES {
            let done = match self.found_secret(&target).await? {
                Some(target) => self.carry_to_next(op, target, carrying.clone()).await,
                None => self.carry_to_first(op, project, carrying.clone()).await,
            };
            match done {
                Ok(done) => return Ok(done),
                Err(Try::Anew) => {}
                Err(Try::Failed(error)) => return Err(error),
            }
        }
        Err(PromoteError::Stale)
    }

    async fn carry_to_first(&self, op: &Op, project: ProjectId, carrying: Carrying) -> Result<Put, Try> {
        let id: SecretId = self.fresh(op);
        let to = carrying.to;
        let what = Resource::Environment { id: to, project };
        let concerned = With { what, also: (Action::ReadSecret, carrying.source) };
        self.change(op, Action::CreateSecret, &concerned, &[], move |tx, record| {
            let carrying = carrying.clone();
            Box::pin(async move {
                let (secret, put) = carrying.take(tx, &record).await?;
                let about = About {
                    description: secret.description.clone(),
                    tags: secret.tags.clone(),
                    owner: Some(secret.owner),
                };
                let put = PutSecret { about, ..put };
                let putting = carrying.putting(&secret);
                let written = putting.first(tx, &record, (to, id), &secret.path, &put).await?;
                carrying.and_told(&record, &secret, written)
            })
        })
        .await
    }

    async fn carry_to_next(&self, op: &Op, target: Resource, carrying: Carrying) -> Result<Put, Try> {
        let concerned = With { what: target, also: (Action::ReadSecret, carrying.source) };
        self.change(op, Action::PutSecret, &concerned, &[], move |tx, record| {
            let carrying = carrying.clone();
            Box::pin(async move {
                let (secret, put) = carrying.take(tx, &record).await?;
                if let Resource::Secret { id, .. } = target
                    && carrying.is_there(tx, id, &put).await?
                {
                    return Err(PromoteError::Same.into());
                }
                let putting = carrying.putting(&secret);
                let written = putting.next(tx, &record, &target, &put).await?;
                carrying.and_told(&record, &secret, written)
            })
        })
        .await
    }
}

impl Carrying {
    /// The value, if what is current is what was seen.
    async fn take(&self, tx: &mut Tx, record: &Record) -> Result<(Secret, PutSecret), Try> {
        let (secret, version) = meant(tx, &self.source, &Which::default()).await?;
        if version.number != self.version {
            return Err(PromoteError::Stale.into());
        }
        version.readable(record.now()).map_err(PromoteError::from)?;
        may_be_read(record, &secret).map_err(PromoteError::from)?;
        let value = open(tx, &self.keyring, &secret, &version).await?;
        let shut = PromoteError::Shut { number: version.number, state: VersionState::Destroyed };
        let value = value.ok_or(shut)?;
        let (value, validity) = (NewValue::again(&version, value)?, version.validity);
        let about = About::default();
        let put = PutSecret { value, label: None, expected: self.expected, validity, about };
        Ok((secret, put))
    }

    /// Whether what is current there has the value already, for as long.
    async fn is_there(&self, tx: &mut Tx, target: SecretId, put: &PutSecret) -> Result<bool, Try> {
        let Some(there) = rows::current_fingerprint(tx, target).await? else { return Ok(false) };
        let rows::CurrentFingerprint {
            fingerprint_key_id: key,
            fingerprint,
            not_before,
            expires_at,
            template,
        } = there;
        if Validity::of(not_before, expires_at) != put.validity || template != put.value.is_template() {
            return Ok(false);
        }
        let key: KeyringKeyId = key.parse().map_err(damaged)?;
        let Ok(tag) = <[u8; 32]>::try_from(fingerprint.as_slice()) else { return Ok(false) };
        let value = put.value.bytes().expose();
        let same = self.keyring.verify_mac(Purpose::SecretFingerprint, key, value, &tag);
        Ok(same.map_err(Fault::from)?)
    }

    fn putting(&self, secret: &Secret) -> Putting {
        self.putting.clone().from(Origin { secret: secret.id, version: self.version })
    }

    /// The reading is told like every other, with where the value went.
    fn and_told(&self, record: &Record, secret: &Secret, written: Written<Put>) -> Result<Written<Put>, Try> {
        let event = record
            .event(Action::ReadSecret.name(), "secret", secret.id)
            .project(secret.project)
            .fact("version", self.version)
            .fact("promoted_to", written.value().id);
        let event = reasoned(record, secret, event).map_err(PromoteError::from)?;
        Ok(written.and(event.finish()?))
    }
}
