//! What is known of the moment at which a question is put.

use std::net::IpAddr;

use cedar_policy::{Context, RestrictedExpression};
use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde_json::json;

use super::clock;
use super::judge::recovering;
use super::principal::Who;
use super::rules::Types;
use crate::{Actor, Op};

/// The moment of a question: what policies find in `context`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstances {
    /// The session was opened by a recovery code.
    pub recovering: bool,
    /// When.
    pub now: DateTime<Utc>,
    /// From where, if that is known.
    pub address: Option<IpAddr>,
    /// How long ago the person showed their passkey, in seconds.
    pub passkey_age: Option<i64>,
    /// How whoever asks signed in.
    pub method: SignInMethod,
    /// Whoever asks said why.
    pub reason: bool,
}

/// How whoever asks signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignInMethod {
    /// A person, with a passkey.
    Passkey,
    /// A person, with a recovery code or link.
    Recovery,
    /// On the server's own shell.
    Shell,
    /// A machine, with a token.
    Token,
}

impl SignInMethod {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Passkey, Self::Recovery, Self::Shell, Self::Token];

    /// By its word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// How such a principal signs in, if nothing else is known.
    pub fn usual(who: &Who) -> Self {
        match who {
            Who::Operator(_) => Self::Shell,
            Who::Person(_) => Self::Passkey,
            Who::Nobody | Who::Workload(_) => Self::Token,
        }
    }

    /// The word that policies compare.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Recovery => "recovery",
            Self::Shell => "shell",
            Self::Token => "token",
        }
    }
}

impl Circumstances {
    /// Of an operation.
    pub fn of(op: &Op) -> Self {
        let person = op.actor.person();
        let method = match &op.actor {
            Actor::Person(person) if person.recovering => SignInMethod::Recovery,
            Actor::Person(_) => SignInMethod::Passkey,
            Actor::Operator { token: None, .. } => SignInMethod::Shell,
            // Links, jobs and strangers are nobody that policies know: nothing is asked for them.
            Actor::Link(_)
            | Actor::Nobody
            | Actor::Operator { token: Some(_), .. }
            | Actor::Share(_)
            | Actor::System(_)
            | Actor::Workload { .. } => SignInMethod::Token,
        };
        let shown = person.and_then(|person| person.asserted_at);
        Self {
            recovering: recovering(op),
            now: op.now,
            // One address has one spelling (S-19).
            address: op.source.address.map(|it| it.to_canonical()),
            passkey_age: shown.map(|at| (op.now - at).num_seconds().max(0)),
            method,
            reason: op.reason.is_some(),
        }
    }

    /// Of somebody who is not here, at this moment: without an address, a passkey shown, or a reason.
    pub fn absent(now: DateTime<Utc>, method: SignInMethod) -> Self {
        Self { recovering: false, now, address: None, passkey_age: None, method, reason: false }
    }

    /// As the record writes it, by RFC 8785: names in alphabetical order.
    pub(super) fn written(&self) -> String {
        json!({
            "address": self.address.map(|it| it.to_string()),
            "method": self.method.as_str(),
            "now": self.now.to_rfc3339_opts(SecondsFormat::Micros, true),
            "passkey_age": self.passkey_age,
            "reason": self.reason,
            "recovering": self.recovering,
        })
        .to_string()
    }

    /// As policies see it. Cedar's moments are of milliseconds.
    pub(super) fn context(&self, types: &Types) -> Result<Context, String> {
        let now = self.now.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let mut pairs = vec![
            ("recovering", RestrictedExpression::new_bool(self.recovering)),
            ("now", RestrictedExpression::new_datetime(now)),
            ("weekday", RestrictedExpression::new_long(self.now.weekday().number_from_monday().into())),
            ("clock", RestrictedExpression::new_entity_uid(types.uid(&types.clock, clock::ID))),
            ("reasonGiven", RestrictedExpression::new_bool(self.reason)),
            ("signInMethod", RestrictedExpression::new_string(self.method.as_str().to_owned())),
        ];
        if let Some(address) = self.address {
            pairs.push(("address", RestrictedExpression::new_ip(address.to_string())));
        }
        if let Some(age) = self.passkey_age {
            pairs.push(("passkeyAge", RestrictedExpression::new_long(age)));
        }
        let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value));
        Context::from_pairs(pairs).map_err(|it| it.to_string())
    }
}
