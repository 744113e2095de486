//! What a file would do: each entry beside what is at its path.

use std::collections::HashMap;

use keywarden_model::{
    ContentType, Description, EnvironmentId, ProjectId, SecretId, SecretKind, SecretLabel, SecretPath,
    SecretVersionId, Tags,
};
use keywarden_store::secrets::{self as rows, FingerprintRow};
use keywarden_vault::{Purpose, SecretBytes};

use super::{EntryOutcome, EntryRefusal, ImportError, ImportFile, PlannedEntry};
use crate::keys::Place;
use crate::policy::Moved;
use crate::secrets::about::About;
use crate::secrets::edit::SecretPatch;
use crate::secrets::files::{self, Entry};
use crate::secrets::put::PutSecret;
use crate::secrets::secret::{Secret, Version, damaged};
use crate::secrets::validity::Validity;
use crate::secrets::value::NewValue;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// What is to be done with an entry, and with what.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) told: PlannedEntry,
    /// What its path folds to: the order in which rows are taken.
    pub(super) folded: String,
    pub(super) does: Does,
}

#[derive(Debug)]
pub(super) enum Does {
    Change { resource: Resource, put: Option<PutSecret>, patch: Option<SecretPatch>, moved: Moved },
    Create { id: SecretId, path: SecretPath, put: PutSecret },
    Keep,
    Nothing,
}

impl Step {
    fn refused(told: PlannedEntry) -> Self {
        Self { told, folded: String::new(), does: Does::Nothing }
    }
}

/// All of a file, in its order.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) environment: EnvironmentId,
    pub(super) project: ProjectId,
    pub(super) steps: Vec<Step>,
}

impl Plan {
    pub(super) fn told(&self) -> Vec<PlannedEntry> {
        self.steps.iter().map(|step| step.told.clone()).collect()
    }

    /// Every question that has to be asked before it is done.
    pub(super) fn questions(&self) -> Vec<(Action, Resource)> {
        let environment = Resource::Environment { id: self.environment, project: self.project };
        let (mut questions, mut creates) = (Vec::new(), false);
        for step in &self.steps {
            match &step.does {
                Does::Change { resource, put, patch, .. } => {
                    questions.extend(put.as_ref().map(|_| (Action::PutSecret, *resource)));
                    questions.extend(patch.as_ref().map(|_| (Action::EditSecret, *resource)));
                }
                Does::Create { .. } => creates = true,
                Does::Keep | Does::Nothing => {}
            }
        }
        questions.extend(creates.then_some((Action::CreateSecret, environment)));
        questions
    }

    /// What it changes of secrets that policies can read.
    pub(super) fn moved(&self) -> Moved {
        let mut all = Moved::default();
        for step in &self.steps {
            if let Does::Change { moved, .. } = &step.does {
                all.add(moved);
            }
        }
        all
    }
}

/// What is at a path now.
struct There {
    secret: Secret,
    current: Option<Version>,
    fingerprint: Option<FingerprintRow>,
}

impl Domain {
    /// Reads the file and looks at what is there. Whoever may not see the environment learns nothing, of the file either.
    pub(super) async fn plan_import(
        &self,
        op: &Op,
        place: &Place,
        file: &ImportFile,
    ) -> Result<Plan, ImportError> {
        let place = self.place(place).await?;
        let (environment, project) = (place.environment_id, place.project_id);
        let _permit = self.authorize(op, Action::ViewProject, &Resource::Project(project)).await?;
        if place.archived_at.is_some() {
            return Err(ImportError::Archived);
        }
        let entries = files::read(file.format, file.nested, &file.file)?;
        let mut known = HashMap::new();
        let settled: Vec<_> = entries.into_iter().map(|it| settle(file, it, &mut known)).collect();
        let mut there = self.there(environment, known.into_keys().collect()).await?;
        let is_new = |it: &Settled| !there.contains_key(&it.path.folded());
        let may_create = if settled.iter().flatten().any(is_new) {
            let resource = Resource::Environment { id: environment, project };
            self.question(op, Action::CreateSecret, &resource).await?
        } else {
            Ok(())
        };
        let mut steps = Vec::with_capacity(settled.len());
        for it in settled {
            let step = match it {
                Err(refused) => Step::refused(refused),
                Ok(it) => match there.remove(&it.path.folded()) {
                    None => self.to_create(op, it, may_create.clone()),
                    Some(there) => self.to_change(op, it, there).await?,
                },
            };
            steps.push(step);
        }
        Ok(Plan { environment, project, steps })
    }

    /// What lives at these folded paths.
    async fn there(
        &self,
        environment: EnvironmentId,
        mut folded: Vec<String>,
    ) -> Result<HashMap<String, There>, Refused> {
        folded.sort_unstable();
        let mut conn = self.store().read().await?;
        let found = rows::find_by_paths(&mut conn, environment, &folded).await?;
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        let current = rows::versions_labelled(&mut conn, &ids, SecretLabel::CURRENT).await?;
        let versions: Vec<SecretVersionId> = current.iter().map(|row| row.id).collect();
        let prints = rows::fingerprints(&mut conn, &versions).await?;
        drop(conn);
        let mut prints: HashMap<_, _> = prints.into_iter().map(|row| (row.id, row)).collect();
        let mut current: HashMap<_, _> = current.into_iter().map(|row| (row.secret_id, row)).collect();
        let mut there = HashMap::with_capacity(found.len());
        for row in found {
            let folded = row.folded_path.clone();
            let secret = Secret::from_row(row)?;
            let row = current.remove(&secret.id);
            let current = row.map(|row| Version::from_row(row, secret.deletion.is_some())).transpose()?;
            let fingerprint = current.as_ref().and_then(|it| prints.remove(&it.id));
            there.insert(folded, There { secret, current, fingerprint });
        }
        Ok(there)
    }

    /// Yes, or no in the words that an entry is refused with. A passkey is asked for once, for all of them.
    async fn question(
        &self,
        op: &Op,
        action: Action,
        resource: &Resource,
    ) -> Result<Result<(), EntryRefusal>, Refused> {
        match self.authorize(op, action, resource).await {
            Ok(_permit) => Ok(Ok(())),
            Err(Refused::Forbidden(action)) => Ok(Err(EntryRefusal::Forbidden(action))),
            Err(Refused::NotFound) => Ok(Err(EntryRefusal::NotFound)),
            Err(refused) => Err(refused),
        }
    }

    fn to_create(&self, op: &Op, it: Settled, may_create: Result<(), EntryRefusal>) -> Step {
        let told = |outcome| PlannedEntry {
            line: it.line,
            path: it.path.to_string(),
            secret: None,
            current: 0,
            outcome,
        };
        let template = it.template.unwrap_or_default();
        let most = self.settings().max_value;
        let value = value(it.kind.unwrap_or(SecretKind::Text), None, it.value, (template, most));
        match (may_create, value) {
            (Err(why), _) | (Ok(()), Err(why)) => Step::refused(told(EntryOutcome::Refused(why))),
            (Ok(()), Ok(value)) => Step {
                told: told(EntryOutcome::Create),
                folded: it.path.folded(),
                does: Does::Create {
                    id: self.fresh(op),
                    put: PutSecret { about: about(it.patch), ..becomes_current(value) },
                    path: it.path,
                },
            },
        }
    }

    async fn to_change(&self, op: &Op, it: Settled, there: There) -> Result<Step, Refused> {
        let resource = there.secret.resource();
        let current = there.current.as_ref().map_or(0, |it| it.number);
        let told = PlannedEntry {
            line: it.line,
            path: it.path.to_string(),
            secret: Some(there.secret.id),
            current,
            outcome: EntryOutcome::Unchanged,
        };
        let refused =
            |why| Step::refused(PlannedEntry { outcome: EntryOutcome::Refused(why), ..told.clone() });
        if let Err(why) = self.question(op, Action::PutSecret, &resource).await? {
            // What may not be seen is not named either.
            let hidden = why == EntryRefusal::NotFound;
            let mut step = refused(why);
            if hidden {
                step.told.secret = None;
                step.told.current = 0;
            }
            return Ok(step);
        }
        if there.secret.path != it.path {
            return Ok(refused(EntryRefusal::Twin(there.secret.path.to_string())));
        }
        if there.secret.deletion.is_some() {
            return Ok(refused(EntryRefusal::Deleted));
        }
        // Where the file says nothing, it is what it was.
        let was = there.current.as_ref().is_some_and(|it| it.template);
        let template = it.template.unwrap_or(was);
        let is_same = template == was && self.is_same(op, &resource, &there, &it.value).await?;
        let (kind, content_type) = kind_of(&it, there.current.as_ref());
        let value = match value(kind, content_type, it.value, (template, self.settings().max_value)) {
            Ok(value) => (!is_same).then_some(value),
            Err(why) => return Ok(refused(why)),
        };
        let patch = changes(it.patch, &there.secret);
        if patch.is_some()
            && let Err(why) = self.question(op, Action::EditSecret, &resource).await?
        {
            return Ok(refused(why));
        }
        let folded = there.secret.path.folded();
        if value.is_none() && patch.is_none() {
            return Ok(Step { told, folded, does: Does::Keep });
        }
        let outcome = EntryOutcome::Change { value: value.is_some(), about: patch.is_some() };
        let told = PlannedEntry { outcome, ..told };
        let tags = patch.as_ref().and_then(|it| it.tags.as_ref()).unwrap_or(&there.secret.tags);
        let owner = there.secret.owner;
        let moved = Moved::of((&there.secret.tags, owner), (tags, owner));
        let does = Does::Change { resource, put: value.map(becomes_current), patch, moved };
        Ok(Step { told, folded, does })
    }

    /// Whether the current version can be read and has this value, as far as the caller may know.
    async fn is_same(
        &self,
        op: &Op,
        resource: &Resource,
        there: &There,
        value: &SecretBytes,
    ) -> Result<bool, Refused> {
        let Some(print) = &there.fingerprint else { return Ok(false) };
        if there.current.as_ref().is_none_or(|it| !it.is_read(op.now)) {
            return Ok(false);
        }
        let tag = print.fingerprint.as_slice().try_into().map_err(|_| damaged("a fingerprint's length"))?;
        let (purpose, key) = (Purpose::SecretFingerprint, print.fingerprint_key_id);
        let same = self.keyring().verify_mac(purpose, key, value.expose(), tag).map_err(Fault::from)?;
        Ok(same && self.would(op, Action::ReadSecret, resource).await?)
    }
}

fn becomes_current(value: NewValue) -> PutSecret {
    PutSecret { value, label: None, expected: None, validity: Validity::default(), about: About::default() }
}

fn value(
    kind: SecretKind,
    content_type: Option<ContentType>,
    bytes: SecretBytes,
    (template, most): (bool, usize),
) -> Result<NewValue, EntryRefusal> {
    let value = NewValue::new(kind, content_type, bytes).and_then(|value| value.within(most));
    let value = value.map_err(EntryRefusal::Value)?;
    if template { value.into_template().map_err(EntryRefusal::Template) } else { Ok(value) }
}

/// What is said of a secret that is made.
fn about(patch: SecretPatch) -> About {
    let SecretPatch { description, tags, owner } = patch;
    About { description: description.unwrap_or_default(), tags: tags.unwrap_or_default(), owner }
}

/// A new version reads as the one before, where the file says nothing and the value is of that kind.
fn kind_of(it: &Settled, before: Option<&Version>) -> (SecretKind, Option<ContentType>) {
    match (it.kind, before) {
        (Some(kind), Some(before)) if before.kind == kind => (kind, Some(before.content_type.clone())),
        (Some(kind), _) => (kind, None),
        (None, Some(before)) if before.kind == SecretKind::Text => {
            (SecretKind::Text, Some(before.content_type.clone()))
        }
        (None, Some(before)) if before.kind == SecretKind::Json && is_json(&it.value) => {
            (SecretKind::Json, Some(before.content_type.clone()))
        }
        (None, _) => (SecretKind::Text, None),
    }
}

fn is_json(value: &SecretBytes) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(value.expose()).is_ok()
}

/// What of it is said otherwise than it is.
fn changes(patch: SecretPatch, secret: &Secret) -> Option<SecretPatch> {
    let description = patch.description.filter(|it| *it != secret.description);
    let tags = patch.tags.filter(|it| *it != secret.tags);
    (description.is_some() || tags.is_some()).then_some(SecretPatch { description, tags, owner: None })
}

/// An entry whose words make sense.
struct Settled {
    line: u64,
    path: SecretPath,
    value: SecretBytes,
    kind: Option<SecretKind>,
    template: Option<bool>,
    patch: SecretPatch,
}

/// Reads an entry's words. `known` has the paths so far, by what they fold to.
fn settle(
    file: &ImportFile,
    entry: Entry,
    known: &mut HashMap<String, (u64, String)>,
) -> Result<Settled, PlannedEntry> {
    let Entry { line, name, value, kind, description, tags, template } = entry;
    let written = match &file.folder {
        Some(folder) => format!("{folder}/{name}"),
        None => name,
    };
    let read = || -> Result<(SecretPath, SecretPatch), EntryRefusal> {
        let path: SecretPath = written.parse().map_err(EntryRefusal::Path)?;
        let description: Option<Description> =
            description.map(|text| text.parse()).transpose().map_err(EntryRefusal::Description)?;
        let tags = tags.map(Tags::parse).transpose().map_err(EntryRefusal::Tags)?;
        if let Some((line, other)) = known.get(&path.folded()) {
            let line = *line;
            return Err(if *other == written {
                EntryRefusal::Repeated { line }
            } else {
                EntryRefusal::TwinEntry { line }
            });
        }
        Ok((path, SecretPatch { description, tags, owner: None }))
    };
    match read() {
        Ok((path, patch)) => {
            known.insert(path.folded(), (line, written));
            Ok(Settled { line, path, value, kind, template, patch })
        }
        Err(why) => Err(PlannedEntry {
            line,
            path: shown(&written),
            secret: None,
            current: 0,
            outcome: EntryOutcome::Refused(why),
        }),
    }
}

/// A path that is none, as far as it can be shown.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(160).collect()
}
