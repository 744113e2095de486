//! Each version's text is what its digest says, and what may still decide is a policy that can be asked.

use keywarden_model::PolicyState;
use keywarden_store::fsck;
use sha2::{Digest, Sha256};

use super::{Findings, PAGE};
use crate::authz::PolicyScope;
use crate::{Domain, Fault};

impl Domain {
    pub(super) async fn check_policies(&self, findings: &mut Findings) -> Result<(), Fault> {
        let (mut after, mut number) = (String::new(), 0);
        loop {
            let page = fsck::policy_texts(&mut self.store().read().await?, &after, number, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            (after, number) = (last.policy_id.clone(), last.number);
            for row in page {
                self.check_policy_text(&row, findings);
            }
        }
    }

    fn check_policy_text(&self, row: &fsck::PolicyText, findings: &mut Findings) {
        let thing = format!("{}@{}", row.policy_id, row.number);
        if Sha256::digest(&row.text).as_slice() != row.sha256 {
            findings.found(
                "policy-text-changed",
                &thing,
                "is a version of a policy with another text than its digest's",
            );
        }
        let may_decide =
            row.state.parse().is_ok_and(|it: PolicyState| it.is_open() || it == PolicyState::Active);
        if !may_decide {
            return;
        }
        let scope = match row.project_id.as_deref().map(str::parse) {
            None => PolicyScope::Organization,
            Some(Ok(project)) => PolicyScope::Project(project),
            Some(Err(_)) => {
                findings.found("policy-out-of-scope", &thing, "is a version of a policy of no project");
                return;
            }
        };
        match self.gate().check(scope, &row.text) {
            Ok(checked) if checked.effect.as_str() == row.effect => {}
            Ok(_) => findings.found(
                "policy-effect-wrong",
                &thing,
                "is a version of a policy that does the contrary",
            ),
            Err(errors) => {
                let cause = errors.first().map(ToString::to_string).unwrap_or_default();
                let says = format!("is a version of a policy that cannot be asked: {cause}");
                findings.found("policy-unreadable", &thing, says);
            }
        }
    }
}
