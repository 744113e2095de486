//! Each version's rules are what their digest says, and its columns say what its rules say.

use keywarden_store::fsck;
use sha2::{Digest, Sha256};

use super::{Findings, PAGE};
use crate::standards::Rules;
use crate::{Domain, Fault};

impl Domain {
    pub(super) async fn check_standards(&self, findings: &mut Findings) -> Result<(), Fault> {
        let (mut after, mut number) = (String::new(), 0);
        loop {
            let page = fsck::standard_texts(&mut self.store().read().await?, &after, number, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            (after, number) = (last.standard_id.clone(), last.number);
            for row in page {
                check(&row, findings);
            }
        }
    }
}

fn check(row: &fsck::StandardText, findings: &mut Findings) {
    let thing = format!("{}@{}", row.standard_id, row.number);
    if Sha256::digest(&row.rules).as_slice() != row.sha256 {
        findings.found(
            "standard-rules-changed",
            &thing,
            "is a version of a standard with other rules than its digest's",
        );
    }
    match serde_json::from_str::<Rules>(&row.rules) {
        Err(_) => findings.found(
            "standard-unreadable",
            &thing,
            "is a version of a standard with rules that cannot be read",
        ),
        Ok(rules) => {
            let same = rules.environments_text() == row.environments
                && rules.reads_need_reason == row.reads_need_reason;
            if !same {
                findings.found(
                    "standard-columns-differ",
                    &thing,
                    "is a version of a standard whose columns say something else than its rules",
                );
            }
        }
    }
}
