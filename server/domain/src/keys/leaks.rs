//! "Found a key?": whose it is, told to whoever may act on it. Service tokens are found as keys' values are.
//!
//! The value itself is neither stored nor logged; only its public id is looked for. For somebody who may not act on the
//! key, an unknown value and a foreign one are the same.

use keywarden_model::{ApiKeyId, KeyState, KeyValueId, KeyringKeyId, ServiceTokenId};
use keywarden_store::{Conn, Written, keys as rows};
use keywarden_vault::Purpose;
use keywarden_vault::token::{self, Kind};

use super::import;
use super::key::{self, Key, KeyValue};
use super::show::WhatMay;
use crate::once::Repeatable;
use crate::workloads::{LeakedToken, TokenState};
use crate::{Action, Domain, Fault, Op, Refused, Resource};

use keywarden_vault::SecretString;

/// Longer texts are not looked through.
const LONGEST: usize = 64 * 1024;

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
        /// What the caller may do.
        may: WhatMay,
    },
    /// It is a service token that the caller may act on.
    Token(Box<LeakedToken>),
    /// Unknown, or none of the caller's business.
    Unknown,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaked {
    Key(ApiKeyId, KeyValueId),
    Token(ServiceTokenId),
}

/// What a leaked value is, told or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told(Option<Leaked>);

/// What a text holds.
enum Held {
    /// A key's value, and the key of the keyring without which that cannot be proven here.
    Key(ApiKeyId, KeyValueId, Option<KeyringKeyId>),
    /// A service token.
    Token(ServiceTokenId),
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
    /// Takes a leaked value, alone or within a text, and says whose it is.
    pub async fn look_up_leak(&self, op: &Op, text: &str) -> Result<Leak, Refused> {
        let mut conn = self.store().read().await?;
        let (found, away) = match self.leaked(&mut conn, text).await? {
            Some(Held::Key(key, value, away)) => {
                let loaded = key::load(&mut conn, key, op.now).await?;
                let of_value = |(key, values): (Key, Vec<KeyValue>)| {
                    Some((values.into_iter().find(|it| it.id == value)?, key))
                };
                (loaded.and_then(of_value), away)
            }
            Some(Held::Token(id)) => {
                let found = self.leaked_token(op, &mut conn, id).await?;
                drop(conn);
                return self.tell_of_token(op, found).await;
            }
            None => (None, None),
        };
        drop(conn);
        let entitled = match &found {
            Some((_, key)) => self.would(op, Action::RevokeKey, &key.resource()).await?,
            None => false,
        };
        // What cannot be proven yet is put off for who may act on it, and unknown to everybody else.
        if let Some(key) = away.filter(|_| entitled) {
            return Err(Fault::KeyAway(key).into());
        }
        let found = found.filter(|_| away.is_none());
        let known = found.as_ref().map(|(value, key)| (key.id, value.id, key.project));
        let told = self
            .change::<Told, Refused, _>(
                op,
                Action::LookUpLeak,
                &Resource::Organization,
                &[],
                move |_, record| {
                    Box::pin(async move {
                        let told = known.filter(|_| entitled).map(|(key, value, _)| Leaked::Key(key, value));
                        // The record knows more than the caller: a leak of somebody else's key is worth following up.
                        let event = match known {
                            Some((key, value, project)) => record
                                .event(Action::LookUpLeak.name(), "key", key)
                                .project(project)
                                .fact("value", value)
                                .fact("told", entitled),
                            None => record
                                .event(Action::LookUpLeak.name(), "organization", "organization")
                                .fact("told", false),
                        };
                        Ok(Written::new(Told(told), event.finish()?))
                    })
                },
            )
            .await?;
        match (told.0, found) {
            (Some(_), Some((value, key))) => {
                let may = self.what_may(op, &key, std::slice::from_ref(&value)).await?;
                Ok(Leak::Found { state: key.state(op.now), may, value: Box::new(value), key: Box::new(key) })
            }
            _ => Ok(Leak::Unknown),
        }
    }

    /// The same for a service token: whoever may revoke it learns whose it is.
    async fn tell_of_token(&self, op: &Op, found: Option<LeakedToken>) -> Result<Leak, Refused> {
        let entitled = match &found {
            Some(leaked) => self.would(op, Action::RevokeServiceToken, &leaked.resource()).await?,
            None => false,
        };
        let known =
            found.as_ref().map(|it| (it.token.id, it.workload.as_ref().map(|it| it.id), it.project()));
        let told = self
            .change::<Told, Refused, _>(
                op,
                Action::LookUpLeak,
                &Resource::Organization,
                &[],
                move |_, record| {
                    Box::pin(async move {
                        let told = known.filter(|_| entitled).map(|(token, ..)| Leaked::Token(token));
                        let event = match known {
                            Some((token, workload, project)) => record
                                .event(Action::LookUpLeak.name(), "service-token", token)
                                .project(project)
                                .fact("workload", workload)
                                .fact("told", entitled),
                            None => record
                                .event(Action::LookUpLeak.name(), "organization", "organization")
                                .fact("told", false),
                        };
                        Ok(Written::new(Told(told), event.finish()?))
                    })
                },
            )
            .await?;
        Ok(match (told.0, found) {
            (Some(Leaked::Token(_)), Some(leaked)) => {
                let may_revoke = leaked.token.state == TokenState::Active;
                Leak::Token(Box::new(LeakedToken { may_revoke, ..leaked }))
            }
            _ => Leak::Unknown,
        })
    }

    /// What the text holds, if it is one of ours and its hash fits, or may fit under a key that this node does not have.
    async fn leaked(&self, conn: &mut Conn, text: &str) -> Result<Option<Held>, Refused> {
        let keyring = self.keyring();
        for word in words(text) {
            let (ids, material) = match token::parse(word) {
                Ok(parsed) if parsed.kind() == Kind::ApiKey => {
                    (vec![parsed.id()], parsed.material().to_vec())
                }
                Ok(parsed) if parsed.kind() == Kind::ServiceToken => {
                    match self.token_of_value(conn, &parsed).await? {
                        Some(token) => return Ok(Some(Held::Token(token))),
                        None => continue,
                    }
                }
                _ if word.len() == text.trim().len() && import::may_be_imported(word) => {
                    let prints = import::fingerprints(keyring, &import::digest(word)).map_err(Fault::from)?;
                    (prints.ids, prints.material)
                }
                _ => continue,
            };
            for id in ids {
                let Some(row) = rows::value_by_public_id(conn, id.as_str()).await? else { continue };
                if row.destroyed_at.is_some() {
                    continue;
                }
                if !keyring.holds(Purpose::ApiKeyMac, row.mac_key_id).map_err(Fault::from)? {
                    return Ok(Some(Held::Key(row.key_id, row.id, Some(row.mac_key_id))));
                }
                let mac = row.mac.as_slice().try_into().unwrap_or([0; 32]);
                let fits = keyring.verify_mac(Purpose::ApiKeyMac, row.mac_key_id, &material, &mac);
                if fits.map_err(Fault::from)? {
                    return Ok(Some(Held::Key(row.key_id, row.id, None)));
                }
            }
        }
        Ok(None)
    }
}

/// The text itself, then whatever in it begins like a value; a few of these at most.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let text = if text.len() <= LONGEST { text.trim() } else { "" };
    let within = text.match_indices("kw").filter_map(move |(at, _)| {
        let ours = |rest: &&str| [Kind::ApiKey, Kind::ServiceToken].iter().any(|it| begins(rest, *it));
        let rest = text.get(at..).filter(ours)?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        rest.get(..end)
    });
    std::iter::once(text).chain(within.take(32))
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
        let found: Vec<_> = words(line).skip(1).collect();
        assert_eq!(found, ["kwk_live_abc_def", "kwk_test_1", "kws_workload_2"]);
    }
}
