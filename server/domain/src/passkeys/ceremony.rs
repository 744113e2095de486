//! A ceremony under way: what the server remembers between the question and the answer.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::later;
use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{DiscoverableAuthentication, PasskeyRegistration};

use super::{CredentialId, PasskeyError, UserHandle, b64};

/// What a ceremony is for. An answer can only finish the kind that asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CeremonyKind {
    /// A new passkey for a known person.
    Registration,
    /// Somebody yet unknown.
    SignIn,
    /// A known person, again.
    StepUp,
    /// A known person signs content.
    Approval,
}

impl CeremonyKind {
    /// The word for the row.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::SignIn => "sign_in",
            Self::StepUp => "step_up",
            Self::Approval => "approval",
        }
    }
}

/// The server's half of a ceremony. Not `Clone`: a `finish_…` takes it over, so it serves once.
///
/// Whoever stores the bytes keeps them from people's sight (the state is trusted when it comes back) and deletes
/// them before finishing.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceremony {
    expires_at: DateTime<Utc>,
    task: Task,
}

/// What is remembered, by kind.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Task {
    Registration { state: Box<PasskeyRegistration>, user: UserHandle, excluded: Vec<CredentialId> },
    SignIn { state: DiscoverableAuthentication },
    StepUp { state: DiscoverableAuthentication, asked: Asked },
    Approval { state: DiscoverableAuthentication, asked: Asked, content: Bound },
}

/// Whom a ceremony asks, and which of their passkeys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) user: UserHandle,
    pub(super) allowed: Vec<CredentialId>,
}

/// Which content an approval is bound to.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bound {
    #[serde(with = "b64")]
    pub(super) nonce: [u8; 32],
    #[serde(with = "b64")]
    pub(super) digest: [u8; 32],
}

impl Ceremony {
    /// How long a person may take; the browser is told the same.
    pub const LIFETIME: Duration = Duration::from_mins(5);

    pub(super) fn new(task: Task, now: DateTime<Utc>) -> Self {
        let lasts = TimeDelta::from_std(Self::LIFETIME).unwrap_or(TimeDelta::MAX);
        Self { expires_at: later(now, lasts), task }
    }

    /// Ends at this instant, if it would not before.
    #[must_use]
    pub fn ending_by(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = self.expires_at.min(at);
        self
    }

    /// What the ceremony is for.
    pub fn kind(&self) -> CeremonyKind {
        match self.task {
            Task::Registration { .. } => CeremonyKind::Registration,
            Task::SignIn { .. } => CeremonyKind::SignIn,
            Task::StepUp { .. } => CeremonyKind::StepUp,
            Task::Approval { .. } => CeremonyKind::Approval,
        }
    }

    /// When it ends; a `finish_…` at or after this instant is refused.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// The bytes to seal.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PasskeyError> {
        serde_json::to_vec(self).map_err(|_| PasskeyError::Library)
    }

    /// From unsealed bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PasskeyError> {
        serde_json::from_slice(bytes).map_err(|_| PasskeyError::StoredState)
    }

    /// The task, if there is still time for it.
    pub(super) fn open(self, now: DateTime<Utc>) -> Result<Task, PasskeyError> {
        if now < self.expires_at { Ok(self.task) } else { Err(PasskeyError::Expired) }
    }
}

impl fmt::Debug for Ceremony {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ceremony")
            .field("kind", &self.kind())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
