//! Every version of a secret opens in its place, is as long as its row says, and has the fingerprint of its value; a template
//! refers to what its rows say.

use std::collections::BTreeMap;

use keywarden_store::fsck::{self, SealedVersion};
use keywarden_store::secrets::references::references;
use keywarden_vault::{OpenError, ProjectKey, Purpose, SealedValue, SecretBytes, ValuePlace};

use super::{Findings, PAGE};
use crate::secrets::template;
use crate::{Domain, Fault};

impl Domain {
    pub(super) async fn check_secrets(&self, findings: &mut Findings) -> Result<(), Fault> {
        let mut after = String::new();
        // Versions whose project has a seal of its own that is away, by seal.
        let mut apart: BTreeMap<String, (u64, String)> = BTreeMap::new();
        loop {
            let page = fsck::sealed_versions(&mut self.store().read().await?, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.id.to_string();
            for row in page {
                findings.opened = findings.opened.saturating_add(1);
                let id = row.id;
                let seen = self.custody_seen();
                let mut tried = self.try_version(&row);
                if matches!(tried, Err(OpenError::SealAway { .. })) && self.fetch_project_keys(&seen).await {
                    tried = self.try_version(&row);
                }
                match tried {
                    Err(OpenError::SealAway { seal, cause }) => {
                        let (count, _) = apart.entry(seal).or_insert((0, cause));
                        *count = count.saturating_add(1);
                    }
                    Ok(Some(value)) if row.template => {
                        let told = references(&mut self.store().read().await?, id).await?;
                        if template::rows_of(value.expose()) != Some(told) {
                            let says = "refers to other things than its rows say";
                            findings.found("secret-references", id, says);
                        }
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => findings.found("secret-value", id, "has another value than its row says"),
                    Err(cause) => findings.found("secret-value", id, format!("does not open: {cause}")),
                }
            }
        }
        for (seal, (values, cause)) in apart {
            let values = if values == 1 { "one value".to_owned() } else { format!("{values} values") };
            findings.apart.push(format!("{values} of projects whose own seal is `{seal}`: {cause}"));
        }
        Ok(())
    }

    /// The value of a version.
    pub(crate) fn sealed_value(&self, row: &SealedVersion) -> Result<SecretBytes, OpenError> {
        let key = ProjectKey::open(self.keyring(), row.project_key_id, row.project_id, &row.project_key)?;
        let place = ValuePlace { secret: row.secret_id, version: row.id };
        let (wrapped_key, ciphertext) = (row.wrapped_key.clone(), row.ciphertext.clone());
        key.open_value(place, &SealedValue { wrapped_key, ciphertext })
    }

    /// What it holds, if that is what its row tells of it.
    fn try_version(&self, row: &SealedVersion) -> Result<Option<SecretBytes>, OpenError> {
        let value = self.sealed_value(row)?;
        let Ok(tag) = <[u8; 32]>::try_from(row.fingerprint.as_slice()) else { return Ok(None) };
        let fits = self.keyring().verify_mac(
            Purpose::SecretFingerprint,
            row.fingerprint_key_id,
            value.expose(),
            &tag,
        )?;
        let fits = fits && i64::try_from(value.expose().len()).is_ok_and(|size| size == row.size);
        Ok(fits.then_some(value))
    }
}
