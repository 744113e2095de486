//! A seal that says nothing proves nothing: neither that its wraps are good, nor that they are broken.

use std::{path::PathBuf, sync::Arc, time::Duration};

use keywarden_vault::{
    KeyNumber, SecretBytes,
    seal::{Seal, SealDescription, SealError},
};
use rand::CryptoRng;

use super::Furnished;
use crate::cast::both_engines;

/// Stands where another seal is, and never answers in time.
#[derive(Debug)]
struct Silent(SealDescription);

impl Seal for Silent {
    fn describe(&self) -> &SealDescription {
        &self.0
    }

    fn wrap(&self, _: &[u8], _: &SecretBytes, _: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError> {
        Err(silence())
    }

    fn unwrap(&self, _: &[u8], _: &[u8]) -> Result<SecretBytes, SealError> {
        Err(silence())
    }

    fn probe(&self) -> Result<(), SealError> {
        Err(silence())
    }

    fn keys(&self) -> Result<Vec<KeyNumber>, SealError> {
        Err(silence())
    }

    fn add_key(&self, _: &mut dyn CryptoRng) -> Result<KeyNumber, SealError> {
        Err(silence())
    }

    fn destroy_key(&self, _: KeyNumber) -> Result<(), SealError> {
        Err(silence())
    }
}

fn silence() -> SealError {
    SealError::NoAnswer { path: PathBuf::from("/usr/lib/token.so"), limit: Duration::from_secs(5) }
}

#[tokio::test]
async fn a_seal_that_does_not_answer_in_time_is_said_and_is_no_damage() {
    both_engines(async |house| {
        let mut it = Furnished::new(house).await;
        it.house.domain.keyring().zeroize();
        it.seals =
            it.seals.iter().map(|seal| Arc::new(Silent(seal.describe().clone())) as Arc<dyn Seal>).collect();
        let found = it.look().await;
        assert!(found.is_clean(), "{:?}", found.findings);
        assert!(
            found.skipped.iter().any(|it| it.contains("did not answer within 5 s")),
            "{:?}",
            found.skipped
        );
    })
    .await;
}
