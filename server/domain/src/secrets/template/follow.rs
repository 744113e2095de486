//! Following the references of a template to what they lead to now. No value is opened.
//!
//! A reading follows them twice: first outside of its write, where who asks is asked about, then within, where nothing is
//! read but what was asked about.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use keywarden_model::secret::Reference;
use keywarden_model::{SecretKind, SecretLabel, SecretVersionId, VersionState};
use keywarden_store::secrets::references::{self, ReferenceRow};
use keywarden_store::secrets::versions_labelled;
use keywarden_store::{Conn, Tx};

use super::{DEEPEST, MOST_REFERENCES, Unresolved, address_of, reference_of};
use crate::refused::carries_refused;
use crate::secrets::read::ReadSecretError;
use crate::secrets::secret::{Secret, Version, find};
use crate::{Action, Domain, Op, Refused, Resource};

/// A reference, and what it leads to.
#[derive(Debug)]
pub(in crate::secrets) struct Lead {
    pub(super) reference: Reference,
    pub(super) secret: Secret,
    pub(super) version: Version,
    /// What that refers to in turn, if it is a template.
    pub(super) leads: Vec<Self>,
}

/// Why references were not followed to their ends.
pub(in crate::secrets) enum Halt {
    /// One leads to what was not asked about.
    Anew,
    Failed(ReadSecretError),
}

impl From<Refused> for Halt {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}
impl From<ReadSecretError> for Halt {
    fn from(error: ReadSecretError) -> Self {
        Self::Failed(error)
    }
}
carries_refused!(Halt);

/// Who says what may be read.
pub(in crate::secrets) enum Guide<'a> {
    /// It was asked before about these, and this is the write that reads them.
    Asked { tx: &'a mut Tx, permitted: &'a [Resource] },
    /// The rules, about each.
    Asks { domain: &'a Domain, op: &'a Op },
}

impl Guide<'_> {
    async fn references(&mut self, version: SecretVersionId) -> Result<Vec<ReferenceRow>, Refused> {
        Ok(match self {
            Self::Asked { tx, .. } => references::references(tx, version).await?,
            Self::Asks { domain, .. } => {
                references::references(&mut domain.store().read().await?, version).await?
            }
        })
    }

    async fn look(&mut self, reference: &Reference) -> Result<Option<(Secret, Option<Version>)>, Refused> {
        match self {
            Self::Asked { tx, .. } => look(tx, reference).await,
            Self::Asks { domain, .. } => look(&mut domain.store().read().await?, reference).await,
        }
    }

    async fn may(&mut self, resource: &Resource) -> Result<Result<(), Unresolved>, Halt> {
        match self {
            Self::Asked { permitted, .. } if permitted.contains(resource) => Ok(Ok(())),
            Self::Asked { .. } => Err(Halt::Anew),
            Self::Asks { domain, op } => match domain.authorize(op, Action::ReadSecret, resource).await {
                Ok(_permit) => Ok(Ok(())),
                Err(Refused::Forbidden(_)) => Ok(Err(Unresolved::Forbidden)),
                Err(Refused::NotFound) => Ok(Err(Unresolved::Missing)),
                Err(refused) => Err(refused.into()),
            },
        }
    }
}

/// The secret that a reference names, deleted or not, and its current version.
async fn look(conn: &mut Conn, reference: &Reference) -> Result<Option<(Secret, Option<Version>)>, Refused> {
    let Some(row) = find(conn, &address_of(reference)).await? else { return Ok(None) };
    let secret = Secret::from_row(row)?;
    let current = versions_labelled(conn, &[secret.id], SecretLabel::CURRENT).await?.pop();
    let deleted = secret.deletion.is_some();
    let version = current.map(|row| Version::from_row(row, deleted)).transpose()?;
    Ok(Some((secret, version)))
}

/// One walk along the references of a template, of what they lead to, and so on.
pub(in crate::secrets) struct Walk<'a> {
    guide: Guide<'a>,
    now: DateTime<Utc>,
    /// How many references may still be followed.
    left: usize,
    /// The templates that lead to where it is, and what they are called.
    way: Vec<(SecretVersionId, String)>,
}

impl<'a> Walk<'a> {
    /// Follows the references of a version to all their ends.
    pub(in crate::secrets) async fn from(
        guide: Guide<'a>,
        now: DateTime<Utc>,
        (secret, version): (&Secret, &Version),
    ) -> Result<Vec<Lead>, Halt> {
        let way = vec![(version.id, named(secret))];
        Self { guide, now, left: MOST_REFERENCES, way }.leads(version.id).await
    }

    fn leads(&mut self, version: SecretVersionId) -> BoxFuture<'_, Result<Vec<Lead>, Halt>> {
        Box::pin(async move {
            let rows = self.guide.references(version).await?;
            let mut leads = Vec::with_capacity(rows.len());
            for row in &rows {
                leads.push(self.lead(reference_of(row)?).await?);
            }
            Ok(leads)
        })
    }

    async fn lead(&mut self, reference: Reference) -> Result<Lead, Halt> {
        let (secret, version) = self.target(&reference).await?.map_err(|why| {
            let reference = reference.to_string();
            ReadSecretError::Unresolved { reference, why }
        })?;
        let mut leads = Vec::new();
        if version.template {
            self.way.push((version.id, named(&secret)));
            leads = self.leads(version.id).await?;
            self.way.pop();
        }
        Ok(Lead { reference, secret, version, leads })
    }

    /// What a reference leads to, if that is read now. Nothing of it is told before it is said that it may be.
    async fn target(&mut self, reference: &Reference) -> Result<Result<(Secret, Version), Unresolved>, Halt> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(Err(Unresolved::TooMany)) };
        self.left = left;
        let Some((secret, current)) = self.guide.look(reference).await? else {
            return Ok(Err(Unresolved::Missing));
        };
        Ok(match self.guide.may(&secret.resource()).await? {
            Ok(()) => self.readable(&secret, current).map(|version| (secret, version)),
            Err(why) => Err(why),
        })
    }

    fn readable(&self, secret: &Secret, current: Option<Version>) -> Result<Version, Unresolved> {
        if secret.deletion.is_some() {
            return Err(Unresolved::Deleted);
        }
        let version = current.ok_or(Unresolved::NoCurrent)?;
        let (number, state) = (version.number, version.state);
        if state != VersionState::Enabled {
            return Err(Unresolved::Shut { number, state });
        }
        if let Some(outside) = version.validity.outside(self.now) {
            return Err(Unresolved::Outside { number, outside });
        }
        if version.kind == SecretKind::Binary {
            return Err(Unresolved::Binary);
        }
        if let Some(at) = self.way.iter().position(|(id, _)| *id == version.id) {
            let names = self.way.iter().skip(at).map(|(_, name)| name.clone());
            return Err(Unresolved::Cycle(names.chain([named(secret)]).collect()));
        }
        if self.way.len() > DEEPEST { Err(Unresolved::Deep) } else { Ok(version) }
    }
}

/// As a reference to it is written.
fn named(secret: &Secret) -> String {
    format!("{}/{}/{}", secret.project_slug, secret.environment_slug, secret.path)
}

/// All that leads lead to, each once.
pub(in crate::secrets) fn resources(leads: &[Lead]) -> Vec<Resource> {
    let mut found = Vec::new();
    for lead in leads {
        for resource in [lead.secret.resource()].into_iter().chain(resources(&lead.leads)) {
            if !found.contains(&resource) {
                found.push(resource);
            }
        }
    }
    found
}

/// The versions that leads lead to, in the order of the texts.
pub(in crate::secrets) fn sources(leads: &[Lead]) -> Vec<SecretVersionId> {
    leads.iter().flat_map(|lead| [lead.version.id].into_iter().chain(sources(&lead.leads))).collect()
}
