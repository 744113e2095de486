//! From where somebody asked: kept for 30 days beside the latest of each distinct decision, sealed under the key of whoever
//! asked, as in events. Whoever is erased leaves none.

use std::net::IpAddr;

use keywarden_model::time::from_micros;
use keywarden_store::decisions::{Decision, Logged};
use keywarden_vault::DerivingKey;

use super::{Question, Tally, Who};
use crate::Domain;

const PURPOSE: &str = "decision-address";
/// There was an address, and it is not kept: not the same as none.
const NOT_KEPT: Vec<u8> = Vec::new();

fn context(digest: &[u8], subject: &str) -> Vec<u8> {
    format!("decision_log.sealed_address/{}/{subject}", hex::encode(digest)).into_bytes()
}

impl Domain {
    /// The address as it may be kept. People and workloads have keys of their own; of whoever has none it is kept only that there
    /// was one, and so of everybody while the keyring is sealed: decisions are counted all the same.
    pub(super) async fn sealed_address(
        &self,
        question: &Question,
        tally: &Tally,
        decision: &Decision,
    ) -> Option<Vec<u8>> {
        let address = tally.moment.address?;
        let subject = match question.who {
            Who::Nobody | Who::Operator(_) => return Some(NOT_KEPT),
            Who::Person(_) | Who::Workload(_) => &decision.principal,
        };
        let key = match self.subject_key(subject, from_micros(tally.last_at)).await {
            Ok(Some(key)) => key,
            Ok(None) => return Some(NOT_KEPT),
            Err(cause) => {
                tracing::debug!(%cause, "domain.flush_decisions: an address is left out");
                return Some(NOT_KEPT);
            }
        };
        let context = context(&decision.digest, subject);
        let text = address.to_string();
        let sealed = self.env().with_rng(|rng| key.seal(subject, PURPOSE, &context, text.as_bytes(), rng));
        Some(sealed.unwrap_or(NOT_KEPT))
    }
}

/// The address that was kept, with the key of whoever asked.
pub(crate) fn opened(key: &DerivingKey, logged: &Logged) -> Option<IpAddr> {
    let sealed = logged.sealed_address.as_deref()?;
    let text = key.open(PURPOSE, &context(&logged.digest, &logged.principal), sealed).ok()?;
    std::str::from_utf8(text.expose()).ok()?.parse().ok()
}
