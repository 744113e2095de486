//! From memory to the decision log.

use keywarden_store::decisions::{self as rows, Decision};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Question, Tally, Who};
use crate::tokens::silent;
use crate::{Domain, Fault, Resource};

/// Decisions in one write.
const BATCH: usize = 500;

impl Domain {
    /// Writes what was decided since the last flush; says how many distinct decisions. A job calls it every minute and
    /// when the node stops. What cannot be written is kept for the next time, as far as there is room.
    pub async fn flush_decisions(&self) -> Result<u64, Fault> {
        let noted = self.decisions().take();
        if noted.lost > 0 {
            tracing::warn!(
                lost = noted.lost,
                "domain.flush_decisions: more distinct decisions than are kept"
            );
        }
        let mut decisions: Vec<(Decision, Question, Tally)> = Vec::with_capacity(noted.tallies.len());
        for (question, tally) in noted.tallies {
            let mut decision = decision(&question, &tally);
            decision.sealed_address = self.sealed_address(&question, &tally, &decision).await;
            decisions.push((decision, question, tally));
        }
        decisions.sort_unstable_by(|a, b| a.0.cmp(&b.0)); // two nodes lock rows in one order
        let total = decisions.len() as u64;
        while !decisions.is_empty() {
            let batch: Vec<_> = decisions.iter().take(BATCH).map(|it| it.0.clone()).collect();
            let wrote = self.store().write_silently("what was decided", move |tx| {
                let batch = batch.clone();
                Box::pin(async move {
                    for decision in &batch {
                        rows::add(tx, decision).await?;
                    }
                    Ok(())
                })
            });
            if let Err(error) = wrote.await {
                self.decisions()
                    .put_back(decisions.into_iter().map(|(_, question, tally)| (question, tally)));
                return Err(silent(error));
            }
            decisions.drain(..BATCH.min(decisions.len()));
        }
        Ok(total)
    }
}

fn decision(question: &Question, tally: &Tally) -> Decision {
    let principal = match question.who {
        Who::Nobody => "nobody".to_owned(),
        Who::Operator(None) => "shell".to_owned(),
        Who::Operator(Some(token)) => token.to_string(),
        Who::Person(id) => id.to_string(),
        Who::Workload(id) => id.to_string(),
    };
    let (kind, id) = question.resource.name();
    let resource = format!("{kind} {id}");
    let context = context(question);
    let mut digest = Sha256::new();
    for part in [&principal, question.action.name(), &resource, &context] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    Decision {
        digest: digest.finalize().into(),
        principal,
        action: question.action.name(),
        resource,
        context,
        allowed: tally.allowed,
        policies: json!(tally.policies).to_string(),
        times: tally.times,
        first_at: tally.first_at,
        last_at: tally.last_at,
        method: tally.moment.method.as_str(),
        passkey_age: tally.moment.passkey_age,
        sealed_address: None,
    }
}

/// What else policies looked at. Keys are in alphabetical order, so that equal contexts are equal texts.
fn context(question: &Question) -> String {
    let project = question.resource.project().map(|it| it.to_string());
    match question.resource {
        Resource::ApiKey { environment, owner, .. } => json!({
            "environment": environment.to_string(),
            "owner": owner.to_string(),
            "project": project,
            "recovering": question.recovering,
        }),
        Resource::Secret { environment, .. } => json!({
            "environment": environment.to_string(),
            "project": project,
            "recovering": question.recovering,
        }),
        _ => json!({ "project": project, "recovering": question.recovering }),
    }
    .to_string()
}
