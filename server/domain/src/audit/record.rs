//! Making events. A [`Record`] exists only where a permit was given (or a job, link or operator acts on its own
//! account), and only a record makes events, so that nothing is written without either.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use keywarden_model::{EventId, PolicyId, ProjectId, Reason, RequestId, SessionId, Tags};
use keywarden_store::{EventRow, PersonalRow};
use keywarden_vault::DerivingKey;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Fact;
use super::event::{
    Canonical, CanonicalActor, CanonicalDecision, CanonicalResource, Change, VERSION, base64, bytes,
};
use crate::{Actor, Env, Fault, Op, Permit};

/// The longest free text that an event keeps, in characters: more than any field of anything can hold, so that what is
/// told of a change is the whole of it. What is longer ends in `…`.
pub(crate) const TEXT: usize = 8_192;

/// Who acts, under which permit, and the keys for what the events tell of people.
#[derive(Clone)]
pub struct Record(Arc<Inner>);

struct Inner {
    env: Env,
    actor: CanonicalActorParts,
    subject: String,
    source: Vec<(&'static str, String)>,
    request: RequestId,
    now: DateTime<Utc>,
    reason: Option<Reason>,
    seen: Option<i64>,
    decision: Option<CanonicalDecision>,
    keys: BTreeMap<String, Option<Arc<DerivingKey>>>,
}

struct CanonicalActorParts {
    kind: &'static str,
    id: String,
    session: Option<SessionId>,
    credential: Option<String>,
    strength: Option<&'static str>,
}

impl Record {
    pub(crate) fn new(
        env: &Env,
        op: &Op,
        permit: Option<&Permit>,
        keys: BTreeMap<String, Option<Arc<DerivingKey>>>,
    ) -> Self {
        let mut source = Vec::new();
        if let Some(address) = op.source.address {
            source.push(("address", address.to_string()));
        }
        if let Some(agent) = &op.source.agent {
            source.push(("agent", agent.clone()));
        }
        Self(Arc::new(Inner {
            env: env.clone(),
            actor: actor(&op.actor),
            subject: op.actor.subject(),
            source,
            request: op.request,
            now: op.now,
            reason: op.reason.clone(),
            seen: op.seen,
            decision: permit.map(|permit| CanonicalDecision {
                policies: permit.policies().to_vec(),
                counter: permit.counter(),
                context: base64(&permit.context_hash()),
            }),
            keys,
        }))
    }

    /// The operation's instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.now
    }

    /// Why values are read or made, where the caller said so.
    pub fn reason(&self) -> Option<&Reason> {
        self.0.reason.as_ref()
    }

    /// Which version the caller has seen, where they said so.
    pub(crate) fn seen(&self) -> Option<i64> {
        self.0.seen
    }

    /// The world's randomness, for ids made inside a write.
    pub fn env(&self) -> &Env {
        &self.0.env
    }

    /// Begins an event: `action` is the stable name (`key.rotate`), `kind` and `id` say what it was about.
    pub fn event(&self, action: impl Into<String>, kind: &'static str, id: impl fmt::Display) -> Draft {
        let mut draft = Draft {
            record: self.clone(),
            action: action.into(),
            kind,
            id: id.to_string(),
            project: None,
            outcome: "allowed",
            refusal: None,
            changes: BTreeMap::new(),
            facts: BTreeMap::new(),
            personal: BTreeMap::new(),
        };
        for (field, text) in &self.0.source {
            draft = draft.personal(&self.0.subject, field, text);
        }
        draft
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} {})", self.0.actor.kind, self.0.actor.id)
    }
}

/// An event being filled in.
#[derive(Debug)]
#[must_use = "an event counts only once it is written"]
pub struct Draft {
    record: Record,
    action: String,
    kind: &'static str,
    id: String,
    project: Option<ProjectId>,
    outcome: &'static str,
    refusal: Option<&'static str>,
    changes: BTreeMap<&'static str, Change>,
    facts: BTreeMap<&'static str, Value>,
    personal: BTreeMap<String, BTreeMap<String, String>>,
}

impl Draft {
    /// The project that the thing belongs to.
    pub fn project(mut self, project: impl Into<Option<ProjectId>>) -> Self {
        self.project = project.into();
        self
    }

    /// It was refused, for a reason from the code.
    pub fn refused(mut self, why: &'static str) -> Self {
        self.outcome = "refused";
        self.refusal = Some(why);
        self
    }

    /// It was tried and failed.
    pub fn failed(mut self, why: &'static str) -> Self {
        self.outcome = "failed";
        self.refusal = Some(why);
        self
    }

    /// Something worth knowing that is no change.
    pub fn fact(mut self, name: &'static str, fact: impl Into<Fact>) -> Self {
        self.facts.insert(name, fact.into().into_value());
        self
    }

    /// A field that changed; nothing is noted when it did not.
    pub fn change(mut self, field: &'static str, from: impl Into<Fact>, to: impl Into<Fact>) -> Self {
        let (from, to) = (from.into().into_value(), to.into().into_value());
        if from != to {
            self.changes.insert(field, Change { from, to });
        }
        self
    }

    /// Tags that were given or changed; nothing is noted when they were not. Their names stand in the open, the whole of them
    /// is text of the actor's.
    pub fn tags(self, from: Option<&Tags>, to: &Tags) -> Self {
        if from == Some(to) {
            return self;
        }
        let event = self.change("tags", from, to).text("tags", to);
        match from {
            Some(from) => event.text("tags_before", from),
            None => event,
        }
    }

    /// Policies in force that read what was changed, where there are any: it was a grant, or took one away.
    pub(crate) fn read_by(self, policies: &BTreeSet<PolicyId>) -> Self {
        if policies.is_empty() {
            return self;
        }
        self.fact("read_by", Fact::list(policies.iter().map(|id| Fact::from(*id))))
    }

    /// Free text that the actor wrote (a name, a reason); it tells of the actor.
    pub fn text(self, field: &str, text: impl fmt::Display) -> Self {
        let subject = self.record.0.subject.clone();
        self.personal(&subject, field, text)
    }

    /// Why, where the actor said so.
    pub fn with_reason(self) -> Self {
        match self.record.reason().cloned() {
            Some(reason) => self.text("reason", reason),
            None => self,
        }
    }

    /// Something that tells of `subject`, a user's or workload's id. The record must have been made with its key.
    pub fn personal(mut self, subject: &str, field: &str, text: impl fmt::Display) -> Self {
        let mut text = text.to_string();
        if let Some((end, _)) = text.char_indices().nth(TEXT) {
            text.truncate(end);
            text.push('…');
        }
        if !text.is_empty() {
            self.personal.entry(subject.to_owned()).or_default().insert(field.to_owned(), text);
        }
        self
    }

    /// The row to be committed.
    pub fn finish(self) -> Result<EventRow, Fault> {
        #[cfg(test)]
        assert!(
            super::EventKind::named(&self.action).is_some(),
            "`{}` has no line in audit/kind.rs",
            self.action
        );
        let inner = Arc::clone(&self.record.0);
        let env = &inner.env;
        let id: EventId = env.id(inner.now);
        let mut hashes = BTreeMap::new();
        let mut personal = Vec::new();
        for (subject, fields) in self.personal {
            let (hashed, row) = seal(&inner, id, &subject, fields)?;
            hashes.insert(subject, hashed);
            personal.extend(row);
        }
        let actor = &inner.actor;
        let canonical = Canonical {
            v: VERSION,
            id: id.to_string(),
            at: inner.now.to_rfc3339_opts(SecondsFormat::Micros, true),
            nonce: base64(&env.bytes::<16>()),
            actor: CanonicalActor {
                kind: actor.kind,
                id: actor.id.clone(),
                session: actor.session.map(|it| it.to_string()),
                credential: actor.credential.clone(),
                strength: actor.strength,
            },
            action: self.action,
            outcome: self.outcome,
            refusal: self.refusal,
            resource: CanonicalResource {
                kind: self.kind,
                id: self.id,
                project: self.project.map(|it| it.to_string()),
            },
            request: inner.request.to_string(),
            decision: inner.decision.clone(),
            changes: self.changes,
            facts: self.facts,
            personal: hashes,
        };
        Ok(EventRow {
            id,
            at: inner.now,
            outcome: self.outcome,
            actor_kind: actor.kind,
            actor_id: actor.id.clone(),
            resource_kind: self.kind,
            project_id: self.project,
            request_id: inner.request,
            session_id: actor.session,
            bytes: bytes(&canonical)?,
            action: canonical.action,
            resource_id: canonical.resource.id,
            personal,
        })
    }
}

/// The salted hashes of one subject's fields, and the fields sealed under the subject's key. A subject that was erased
/// leaves hashes alone.
fn seal(
    inner: &Inner,
    event: EventId,
    subject: &str,
    fields: BTreeMap<String, String>,
) -> Result<(BTreeMap<String, String>, Option<PersonalRow>), Fault> {
    let key = inner
        .keys
        .get(subject)
        .ok_or_else(|| Fault::Unexpected(format!("no key at hand for the subject `{subject}`")))?;
    let mut hashes = BTreeMap::new();
    let mut opened = Map::new();
    for (field, text) in fields {
        let salt = inner.env.bytes::<16>();
        let digest = Sha256::new().chain_update(salt).chain_update(&text).finalize();
        hashes.insert(field.clone(), base64(&digest));
        opened.insert(field, json!({ "salt": base64(&salt), "value": text }));
    }
    let Some(key) = key else { return Ok((hashes, None)) };
    let plaintext = Value::Object(opened).to_string();
    let context = personal_context(event, subject);
    let sealed = inner
        .env
        .with_rng(|rng| key.seal(subject, PERSONAL, &context, plaintext.as_bytes(), rng))
        .map_err(|cause| Fault::Unexpected(cause.to_string()))?;
    Ok((hashes, Some(PersonalRow { subject_id: subject.to_owned(), sealed })))
}

pub(crate) const PERSONAL: &str = "event-personal";

pub(crate) fn personal_context(event: EventId, subject: &str) -> Vec<u8> {
    format!("event_personal.sealed/{event}/{subject}").into_bytes()
}

fn actor(actor: &Actor) -> CanonicalActorParts {
    let (session, credential, strength) = match actor {
        Actor::Person(person) => {
            let strength = match (&person.passkey, person.synced) {
                (None, _) => "link",
                (Some(_), true) => "synced",
                (Some(_), false) => "device-bound",
            };
            (Some(person.session), person.passkey.map(|it| it.to_string()), Some(strength))
        }
        Actor::Workload { token, .. } | Actor::Operator { token: Some(token), .. } => {
            (None, Some(token.to_string()), Some("token"))
        }
        Actor::Operator { token: None, .. } => (None, None, Some("shell")),
        Actor::Link(_) | Actor::Share(_) => (None, None, Some("link")),
        Actor::Nobody | Actor::System(_) => (None, None, None),
    };
    CanonicalActorParts { kind: actor.kind(), id: actor.id(), session, credential, strength }
}
