//! One operation: who, from where, for which request, and when. One operation has one instant.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use keywarden_model::{
    InvitationId, PasskeyId, Reason, RequestId, Role, ServiceTokenId, SessionId, ShareId, UserId, WorkloadId,
};
use serde::{Deserialize, Serialize};

use crate::decisions::LastRefusal;
use crate::once::Once;

/// The id of the operator on the server's own shell.
pub(crate) const SHELL: &str = "shell";

/// One operation.
#[derive(Debug)]
pub struct Op {
    /// Who does it.
    pub actor: Actor,
    /// From where.
    pub source: Source,
    /// The request or run of a job that it belongs to.
    pub request: RequestId,
    /// When: the only instant that anything in it goes by.
    pub now: DateTime<Utc>,
    /// The caller's idempotency key, where one was given.
    pub once: Option<Once>,
    /// Why the caller reads or makes values, where they said so.
    pub reason: Option<Reason>,
    /// Which version the caller has seen of the key that it acts on, where they said so: with another one nothing is done.
    pub seen: Option<i64>,
    /// What was refused last, for whoever answers.
    pub refusal: LastRefusal,
}

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who holds a one-time link and nothing else.
    Link(InvitationId),
    /// Nobody we know.
    Nobody,
    /// The operator on the server's own shell, or the holder of a token made there.
    Operator {
        /// The token, if one was shown.
        token: Option<ServiceTokenId>,
        /// What the shell or the token may do.
        role: Role,
    },
    /// A person.
    Person(Person),
    /// Somebody who holds a one-time link to a value, and what opens it.
    Share(ShareId),
    /// Keywarden itself: a job's name.
    System(&'static str),
    /// A machine identity.
    Workload {
        /// Which.
        id: WorkloadId,
        /// The token it showed.
        token: ServiceTokenId,
    },
}

/// A person in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// In which session.
    pub session: SessionId,
    /// The passkey that signed last.
    pub passkey: Option<PasskeyId>,
    /// When it signed, with user verification.
    pub asserted_at: Option<DateTime<Utc>>,
    /// Whether that passkey leaves its device (a synced one may).
    pub synced: bool,
    /// True for a session that a recovery code or link opened: it may enrol a passkey and nothing else.
    pub recovering: bool,
}

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The client's address, trusted proxies considered.
    pub address: Option<IpAddr>,
    /// The client's own word for itself, cut to 200 characters.
    pub agent: Option<String>,
}

impl Actor {
    /// The stable word for the kind of actor.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Link(_) | Self::Share(_) => "link",
            Self::Nobody => "nobody",
            Self::Operator { .. } => "operator",
            Self::Person(_) => "person",
            Self::System(_) => "system",
            Self::Workload { .. } => "workload",
        }
    }

    /// The typed id, or a word where there is none.
    pub fn id(&self) -> String {
        match self {
            Self::Link(id) => id.to_string(),
            Self::Nobody => "nobody".into(),
            Self::Operator { token: Some(token), .. } => token.to_string(),
            Self::Operator { token: None, .. } => SHELL.into(),
            Self::Person(person) => person.id.to_string(),
            Self::Share(id) => id.to_string(),
            Self::System(job) => (*job).into(),
            Self::Workload { id, .. } => id.to_string(),
        }
    }

    /// The person, if it is one.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Self::Person(person) => Some(person),
            _ => None,
        }
    }

    /// Whose key seals what this actor's events tell of people: a person or workload; the house for all others.
    pub(crate) fn subject(&self) -> String {
        match self {
            Self::Person(person) => person.id.to_string(),
            Self::Workload { id, .. } => id.to_string(),
            Self::Link(_) | Self::Nobody | Self::Operator { .. } | Self::Share(_) | Self::System(_) => {
                crate::audit::HOUSE.into()
            }
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.id())
    }
}

impl Op {
    /// A job's operation.
    pub fn system(job: &'static str, request: RequestId, now: DateTime<Utc>) -> Self {
        Self {
            actor: Actor::System(job),
            source: Source::default(),
            request,
            now,
            once: None,
            reason: None,
            seen: None,
            refusal: LastRefusal::default(),
        }
    }
}
