//! A seal that says nothing, or lets nobody in, proves nothing: neither that its wraps are good, nor that they are broken.

use std::{path::PathBuf, sync::Arc, time::Duration};

use keywarden_vault::{
    KeyNumber, SecretBytes,
    seal::{Seal, SealDescription, SealError},
};
use rand::CryptoRng;

use super::Furnished;
use crate::cast::both_engines;

/// Stands where another seal is, and says this to whatever it is asked.
#[derive(Debug)]
struct Silent(SealDescription, SealError);

impl Seal for Silent {
    fn describe(&self) -> &SealDescription {
        &self.0
    }

    fn wrap(&self, _: &[u8], _: &SecretBytes, _: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError> {
        Err(self.1.clone())
    }

    fn unwrap(&self, _: &[u8], _: &[u8]) -> Result<SecretBytes, SealError> {
        Err(self.1.clone())
    }

    fn probe(&self) -> Result<(), SealError> {
        Err(self.1.clone())
    }

    fn keys(&self) -> Result<Vec<KeyNumber>, SealError> {
        Err(self.1.clone())
    }

    fn add_key(&self, _: &mut dyn CryptoRng) -> Result<KeyNumber, SealError> {
        Err(self.1.clone())
    }

    fn destroy_key(&self, _: KeyNumber) -> Result<(), SealError> {
        Err(self.1.clone())
    }
}

fn silences() -> [(SealError, &'static str); 5] {
    let (path, limit) = (PathBuf::from("/usr/lib/token.so"), Duration::from_secs(5));
    let token = || "main".to_owned();
    [
        (SealError::NoAnswer { path, limit }, "did not answer within 5 s"),
        (SealError::PinLocked(token()), "is locked: unlock it"),
        (SealError::PinRefused(token()), "refused the PIN"),
        (
            SealError::PinRests { token: token(), seconds: 5 },
            "the PIN is tried again 5 s after the last time",
        ),
        (SealError::PinWithheld { token: token(), remedy: "forget it".into() }, "is not tried again"),
    ]
}

#[tokio::test]
async fn a_seal_that_does_not_answer_or_takes_no_pin_is_said_and_is_no_damage() {
    both_engines(async |house| {
        let mut it = Furnished::new(house).await;
        it.house.domain.keyring().zeroize();
        for (silence, says) in silences() {
            let silent = |seal: &Arc<dyn Seal>| Silent(seal.describe().clone(), silence.clone());
            it.seals = it.seals.iter().map(|seal| Arc::new(silent(seal)) as Arc<dyn Seal>).collect();
            let found = it.look().await;
            assert!(found.is_clean() && !found.is_whole(), "{says}: {:?}", found.findings);
            let keys = found.skipped.iter().filter(|it| it.starts_with("key `") && it.contains(says));
            assert!(keys.count() > 0, "{says}: {:?}", found.skipped);
            let keyring = |it: &String| it.starts_with("the keyring: ") && it.contains(says);
            assert!(found.skipped.iter().any(keyring), "{says}: {:?}", found.skipped);
        }
    })
    .await;
}
