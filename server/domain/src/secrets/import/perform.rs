//! Doing what a plan says: all of it in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use keywarden_model::{SecretLabel, SecretPath};
use keywarden_store::secrets as rows;
use keywarden_store::{EventRow, Tx, Written};
use keywarden_vault::Keyring;

use super::plan::{Does, Plan, Step};
use super::{EntryOutcome, ImportError, ImportFile, Imported, PlannedEntry, Seen};
use crate::audit::{Fact, Record};
use crate::change::Records;
use crate::keys::Place;
use crate::policy::Regrants;
use crate::secrets::edit::{EditSecretError, SecretPatch, describe};
use crate::secrets::files::FileFormat;
use crate::secrets::put::{Attempt, Put, PutError, PutSecret, Putting, claim_to_put};
use crate::secrets::seal::{Sealed, Wrapping};
use crate::secrets::secret::current;
use crate::{Action, Domain, Op, Refused, Resource};

/// How often an import begins anew because something came or went under it.
const TRIES: u32 = 4;

/// What one attempt came to.
enum Outcome {
    /// What is there is not what the plan says.
    Anew,
    Failed(ImportError),
}

impl From<Refused> for Outcome {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}
crate::refused::carries_refused!(Outcome);

impl Domain {
    /// Imports a file: all of it, or nothing. With `seen` only if that is still so, for every entry of the file.
    pub async fn import_secrets(
        &self,
        op: &Op,
        place: &Place,
        file: &ImportFile,
        seen: Option<&Seen>,
    ) -> Result<Imported, ImportError> {
        for _ in 0..TRIES {
            let plan = self.plan_import(op, place, file).await?;
            // Who asks again finds what they did themselves: their answer comes first.
            if let Some(before) = self.answered(op).await? {
                return Ok(before);
            }
            if let Some(seen) = seen {
                let is_other = |(at, it): &(usize, &Step)| !seen.is_so(*at, &it.told);
                let other = plan.steps.iter().enumerate().filter(is_other);
                let other: Vec<_> = other.map(|(_, it)| it.told.path.clone()).collect();
                if !other.is_empty() {
                    return Err(ImportError::Changed(other));
                }
            }
            let refused = |it: &&Step| matches!(it.told.outcome, EntryOutcome::Refused(_));
            let refused: Vec<_> = plan.steps.iter().filter(refused).map(|it| it.told.clone()).collect();
            if !refused.is_empty() {
                return Err(ImportError::Entries(refused));
            }
            let mut questions = plan.questions();
            let regrants = self.regrants(Some(plan.project), &plan.moved()).await?;
            questions.extend(regrants.questions());
            if questions.is_empty() {
                return Ok(plan.done(plan.told()));
            }
            let (plan, format) = (Arc::new(plan), file.format);
            let (keyring, putting) = (Arc::clone(self.keyring()), Putting::of(self, op));
            let done = self
                .change_together(op, &questions, move |tx, records| {
                    let (plan, keyring, putting) = (Arc::clone(&plan), Arc::clone(&keyring), putting.clone());
                    let regrants = regrants.clone();
                    Box::pin(async move {
                        Writing { records, keyring, putting, format, regrants }.all(tx, &plan).await
                    })
                })
                .await;
            match done {
                Ok(done) => return Ok(done),
                Err(Outcome::Anew) => {}
                Err(Outcome::Failed(error)) => return Err(error),
            }
        }
        Err(ImportError::Changed(Vec::new()))
    }
}

impl Plan {
    /// What it came to, with its entries as they are now.
    fn done(&self, entries: Vec<PlannedEntry>) -> Imported {
        let count = |is: fn(&EntryOutcome) -> bool| {
            let counted = self.steps.iter().filter(|step| is(&step.told.outcome)).count();
            u32::try_from(counted).unwrap_or(u32::MAX)
        };
        Imported {
            created: count(|it| matches!(it, EntryOutcome::Create)),
            changed: count(|it| matches!(it, EntryOutcome::Change { .. })),
            unchanged: count(|it| matches!(it, EntryOutcome::Unchanged)),
            entries,
        }
    }
}

/// What a write of a plan needs.
struct Writing {
    records: Records,
    keyring: Arc<Keyring>,
    putting: Putting,
    format: FileFormat,
    regrants: Regrants,
}

impl Writing {
    async fn all(&self, tx: &mut Tx, plan: &Plan) -> Result<Written<Imported>, Outcome> {
        let place = keywarden_store::keys::place(tx, plan.environment).await?.ok_or(Refused::NotFound)?;
        if place.archived_at.is_some() {
            return Err(Outcome::Failed(ImportError::Archived));
        }
        if !keeps_stand(tx, plan).await? {
            return Err(Outcome::Anew);
        }
        let record = self.records.first()?;
        let wrapping = Wrapping::of(tx, &record, &self.keyring, plan.project);
        let wrapping = wrapping.await.map_err(|why| failed("", why))?;
        // Before any row is taken: others wait for them.
        let sealed = self.sealed(plan, &record, &wrapping)?;
        let mut order: Vec<_> = plan.steps.iter().zip(&sealed).enumerate().collect();
        order.sort_by(|(_, (one, _)), (_, (other, _))| one.folded.cmp(&other.folded));
        let (mut entries, mut events, mut data_keys) = (plan.told(), Vec::new(), 0_usize);
        for (at, (step, sealed)) in order {
            let wrote = match (&step.does, sealed) {
                (Does::Create { path, put, .. }, Some(sealed)) => {
                    self.create(tx, &place, path, put, sealed).await
                }
                (Does::Change { resource, put, patch, .. }, sealed) => {
                    let put = put.as_ref().zip(sealed.as_ref());
                    self.change(tx, resource, step.told.current, put, patch.as_ref()).await
                }
                _ => continue,
            };
            let wrote = wrote.map_err(|why| anew_or_failed(&step.told.path, why))?;
            data_keys = data_keys.saturating_add(wrote.put.is_some().into());
            events.extend(wrote.events);
            if let (Some(told), Some(put)) = (entries.get_mut(at), wrote.put) {
                (told.secret, told.current) = (Some(put.id), put.number);
            }
        }
        if !wrapping.count(tx, data_keys).await.map_err(|why| failed("", why))? {
            return Err(Outcome::Anew);
        }
        let done = plan.done(entries);
        let event = record
            .event("secret.import", "environment", plan.environment)
            .project(plan.project)
            .fact("created", done.created)
            .fact("changed", done.changed)
            .fact("unchanged", done.unchanged)
            .fact("format", Fact::word(self.format.as_str()))
            .finish()?;
        Ok(Written::new(done, event).and_all(events).and_all(wrapping.made))
    }

    /// The values, each sealed for a version of its own.
    fn sealed(
        &self,
        plan: &Plan,
        record: &Record,
        wrapping: &Wrapping,
    ) -> Result<Vec<Option<Sealed>>, Outcome> {
        let seal = |step: &Step| {
            let (secret, put) = match &step.does {
                Does::Create { id, put, .. }
                | Does::Change { resource: Resource::Secret { id, .. }, put: Some(put), .. } => (*id, put),
                _ => return Ok(None),
            };
            let sealed = Sealed::of(record, &self.keyring, wrapping, secret, &put.value);
            sealed.map(Some).map_err(|why| failed(&step.told.path, why))
        };
        plan.steps.iter().map(seal).collect()
    }

    async fn create(
        &self,
        tx: &mut Tx,
        place: &keywarden_store::keys::Place,
        path: &SecretPath,
        put: &PutSecret,
        sealed: &Sealed,
    ) -> Result<Wrote, Attempt> {
        let record = self.records.of(Action::CreateSecret)?;
        let made = self.putting.make(tx, record, place, path, put, sealed).await?;
        let events = std::iter::once(made.event).chain(made.team).collect();
        Ok(Wrote { put: Some(made.put), events })
    }

    async fn change(
        &self,
        tx: &mut Tx,
        resource: &Resource,
        seen: i64,
        put: Option<(&PutSecret, &Sealed)>,
        patch: Option<&SecretPatch>,
    ) -> Result<Wrote, Attempt> {
        let it = claim_to_put(tx, resource).await?;
        if current(&it.labels).unwrap_or(0) != seen {
            return Err(Attempt::Anew);
        }
        let mut wrote = Wrote { put: None, events: Vec::new() };
        if let Some((put, sealed)) = put {
            let record = self.records.of(Action::PutSecret)?;
            let (done, event) = self.putting.add(tx, record, &it, put, sealed).await?;
            wrote = Wrote { put: Some(done), events: vec![event] };
        }
        if let Some(patch) = patch {
            let record = self.records.of(Action::EditSecret)?;
            let event = describe(tx, record, &it.secret, patch, &self.regrants).await;
            let event = event.map_err(of_words)?;
            wrote.events.push(event);
        }
        Ok(wrote)
    }
}

/// Why nothing else can be said of a secret, as of a put.
fn of_words(why: EditSecretError) -> PutError {
    match why {
        EditSecretError::Deleted => PutError::Deleted,
        EditSecretError::OwnerUnknown => PutError::OwnerUnknown,
        EditSecretError::Refused(Refused::Stale) | EditSecretError::Stale => PutError::Stale,
        EditSecretError::Refused(refused) => PutError::Refused(refused),
        EditSecretError::Standard(breach) => PutError::Standard(breach),
    }
}

/// What came of one entry.
struct Wrote {
    put: Option<Put>,
    events: Vec<EventRow>,
}

/// Whether what needs no change is still there, with the versions that were compared.
async fn keeps_stand(tx: &mut Tx, plan: &Plan) -> Result<bool, Outcome> {
    let keeps = || plan.steps.iter().filter(|step| matches!(step.does, Does::Keep));
    let folded: Vec<_> = keeps().map(|step| step.folded.clone()).collect();
    if folded.is_empty() {
        return Ok(true);
    }
    let there = rows::find_by_paths(tx, plan.environment, &folded).await?;
    let there: BTreeMap<_, _> = there.into_iter().map(|row| (row.id, row.deleted_at.is_none())).collect();
    let ids: Vec<_> = there.keys().copied().collect();
    let labels = rows::labels_of_many(tx, &ids).await?;
    let current: BTreeMap<_, _> = labels
        .into_iter()
        .filter(|row| row.label == SecretLabel::CURRENT)
        .map(|row| (row.secret_id, row.number))
        .collect();
    Ok(keeps().all(|step| {
        step.told.secret.is_some_and(|id| {
            there.get(&id) == Some(&true) && current.get(&id).copied().unwrap_or(0) == step.told.current
        })
    }))
}

/// What a plan did not foresee is planned anew; what no plan can mend is told.
fn anew_or_failed(path: &str, why: Attempt) -> Outcome {
    match why {
        Attempt::Anew | Attempt::Failed(PutError::Deleted | PutError::Stale | PutError::Twin) => {
            Outcome::Anew
        }
        Attempt::Failed(why) => failed(path, why),
    }
}

fn failed(path: &str, why: PutError) -> Outcome {
    Outcome::Failed(match why {
        PutError::Archived => ImportError::Archived,
        PutError::About
        | PutError::Deleted
        | PutError::Lapsed
        | PutError::OwnerUnknown
        | PutError::Previous
        | PutError::Stale
        | PutError::TooLong(_)
        | PutError::Twin => ImportError::Changed(vec![path.to_owned()]),
        PutError::KeyExhausted => ImportError::KeyExhausted,
        PutError::NoOwner => ImportError::NoOwner,
        PutError::Refused(refused) => refused.into(),
        PutError::Standard(breach) => ImportError::Standard(path.to_owned(), breach),
        PutError::TooManyLabels => ImportError::TooManyLabels(path.to_owned()),
    })
}
