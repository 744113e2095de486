//! What a yes looks like: something that can only be had by asking.

use sha2::{Digest, Sha256};

use super::{Action, Decision, Resource};

/// A decision in the caller's favour, at one state of the change counter. Verbs take it; nothing else makes it.
#[derive(Debug)]
#[must_use = "a permit that is not used means that the question was not needed"]
pub struct Permit {
    decision: Decision,
    counter: i64,
}

impl Permit {
    /// Of a decision that says yes.
    pub(super) fn of(decision: Decision, counter: i64) -> Option<Self> {
        decision.allowed.then_some(Self { decision, counter })
    }

    /// What may be done.
    pub fn action(&self) -> Action {
        self.decision.action
    }

    /// To what.
    pub fn resource(&self) -> &Resource {
        &self.decision.resource
    }

    /// The policies that said yes.
    pub fn policies(&self) -> &[String] {
        &self.decision.policies
    }

    /// The SHA-256 of the circumstances that the policies were asked under, as RFC 8785 writes them: the record shows that
    /// a decision made again was asked the same.
    pub fn context_hash(&self) -> [u8; 32] {
        let context = match &self.decision.circumstances {
            None => serde_json::json!({ "recovering": self.decision.recovering }).to_string(),
            Some(circumstances) => circumstances.written(),
        };
        Sha256::digest(context.as_bytes()).into()
    }

    /// The change counter under which it was decided.
    pub fn counter(&self) -> i64 {
        self.counter
    }
}
