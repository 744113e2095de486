//! Every wrap unwraps, under each seal that is at hand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use keywarden_vault::keyring::UnsealError;
use keywarden_vault::{KeyRecord, Keyring, Seal, WrapRecord};
use tokio::task::spawn_blocking;

use super::Findings;
use crate::system::records::Records;
use crate::{Domain, Fault};

impl Domain {
    /// Whether the keyring is in memory now.
    pub(super) async fn check_keyring(
        &self,
        seals: &[Arc<dyn Seal>],
        findings: &mut Findings,
    ) -> Result<bool, Fault> {
        let records = Records::load(&mut self.store().read().await?).await?;
        for seal in &records.seals {
            if !seals.iter().any(|it| it.describe().id == seal.id) {
                findings.skipped.push(format!("wraps under `{}`: this machine has no such seal", seal.id));
            }
        }
        for seal in seals {
            self.check_seal(&records, seal, findings).await?;
        }
        if records.is_empty() {
            findings.skipped.push("the keyring: no key was made yet".into());
            return Ok(false);
        }
        let (keyring, seals) = (Arc::clone(self.keyring()), seals.to_vec());
        let unsealed = spawn_blocking(move || keyring.unseal(&records.keys, &records.wraps, &seals)).await;
        match unsealed.map_err(|cause| Fault::Unexpected(cause.to_string()))? {
            Ok(()) => Ok(true),
            Err(cause) if cause.is_silence() => {
                findings.skipped.push(format!("the keyring: {cause}"));
                Ok(false)
            }
            Err(cause) => {
                findings.found("keyring-sealed", "the keyring", format!("does not unseal: {cause}"));
                Ok(false)
            }
        }
    }

    async fn check_seal(
        &self,
        records: &Records,
        seal: &Arc<dyn Seal>,
        findings: &mut Findings,
    ) -> Result<(), Fault> {
        let id = seal.describe().id.clone();
        let mut wrapped = Vec::new();
        for wrap in records.wraps.iter().filter(|wrap| wrap.seal_id == id) {
            match records.keys.iter().find(|key| key.id == wrap.key_id) {
                Some(key) => wrapped.push((key.clone(), wrap.clone())),
                None if records.unknown > 0 => {
                    findings.skipped.push(format!("key `{}`: its purpose is a newer version's", wrap.key_id));
                }
                None => findings.found("wrap-orphan", wrap.key_id, "is wrapped and not there"),
            }
        }
        let seal = Arc::clone(seal);
        let failed = spawn_blocking(move || unwrap_each(&wrapped, &seal))
            .await
            .map_err(|cause| Fault::Unexpected(cause.to_string()))?;
        for (key, cause) in failed {
            if cause.is_silence() {
                findings.skipped.push(format!("key `{key}`: {cause}"));
                continue;
            }
            findings.found("wrap-broken", key, format!("does not unwrap: {cause}"));
        }
        Ok(())
    }
}

fn unwrap_each(wrapped: &[(KeyRecord, WrapRecord)], seal: &Arc<dyn Seal>) -> Vec<(String, UnsealError)> {
    let mut failed = Vec::new();
    for (key, wrap) in wrapped {
        // A ring of its own for each, so that one broken wrap hides no other.
        let ring = Keyring::new(Duration::ZERO, Instant::now);
        let seals = [Arc::clone(seal)];
        match ring.unseal(std::slice::from_ref(key), std::slice::from_ref(wrap), &seals) {
            Ok(()) | Err(UnsealError::NoActiveKey(_)) => {}
            Err(cause) => failed.push((key.id.to_string(), cause)),
        }
        ring.zeroize();
    }
    failed
}
