//! "Found a key?": whose it is, told to whoever may act on it. Service tokens are found as keys' values are.
//!
//! The value itself is neither stored nor logged; only its public id is looked for. For somebody who may not act on the
//! key, an unknown value and a foreign one are the same.
//!
//! **Invariant:** what a text holds is looked up to the last value, or the text is refused: none hides behind others, be they
//! made up or somebody else's. One is answered, and whether there are more that the caller may act on.

use std::collections::BTreeSet;

use keywarden_model::{ApiKeyId, KeyState, KeyValueId, KeyringKeyId, ProjectId, ServiceTokenId, WorkloadId};
use keywarden_store::{Conn, Written, keys as rows};
use keywarden_vault::Purpose;
use keywarden_vault::token::{self, Kind};

use super::import;
use super::key::{self, Key, KeyValue};
use super::show::WhatMay;
use crate::audit::{Draft, Fact, Record};
use crate::once::Repeatable;
use crate::refused::carries_refused;
use crate::workloads::{LeakedToken, TokenState};
use crate::{Action, Domain, Fault, Op, Refused, Resource};

use keywarden_vault::SecretString;

/// Bytes of the longest text that is looked through.
pub const LONGEST_TEXT: usize = 64 * 1024;
/// Different values within a text that are looked up: a text that holds more is refused.
const MOST_WITHIN: usize = 128;
/// A word that goes on for so long is no value, wherever it ends.
const TOO_LONG: usize = token::MAX_LEN + 1;

/// What was learned of a leaked value.
#[derive(Debug)]
pub enum Leak {
    /// It is a value of a key that the caller may act on.
    Found {
        /// The key.
        key: Box<Key>,
        /// The key's state.
        state: KeyState,
        /// The value that leaked.
        value: Box<KeyValue>,
        /// What the caller may do against this value: stop it alone where it is an old one, revoke or rotate the key where
        /// it is the current one, nothing once it has stopped.
        may: WhatMay,
        /// Whether the text holds more values that the caller may act on.
        more: bool,
    },
    /// It is a service token that the caller may act on.
    Token(Box<LeakedToken>),
    /// Unknown, or none of the caller's business.
    Unknown,
}

/// Why nothing was looked up.
#[derive(Debug, thiserror::Error)]
pub enum LookUpError {
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Whatever was not looked up would look clean.
    #[error(
        "this holds more than {MOST_WITHIN} different values, and none was looked up: look it up in parts"
    )]
    TooMany,
}
carries_refused!(LookUpError);

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaked {
    Key(ApiKeyId, KeyValueId),
    Token(ServiceTokenId),
}

/// What a leaked value is, told or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told(Option<Leaked>);

/// What a text holds, and the key of the keyring without which that cannot be proven here.
type Held = (Leaked, Option<KeyringKeyId>);

/// What a leaked value belongs to, as it is kept.
enum Found {
    Key(Box<Key>, Box<KeyValue>),
    Token(Box<LeakedToken>),
}

impl Found {
    /// What somebody must be allowed to learn of it.
    fn entitles(&self) -> (Action, Resource) {
        match self {
            Self::Key(key, _) => (Action::RevokeKey, key.resource()),
            Self::Token(leaked) => (Action::RevokeServiceToken, leaked.resource()),
        }
    }

    fn leaked(&self) -> Leaked {
        match self {
            Self::Key(key, value) => Leaked::Key(key.id, value.id),
            Self::Token(it) => Leaked::Token(it.token.id),
        }
    }

    fn facts(&self, others: Vec<Leaked>) -> Facts {
        let (project, workload) = match self {
            Self::Key(key, _) => (Some(key.project), None),
            Self::Token(it) => (it.project(), it.workload.as_ref().map(|it| it.id)),
        };
        Facts { leaked: self.leaked(), project, workload, others }
    }
}

/// What the record says of it.
#[derive(Debug, Clone)]
struct Facts {
    leaked: Leaked,
    project: Option<ProjectId>,
    workload: Option<WorkloadId>,
    /// What else the text held, told or not.
    others: Vec<Leaked>,
}

impl Facts {
    fn event(self, record: &Record) -> Draft {
        let action = Action::LookUpLeak.name();
        let mut event = match self.leaked {
            Leaked::Key(key, value) => record.event(action, "key", key).fact("value", value),
            Leaked::Token(token) => {
                record.event(action, "service-token", token).fact("workload", self.workload)
            }
        };
        if !self.others.is_empty() {
            let others = self.others.iter().map(|it| match it {
                Leaked::Key(key, _) => Fact::from(*key),
                Leaked::Token(token) => Fact::from(*token),
            });
            event = event.fact("others", Fact::list(others));
        }
        event.project(self.project)
    }
}

impl Repeatable for Told {
    fn thing(&self) -> String {
        match self.0 {
            Some(Leaked::Key(key, value)) => format!("{key} {value}"),
            Some(Leaked::Token(token)) => token.to_string(),
            None => String::new(),
        }
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        if thing.is_empty() {
            return Some(Self(None));
        }
        let Some((key, value)) = thing.split_once(' ') else {
            return Some(Self(Some(Leaked::Token(thing.parse().ok()?))));
        };
        Some(Self(Some(Leaked::Key(key.parse().ok()?, value.parse().ok()?))))
    }
}

impl Domain {
    /// Takes a leaked value, alone or within a text, and says whose it is: of several the first that the caller may act on.
    pub async fn look_up_leak(&self, op: &Op, text: &str) -> Result<Leak, LookUpError> {
        let words = candidates(text).ok_or(LookUpError::TooMany)?;
        let mut conn = self.store().read().await?;
        let mut held = Vec::new();
        for word in words {
            let Some((leaked, away)) = self.leaked(&mut conn, word, text).await? else { continue };
            held.extend(self.found(op, &mut conn, leaked).await?.map(|found| (found, away)));
        }
        drop(conn);
        let (mut theirs, mut foreign, mut put_off) = (Vec::new(), Vec::new(), None);
        for (found, away) in held {
            let (action, resource) = found.entitles();
            match (self.would(op, action, &resource).await?, away) {
                (true, None) => theirs.push(found),
                (false, None) => foreign.push(found),
                // What cannot be proven yet is put off for who may act on it, and unknown to everybody else.
                (true, Some(key)) => put_off = put_off.or(Some(key)),
                (false, Some(_)) => {}
            }
        }
        if let Some(key) = put_off.filter(|_| theirs.is_empty()) {
            return Err(Fault::KeyAway(key).into());
        }
        let entitled = !theirs.is_empty();
        let more = theirs.len() > 1 || put_off.is_some();
        let mut all = theirs.into_iter().chain(foreign);
        let found = all.next();
        let others: Vec<_> = all.map(|it| it.leaked()).collect();
        let facts = found.as_ref().map(|it| it.facts(others));
        let told = self
            .change::<Told, Refused, _>(
                op,
                Action::LookUpLeak,
                &Resource::Organization,
                &[],
                move |_, record| {
                    let facts = facts.clone();
                    Box::pin(async move {
                        let told = facts.as_ref().filter(|_| entitled).map(|it| it.leaked);
                        // The record knows more than the caller: a leak of somebody else's key is worth following up.
                        let event = match facts {
                            Some(facts) => facts.event(&record),
                            None => record.event(Action::LookUpLeak.name(), "organization", "organization"),
                        };
                        Ok(Written::new(Told(told), event.fact("told", told.is_some()).finish()?))
                    })
                },
            )
            .await?;
        match found.filter(|_| told.0.is_some()) {
            Some(Found::Key(key, value)) => {
                let may = self.what_may(op, &key, std::slice::from_ref(&value)).await?;
                Ok(Leak::Found { state: key.state(op.now), may: may.against(&value), value, key, more })
            }
            Some(Found::Token(leaked)) => {
                let may_revoke = leaked.token.state == TokenState::Active;
                Ok(Leak::Token(Box::new(LeakedToken { may_revoke, more, ..*leaked })))
            }
            None => Ok(Leak::Unknown),
        }
    }

    async fn found(&self, op: &Op, conn: &mut Conn, leaked: Leaked) -> Result<Option<Found>, Refused> {
        match leaked {
            Leaked::Key(key, value) => {
                let loaded = key::load(conn, key, op.now).await?;
                let of_value = |(key, values): (Key, Vec<KeyValue>)| {
                    let value = values.into_iter().find(|it| it.id == value)?;
                    Some(Found::Key(Box::new(key), Box::new(value)))
                };
                Ok(loaded.and_then(of_value))
            }
            Leaked::Token(id) => Ok(self.leaked_token(op, conn, id).await?.map(Box::new).map(Found::Token)),
        }
    }

    /// What a word of the text is, if it is one of ours and its hash fits, or may fit under a key that this node does not have.
    async fn leaked(&self, conn: &mut Conn, word: &str, text: &str) -> Result<Option<Held>, Refused> {
        let keyring = self.keyring();
        let (ids, material) = match token::parse(word) {
            Ok(parsed) if parsed.kind() == Kind::ApiKey => (vec![parsed.id()], parsed.material().to_vec()),
            Ok(parsed) if parsed.kind() == Kind::ServiceToken => {
                let found = self.token_of_value(conn, &parsed).await?;
                return Ok(found.map(|(token, away)| (Leaked::Token(token), away)));
            }
            _ if word.len() == text.trim().len() && import::may_be_imported(word) => {
                let prints = import::fingerprints(keyring, &import::digest(word)).map_err(Fault::from)?;
                (prints.ids, prints.material)
            }
            _ => return Ok(None),
        };
        for id in ids {
            let Some(row) = rows::value_by_public_id(conn, id.as_str()).await? else { continue };
            if row.destroyed_at.is_some() {
                continue;
            }
            if !keyring.holds(Purpose::ApiKeyMac, row.mac_key_id).map_err(Fault::from)? {
                return Ok(Some((Leaked::Key(row.key_id, row.id), Some(row.mac_key_id))));
            }
            let mac = row.mac.as_slice().try_into().unwrap_or([0; 32]);
            let fits = keyring.verify_mac(Purpose::ApiKeyMac, row.mac_key_id, &material, &mac);
            if fits.map_err(Fault::from)? {
                return Ok(Some((Leaked::Key(row.key_id, row.id), None)));
            }
        }
        Ok(None)
    }
}

/// The text itself, then the different values in it whose checksums fit; none where those are too many.
fn candidates(text: &str) -> Option<Vec<&str>> {
    let text = if text.len() <= LONGEST_TEXT { text.trim() } else { "" };
    let mut seen = BTreeSet::from([text]);
    let within = words(text).filter(|word| token::parse(word).is_ok() && seen.insert(*word));
    let all: Vec<_> = std::iter::once(text).chain(within.take(MOST_WITHIN.saturating_add(1))).collect();
    (all.len() <= MOST_WITHIN.saturating_add(1)).then_some(all)
}

/// Whatever in a text begins like a value.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("kw").filter_map(move |(at, _)| {
        let ours = |rest: &&str| [Kind::ApiKey, Kind::ServiceToken].iter().any(|it| begins(rest, *it));
        let rest = text.get(at..).filter(ours)?;
        let letters = rest.bytes().take(TOO_LONG);
        let end = letters.take_while(|it| it.is_ascii_alphanumeric() || *it == b'_').count();
        rest.get(..end)
    })
}

fn begins(text: &str, kind: Kind) -> bool {
    text.strip_prefix(kind.prefix()).is_some_and(|rest| rest.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_within_a_line_of_a_log() {
        let line = "curl -H 'authorization: Bearer kwk_live_abc_def' https://x/?k=kwk_test_1&y=kws_workload_2, kwt_no kw";
        let found: Vec<_> = words(line).collect();
        assert_eq!(found, ["kwk_live_abc_def", "kwk_test_1", "kws_workload_2"]);
    }
}
