//! "Is this leaked string ours?": which secrets hold a value, or held it, told by its keyed fingerprint. Nothing is opened.
//!
//! Told of secrets that the caller may see, and of no others: those are not even counted. That somebody may see a secret
//! and not read it is why a value that could be guessed gets no answer, and why few are answered in a minute. Where nobody
//! counts, it takes the right to read them ([`super::reuse`]).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use keywarden_model::{KeyringKeyId, SecretId, VersionState, time::earlier};
use keywarden_store::Written;
use keywarden_store::event;
use keywarden_store::secrets::{self as rows, fingerprints};
use keywarden_vault::{Keyring, Purpose, SecretString};

use super::secret::{Secret, damaged};
use crate::audit::Fact;
use crate::keys::strong;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Values that one caller may ask about within [`WITHIN`], by every door and on every node.
pub const MOST_CHECKS: u32 = 30;
/// The time in which they are counted.
const WITHIN: TimeDelta = TimeDelta::minutes(1);
/// Versions that are looked at: a value that more of them hold is no secret.
const MOST_VERSIONS: u32 = 1_000;

/// A secret that holds the value, or held it.
#[derive(Debug, Clone)]
pub struct Held {
    /// The secret.
    pub secret: Secret,
    /// Its versions with this value, the newest first.
    pub versions: Vec<HeldVersion>,
}

/// A version with the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldVersion {
    /// Its number.
    pub number: i64,
    /// What it is good for.
    pub state: VersionState,
    /// Whether `current` points at it.
    pub current: bool,
}

impl Held {
    /// Whether a reader who names no version gets this value.
    pub fn is_current(&self) -> bool {
        let current = |it: &HeldVersion| it.current && it.state == VersionState::Enabled;
        self.secret.deletion.is_none() && self.versions.iter().any(current)
    }
}

/// Why nothing was answered.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Whoever may ask could find it out by asking.
    #[error(
        "a value like this could be guessed, so nothing is said of it: ask about one of 16 to 512 visible ASCII \
         characters without blanks, 8 of them different"
    )]
    Guessable,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// More than may be asked about.
    #[error("ask about at most {MOST_CHECKS} values in a minute: wait, then go on")]
    TooMany,
}
carries_refused!(CheckError);

impl Domain {
    /// The secrets in the caller's sight that hold a value, or held it.
    pub async fn check_fingerprint(&self, op: &Op, value: &SecretString) -> Result<Vec<Held>, CheckError> {
        let _may = self.authorize(op, Action::CheckFingerprint, &Resource::Organization).await?;
        let value = value.expose().trim();
        if !strong(value) {
            return Err(CheckError::Guessable);
        }
        // A crowd on this node waits here for its turn, and not with a connection each.
        let _alone = self.checking().lock().await;
        let found = self.holding(op, value, Action::ViewSecret).await?;
        let told: Vec<_> = found.iter().map(|it| it.secret.id).collect();
        let (caller, since) = (op.actor.id(), earlier(op.now, WITHIN));
        let done = self
            .change(op, Action::CheckFingerprint, &Resource::Organization, &[], move |tx, record| {
                let (caller, told) = (caller.clone(), told.clone());
                Box::pin(async move {
                    let action = Action::CheckFingerprint.name();
                    if event::count_in_turn(tx, &caller, action, since).await? >= i64::from(MOST_CHECKS) {
                        return Err(CheckError::TooMany);
                    }
                    let event = record
                        .event(action, "organization", "organization")
                        .fact("secrets", Fact::list(told.into_iter().map(Fact::from)))
                        .finish()?;
                    Ok(Written::new((), event))
                })
            })
            .await;
        if matches!(done, Err(CheckError::TooMany)) {
            self.note_refusal(&op.source, Action::CheckFingerprint.name(), "too-many");
        }
        done.map(|()| found)
    }

    /// As [`Domain::check_fingerprint`], of a value that was found to be strong, and of the secrets that the caller may do
    /// this to; nothing is told of it.
    pub(super) async fn holding(&self, op: &Op, value: &str, action: Action) -> Result<Vec<Held>, Refused> {
        let tags = tags(self.keyring(), value)?;
        let fingerprints: Vec<_> = tags.iter().map(|(_, tag)| *tag).collect();
        let mut conn = self.store().read().await?;
        let found = fingerprints::holding(&mut conn, &fingerprints, MOST_VERSIONS).await?;
        let mut by_secret: BTreeMap<SecretId, Vec<HeldVersion>> = BTreeMap::new();
        for row in found {
            let made = |(key, tag): &(KeyringKeyId, [u8; 32])| {
                key.to_string() == row.fingerprint_key_id && tag.as_slice() == row.fingerprint
            };
            if tags.iter().any(made) {
                let state = row.state.parse().map_err(damaged)?;
                let version = HeldVersion { number: row.number, state, current: row.current.is_some() };
                by_secret.entry(row.secret_id).or_default().push(version);
            }
        }
        let mut secrets = Vec::with_capacity(by_secret.len());
        for (id, versions) in by_secret {
            // Purged meanwhile: it holds nothing any more.
            let Some(row) = rows::find(&mut conn, id).await? else { continue };
            secrets.push(Held { secret: Secret::from_row(row)?, versions });
        }
        drop(conn);
        let mut theirs = Vec::new();
        for held in secrets {
            if self.would(op, action, &held.secret.resource()).await? {
                theirs.push(held);
            }
        }
        Ok(theirs)
    }
}

/// A value's fingerprints under each key of them, as it is and with the line's end that many a value was put with.
pub(super) fn tags(keyring: &Keyring, value: &str) -> Result<Vec<(KeyringKeyId, [u8; 32])>, Fault> {
    let line = SecretString::new(format!("{value}\n"));
    let mut tags = Vec::new();
    for bytes in [value, line.expose()] {
        tags.extend(keyring.macs(Purpose::SecretFingerprint, bytes.as_bytes())?);
    }
    Ok(tags)
}
